package brokertest

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/matryer/is"
	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
)

// levering: what a consumer is handed, and how much at a time.
var levering = []lofte{
	{"Headers are strings and every byte of the body arrives, from nothing to 5 MiB", func(t *testing.T, s *suite) {
		for _, fs := range []int{0, 4096} { // the broker's own frame size, and the least there is
			k := s.klient(t, oppsett{frameSize: fs})
			ko := s.nyKo(t)
			c := k.abonner(t, ko, 1)
			ramme := k.Config.FrameSize - 8
			for _, n := range []int{0, 1, ramme - 1, ramme, ramme + 1, 2 * ramme, 2*ramme + 1, 5 << 20} {
				m := s.leggEn(t, ko, nyMelding(tilfeldig(n)))
				d := simtest.Vent(t, c, fmt.Sprintf("%d oktetter", n))
				lik(t, d, m)
				is.New(t).NoErr(d.Ack(false))
			}
		}
	}},
	{"The time to live is told in milliseconds, and only when there is one", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		m := nyMelding(nil)
		m.TTL = 36 * time.Hour
		s.leggEn(t, ko, m)
		s.leggEn(t, ko, nyMelding(nil))
		c := s.klient(t, oppsett{}).abonner(t, ko, 0)
		ms, err := strconv.ParseInt(simtest.Vent(t, c, "meldingen med TTL").Expiration, 10, 64)
		is.NoErr(err)
		is.Equal(time.Duration(ms)*time.Millisecond, m.TTL)
		is.Equal(simtest.Vent(t, c, "meldingen uten TTL").Expiration, "")
	}},
	{"Messages come in the order they were laid", func(t *testing.T, s *suite) {
		ko := s.nyKo(t)
		forst := s.legg(t, ko, 100)
		c := s.klient(t, oppsett{}).abonner(t, ko, 0)
		for i, m := range append(forst, s.legg(t, ko, 100)...) {
			lik(t, simtest.Vent(t, c, fmt.Sprintf("melding %d", i+1)), m)
		}
	}},
	{"No more than the prefetch is out before something is acked", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		lagt := s.legg(t, ko, 4)
		k := s.klient(t, oppsett{})
		c := k.abonner(t, ko, 1)
		for i, m := range lagt {
			d := simtest.Vent(t, c, "neste melding")
			lik(t, d, m)
			s.ventStatus(t, ko, broker.Status{Klare: len(lagt) - i - 1, Ubekreftede: 1, Konsumenter: 1})
			ingenting(t, k, c)
			is.NoErr(d.Ack(false))
		}
		s.ventStatus(t, ko, broker.Status{Konsumenter: 1})
	}},
	{"Two consumers share a queue: each message goes to one of them", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		a, b := s.klient(t, oppsett{}).abonner(t, ko, 1), s.klient(t, oppsett{}).abonner(t, ko, 1)
		lagt := s.legg(t, ko, 60)
		sett := map[string]int{}
		for range lagt {
			var d amqp.Delivery
			select {
			case d = <-a:
			case d = <-b:
			case <-time.After(simtest.Frist):
				t.Fatal("ventet forgjeves på en melding")
			}
			sett[string(d.Body)]++
			is.NoErr(d.Ack(false))
		}
		is.Equal(len(sett), len(lagt))
		s.ventStatus(t, ko, broker.Status{Konsumenter: 2})
		// Neither is starved: with one message in each hand there are two hands.
		s.legg(t, ko, 2)
		simtest.Vent(t, a, "melding til den første")
		simtest.Vent(t, b, "melding til den andre")
	}},
	{"One channel may consume from several accounts' queues", func(t *testing.T, s *suite) {
		ko1, ko2 := s.nyKo(t), s.nyKo(t)
		k := s.klient(t, oppsett{})
		c1, c2 := k.abonner(t, ko1, 10), k.abonner(t, ko2, 10)
		m2, m1 := s.legg(t, ko2, 1)[0], s.legg(t, ko1, 1)[0]
		lik(t, simtest.Vent(t, c1, "meldingen på den ene"), m1)
		lik(t, simtest.Vent(t, c2, "meldingen på den andre"), m2)
	}},
	{"A client that asks for no-local gets its messages", func(t *testing.T, s *suite) { // Trondheim's
		ko := s.nyKo(t)
		m := s.legg(t, ko, 1)[0]
		c, err := s.klient(t, oppsett{}).kanal.Consume(ko, "konsument", false, false, true, false, nil)
		is.New(t).NoErr(err)
		lik(t, simtest.Vent(t, c, "meldingen"), m)
	}},
	{"A consumer that asks for no acks owes none", func(t *testing.T, s *suite) {
		ko := s.nyKo(t)
		lagt := s.legg(t, ko, 3)
		c, err := s.klient(t, oppsett{}).kanal.Consume(ko, "", true, false, false, false, nil)
		is.New(t).NoErr(err)
		for _, m := range lagt {
			lik(t, simtest.Vent(t, c, "meldingen"), m)
		}
		s.ventStatus(t, ko, broker.Status{Konsumenter: 1})
	}},
	{"A message can be fetched by asking for it", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		lagt := s.legg(t, ko, 2)
		k := s.klient(t, oppsett{})
		d, ok, err := k.kanal.Get(ko, false)
		is.NoErr(err)
		is.True(ok)
		lik(t, d, lagt[0])
		is.NoErr(d.Ack(false))
		_, ok, err = k.kanal.Get(ko, true)
		is.NoErr(err)
		is.True(ok)
		_, ok, err = k.kanal.Get(ko, false)
		is.NoErr(err)
		is.True(!ok) // empty
	}},
	{"After a cancel nothing new comes, and what is out can still be acked", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		s.legg(t, ko, 1)
		k := s.klient(t, oppsett{})
		c, err := k.kanal.Consume(ko, "min", false, false, false, false, nil)
		is.NoErr(err)
		d := simtest.Vent(t, c, "meldingen")
		is.NoErr(k.kanal.Cancel("min", false))
		s.legg(t, ko, 1)
		s.ventStatus(t, ko, broker.Status{Klare: 1, Ubekreftede: 1})
		is.NoErr(d.Ack(false))
		s.ventStatus(t, ko, broker.Status{Klare: 1})
	}},
}
