package fiksio

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

const (
	minPause    = time.Second      // before the first new try
	maksPause   = 30 * time.Second // and the longest
	hjerteslag  = 10 * time.Second
	tilkobfrist = 30 * time.Second // for TCP, TLS and the AMQP handshake together
	hentForsok  = 3                // of a body in Dokumentlager: it is shown when it can be, and never needed
)

// Receive: see ports.Transport.
func (t *Transport) Receive(ctx context.Context, take func(context.Context, melding.Svar) error) error {
	pause := minPause
	for ctx.Err() == nil {
		lyttet, err := t.okt(ctx, take)
		if ctx.Err() != nil {
			break
		}
		if lyttet {
			pause = minPause
		}
		t.c.Logg.WarnContext(ctx, "tar ikke imot svar fra Fiks IO; prøver igjen", "konto", t.c.Konto, "feil", err.Error(), "pause", pause)
		t.vent(ctx, pause/2+rand.N(pause/2+1)) // jitter: replicas must not knock at the same moment
		pause = min(2*pause, maksPause)
	}
	return ctx.Err()
}

// vent waits by the clock, or until ctx ends.
func (t *Transport) vent(ctx context.Context, d time.Duration) {
	klar, stopp := t.c.Clock.At(t.c.Clock.Now().Add(d))
	defer stopp()
	select {
	case <-klar:
	case <-ctx.Done():
	}
}

var errBrudd = errors.New("forbindelsen er brutt")

// okt is one connection from log-in to its end. lyttet = answers were really being taken.
func (t *Transport) okt(ctx context.Context, take func(context.Context, melding.Svar) error) (lyttet bool, err error) {
	conn, err := t.koble(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	stopp := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stopp()
	ch, err := conn.Channel()
	if err != nil {
		return false, amqpfeil("kanal", err)
	}
	if err := ch.Qos(t.c.Prefetch, 0, false); err != nil {
		return false, amqpfeil("qos", err)
	}
	leveringer, err := ch.Consume(protokoll.Konavn(t.c.Konto), "", false, false, false, false, nil)
	if err != nil {
		return false, amqpfeil("abonnement", err)
	}
	brutt := conn.NotifyClose(make(chan *amqp.Error, 1))
	kanalBrutt := ch.NotifyClose(make(chan *amqp.Error, 1))

	// What is in hand when the connection dies is let go: it was not acked, and comes again.
	okt, slutt := context.WithCancel(ctx)
	var arbeid sync.WaitGroup
	defer arbeid.Wait()
	defer slutt()
	t.tilkoblet.Store(true)
	defer t.tilkoblet.Store(false)
	arbeid.Go(func() { t.meldLytting(okt) })
	for {
		select {
		case d, ok := <-leveringer:
			if !ok {
				return true, errBrudd
			}
			arbeid.Go(func() { t.ta(okt, d, take) })
		case e := <-brutt:
			return true, brudd("forbindelse", e)
		case e := <-kanalBrutt:
			return true, brudd("kanal", e)
		case <-ctx.Done():
			return true, ctx.Err()
		}
	}
}

// koble logs in with a fresh token. The platform looks at it now and never again while the connection lives (§1.1).
func (t *Transport) koble(ctx context.Context) (*amqp.Connection, error) {
	token, err := t.c.Token(ctx)
	if err != nil {
		return nil, fmt.Errorf("token: %w", err)
	}
	conn, err := amqp.DialConfig("amqps://"+t.c.AMQP+"/", amqp.Config{
		SASL:            []amqp.Authentication{&amqp.PlainAuth{Username: string(t.c.Integrasjon), Password: t.c.Passord + " " + token}},
		Vhost:           "/",
		TLSClientConfig: t.tls.Clone(),
		Heartbeat:       hjerteslag,
		Locale:          "en_US",
		Properties:      amqp.Table{"product": "portal", "connection_name": "portal"},
		Dial: func(network, adresse string) (net.Conn, error) {
			c, err := (&net.Dialer{Timeout: tilkobfrist}).DialContext(ctx, network, adresse)
			if err != nil {
				return nil, err
			}
			return c, c.SetDeadline(time.Now().Add(tilkobfrist)) // amqp091 takes it away when the handshake is over
		},
	})
	if err != nil {
		return nil, amqpfeil("tilkobling", err)
	}
	return conn, nil
}

// brudd is what NotifyClose tells: nil when the other side said goodbye in order.
func brudd(hva string, e *amqp.Error) error {
	if e == nil {
		return errBrudd
	}
	return amqpfeil(hva, e)
}

// amqpfeil keeps the code and drops the broker's text, which may repeat what it was sent.
func amqpfeil(hva string, err error) error {
	var ae *amqp.Error
	if errors.As(err, &ae) {
		return fmt.Errorf("%s: AMQP %d: %w", hva, ae.Code, ports.ErrUnavailable)
	}
	return fmt.Errorf("%s: %w: %w", hva, ports.ErrUnavailable, err)
}

// meldLytting tells Lytter for as long as the session lives.
func (t *Transport) meldLytting(ctx context.Context) {
	fra := t.c.Clock.Now()
	t.c.Lytter(ctx, fra, fra)
	for {
		t.vent(ctx, Lyttepause)
		if ctx.Err() != nil {
			return
		}
		na := t.c.Clock.Now()
		t.c.Lytter(ctx, fra, na)
		fra = na
	}
}

// ta hands one message over and acks it when it is stored. A crash before the ack, or one that does not get through, and the message
// comes again; it is known by its id.
func (t *Transport) ta(ctx context.Context, d amqp.Delivery, take func(context.Context, melding.Svar) error) {
	s := tilSvar(d, t.c.Clock.Now())
	if protokoll.Kanonisk(s.Meldingstype) == protokoll.Feilet {
		if id := uuid(d.Headers, protokoll.HeaderDokumentlager); id != "" {
			t.hentInnhold(ctx, id, &s)
		}
		if !s.Innhold.Tom() {
			s.Lesbarhet = t.c.Lesbar(ctx, s.Innhold)
		}
	}
	for pause := minPause / 10; ctx.Err() == nil; pause = min(2*pause, maksPause) {
		err := take(ctx, s)
		if err == nil {
			if err := d.Ack(false); err != nil {
				t.c.Logg.InfoContext(ctx, "svaret er lagret, og kommer igjen: kvitteringen til megleren gikk ikke", "svar", s.ID)
			}
			return
		}
		if ctx.Err() == nil {
			t.c.Logg.WarnContext(ctx, "svaret er ikke lagret; prøver igjen", "svar", s.ID, "feil", err.Error(), "pause", pause)
			t.vent(ctx, pause)
		}
	}
}

// hentInnhold fetches a rejection's body from Dokumentlager. Without it the rejection counts all the same.
func (t *Transport) hentInnhold(ctx context.Context, id string, s *melding.Svar) {
	s.Lesbarhet = melding.ArsakSvarUleselig
	pause := minPause
	for n := 1; n <= hentForsok && ctx.Err() == nil; n++ {
		b, ferdig := t.dokument(ctx, id)
		if ferdig {
			if len(b) > 0 {
				s.Innhold = melding.ForsegletBytes(melding.X509, b)
			}
			return
		}
		if n < hentForsok {
			t.vent(ctx, pause)
			pause *= 2
		}
	}
}
