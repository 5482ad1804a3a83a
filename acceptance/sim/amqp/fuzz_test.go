package amqp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/adapters/memory"
)

func FuzzTabell(f *testing.F) {
	alle, _ := alleTyper()
	f.Add(alle)
	f.Add(tomTabell)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0})
	f.Add(bytes.Repeat([]byte{0, 0, 0, 200, 0, 'F'}, 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		l := &leser{b: b}
		tabell := l.tabell()
		if l.feilet && len(tabell) > len(b) {
			t.Fatal("mer ut enn inn")
		}
		if n := len(l.b); n > len(b) {
			t.Fatalf("%d oktetter igjen av %d", n, len(b))
		}
	})
}

func FuzzRamme(f *testing.F) {
	f.Add(startOk(announces, "PLAIN", plain(bruker, passord)))
	f.Add(append(bytes.Clone(hjerteslag), open("/")...))
	f.Add([]byte{1, 0, 1, 0xff, 0xff, 0xff, 0xff, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		l := rammeleser{r: bufio.NewReader(bytes.NewReader(b)), maks: 4096}
		var lest []byte
		for {
			r, err := l.les()
			if err != nil {
				var fe *feil
				if !errors.As(err, &fe) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("uventet feil: %v", err)
				}
				break
			}
			if len(r.last) > l.maks {
				t.Fatal("for stor ramme")
			}
			lest = lukkRamme(append(apneRamme(lest, r.slag, r.kanal), r.last...), len(lest))
		}
		if !bytes.HasPrefix(b, lest) {
			t.Fatal("rammene er ikke det som sto der")
		}
	})
}

// FuzzSamtale lets a logged-in client say anything. When it is gone, nothing it held is lost and nothing of it is left.
func FuzzSamtale(f *testing.F) {
	lag := func(rammer ...[]byte) { f.Add(bytes.Join(rammer, nil)) }
	apne := metoderamme(1, channelOpen, kortStreng(""))
	abonner := metoderamme(1, basicConsume, consume(minKo, "", 0)...)
	ack := metoderamme(1, basicAck, []byte{0, 0, 0, 0, 0, 0, 0, 1}, []byte{1})
	lag(apne, abonner, ack, metoderamme(0, connectionClose, []byte{0, 200}, kortStreng(""), tall32(0)))
	lag(apne, metoderamme(1, basicQos, tall32(0), []byte{0, 1, 1}), abonner, metoderamme(1, basicNack, make([]byte, 8), []byte{3}))
	lag(apne, metoderamme(1, basicGet, []byte{0, 0}, kortStreng(minKo), []byte{0}), metoderamme(1, basicReject, []byte{0, 0, 0, 0, 0, 0, 0, 1}, []byte{1}))
	lag(apne, metoderamme(1, basicPublish, []byte{0, 0}, kortStreng(""), kortStreng(minKo), []byte{0}), metoderamme(1, channelCloseOk), apne)
	lag(apne, abonner, metoderamme(1, channelFlow, []byte{0}), metoderamme(1, channelFlow, []byte{1}), metoderamme(1, basicCancel, kortStreng("x"), []byte{0}))
	lag(apne, metoderamme(1, queueDeclare, []byte{0, 0}, kortStreng(minKo), []byte{1}, tomTabell), metoderamme(1, basicRecover, []byte{1}), abonner, abonner)
	f.Fuzz(func(t *testing.T, sagt []byte) {
		l := &rorlytter{nye: make(chan net.Conn), stengt: make(chan struct{})}
		b := start(Config{FrameMax: standardFrameMax, Hjerteslag: standardHjerteslag, Klokke: memory.NyKlokke(nyttar), Tilgang: enBruker{}, Logg: stille}, l)
		defer func() { _ = b.Close() }()
		medKo(t, b, "1", "2", "3")
		inn := bytes.Join([][]byte{[]byte(protokollhode), startOk(tomTabell, "PLAIN", plain(bruker, passord)), tuneOk(0, 0, 0), open("/"), sagt}, nil)
		tk := nyTilkobling(b, &opptak{Reader: bytes.NewReader(inn)})
		b.handtrykk = append(b.handtrykk, tk)
		tk.kjor()
		if s, _ := b.Status(context.Background(), minKo); s.Ubekreftede != 0 || s.Konsumenter != 0 || s.Klare > 3 {
			t.Fatalf("igjen etter klienten: %+v", s)
		}
		if len(b.tilkoblinger)+len(b.handtrykk) != 0 {
			t.Fatal("tilkoblingen er ikke glemt")
		}
		// And the queue still works.
		r := l.ring(t)
		if err := b.Legg(context.Background(), minKo, broker.Melding{Kropp: []byte("ny")}); err != nil {
			t.Fatal(err)
		}
		r.loggInn(0).abonner(minKo)
		for kropp := ""; kropp != "ny"; {
			_, k := r.levering(1)
			kropp = string(k)
		}
		_ = r.c.Close()
	})
}

// opptak is a connection whose client has said everything at once and reads all it is told.
type opptak struct {
	*bytes.Reader
}

func (*opptak) Write(b []byte) (int, error)      { return len(b), nil }
func (*opptak) Close() error                     { return nil }
func (*opptak) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*opptak) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*opptak) SetDeadline(time.Time) error      { return nil }
func (*opptak) SetReadDeadline(time.Time) error  { return nil }
func (*opptak) SetWriteDeadline(time.Time) error { return nil }
