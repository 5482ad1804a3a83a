package rabbit

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
)

// Config is what a Broker needs.
type Config struct {
	Adresse       string // host:port on loopback; port 0 takes a free one
	SertifikatFil string // PEM, the server's certificate and what is above it
	NokkelFil     string // PEM
	Tilgang       broker.Tilgang
	Logg          *slog.Logger // ids only; nil = none
}

// startfrist is for one boot, when ctx sets no shorter. A cold one takes ten seconds, and more on a machine with other work.
const startfrist = 2 * time.Minute

var errStengt = errors.New("rabbit: megleren er stengt")

// Broker is broker.Broker on a RabbitMQ node of its own.
type Broker struct {
	c       Config
	o       *oppsett
	node    *node
	vakt    *vakt
	samband *samband
	dodeTar chan struct{} // room for one: held by the taker of dead messages

	ctx    context.Context // ends when the broker closes
	avbryt context.CancelCauseFunc
	holder sync.WaitGroup
	drift  sync.Mutex // one start, stop or kill at a time
	stengt bool

	mu   sync.Mutex
	koer map[string]struct{} // made by Opprett
}

var _ broker.Broker = (*Broker)(nil)

// Start runs a node and returns when it takes messages; ctx is for that only. ErrMangler when RabbitMQ is not installed. It refuses an
// address that is not on loopback. A node that does not boot is an error with the end of its log.
func Start(ctx context.Context, c Config) (*Broker, error) {
	if c.Tilgang == nil {
		return nil, errors.New("rabbit: trenger Tilgang")
	}
	if c.Logg == nil {
		c.Logg = slog.New(slog.DiscardHandler)
	}
	if _, err := os.Stat(program); err != nil {
		return nil, ErrMangler
	}
	o, rot, err := lesOppsett(c)
	if err != nil {
		return nil, err
	}
	b := &Broker{c: c, o: o, dodeTar: make(chan struct{}, 1), koer: map[string]struct{}{}}
	b.ctx, b.avbryt = context.WithCancelCause(context.Background())
	if b.vakt, err = startVakt(c.Tilgang); err != nil {
		return nil, err
	}
	o.vakt = b.vakt.adresse
	if b.node, err = nyNode(o); err != nil {
		return nil, errors.Join(err, b.vakt.Close())
	}
	b.samband = &samband{adresse: o.adresse(), passord: o.passord, tls: rot, skifte: make(chan struct{})}
	if err := b.start(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Broker) start(ctx context.Context) error {
	ctx, avbryt := context.WithTimeout(ctx, startfrist)
	defer avbryt()
	if err := b.node.start(ctx); err != nil {
		return err
	}
	b.holder.Go(func() { b.samband.hold(b.ctx) })
	l, err := b.samband.vent(ctx)
	if err != nil {
		return err
	}
	return l.medKanal(ctx, lagDode)
}

// lesOppsett chooses ports and reads the certificate, which is also all that our own connection trusts.
func lesOppsett(c Config) (*oppsett, *tls.Config, error) {
	vert, port, err := net.SplitHostPort(c.Adresse)
	if err != nil {
		return nil, nil, fmt.Errorf("rabbit: %w", err)
	}
	if vert == "localhost" {
		vert = "127.0.0.1"
	}
	if ip := net.ParseIP(vert); ip == nil || !ip.IsLoopback() {
		return nil, nil, errors.New("rabbit: adressen må være på loopback")
	}
	o := &oppsett{vert: vert, passord: tilfeldig()}
	if o.port, err = strconv.Atoi(port); err != nil {
		return nil, nil, fmt.Errorf("rabbit: %w", err)
	}
	for _, p := range []*int{&o.port, &o.epmd, &o.dist} {
		if *p != 0 {
			continue
		}
		if *p, err = ledigPort(); err != nil {
			return nil, nil, err
		}
	}
	if o.sertifikat, err = os.ReadFile(c.SertifikatFil); err != nil {
		return nil, nil, err
	}
	if o.nokkel, err = os.ReadFile(c.NokkelFil); err != nil {
		return nil, nil, err
	}
	par, err := tls.X509KeyPair(o.sertifikat, o.nokkel)
	if err != nil {
		return nil, nil, fmt.Errorf("rabbit: %w", err)
	}
	return o, bareDenne(par.Certificate[0]), nil
}

// bareDenne trusts one certificate, whoever issued it and whatever name it carries.
func bareDenne(der []byte) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, VerifyPeerCertificate: func(kjede [][]byte, _ [][]*x509.Certificate) error {
		if len(kjede) == 0 || !bytes.Equal(kjede[0], der) {
			return errors.New("rabbit: en annen tjener svarer på adressen")
		}
		return nil
	}}
}

