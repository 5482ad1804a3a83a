// Package fagklient connects a case system to Fiks IO over the real wire, the way a vendor's client does: it consumes its account's
// queue over AMQP with TLS, and answers through the send API. What it answers is a function's word: sim.Fagsystem.Behandle for a
// scripted character, or a scenario's own.
//
// Call Ny, then Run in a goroutine of its own. Run mends broken connections itself and returns when its context ends.
//
// adapters/fiksio and adapters/fagsystem say the same on the same wire, and nothing of theirs is used here: production never imports the
// simulated world, vendors read the second as it stands, and what one of the three has misread the others show.
package fagklient

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// Config is what a Fagklient needs.
type Config struct {
	AMQP          string      // host:port
	TLS           *tls.Config // of a client: whom it trusts
	API           string      // base URL of the send API and Dokumentlager, without a final slash
	KontoID       string      // lower case
	IntegrasjonID string
	Passord       string
	Token         func(ctx context.Context) (string, error) // an access token, asked for at each connection and each call
	// Behandle takes one message and gives the answers, in order. It is called for one message at a time. A late answer is sent when
	// Klokke says so; the message is acked before.
	Behandle func(sim.Mottatt) []sim.Svar
	Klokke   broker.Klokke
	HTTP     *http.Client // nil = one with a 30 s timeout
	Logg     *slog.Logger // ids only; nil = none
}

const (
	forhandshentet = 10 // messages held and not acked: what KS's clients ask for
	forstePause    = 100 * time.Millisecond
	lengstePause   = 5 * time.Second
	hjerteslag     = 10 * time.Second
	tilkobling     = 10 * time.Second // for dialling and the handshake
	avslutning     = 2 * time.Second  // for saying goodbye
)

// Fagklient is one case system's client.
type Fagklient struct {
	c         Config
	behandlet atomic.Int64
	sene      sync.WaitGroup // answers that wait for their time
}

// Ny makes a client. It connects when Run is called.
func Ny(c Config) (*Fagklient, error) {
	if c.AMQP == "" || c.TLS == nil || c.API == "" || c.KontoID == "" || c.IntegrasjonID == "" || c.Token == nil || c.Behandle == nil || c.Klokke == nil {
		return nil, errors.New("fagklient: trenger AMQP, TLS, API, KontoID, IntegrasjonID, Token, Behandle og Klokke")
	}
	if c.HTTP == nil {
		c.HTTP = &http.Client{Timeout: 30 * time.Second}
	}
	if c.Logg == nil {
		c.Logg = slog.New(slog.DiscardHandler)
	}
	return &Fagklient{c: c}, nil
}

// Behandlet counts the messages that were taken, answered and acked. A message that comes again counts again.
func (f *Fagklient) Behandlet() int { return int(f.behandlet.Load()) }

// Run consumes until ctx ends, and connects anew after each break: at once after a connection that held, then with growing pauses. Late
// answers whose time has not come when ctx ends are never sent.
func (f *Fagklient) Run(ctx context.Context) error {
	defer f.sene.Wait()
	for pause := forstePause; ; pause = min(2*pause, lengstePause) {
		innlogget, err := f.okt(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if innlogget {
			pause = forstePause
		}
		f.c.Logg.InfoContext(ctx, "forbindelsen er brutt, kobler til igjen", "konto", f.c.KontoID, "feil", err)
		if !vent(ctx, pause) {
			return nil
		}
	}
}

// vent pauses in real time, for it is the network that needs it; false when ctx ended.
func vent(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// okt is one connection, from login to break.
func (f *Fagklient) okt(ctx context.Context) (innlogget bool, err error) {
	login, err := f.login(ctx)
	if err != nil {
		return false, err
	}
	c, err := amqp091.DialConfig("amqps://"+f.c.AMQP+"/", amqp091.Config{TLSClientConfig: f.c.TLS.Clone(), Heartbeat: hjerteslag,
		SASL: login.SASL(),
		Dial: func(nett, adr string) (net.Conn, error) {
			d := net.Dialer{Timeout: tilkobling}
			conn, err := d.DialContext(ctx, nett, adr)
			if err != nil {
				return nil, err
			}
			return conn, conn.SetDeadline(time.Now().Add(tilkobling)) // the library takes it off when the handshake is over
		}})
	if err != nil {
		return false, errors.New("fagklient: kunne ikke koble til og logge inn") // the library's error may hold the URL
	}
	defer func() { _ = c.CloseDeadline(time.Now().Add(avslutning)) }()
	ch, err := c.Channel()
	if err != nil {
		return true, err
	}
	if err := ch.Qos(forhandshentet, 0, false); err != nil {
		return true, err
	}
	inn, err := ch.Consume(protokoll.Konavn(kommune.KontoID(f.c.KontoID)), "", false, false, false, false, nil)
	if err != nil {
		return true, err
	}
	for {
		select {
		case <-ctx.Done():
			return true, ctx.Err()
		case d, ok := <-inn:
			if !ok {
				return true, errors.New("fagklient: kanalen ble lukket")
			}
			if err := f.ta(ctx, d); err != nil {
				return true, err
			}
		}
	}
}

// ta handles one message. It is acked after the answers are sent; a crash or break between the two brings it once more, and a case
// system knows a report it has. When an answer cannot be sent, the message goes back, and after three times the platform gives it up.
func (f *Fagklient) ta(ctx context.Context, d amqp091.Delivery) error {
	m, avsender, err := f.les(ctx, d)
	if err != nil {
		f.c.Logg.WarnContext(ctx, "meldingen kunne ikke leses", "konto", f.c.KontoID, "feil", err)
		return d.Nack(false, true)
	}
	for _, s := range f.c.Behandle(m) {
		if s.Forsinkelse > 0 {
			f.senere(ctx, m, avsender, s)
			continue
		}
		if err := f.svar(ctx, m, avsender, s); err != nil {
			f.c.Logg.WarnContext(ctx, "svaret kunne ikke sendes", "melding", m.MeldingID, "feil", err)
			return d.Nack(false, true)
		}
	}
	if err := d.Ack(false); err != nil {
		return err
	}
	f.behandlet.Add(1)
	return nil
}

func (f *Fagklient) senere(ctx context.Context, m sim.Mottatt, avsender string, s sim.Svar) {
	naar, stopp := f.c.Klokke.At(f.c.Klokke.Now().Add(s.Forsinkelse))
	f.sene.Go(func() {
		defer stopp()
		select {
		case <-naar:
			if err := f.svar(ctx, m, avsender, s); err != nil {
				f.c.Logg.WarnContext(ctx, "det sene svaret kunne ikke sendes", "melding", m.MeldingID, "feil", err)
			}
		case <-ctx.Done():
		}
	})
}
