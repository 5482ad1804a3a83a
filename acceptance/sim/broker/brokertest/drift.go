package brokertest

import (
	"encoding/binary"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/matryer/is"
	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
)

// drift: what the platform itself relies on.
var drift = []lofte{
	{"Status counts ready, un-acked and consumers", func(t *testing.T, s *suite) {
		ko := s.nyKo(t)
		s.ventStatus(t, ko, broker.Status{})
		s.legg(t, ko, 3)
		s.ventStatus(t, ko, broker.Status{Klare: 3})
		k := s.klient(t, oppsett{})
		k.abonner(t, ko, 2)
		s.ventStatus(t, ko, broker.Status{Klare: 1, Ubekreftede: 2, Konsumenter: 1})
		is.New(t).NoErr(k.Close())
		s.ventStatus(t, ko, broker.Status{Klare: 3})
	}},
	{"A queue nobody made takes nothing and has no status", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := "fiksio.konto." + uuid.NewString()
		is.True(s.Broker.Legg(t.Context(), ko, nyMelding(nil)) != nil)
		_, err := s.Broker.Status(t.Context(), ko)
		is.True(err != nil)
	}},
	{"Making a queue twice keeps its messages and consumers", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		lagt := s.legg(t, ko, 2)
		k := s.klient(t, oppsett{})
		c := k.abonner(t, ko, 1)
		lik(t, simtest.Vent(t, c, "meldingen"), lagt[0])
		is.NoErr(s.Broker.Opprett(t.Context(), ko))
		s.ventStatus(t, ko, broker.Status{Klare: 1, Ubekreftede: 1, Konsumenter: 1})
	}},
	{"Messages laid by many at once are all delivered, each writer's in order", func(t *testing.T, s *suite) {
		is := is.New(t)
		const skrivere, hver = 16, 50
		ko := s.nyKo(t)
		c := s.klient(t, oppsett{}).abonner(t, ko, 0)
		var wg sync.WaitGroup
		feil := make(chan error, skrivere*hver)
		for i := range uint16(skrivere) {
			wg.Go(func() {
				for j := range uint16(hver) {
					kropp := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, i), j)
					feil <- s.Broker.Legg(t.Context(), ko, nyMelding(kropp))
				}
			})
		}
		neste := map[uint16]uint16{}
		for range skrivere * hver {
			d := simtest.Vent(t, c, "meldingene")
			i, j := binary.BigEndian.Uint16(d.Body), binary.BigEndian.Uint16(d.Body[2:])
			is.Equal(neste[i], j)
			neste[i]++
		}
		wg.Wait()
		close(feil)
		for err := range feil {
			is.NoErr(err)
		}
	}},
	{"The platform may use its memory again when a message is laid", func(t *testing.T, s *suite) {
		ko := s.nyKo(t)
		m, fasit := nyMelding(tilfeldig(1000)), nyMelding(tilfeldig(1000))
		for n, v := range m.Headere {
			fasit.Headere[n] = v
		}
		s.leggEn(t, ko, m)
		clear(m.Kropp)
		clear(m.Headere)
		lik(t, simtest.Vent(t, s.klient(t, oppsett{}).abonner(t, ko, 0), "meldingen"), fasit)
	}},
	{"After a break clients come back under their old tag, and get what they had not acked", func(t *testing.T, s *suite) {
		is := is.New(t)
		const merke = "amq.ctag-gammelt" // as the broker made it once: Java comes back with it
		ko := s.nyKo(t)
		lagt := s.legg(t, ko, 3)
		k := s.klient(t, oppsett{})
		annen := s.klient(t, oppsett{})
		lukket, annenLukket := k.NotifyClose(make(chan *amqp.Error, 1)), annen.NotifyClose(make(chan *amqp.Error, 1))
		c, err := k.kanal.Consume(ko, merke, false, false, false, false, nil)
		is.NoErr(err)
		is.NoErr(simtest.Vent(t, c, "den første").Ack(false))
		simtest.Vent(t, c, "den andre")
		simtest.Vent(t, c, "den tredje")
		s.ventStatus(t, ko, broker.Status{Ubekreftede: 2, Konsumenter: 1})

		is.NoErr(s.Broker.Brudd(t.Context()))
		_ = simtest.Vent(t, lukket, "at forbindelsen brytes")
		_ = simtest.Vent(t, annenLukket, "at den andre brytes også")
		s.ventStatus(t, ko, broker.Status{Klare: 2})

		k = s.klient(t, oppsett{})
		c, err = k.kanal.Consume(ko, merke, false, false, false, false, nil)
		is.NoErr(err)
		for _, m := range lagt[1:] {
			d := simtest.Vent(t, c, "meldingene igjen")
			is.True(d.Redelivered)
			is.Equal(d.ConsumerTag, merke)
			lik(t, d, m)
			is.NoErr(d.Ack(false))
		}
		s.ventStatus(t, ko, broker.Status{Konsumenter: 1})
	}},
	{"A break with nobody connected is nothing", func(t *testing.T, s *suite) {
		is := is.New(t)
		is.NoErr(s.Broker.Brudd(t.Context()))
		is.NoErr(s.Broker.Brudd(t.Context()))
		s.klient(t, oppsett{})
	}},
}
