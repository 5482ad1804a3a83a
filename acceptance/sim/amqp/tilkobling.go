package amqp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	handtrykkfrist = 10 * time.Second // from accept to an open virtual host
	lukkefrist     = 2 * time.Second  // for a client to answer a close, and for the last octets to be written
	skrivefrist    = 30 * time.Second // for a client to read one buffer
	sporrefrist    = 10 * time.Second // for Tilgang
	maksUtgaende   = 1000             // answers not yet written; then no more is read
)

// tilkobling is one client's connection.
type tilkobling struct {
	b    *Broker
	nr   uint64
	raa  net.Conn // the socket: closing it ends everything, at once
	c    net.Conn // TLS over it, or the same
	inn  rammeleser
	ut   *bufio.Writer
	vekk chan struct{} // room for one: the writer has something to look at

	// Set by the handshake, then only read.
	bruker     string
	maksKanal  uint16
	maksKropp  int // payload octets of a frame
	hjerteslag time.Duration

	mu          sync.Mutex
	plass       sync.Cond // utgaende has become shorter, or the writer has ended
	utgaende    []utgang
	kanaler     map[uint16]*kanal
	konsumenter int
	lukker      bool // close is sent or received: nothing more is delivered
	slutter     bool // the reader has ended: the writer is to end when all is written
	skriverBort bool

	klarMu sync.Mutex
	klare  fifo[*konsument] // have a turn

	ferdig chan struct{} // closed when it is over and everything is back on its queue
}

func nyTilkobling(b *Broker, raa net.Conn) *tilkobling {
	t := &tilkobling{b: b, raa: raa, c: raa, vekk: make(chan struct{}, 1), kanaler: map[uint16]*kanal{}, ferdig: make(chan struct{})}
	if b.c.TLS != nil {
		t.c = tls.Server(raa, b.c.TLS)
	}
	t.plass.L = &t.mu
	t.inn = rammeleser{r: bufio.NewReaderSize((*lesefrist)(t), 8<<10), maks: maksForTune}
	t.ut = bufio.NewWriterSize((*skriver)(t), 32<<10)
	return t
}

// lesefrist reads from the connection, and gives up on a client that is silent for two heartbeats.
type lesefrist tilkobling

func (l *lesefrist) Read(b []byte) (int, error) {
	if l.hjerteslag > 0 {
		if err := l.c.SetReadDeadline(time.Now().Add(2 * l.hjerteslag)); err != nil {
			return 0, err
		}
	}
	return l.c.Read(b)
}

// skriver writes to the connection, and gives up on a client that does not read.
type skriver tilkobling

func (s *skriver) Write(b []byte) (int, error) {
	if err := s.c.SetWriteDeadline(time.Now().Add(skrivefrist)); err != nil {
		return 0, err
	}
	return s.c.Write(b)
}

// kjor serves the connection from accept to end.
func (t *tilkobling) kjor() {
	defer close(t.ferdig)
	defer t.b.glem(t)
	logg := t.b.c.Logg.With("tilkobling", t.nr)
	vaktpost := time.AfterFunc(handtrykkfrist, func() { _ = t.raa.Close() })
	err := t.handtrykk()
	if err != nil {
		logg.Debug("tilkobling avvist", "feil", err)
		t.avslutt(err)
		vaktpost.Stop()
		_ = t.raa.Close()
		return
	}
	vaktpost.Stop()
	logg.Info("tilkoblet", "bruker", t.bruker)
	var skriver sync.WaitGroup
	skriver.Go(t.skriv)
	err = t.les()
	// Everything is back on its queue before the last octets are waited for: what the client left is another's at once.
	t.mu.Lock()
	t.forlat()
	t.slutter = true
	t.mu.Unlock()
	t.vekkSkriver()
	vaktpost = time.AfterFunc(lukkefrist, func() { _ = t.raa.Close() })
	skriver.Wait()
	if errors.As(err, new(*feil)) {
		t.tomInn()
	}
	_ = t.c.Close()
	vaktpost.Stop()
	_ = t.raa.Close()
	logg.Info("frakoblet", "bruker", t.bruker, "feil", err)
}

// avslutt tells a client why the handshake failed.
func (t *tilkobling) avslutt(err error) {
	var f *feil
	if errors.As(err, &f) {
		err = t.send(lukkeramme(0, f, 0))
	}
	if err == nil || errors.Is(err, errProtokoll) {
		t.tomInn()
	}
}

