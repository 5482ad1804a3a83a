package acceptance_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// avlytting stands on the line between the portal and its broker, and reads what is delivered and acked: a count of what went over the wire
// twice that owes nothing to the portal's own. To both it is only a wire.
type avlytting struct {
	adr, til     string
	tjener, stol *tls.Config // as whom the portal meets it, and whom it meets itself
	// sluk keeps the portal's acks from the broker: answers are taken, and the broker does not hear of it. What it delivered comes again
	// when the connection is broken.
	sluk   atomic.Bool
	slukte atomic.Int32

	mu         sync.Mutex
	leveringer []*levert // in the order they came
}

// levert is one delivery of one answer.
type levert struct {
	id, melding, slag string
	igjen             bool // the broker says that it has delivered it before
	tatt              bool // the portal acked it
}

// avlytt stands there until the test ends.
func avlytt(t *testing.T, til string, tjener, stol *tls.Config) *avlytting {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &avlytting{adr: l.Addr().String(), til: til, tjener: tjener, stol: stol}
	ctx, slutt := context.WithCancel(context.Background())
	var alle sync.WaitGroup
	alle.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			alle.Go(func() { a.linje(ctx, c) })
		}
	})
	t.Cleanup(func() {
		slutt()
		_ = l.Close()
		alle.Wait()
	})
	return a
}

// linje is one connection. When the broker is away, the portal is hung up on.
func (a *avlytting) linje(ctx context.Context, c net.Conn) {
	defer c.Close()
	raa, err := (&net.Dialer{}).DialContext(ctx, "tcp", a.til)
	if err != nil {
		return
	}
	defer raa.Close()
	defer context.AfterFunc(ctx, func() { _, _ = c.Close(), raa.Close() })()
	portal, megler := tls.Server(c, a.tjener), tls.Client(raa, a.stol)
	if megler.HandshakeContext(ctx) != nil || portal.HandshakeContext(ctx) != nil {
		return
	}
	ute := map[uint64]*levert{} // by this connection's delivery tags
	var begge sync.WaitGroup
	defer begge.Wait()
	begge.Go(func() {
		defer c.Close()
		a.tilPortalen(portal, bufio.NewReader(megler), ute)
	})
	begge.Go(func() {
		defer raa.Close()
		a.fraPortalen(megler, bufio.NewReader(portal), ute)
	})
}

// AMQP 0-9-1 §4.2.3: a frame is type, channel, size, payload and an end octet. The payload of a method begins with class and method.
const (
	metoderamme, hoderamme = 1, 2
	basicDeliver, basicAck = 60<<16 | 60, 60<<16 | 80
)

func lesRamme(r io.Reader) (ramme, last []byte, err error) {
	var start [7]byte
	if _, err = io.ReadFull(r, start[:]); err != nil {
		return nil, nil, err
	}
	ramme = make([]byte, len(start)+int(binary.BigEndian.Uint32(start[3:]))+1)
	_, err = io.ReadFull(r, ramme[copy(ramme, start[:]):])
	return ramme, ramme[len(start) : len(ramme)-1], err
}

func erMetode(ramme, last []byte, m uint32) bool {
	return ramme[0] == metoderamme && len(last) >= 4 && binary.BigEndian.Uint32(last) == m
}

// tilPortalen notes a delivery before it is passed on: its ack can be here at once.
func (a *avlytting) tilPortalen(ut io.Writer, inn io.Reader, ute map[uint64]*levert) {
	var merke uint64
	var igjen bool
	for {
		ramme, last, err := lesRamme(inn)
		if err != nil {
			return
		}
		switch {
		case erMetode(ramme, last, basicDeliver):
			rest := last[5+int(last[4]):] // after the consumer tag
			merke, igjen = binary.BigEndian.Uint64(rest), rest[8]&1 == 1
		case ramme[0] == hoderamme:
			l := &levert{id: tekstfelt(last, protokoll.HeaderMeldingID), slag: tekstfelt(last, protokoll.HeaderType), igjen: igjen,
				melding: tekstfelt(last, protokoll.HeaderEgendefinert+protokoll.HeaderKorrelasjon)}
			a.mu.Lock()
			ute[merke] = l
			a.leveringer = append(a.leveringer, l)
			a.mu.Unlock()
		}
		if _, err := ut.Write(ramme); err != nil {
			return
		}
	}
}

