package brokertest

import (
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/matryer/is"
	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim/simtest"
)

// innlogging: who gets in, and what of.
var innlogging = []lofte{
	{"A case system logs in and is handed its message", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		lagt := s.legg(t, ko, 1)
		d := simtest.Vent(t, s.klient(t, oppsett{}).abonner(t, ko, 10), "meldingen")
		lik(t, d, lagt[0])
		is.True(!d.Redelivered)
		is.Equal(d.RoutingKey, ko) // Java makes the account id out of it
		is.Equal(d.Exchange, "")
		is.NoErr(d.Ack(false))
	}},
	{"A message that comes while somebody waits is handed over at once", func(t *testing.T, s *suite) {
		ko := s.nyKo(t)
		c := s.klient(t, oppsett{}).abonner(t, ko, 10)
		for range 3 {
			m := s.legg(t, ko, 1)[0]
			lik(t, simtest.Vent(t, c, "meldingen"), m)
		}
	}},
	{"A wrong password and an unknown user get the same answer", func(t *testing.T, s *suite) {
		is := is.New(t)
		_, feilPassord := s.ring(oppsett{bruker: bruker, passord: annetPassord})
		_, ukjent := s.ring(oppsett{bruker: ukjentBruker, passord: passord})
		_, utenToken := s.ring(oppsett{bruker: bruker, passord: "hemmelig-a"})
		is.Equal(kode(feilPassord), amqp.AccessRefused)
		is.Equal(feilPassord, ukjent)
		is.Equal(feilPassord, utenToken)
	}},
	{"A revoked integration keeps its connection and is out at the next", func(t *testing.T, s *suite) {
		is := is.New(t)
		k := s.klient(t, oppsett{bruker: sperretBruker, passord: passord})
		s.tilgang.sperr(sperretBruker)
		_, err := s.ring(oppsett{bruker: sperretBruker, passord: passord})
		is.Equal(kode(err), amqp.AccessRefused)
		_, err = k.Channel()
		is.NoErr(err)
	}},
	// RabbitMQ needs initial_frame_max for it (reference fiks-io.md §1.7).
	{"A password of 6 kB gets in", func(t *testing.T, s *suite) {
		s.klient(t, oppsett{bruker: tungBruker, passord: tungtPassord})
	}},
	{"There is one virtual host", func(t *testing.T, s *suite) {
		_, err := s.ring(oppsett{vhost: "annet"})
		var e *amqp.Error
		is.New(t).True(errors.As(err, &e) && (e.Code == amqp.NotAllowed || e.Code == amqp.AccessRefused))
	}},
	{"Another's queue is refused whether it exists or not, and the connection lives on", func(t *testing.T, s *suite) {
		is := is.New(t)
		annens, min := s.nyKo(t), s.nyKo(t)
		s.tilgang.gi(annenBruker, annens)
		k := s.klient(t, oppsett{})
		for _, ko := range []string{annens, "fiksio.konto." + uuid.NewString()} {
			_, err := k.nyKanal(t).Consume(ko, "", false, false, false, false, nil)
			is.Equal(kode(err), amqp.AccessRefused)
			_, _, err = k.nyKanal(t).Get(ko, false)
			is.Equal(kode(err), amqp.AccessRefused)
		}
		m := s.legg(t, min, 1)[0]
		lik(t, simtest.Vent(t, k.abonner(t, min, 0), "meldingen på egen kø"), m)
	}},
	{"A queue of one's own that does not exist is not found", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := "fiksio.konto." + uuid.NewString()
		s.tilgang.gi(bruker, ko)
		k := s.klient(t, oppsett{})
		_, err := k.kanal.Consume(ko, "", false, false, false, false, nil)
		is.Equal(kode(err), amqp.NotFound)
		is.NoErr(s.Broker.Opprett(t.Context(), ko))
		_, err = k.nyKanal(t).Consume(ko, "", false, false, false, false, nil)
		is.NoErr(err)
	}},
	{"Nobody publishes over AMQP, to their own queue or any other", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		k := s.klient(t, oppsett{})
		c := k.abonner(t, ko, 10)
		sender := k.nyKanal(t)
		lukket := sender.NotifyClose(make(chan *amqp.Error, 1))
		is.NoErr(sender.PublishWithContext(t.Context(), "", ko, false, false, amqp.Publishing{Body: tilfeldig(300_000)}))
		is.Equal(simtest.Vent(t, lukket, "avslaget").Code, amqp.AccessRefused)
		m := s.legg(t, ko, 1)[0] // the other channel goes on, and this is the first message it sees
		lik(t, simtest.Vent(t, c, "meldingen"), m)
	}},
	{"Nobody makes queues, exchanges or bindings", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		k := s.klient(t, oppsett{})
		for _, prov := range []func(*amqp.Channel) error{
			func(c *amqp.Channel) error {
				_, err := c.QueueDeclare("egen."+uuid.NewString(), true, false, false, false, nil)
				return err
			},
			func(c *amqp.Channel) error {
				return c.ExchangeDeclare("egen."+uuid.NewString(), "direct", true, false, false, false, nil)
			},
			func(c *amqp.Channel) error { return c.QueueBind(ko, "x", "amq.direct", false, nil) },
			func(c *amqp.Channel) error { _, err := c.QueueDelete(ko, false, false, false); return err },
		} {
			is.Equal(kode(prov(k.nyKanal(t))), amqp.AccessRefused)
		}
	}},
}
