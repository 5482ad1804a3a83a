package brokertest

import (
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"
	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
)

// dode: messages that leave their queue without an ack reach the platform, whole and with the reason.
var dode = []lofte{
	{"The third delivery without an ack is the last", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		dode := s.doddeFra(ko, nil)
		m := s.leggEn(t, ko, nyMelding(tilfeldig(200_000)))
		c := s.klient(t, oppsett{}).abonner(t, ko, 10)
		for range broker.Forsok {
			is.NoErr(simtest.Vent(t, c, "meldingen").Nack(false, true))
		}
		likDod(t, simtest.Vent(t, dode, "den døde"), ko, broker.Oppgitt, m)
		s.ventStatus(t, ko, broker.Status{Konsumenter: 1})
	}},
	{"A consumer that vanishes counts as a delivery", func(t *testing.T, s *suite) {
		ko := s.nyKo(t)
		dode := s.doddeFra(ko, nil)
		m := s.legg(t, ko, 1)[0]
		for range broker.Forsok {
			k := s.klient(t, oppsett{})
			simtest.Vent(t, k.abonner(t, ko, 10), "meldingen")
			k.forsvinn()
		}
		likDod(t, simtest.Vent(t, dode, "den døde"), ko, broker.Oppgitt, m)
		s.ventStatus(t, ko, broker.Status{})
	}},
	{"A nack or reject without requeue is the end at once", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		dode := s.doddeFra(ko, nil)
		lagt := s.legg(t, ko, 3)
		c := s.klient(t, oppsett{}).abonner(t, ko, 1)
		is.NoErr(simtest.Vent(t, c, "den første").Nack(false, false))
		is.NoErr(simtest.Vent(t, c, "den andre").Reject(false))
		is.NoErr(simtest.Vent(t, c, "den tredje").Ack(false))
		likDod(t, simtest.Vent(t, dode, "den første døde"), ko, broker.Avvist, lagt[0])
		likDod(t, simtest.Vent(t, dode, "den andre døde"), ko, broker.Avvist, lagt[1])
		s.ventStatus(t, ko, broker.Status{Konsumenter: 1})
	}},
	{"A message nobody takes expires when its time is out", func(t *testing.T, s *suite) {
		ko := s.nyKo(t)
		dode := s.doddeFra(ko, nil)
		var lagt []broker.Melding
		for _, ttl := range []time.Duration{500 * time.Millisecond, 700 * time.Millisecond} {
			m := nyMelding([]byte("kort"))
			m.TTL = ttl
			lagt = append(lagt, s.leggEn(t, ko, m))
		}
		s.ventStatus(t, ko, broker.Status{Klare: 2})
		s.Vent(t, 2*time.Second)
		likDod(t, simtest.Vent(t, dode, "den utløpte"), ko, broker.Utlopt, lagt[0])
		likDod(t, simtest.Vent(t, dode, "den neste utløpte"), ko, broker.Utlopt, lagt[1])
		s.ventStatus(t, ko, broker.Status{})
	}},
	{"A short time to live behind a long one waits until it is at the head", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		dode := s.doddeFra(ko, nil)
		lang, kort := nyMelding([]byte("lang")), nyMelding([]byte("kort"))
		lang.TTL, kort.TTL = time.Hour, 300*time.Millisecond
		s.leggEn(t, ko, lang)
		s.leggEn(t, ko, kort)
		s.Vent(t, time.Second)
		s.ventStatus(t, ko, broker.Status{Klare: 2})
		is.Equal(len(dode), 0)
		d := simtest.Vent(t, s.klient(t, oppsett{}).abonner(t, ko, 1), "den lange")
		lik(t, d, lang)
		likDod(t, simtest.Vent(t, dode, "den korte"), ko, broker.Utlopt, kort)
		is.NoErr(d.Ack(false))
		s.ventStatus(t, ko, broker.Status{Konsumenter: 1})
	}},
	{"A delivered message does not expire in its consumer's hands", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		dode := s.doddeFra(ko, nil)
		m := nyMelding(nil)
		m.TTL = 2 * time.Second // time enough to be taken, also of a slow broker
		s.leggEn(t, ko, m)
		d := simtest.Vent(t, s.klient(t, oppsett{}).abonner(t, ko, 1), "meldingen")
		s.Vent(t, 3*time.Second)
		s.ventStatus(t, ko, broker.Status{Ubekreftede: 1, Konsumenter: 1})
		is.NoErr(d.Ack(false))
		s.ventStatus(t, ko, broker.Status{Konsumenter: 1})
		is.Equal(len(dode), 0)
	}},
	{"A dead message is kept until the platform has taken it", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		feil := 2
		dode := s.doddeFra(ko, func(broker.Dod) error {
			if feil--; feil >= 0 {
				return errors.New("plattformen er nede")
			}
			return nil
		})
		lagt := s.legg(t, ko, 2)
		c := s.klient(t, oppsett{}).abonner(t, ko, 1)
		for range lagt {
			is.NoErr(simtest.Vent(t, c, "meldingen").Nack(false, false))
		}
		ganger := map[string]int{}
		for range 4 { // two tries failed, of one message or of both
			ganger[string(simtest.Vent(t, dode, "de døde").Melding.Kropp)]++
		}
		is.Equal(len(ganger), 2)
		is.True(ganger["1"] >= 1)
		is.True(ganger["2"] >= 1)
	}},
	{"A broker that dies with messages out counts them as delivered", func(t *testing.T, s *suite) {
		is := is.New(t)
		ko := s.nyKo(t)
		dode := s.doddeFra(ko, nil)
		m := s.legg(t, ko, 1)[0]
		for range broker.Forsok {
			k := s.klient(t, oppsett{})
			lukket := k.NotifyClose(make(chan *amqp.Error, 1))
			simtest.Vent(t, k.abonner(t, ko, 10), "meldingen")
			is.NoErr(s.Broker.Brudd(t.Context()))
			_ = simtest.Vent(t, lukket, "at forbindelsen brytes")
		}
		likDod(t, simtest.Vent(t, dode, "den døde"), ko, broker.Oppgitt, m)
	}},
}
