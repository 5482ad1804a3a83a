package fiksio_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/adapters/fiksio"
	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

var errNede = errors.New("lageret er nede")

func (r *rigg) ko() broker.Status {
	r.t.Helper()
	s, err := r.b.Status(r.t.Context(), portalKo)
	r.is.NoErr(err)
	return s
}

// oppgitt counts the messages to the portal that the platform has given up after three deliveries.
func (r *rigg) oppgitt() (n int) {
	for _, l := range r.p.Logg(1000) {
		if l.Til == portalen && l.Tilstand == plattform.Oppgitt {
			n++
		}
	}
	return n
}

func TestAnAnswerIsAckedOnlyAfterItWasTaken(t *testing.T) {
	r := nyRigg(t, valg{})
	tr := r.transport()
	inne, slipp := make(chan struct{}, 1), make(chan struct{})
	svar := r.motta(tr, func(ctx context.Context, _ melding.Svar) error {
		inne <- struct{}{}
		select {
		case <-slipp:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	r.svar(t, r.sendt(tr), protokoll.Mottatt, nil)
	simtest.Vent(t, inne, "take")
	r.is.Equal(r.ko().Ubekreftede, 1)
	close(slipp)
	simtest.Vent(t, svar, "svaret")
	simtest.Til(t, "svaret er bekreftet", func() bool { return r.ko().Ubekreftede == 0 })
	r.is.Equal(r.ko().Klare, 0)
}

func TestAStoreThatFailsManyTimesCostsNoDelivery(t *testing.T) {
	r := nyRigg(t, valg{})
	var kall, gjentatt atomic.Int32
	tr := r.transport(func(c *fiksio.Config) { c.Gjentatt = func() { gjentatt.Add(1) } })
	svar := r.motta(tr, func(context.Context, melding.Svar) error {
		if kall.Add(1) <= 5 {
			return errNede
		}
		return nil
	})
	r.svar(t, r.sendt(tr), protokoll.Mottatt, nil)
	simtest.Vent(t, svar, "svaret")
	simtest.Til(t, "svaret er bekreftet", func() bool { return r.ko() == broker.Status{Konsumenter: 1} })
	r.is.Equal(kall.Load(), int32(6))
	r.is.Equal(gjentatt.Load(), int32(0))
	r.is.Equal(r.oppgitt(), 0) // no serverfeil
}

func TestAnAnswerThatCannotBeStoredHoldsNoOtherBack(t *testing.T) {
	r := nyRigg(t, valg{})
	tr := r.transport()
	var nede atomic.Bool
	nede.Store(true)
	svar := r.motta(tr, func(_ context.Context, s melding.Svar) error {
		if nede.Load() && s.Meldingstype == protokoll.Mottatt {
			return errNede
		}
		return nil
	})
	a := r.sendt(tr)
	r.svar(t, a, protokoll.Mottatt, nil)
	r.svar(t, a, protokoll.Feilet, []byte("kropp"))
	r.is.Equal(simtest.Vent(t, svar, "det andre svaret").Meldingstype, protokoll.Feilet)
	nede.Store(false)
	r.is.Equal(simtest.Vent(t, svar, "det første svaret").Meldingstype, protokoll.Mottatt)
}

// Three breaks while the store is away: the platform gives the answer up, and we have it all the same.
func TestAnAnswerInOurHandsIsStoredEvenWhenThePlatformHasGivenItUp(t *testing.T) {
	r := nyRigg(t, valg{})
	var nede atomic.Bool
	nede.Store(true)
	gjentatt := make(chan struct{}, 10)
	tr := r.transport(func(c *fiksio.Config) { c.Gjentatt = func() { gjentatt <- struct{}{} } })
	prover := make(chan struct{}, 1000)
	svar := r.motta(tr, func(context.Context, melding.Svar) error {
		prover <- struct{}{}
		if nede.Load() {
			return errNede
		}
		return nil
	})
	a := r.sendt(tr)
	r.svar(t, a, protokoll.Mottatt, nil)
	simtest.Vent(t, prover, "et forsøk")
	for i := range 3 {
		r.is.NoErr(r.b.Brudd(t.Context()))
		if i < 2 {
			simtest.Vent(t, gjentatt, "svaret en gang til")
		}
	}
	simtest.Til(t, "plattformen gir opp", func() bool { return r.oppgitt() == 1 })
	for range 10 + len(prover) {
		simtest.Vent(t, prover, "enda et forsøk")
	}
	nede.Store(false)
	r.is.Equal(simtest.Vent(t, svar, "svaret").SvarTil, a.Ref)
}

func TestATokenIsAskedForAtEveryConnection(t *testing.T) {
	r := nyRigg(t, valg{})
	var spurt, nektet atomic.Int32
	tr := r.transport(func(c *fiksio.Config) {
		ekte := c.Token
		c.Token = func(ctx context.Context) (string, error) {
			switch spurt.Add(1) {
			case 1:
				return "utlopt.eller.byttet", nil // login is refused
			case 2:
				nektet.Add(1)
				return "", errors.New("maskinporten er nede")
			}
			return ekte(ctx)
		}
	})
	svar := r.motta(tr, nil)
	simtest.Til(t, "tilkoblet", tr.Tilkoblet)
	r.is.Equal(spurt.Load(), int32(3))
	r.is.Equal(nektet.Load(), int32(1))
	r.brudd(t)
	simtest.Til(t, "frakoblet", func() bool { return !tr.Tilkoblet() })
	r.is.NoErr(r.mp.Roter())
	r.mend(t)
	simtest.Til(t, "tilkoblet igjen", tr.Tilkoblet)
	r.is.True(spurt.Load() > 3)
	r.svar(t, contracts.Ankommet{Ref: refID, Melding: rapport}, protokoll.Mottatt, nil)
	r.is.Equal(simtest.Vent(t, svar, "svaret").Korrelasjon, rapport)
}

func TestAnUnknownCertificateIsNeverTalkedToAndTriedForEver(t *testing.T) {
	r := nyRigg(t, valg{})
	k := memory.NyKlokke(time.Now())
	var spurt atomic.Int32
	tr := r.transport(func(c *fiksio.Config) {
		c.TLS, c.Clock = stolerPa(r.n.fremmed), k
		ekte := c.Token
		c.Token = func(ctx context.Context) (string, error) { spurt.Add(1); return ekte(ctx) }
	})
	r.motta(tr, nil)
	for i, lengst := range []time.Duration{1, 2, 4, 8, 16, 30, 30, 30} {
		r.is.NoErr(k.Vent(t.Context(), 1))
		r.is.Equal(spurt.Load(), int32(i+1))
		nar, _ := k.Neste()
		d := nar.Sub(k.Now())
		r.is.True(d >= lengst*time.Second/2 && d <= lengst*time.Second)
		k.Sett(nar)
	}
	r.is.True(!tr.Tilkoblet())
}

func TestReplicasDoNotComeBackAllAtOnce(t *testing.T) {
	ulike := map[int64]bool{}
	for range 50 {
		ulike[fiksio.Pauser(6)[5]] = true
	}
	if len(ulike) < 10 {
		t.Fatalf("%d ulike pauser av 50", len(ulike))
	}
}

func TestTheListenerHearsThatConsumingGoesOn(t *testing.T) {
	r := nyRigg(t, valg{})
	k := memory.NyKlokke(contracts.Start)
	horte := make(chan time.Time, 10)
	inne, slipp := make(chan struct{}), make(chan struct{})
	tr := r.transport(func(c *fiksio.Config) {
		c.Clock, c.Prefetch = k, 1
		c.Lytter = func(_ context.Context, _, at time.Time) { horte <- at }
	})
	svar := r.motta(tr, func(ctx context.Context, _ melding.Svar) error {
		inne <- struct{}{}
		select {
		case <-slipp:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	neste := func() { // half a minute passes
		r.is.NoErr(k.Vent(t.Context(), 1))
		k.Flytt(30 * time.Second)
	}
	r.is.NoErr(k.Vent(t.Context(), 1))
	r.is.Equal(len(horte), 0) // to have connected is not to have listened: the next moment may break it
	neste()
	r.is.Equal(simtest.Vent(t, horte, "den første"), contracts.Start.Add(30*time.Second))

	r.svar(t, contracts.Ankommet{Ref: refID, Melding: rapport}, protokoll.Mottatt, nil)
	simtest.Vent(t, inne, "take")
	neste() // the one place is taken: nothing more can come
	r.is.NoErr(k.Vent(t.Context(), 1))
	close(slipp)
	simtest.Vent(t, svar, "svaret")
	simtest.Til(t, "svaret er bekreftet", func() bool { return r.ko() == broker.Status{Konsumenter: 1} })
	neste()
	r.is.Equal(simtest.Vent(t, horte, "den etter"), contracts.Start.Add(90*time.Second)) // and not one at sixty
}
