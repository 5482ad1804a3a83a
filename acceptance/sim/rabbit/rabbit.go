package rabbit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
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

var (
	_ broker.Broker  = (*Broker)(nil)
	_ broker.Omstart = (*Broker)(nil)
)

// Finnes is ErrMangler when RabbitMQ is not installed.
func Finnes() error {
	if _, err := os.Stat(program); err != nil {
		return ErrMangler
	}
	return nil
}

// Start runs a node and returns when it takes messages; ctx is for that only. ErrMangler when RabbitMQ is not installed. It refuses an
// address that is not on loopback. A node that does not boot is an error with the end of its log.
func Start(ctx context.Context, c Config) (*Broker, error) {
	if c.Tilgang == nil {
		return nil, errors.New("rabbit: trenger Tilgang")
	}
	if c.Logg == nil {
		c.Logg = slog.New(slog.DiscardHandler)
	}
	if err := Finnes(); err != nil {
		return nil, err
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
	b.samband = &samband{adresse: o.adresse(), passord: o.passord, tls: rot, logg: c.Logg, skifte: make(chan struct{})}
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
	return b.lag(ctx, l, lagDode)
}

// lag makes queues, and returns when they survive that the node is killed.
func (b *Broker) lag(ctx context.Context, l *linje, do func(*amqp.Channel) error) error {
	if err := l.medKanal(ctx, do); err != nil {
		return err
	}
	_, err := b.node.spor(ctx, "lagre")
	return err
}

// Opprett: see broker.Broker.
func (b *Broker) Opprett(ctx context.Context, ko string) error {
	ctx, avbryt := b.medFrist(ctx)
	defer avbryt()
	if err := sjekkNavn(ko); err != nil {
		return err
	}
	l, _ := b.samband.linje()
	if l == nil {
		return errNede
	}
	b.mu.Lock()
	b.koer[ko] = struct{}{}
	b.mu.Unlock()
	return b.lag(ctx, l, func(k *amqp.Channel) error {
		_, err := k.QueueDeclare(ko, true, false, false, false, amqp.Table{"x-queue-type": "quorum",
			"x-delivery-limit": broker.Forsok - 1, "x-dead-letter-exchange": dodeVeksel})
		return err
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
	if err := sjekkNavn(ko); err != nil {
		return s, err
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