// tomInn ends the broker's direction and reads on until the client ends its own, or for lukkefrist: a socket closed over unread
// octets is reset, and the client never sees what it was told.
func (t *tilkobling) tomInn() {
	stopp := time.AfterFunc(lukkefrist, func() { _ = t.raa.Close() })
	defer stopp.Stop()
	if c, ok := t.c.(interface{ CloseWrite() error }); ok { // a TLS or a TCP connection
		_ = c.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, t.inn.r)
}

// les reads and obeys until the connection ends. io.EOF is an orderly end.
func (t *tilkobling) les() error {
	for {
		f, err := t.inn.les()
		var fe *feil
		if errors.As(err, &fe) {
			t.lukk(fe, 0)
			return err // the place in the stream is lost: the client's answer would not be known
		}
		if err != nil {
			return err
		}
		metode, err := t.ramme(f)
		if errors.As(err, &fe) {
			if f.kanal != 0 && fe.kanalens() {
				t.lukkKanal(f.kanal, fe, metode)
				continue
			}
			t.lukk(fe, metode)
			continue
		}
		if err != nil {
			return err
		}
	}
}

// ramme obeys one frame. It gives the method in it, for the close that an error leads to.
func (t *tilkobling) ramme(f ramme) (metode uint32, err error) {
	t.mu.Lock()
	lukker, k := t.lukker, t.kanaler[f.kanal]
	t.mu.Unlock()
	l := &leser{b: f.last}
	switch f.slag {
	case rammeHjerteslag:
		if f.kanal != 0 || len(f.last) != 0 {
			return 0, nyFeil(feilRamme, "et hjerteslag hører til kanal 0 og er tomt")
		}
		return 0, nil
	case rammeMetode:
		if metode = l.lang(); l.feilet {
			return 0, nyFeil(feilSyntaks, "rammen har ingen metode")
		}
	default:
		if lukker || k != nil && k.lukker {
			return 0, nil // the content of a publish that was refused
		}
		return 0, nyFeil(feilUventet, "innhold uten metode")
	}
	switch {
	case f.kanal == 0:
		return metode, t.metode(metode, lukker)
	case lukker:
		return metode, nil
	case metode>>16 == klasseConnection:
		return metode, nyFeil(feilKommando, "connection hører til kanal 0")
	case metode == channelOpen:
		return metode, t.apneKanal(f.kanal, k, l)
	case k == nil:
		return metode, nyFeil(feilKanal, "kanalen er ikke åpen")
	}
	return metode, k.metode(metode, l)
}

// metode obeys a method on channel 0.
func (t *tilkobling) metode(metode uint32, lukker bool) error {
	switch metode {
	case connectionClose:
		t.mu.Lock()
		t.forlat() // before close-ok: a client that has been told goodbye finds its messages back on the queue
		t.leggUt(utgang{ramme: metoderamme(0, connectionCloseOk)})
		t.mu.Unlock()
		return io.EOF
	case connectionCloseOk:
		if lukker {
			return io.EOF
		}
		return nyFeil(feilKommando, "ingen har lukket")
	case connectionBlocked, connectionUnblocked:
		return nil
	}
	switch {
	case lukker:
		return nil
	case metode>>16 == klasseConnection && metode&0xffff <= 51:
		return nyFeil(feilKommando, "metoden hører ikke hjemme her")
	case metode>>16 == klasseConnection:
		return nyFeil(feilIkkeLaget, tekstIkkeLaget)
	}
	return nyFeil(feilKommando, "kanal 0 er for connection")
}

// lukk sends connection.close and gives everything back. Safe from any goroutine, and only the first call counts.
func (t *tilkobling) lukk(f *feil, metode uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lukker || t.slutter {
		return
	}
	t.forlat()
	t.utgaende = append(t.utgaende, utgang{ramme: lukkeramme(0, f, metode)})
	t.vekkSkriver()
	time.AfterFunc(lukkefrist, func() { _ = t.raa.Close() })
}

// forlat closes every channel and stops deliveries. The caller holds mu.
func (t *tilkobling) forlat() {
	t.lukker = true
	for nr, k := range t.kanaler {
		k.forlat()
		delete(t.kanaler, nr)
	}
}

// sporTilgang asks whether the user may read the queue.
func (t *tilkobling) sporTilgang(ko string) bool {
	ctx, avbryt := context.WithTimeout(t.b.ctx, sporrefrist)
	defer avbryt()
	return t.b.c.Tilgang.KanLese(ctx, t.bruker, ko)
}