// Opprett: see broker.Broker.
func (b *Broker) Opprett(ctx context.Context, ko string) error {
	ctx, avbryt := b.medFrist(ctx)
	defer avbryt()
	l, _ := b.samband.linje()
	if l == nil {
		return errNede
	}
	b.mu.Lock()
	b.koer[ko] = struct{}{}
	b.mu.Unlock()
	return l.medKanal(ctx, func(k *amqp.Channel) error {
		_, err := k.QueueDeclare(ko, true, false, false, false, amqp.Table{"x-queue-type": "quorum",
			"x-delivery-limit": broker.Forsok - 1, "x-dead-letter-exchange": dodeVeksel})
		return err
	})
}

// Nullstill breaks every client and removes every queue made here and the dead, for tests that share a node.
func (b *Broker) Nullstill(ctx context.Context) error {
	if err := b.Brudd(ctx); err != nil {
		return err
	}
	ctx, avbryt := b.medFrist(ctx)
	defer avbryt()
	l, err := b.samband.vent(ctx)
	if err != nil {
		return err
	}
	b.mu.Lock()
	bort := append(slices.Collect(maps.Keys(b.koer)), dodeKo)
	clear(b.koer)
	b.mu.Unlock()
	return l.medKanal(ctx, func(k *amqp.Channel) error {
		for _, ko := range bort {
			if _, err := k.QueueDelete(ko, false, false, false); err != nil {
				return err
			}
		}
		return lagDode(k)
	})
}

// Legg: see broker.Broker. The message is copied: the caller may use its memory again. An error that is not about the message or the
// queue leaves it unknown whether the queue has it; while the node is down it comes at once.
func (b *Broker) Legg(ctx context.Context, ko string, m broker.Melding) error {
	ctx, avbryt := b.medFrist(ctx)
	defer avbryt()
	l, _ := b.samband.linje()
	if l == nil {
		return errNede
	}
	return l.legg(ctx, ko, m)
}

// Status: see broker.Broker. All three numbers are from the same moment.
func (b *Broker) Status(ctx context.Context, ko string) (s broker.Status, err error) {
	ctx, avbryt := b.medFrist(ctx)
	defer avbryt()
	if ko == "" || strings.ContainsAny(ko, " \n") {
		return s, errUkjentKo
	}
	svar, err := b.node.spor(ctx, "status "+ko)
	if err != nil {
		return s, err
	}
	if svar == "ukjent" {
		return s, errUkjentKo
	}
	if _, err := fmt.Sscanf(svar, "ok %d %d %d", &s.Klare, &s.Ubekreftede, &s.Konsumenter); err != nil {
		return s, fmt.Errorf("%w: %w", errStyring, err)
	}
	return s, nil
}

// Adresse: see broker.Broker. It stays the same through Stopp, Drep and Igjen.
func (b *Broker) Adresse() string { return b.o.adresse() }

// Brudd: see broker.Broker. Clients are told 320 (CONNECTION_FORCED); when it returns they are gone.
func (b *Broker) Brudd(ctx context.Context) error {
	ctx, avbryt := b.medFrist(ctx)
	defer avbryt()
	_, err := b.node.spor(ctx, "brudd "+plattformbruker)
	return err
}

// Stopp takes the node down in good order, with its messages on disk. Nothing but Igjen and Close is any use before Igjen.
func (b *Broker) Stopp(ctx context.Context) error {
	b.drift.Lock()
	defer b.drift.Unlock()
	ctx, avbryt := b.medFrist(ctx)
	defer avbryt()
	return b.node.stopp(ctx)
}

// Drep kills the node where it stands. What Legg has answered nil for is on disk.
func (b *Broker) Drep() error {
	b.drift.Lock()
	defer b.drift.Unlock()
	return b.node.drep()
}

// Igjen starts a node that Stopp or Drep took down, with the same address, queues and messages. One that runs is left alone.
func (b *Broker) Igjen(ctx context.Context) error {
	b.drift.Lock()
	defer b.drift.Unlock()
	select {
	case <-b.node.borte():
	default:
		return nil
	}
	ctx, slutt := b.medSlutt(ctx)
	defer slutt()
	ctx, avbryt := context.WithTimeout(ctx, startfrist)
	defer avbryt()
	if err := b.node.start(ctx); err != nil {
		return err
	}
	_, err := b.samband.vent(ctx)
	return err
}

// Close ends the node and everything with it, its messages too.
func (b *Broker) Close() error {
	b.avbryt(errStengt) // an Igjen under way gives up
	b.drift.Lock()
	defer b.drift.Unlock()
	if b.stengt {
		return nil
	}
	b.stengt = true
	err := b.node.Close()
	b.holder.Wait()
	return errors.Join(err, b.vakt.Close())
}

// medSlutt ends with ctx or with the broker.
func (b *Broker) medSlutt(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, avbryt := context.WithCancelCause(ctx)
	los := context.AfterFunc(b.ctx, func() { avbryt(errStengt) })
	return ctx, func() { los(); avbryt(nil) }
}

// medFrist is medSlutt for one question to the node.
func (b *Broker) medFrist(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, slutt := b.medSlutt(ctx)
	ctx, avbryt := context.WithTimeout(ctx, ferdigFrist)
	return ctx, func() { avbryt(); slutt() }
}
