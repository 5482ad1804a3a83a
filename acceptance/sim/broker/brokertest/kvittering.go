package brokertest

import (
	"testing"

	"github.com/matryer/is"
	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
)

// forsokstall is x-delivery-count as a client sees it, -1 when it is not there.
func forsokstall(d amqp.Delivery) int64 {
	switch v := d.Headers["x-delivery-count"].(type) {
	case int64:
		return v
	case int32:
		return int64(v)
	}
	return -1
}

// kvittering: ack, nack, and what comes again.
var kvittering = []lofte{
	{"An ack takes the message away", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		s.legg(t, ko, 1)
		k := s.klient(t, oppsett{})
		is.NoErr(simtest.Vent(t, k.abonner(t, ko, 0), "meldingen").Ack(false))
		s.ventStatus(t, ko, broker.Status{Konsumenter: 1})
		is.NoErr(k.Close())
		s.ventStatus(t, ko, broker.Status{})
	}},
	{"One ack can cover all before it", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		lagt := s.legg(t, ko, 5)
		k := s.klient(t, oppsett{})
		c := k.abonner(t, ko, 0)
		var tredje amqp.Delivery
		for i := range lagt {
			if d := simtest.Vent(t, c, "meldingene"); i == 2 {
				tredje = d
			}
		}
		is.NoErr(tredje.Ack(true))
		s.ventStatus(t, ko, broker.Status{Ubekreftede: 2, Konsumenter: 1})
		is.NoErr(k.kanal.Close())
		k.kanal = k.nyKanal(t)
		c = k.abonner(t, ko, 0)
		lik(t, simtest.Vent(t, c, "den fjerde igjen"), lagt[3])
		lik(t, simtest.Vent(t, c, "den femte igjen"), lagt[4])
	}},
	{"Acks may come in any order", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		s.legg(t, ko, 4)
		k := s.klient(t, oppsett{})
		c := k.abonner(t, ko, 0)
		var dd []amqp.Delivery
		for range 4 {
			dd = append(dd, simtest.Vent(t, c, "meldingene"))
		}
		is.NoErr(dd[1].Ack(false))
		s.ventStatus(t, ko, broker.Status{Ubekreftede: 3, Konsumenter: 1})
		is.NoErr(dd[2].Ack(true)) // and with it the first
		s.ventStatus(t, ko, broker.Status{Ubekreftede: 1, Konsumenter: 1})
		is.NoErr(dd[3].Ack(false))
		s.ventStatus(t, ko, broker.Status{Konsumenter: 1})
	}},
	{"A nack with requeue brings the message again, marked as such", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		m := s.legg(t, ko, 1)[0]
		c := s.klient(t, oppsett{}).abonner(t, ko, 0)
		is.NoErr(simtest.Vent(t, c, "meldingen").Nack(false, true))
		d := simtest.Vent(t, c, "meldingen igjen")
		is.True(d.Redelivered)
		is.Equal(forsokstall(d), int64(1))
		lik(t, d, m)
		is.NoErr(d.Reject(true))
		d = simtest.Vent(t, c, "meldingen for tredje gang")
		is.True(d.Redelivered)
		is.Equal(forsokstall(d), int64(2))
		is.NoErr(d.Ack(false))
		s.ventStatus(t, ko, broker.Status{Konsumenter: 1})
	}},
	{"What is put back comes before what is behind it, in the old order", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		lagt := s.legg(t, ko, 4)
		k := s.klient(t, oppsett{})
		c := k.abonner(t, ko, 3)
		simtest.Vent(t, c, "den første")
		simtest.Vent(t, c, "den andre")
		is.NoErr(simtest.Vent(t, c, "den tredje").Nack(true, true))
		for _, m := range lagt {
			d := simtest.Vent(t, c, "meldingene igjen")
			lik(t, d, m)
			is.NoErr(d.Ack(false))
		}
	}},
	{"A closed channel gives back what it held, and the connection goes on", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		m := s.legg(t, ko, 1)[0]
		k := s.klient(t, oppsett{})
		simtest.Vent(t, k.abonner(t, ko, 0), "meldingen")
		is.NoErr(k.kanal.Close())
		s.ventStatus(t, ko, broker.Status{Klare: 1})
		k.kanal = k.nyKanal(t)
		d := simtest.Vent(t, k.abonner(t, ko, 0), "meldingen igjen")
		is.True(d.Redelivered)
		lik(t, d, m)
	}},
	{"What a lost client held is shared by those who wait", func(t *testing.T, s *suite) {
		ko := s.nyKo(t)
		s.legg(t, ko, 2)
		k := s.klient(t, oppsett{})
		c := k.abonner(t, ko, 2)
		simtest.Vent(t, c, "den første")
		simtest.Vent(t, c, "den andre")
		a, b := s.klient(t, oppsett{}).abonner(t, ko, 1), s.klient(t, oppsett{}).abonner(t, ko, 1)
		s.ventStatus(t, ko, broker.Status{Ubekreftede: 2, Konsumenter: 3})
		k.forsvinn()
		simtest.Vent(t, a, "melding til den ene")
		simtest.Vent(t, b, "melding til den andre")
	}},
	{"A client that dies gives back what it held", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		lagt := s.legg(t, ko, 2)
		k := s.klient(t, oppsett{})
		simtest.Vent(t, k.abonner(t, ko, 1), "meldingen")
		k.forsvinn()
		s.ventStatus(t, ko, broker.Status{Klare: 2})
		c := s.klient(t, oppsett{}).abonner(t, ko, 0)
		d := simtest.Vent(t, c, "meldingen igjen")
		is.True(d.Redelivered)
		lik(t, d, lagt[0])
		d = simtest.Vent(t, c, "den neste")
		is.True(!d.Redelivered)
		lik(t, d, lagt[1])
	}},
	{"Acking twice closes that channel only", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		s.legg(t, ko, 1)
		k := s.klient(t, oppsett{})
		d := simtest.Vent(t, k.abonner(t, ko, 0), "meldingen")
		lukket := k.kanal.NotifyClose(make(chan *amqp.Error, 1))
		is.NoErr(d.Ack(false))
		is.NoErr(d.Ack(false))
		is.Equal(simtest.Vent(t, lukket, "at kanalen lukkes").Code, amqp.PreconditionFailed)
		k.nyKanal(t)
	}},
}
