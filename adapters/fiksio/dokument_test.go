package fiksio_test

import (
	"context"
	"sync/atomic"
	"testing"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/adapters/fiksio"
	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

func TestALargeAnswerIsFetchedFromDokumentlager(t *testing.T) {
	r := nyRigg(t, valg{plattform: func(c *plattform.Config) { c.Grense = 100 }})
	tr := r.transport(func(c *fiksio.Config) {
		c.Lesbar = func(_ context.Context, f melding.Forseglet) melding.Arsak {
			if innhold(t, f) == "" {
				return melding.ArsakSvarUleselig
			}
			return melding.ArsakSvarLesbart
		}
	})
	svar := r.motta(tr, nil)
	a := contracts.Ankommet{Ref: refID, Melding: rapport}
	for _, n := range []int{101, melding.MaksSvar} {
		kropp := contracts.Tilfeldig(n)
		r.svar(t, a, protokoll.Feilet, kropp)
		s := simtest.Vent(t, svar, "svaret")
		r.is.Equal(innhold(t, s.Innhold), string(kropp))
		r.is.Equal(s.Lesbarhet, melding.ArsakSvarLesbart)
	}
	r.svar(t, a, protokoll.Feilet, contracts.Tilfeldig(melding.MaksSvar+1))
	s := simtest.Vent(t, svar, "svaret")
	r.is.True(s.Innhold.Tom())
	r.is.Equal(s.Lesbarhet, melding.ArsakSvarUleselig)
}

func (r *rigg) legg(h map[string]string, kropp string) {
	r.t.Helper()
	r.is.NoErr(r.b.Legg(r.t.Context(), portalKo, broker.Melding{Headere: h, Kropp: []byte(kropp)}))
}

func TestARejectionWhoseBodyIsGoneIsStillARejection(t *testing.T) {
	r := nyRigg(t, valg{})
	svar := r.motta(r.transport(func(c *fiksio.Config) { c.Clock = memory.NyKlokke(contracts.Start) }), nil) // it stands still: there is no waiting
	r.legg(map[string]string{"melding-id": svarID, "type": protokoll.Feilet, "avsender-id": bydelen, "dokumentlager-id": refID}, "")
	s := simtest.Vent(t, svar, "svaret")
	r.is.Equal(s.Meldingstype, protokoll.Feilet)
	r.is.Equal(s.Lesbarhet, melding.ArsakSvarUleselig)
}

func TestARejectionWaitsAWhileForItsBodyAndNoLonger(t *testing.T) {
	r := nyRigg(t, valg{})
	svar := r.motta(r.transport(func(c *fiksio.Config) { c.API = "http://127.0.0.1:1" }), nil) // five minutes of the quick clock
	r.legg(map[string]string{"melding-id": svarID, "type": protokoll.Feilet, "avsender-id": bydelen, "dokumentlager-id": refID}, "")
	r.is.Equal(simtest.Vent(t, svar, "svaret").Lesbarhet, melding.ArsakSvarUleselig)
}

func TestWhatARejectionSaysIsAskedForOnce(t *testing.T) {
	r := nyRigg(t, valg{})
	var spurt, prover atomic.Int32
	svar := r.motta(r.transport(func(c *fiksio.Config) {
		c.Lesbar = func(context.Context, melding.Forseglet) melding.Arsak { spurt.Add(1); return melding.ArsakSvarLesbart }
	}), func(context.Context, melding.Svar) error {
		if prover.Add(1) == 1 {
			return errNede
		}
		return nil
	})
	a := contracts.Ankommet{Ref: refID, Melding: rapport}
	r.svar(t, a, protokoll.Feilet, []byte("kropp"))
	r.is.Equal(simtest.Vent(t, svar, "svaret").Lesbarhet, melding.ArsakSvarLesbart)
	r.is.Equal(spurt.Load(), int32(1))
	r.legg(map[string]string{"melding-id": svarID, "type": protokoll.Feilet, "avsender-id": bydelen}, "")
	r.is.Equal(simtest.Vent(t, svar, "et tomt svar").Lesbarhet, melding.ArsakSvarTomt)
	r.is.Equal(spurt.Load(), int32(1))
}

func TestHostileMessagesAreHandedOverAndNeverAnswered(t *testing.T) {
	r := nyRigg(t, valg{})
	svar := r.motta(r.transport(), nil)
	onde := []map[string]string{
		{}, {"type": protokoll.Mottatt}, {"melding-id": "'; DROP TABLE oppdrag; --", "type": "<script>", "avsender-id": "../.."},
		{"melding-id": svarID, "type": protokoll.Tidsavbrudd, "avsender-id": portalen, "svar-til": "nei"},
		{"melding-id": refID, "type": protokoll.Meldingstype(melding.Privat, melding.V2), "avsender-id": bydelen},
	}
	sett := map[string]bool{}
	for i, h := range onde {
		r.legg(h, string(rune('a'+i)))
	}
	r.svar(t, contracts.Ankommet{Ref: refID, Melding: rapport}, protokoll.Mottatt, nil)
	for range len(onde) + 1 {
		s := simtest.Vent(t, svar, "en melding")
		_, err := melding.ParseID(s.ID)
		r.is.NoErr(err)
		r.is.True(!sett[s.ID])
		sett[s.ID] = true
	}
	simtest.Til(t, "køen er tom", func() bool { return r.ko() == broker.Status{Konsumenter: 1} })
	for _, l := range r.p.Logg(1000) {
		r.is.True(l.Fra != portalen)
	}
}

func TestAConfirmationWaitsForNoBody(t *testing.T) {
	r := nyRigg(t, valg{})
	svar := r.motta(r.transport(func(c *fiksio.Config) { // the clock stands still: waiting would last for ever
		c.API, c.Clock = "http://127.0.0.1:1", memory.NyKlokke(contracts.Start)
	}), nil)
	for _, slag := range []string{protokoll.Mottatt, "no.ks.fiks.noe.annet.v1"} {
		r.legg(map[string]string{"melding-id": svarID, "type": slag, "avsender-id": bydelen, "dokumentlager-id": refID}, "")
		r.is.Equal(simtest.Vent(t, svar, "svaret").Meldingstype, slag)
	}
}

func TestABodyThatTripsTheLibraryIsARejectionThatCannotBeRead(t *testing.T) {
	r := nyRigg(t, valg{})
	svar := r.motta(r.transport(func(c *fiksio.Config) {
		c.Lesbar = func(context.Context, melding.Forseglet) melding.Arsak { panic("Åse er redd") }
	}), nil)
	r.svar(t, contracts.Ankommet{Ref: refID, Melding: rapport}, protokoll.Feilet, contracts.Tilfeldig(50))
	s := simtest.Vent(t, svar, "svaret")
	r.is.Equal(s.Lesbarhet, melding.ArsakSvarUleselig)
	r.is.Equal(s.Innhold.Storrelse(), int64(50)) // and it is kept
}
