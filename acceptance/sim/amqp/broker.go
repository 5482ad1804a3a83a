package amqp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net"
	"slices"
	"sync"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/loopback"
)

// Config is what a Broker needs.
type Config struct {
	Adresse    string      // host:port on loopback; port 0 takes a free one
	TLS        *tls.Config // nil only in tests: clients of Fiks IO always use TLS
	Klokke     broker.Klokke
	Tilgang    broker.Tilgang
	FrameMax   int           // octets, largest frame; 0 = 131072, as RabbitMQ
	Hjerteslag time.Duration // proposed heartbeat in whole seconds; 0 = 60 s. A client may choose another, or none
	Logg       *slog.Logger  // ids only; nil = none
}

const (
	standardFrameMax   = 128 << 10
	maksFrameMax       = 16 << 20
	standardHjerteslag = 60 * time.Second
	maksKanaler        = 2047
	maksTilkoblinger   = 1000 // open ones; more are closed at once
	maksHandtrykk      = 200  // not yet logged in; the oldest gives way
)

var errStengt = errors.New("amqp: megleren er stengt")

// Broker is broker.Broker with a server of its own.
type Broker struct {
	c       Config
	adresse string
	ctx     context.Context // ends when the broker closes
	avbryt  context.CancelFunc
	venter  sync.WaitGroup // every goroutine
	dode    *dodsbo
	stenger sync.Once

	drift sync.Mutex // one stop or start at a time

	mu           sync.Mutex
	l            net.Listener // nil while stopped
	koer         map[string]*ko
	tilkoblinger map[*tilkobling]struct{} // logged in
	handtrykk    []*tilkobling            // oldest first
	sisteNr      uint64
}

var (
	_ broker.Broker  = (*Broker)(nil)
	_ broker.Omstart = (*Broker)(nil)
)

// Start listens and serves until Close. It refuses an address that is not on loopback.
func Start(c Config) (*Broker, error) {
	if c.Klokke == nil || c.Tilgang == nil {
		return nil, errors.New("amqp: trenger Klokke og Tilgang")
	}
	if c.FrameMax == 0 {
		c.FrameMax = standardFrameMax
	}
	if c.Hjerteslag == 0 {
		c.Hjerteslag = standardHjerteslag
	}
	if c.FrameMax < minFrameMax || c.FrameMax > maksFrameMax {
		return nil, fmt.Errorf("amqp: FrameMax må være fra %d til %d", minFrameMax, maksFrameMax)
	}
	if c.Hjerteslag < time.Second || c.Hjerteslag > math.MaxUint16*time.Second {
		return nil, errors.New("amqp: Hjerteslag må være fra 1 til 65535 sekunder")
	}
	if c.Logg == nil {
		c.Logg = slog.New(slog.DiscardHandler)
	}
	adresse, err := loopback.Adresse(c.Adresse)
	if err != nil {
		return nil, fmt.Errorf("amqp: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", adresse)
	if err != nil {
		return nil, fmt.Errorf("amqp: %w", err)
	}
	return start(c, l), nil
}

func start(c Config, l net.Listener) *Broker {
	b := &Broker{c: c, l: l, adresse: l.Addr().String(), dode: nyttDodsbo(), koer: map[string]*ko{}, tilkoblinger: map[*tilkobling]struct{}{}}
	b.ctx, b.avbryt = context.WithCancel(context.Background())
	b.venter.Go(func() { b.taImot(l) })
	return b
}

func (b *Broker) taImot(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || b.ctx.Err() != nil {
				return
			}
			b.c.Logg.Warn("tilkobling ble ikke tatt imot", "feil", err)
			pause := time.NewTimer(100 * time.Millisecond) // out of file descriptors: those in use must be given back first
			select {
			case <-pause.C:
			case <-b.ctx.Done():
			}
			pause.Stop()
			continue
		}
		t := nyTilkobling(b, c)
		b.mu.Lock()
		if b.ctx.Err() != nil || b.l != l {
			b.mu.Unlock()
			_ = c.Close()
			return
		}
		b.sisteNr++
		t.nr = b.sisteNr
		if len(b.handtrykk) >= maksHandtrykk {
			_ = b.handtrykk[0].raa.Close()
			b.handtrykk = b.handtrykk[1:]
		}
		b.handtrykk = append(b.handtrykk, t)
		b.mu.Unlock()
		b.venter.Go(t.kjor)
	}
}

