package intake_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"portal.example/bekymringsmelding/app/intake"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// hender is a Handover that does nothing with what it gets, and remembers it.
type hender struct {
	fullt            bool
	startet, sluppet []levering.OppdragID
}

func (h *hender) Hold(_ context.Context, o levering.Oppdrag) (ports.Lease, bool) {
	return ports.Lease{Oppdrag: o, Token: "leie", Until: contracts.Start.Add(time.Minute), Attempt: 1}, !h.fullt
}
func (h *hender) Start(l ports.Lease) { h.startet = append(h.startet, l.Oppdrag.ID) }
func (h *hender) Drop(l ports.Lease)  { h.sluppet = append(h.sluppet, l.Oppdrag.ID) }

func medHender(t *testing.T, h *hender) (r *rigg, vekket *int) {
	r, vekket = oppsett(t), new(int)
	r.s.Handover, r.s.Vekk = h, func() { *vekket++ }
	return r, vekket
}

// kan says how many send items a worker could claim now.
func (r *rigg) kan(na time.Time) int {
	r.Helper()
	leier, err := r.lager.Claim(r.t.Context(), levering.KoSend, 9, na, time.Minute)
	r.NoErr(err)
	return len(leier)
}

func TestAReportIsBegunInTheCommitThatAcceptsIt(t *testing.T) {
	h := &hender{}
	r, vekket := medHender(t, h)
	var talt []melding.Kode
	r.s.Tell = func(k melding.Kode) { talt = append(talt, k) }
	id, err := r.s.Motta(t.Context(), r.innsending())
	r.NoErr(err)
	u, err := r.lager.Get(t.Context(), id)
	r.NoErr(err)
	r.Equal(len(u.Melding.Historikk), 2)
	r.Equal(u.Melding.Historikk[0].Kode, melding.Akseptert)
	r.Equal(u.Melding.Historikk[1].Kode, melding.SendingBegynt)
	r.Equal(talt, []melding.Kode{melding.Akseptert, melding.SendingBegynt})
	r.Equal(len(h.startet), 1)
	r.Equal(len(h.sluppet), 0)
	r.Equal(*vekket, 0)
	r.Equal(r.kan(contracts.Start), 0)                  // it is in our hands
	r.Equal(r.kan(contracts.Start.Add(time.Minute)), 1) // and somebody else's if we died
}

func TestWithoutRoomTheReportWaitsItsTurn(t *testing.T) {
	h := &hender{fullt: true}
	r, vekket := medHender(t, h)
	id, err := r.s.Motta(t.Context(), r.innsending())
	r.NoErr(err)
	u, err := r.lager.Get(t.Context(), id)
	r.NoErr(err)
	r.True(!u.Melding.Har(melding.SendingBegynt))
	r.Equal(len(h.startet)+len(h.sluppet), 0)
	r.Equal(*vekket, 1)
	r.Equal(r.kan(contracts.Start), 1)
}

func TestARepeatIsNotSentAgain(t *testing.T) {
	h := &hender{}
	r, _ := medHender(t, h)
	i := r.innsending()
	for range 2 {
		_, err := r.s.Motta(t.Context(), i)
		r.NoErr(err)
	}
	r.Equal(len(h.startet), 1)
	r.Equal(len(h.sluppet), 1) // the place of the repeat
	n, err := r.lager.Count(t.Context(), ports.Filter{})
	r.NoErr(err)
	r.Equal(n, 1)
	i2 := r.innsending()
	i.Nokkel, i2.Nokkel = "n", "n"
	_, err = r.s.Motta(t.Context(), i) // known bytes take the key
	r.NoErr(err)
	var brukt *intake.IdempotensError
	_, err = r.s.Motta(t.Context(), i2)
	r.True(errors.As(err, &brukt))
	r.Equal(len(h.startet), 1)
	r.Equal(len(h.sluppet), 3)
}

func TestWhatNobodyKnowsWhetherWasStoredIsSentOnlyWhenItWas(t *testing.T) {
	for _, lagret := range []bool{true, false} {
		h := &hender{}
		r, _ := medHender(t, h)
		r.s.Store = tapt{r.lager, lagret}
		_, err := r.s.Motta(t.Context(), r.innsending())
		r.Equal(err == nil, lagret)
		r.Equal(len(h.startet) == 1, lagret)
		r.Equal(len(h.sluppet) == 1, !lagret)
	}
}

// panisk is a store with a fault.
type panisk struct{ ports.Store }

func (panisk) Create(context.Context, ports.Ny) (melding.ID, error) { panic("feil i lageret") }

func TestAFaultKeepsNoPlace(t *testing.T) {
	h := &hender{}
	r, _ := medHender(t, h)
	r.s.Store = panisk{r.lager}
	func() {
		defer func() { r.True(recover() != nil) }()
		_, _ = r.s.Motta(t.Context(), r.innsending())
	}()
	r.Equal(len(h.sluppet), 1)
}