func (a *avlytting) fraPortalen(ut io.Writer, inn io.Reader, ute map[uint64]*levert) {
	if _, err := io.CopyN(ut, inn, 8); err != nil { // the protocol header
		return
	}
	for {
		ramme, last, err := lesRamme(inn)
		if err != nil {
			return
		}
		if erMetode(ramme, last, basicAck) {
			a.mu.Lock()
			if l := ute[binary.BigEndian.Uint64(last[4:])]; l != nil {
				l.tatt = true
			}
			a.mu.Unlock()
			if a.sluk.Load() {
				a.slukte.Add(1)
				continue
			}
		}
		if _, err := ut.Write(ramme); err != nil {
			return
		}
	}
}

// slukNoen keeps acks until some have been kept. After an outage the portal may take half a minute to come back.
func (a *avlytting) slukNoen(t *testing.T) {
	t.Helper()
	for0, frist, tikk := a.slukte.Load(), time.After(time.Minute), time.NewTicker(5*time.Millisecond)
	defer tikk.Stop()
	a.sluk.Store(true)
	for a.slukte.Load() < for0+3 {
		select {
		case <-tikk.C:
		case <-frist:
			t.Fatal("portalen tok ikke imot svar")
		}
	}
}

// tekstfelt finds a long string in a table by its name, which stands with its length before it.
func tekstfelt(last []byte, navn string) string {
	_, etter, ok := bytes.Cut(last, append([]byte{byte(len(navn))}, navn+"S"...))
	if !ok || len(etter) < 4 {
		return ""
	}
	n := binary.BigEndian.Uint32(etter)
	return string(etter[4:][:n])
}

// dubletter is what went to the portal more than once, as the wire saw it.
type dubletter struct {
	alle    int // deliveries of an answer that had been delivered before. Of these the portal took
	igjen   int // those that the broker said it delivered again,
	tatt    int // those that the portal had taken before,
	usynlig int // and those that are neither: nobody but the wire could know
	svar    int // receipts beyond the first of a report, each with an id of its own
	// flest also counts what lay on the line when a connection broke, and perhaps was never read.
	flest struct{ igjen, tatt int }
}

// tell counts. ferdig says that the portal has acked the last delivery of each answer.
func (a *avlytting) tell() (d dubletter, ferdig bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	type svar struct {
		ganger, tatt int
		siste        bool
	}
	sett, kvitteringer := map[string]*svar{}, map[string]map[string]bool{}
	for _, l := range a.leveringer {
		s := sett[l.id]
		if s == nil {
			s = &svar{}
			sett[l.id] = s
		}
		if s.ganger > 0 {
			d.alle++
			d.flest.tatt++
			if l.tatt && l.igjen {
				d.igjen++
			} else if l.tatt && s.tatt == 0 {
				d.usynlig++
			}
		}
		if l.igjen {
			d.flest.igjen++
		}
		if l.tatt && s.tatt > 0 {
			d.tatt++
		}
		s.ganger++
		if l.tatt {
			s.tatt++
		}
		s.siste = l.tatt
		if protokoll.Kanonisk(l.slag) == protokoll.Mottatt {
			if kvitteringer[l.melding] == nil {
				kvitteringer[l.melding] = map[string]bool{}
			}
			kvitteringer[l.melding][l.id] = true
		}
	}
	ferdig = true
	for _, s := range sett {
		ferdig = ferdig && s.siste
	}
	for _, k := range kvitteringer {
		d.svar += len(k) - 1
	}
	return d, ferdig
}

// synes fails when something that was delivered twice does not show in a portal's metrics. What lay on the line when a connection broke
// may never have been read: that may be counted, and need not.
func (d dubletter) synes(t *testing.T, adr string) {
	t.Helper()
	if d.tatt < 6 || d.igjen < 6 {
		t.Errorf("prøven er for svak: %+v", d)
	}
	if n := maling(t, adr, "portal_svar_gjentatt_total"); n < d.tatt || n > d.flest.tatt {
		t.Errorf("svar ble tatt imot på nytt %d til %d ganger, og %d er talt", d.tatt, d.flest.tatt, n)
	}
	if n := maling(t, adr, "portal_svar_levert_igjen_total"); n < d.igjen || n > d.flest.igjen {
		t.Errorf("megleren sa %d til %d ganger at den leverte igjen, og %d er talt", d.igjen, d.flest.igjen, n)
	}
	if d.usynlig > 0 {
		t.Errorf("megleren leverte %d svar igjen uten å si det, og portalen hadde ikke tatt dem før", d.usynlig)
	}
	if n := hendelser(t, adr, melding.SvarGjentatt) + maling(t, adr, "portal_svar_bare_talt_total"); n != d.svar {
		t.Errorf("%d kvitteringer kom i tillegg til den første, og %d er talt", d.svar, n)
	}
}