// innlogget moves a connection from those who shake hands to those who are in; false when there is no room for it.
func (b *Broker) innlogget(t *tilkobling) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil || len(b.tilkoblinger) >= maksTilkoblinger || !slices.Contains(b.handtrykk, t) {
		return false
	}
	b.handtrykk = slices.DeleteFunc(b.handtrykk, func(v *tilkobling) bool { return v == t })
	b.tilkoblinger[t] = struct{}{}
	return true
}

// glem forgets a connection that is over.
func (b *Broker) glem(t *tilkobling) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.handtrykk = slices.DeleteFunc(b.handtrykk, func(v *tilkobling) bool { return v == t })
	delete(b.tilkoblinger, t)
}

func (b *Broker) finnKo(navn string) *ko {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.koer[navn]
}

func (b *Broker) koEllerFeil(navn string) (*ko, error) {
	if q := b.finnKo(navn); q != nil {
		return q, nil
	}
	return nil, fmt.Errorf("amqp: ukjent kø %q", navn)
}

// Opprett: see broker.Broker.
func (b *Broker) Opprett(_ context.Context, navn string) error {
	if navn == "" || len(navn) > math.MaxUint8 {
		return errors.New("amqp: et kønavn har fra 1 til 255 oktetter")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return errStengt
	}
	if b.koer[navn] == nil {
		q := nyKo(b, navn)
		b.koer[navn] = q
		b.venter.Go(q.vakt)
	}
	return nil
}

// Legg: see broker.Broker. The message is copied: the caller may use its memory again. A header's name has from 1 to 255 octets,
// and together they fit in one frame.
func (b *Broker) Legg(_ context.Context, navn string, m broker.Melding) error {
	q, err := b.koEllerFeil(navn)
	if err != nil {
		return err
	}
	if b.ctx.Err() != nil {
		return errStengt
	}
	plass := b.c.FrameMax - hodetillegg
	for n, v := range m.Headere {
		if n == "" || len(n) > math.MaxUint8 {
			return errors.New("amqp: et headernavn har fra 1 til 255 oktetter")
		}
		if plass -= len(n) + len(v) + 6; plass < 0 {
			return errors.New("amqp: headerne får ikke plass i en ramme")
		}
	}
	m.Headere, m.Kropp = maps.Clone(m.Headere), bytes.Clone(m.Kropp)
	if rest := m.TTL % time.Millisecond; m.TTL > 0 && rest > 0 {
		m.TTL += time.Millisecond - rest // clients are told milliseconds
	}
	q.legg(m)
	return nil
}

// Status: see broker.Broker.
func (b *Broker) Status(_ context.Context, navn string) (broker.Status, error) {
	q, err := b.koEllerFeil(navn)
	if err != nil {
		return broker.Status{}, err
	}
	return q.status(), nil
}

// Adresse: see broker.Broker.
func (b *Broker) Adresse() string { return b.adresse }

// Brudd: see broker.Broker. Clients are told 320 (CONNECTION_FORCED) and have lukkefrist to answer. When it returns, everything they
// had not acked is back on its queue.
func (b *Broker) Brudd(ctx context.Context) error {
	b.mu.Lock()
	var alle []*tilkobling
	for t := range b.tilkoblinger {
		alle = append(alle, t)
	}
	for _, t := range b.handtrykk {
		_ = t.raa.Close()
		alle = append(alle, t)
	}
	b.mu.Unlock()
	for _, t := range alle {
		t.lukk(nyFeil(feilTvunget, "megleren starter på nytt"), 0)
	}
	for _, t := range alle {
		select {
		case <-t.ferdig:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Close ends every connection and waits until nothing runs any more. The queues are gone with it.
func (b *Broker) Close() error {
	var err error
	b.stenger.Do(func() {
		b.mu.Lock()
		b.avbryt()
		if b.l != nil {
			err = b.l.Close()
		}
		for t := range b.tilkoblinger {
			_ = t.raa.Close()
		}
		for _, t := range b.handtrykk {
			_ = t.raa.Close()
		}
		b.mu.Unlock()
	})
	b.venter.Wait()
	return err
}
