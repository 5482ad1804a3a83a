package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// syk is a store whose commits about one report do not work: feil is what they give, nil = they panic.
type syk struct {
	ports.Store
	id    melding.ID
	feil  error
	frisk bool
}

func (s *syk) Update(ctx context.Context, id melding.ID, fn func(ports.Utgave) (ports.Endring, error)) (ports.Utgave, error) {
	if err := s.prov(id); err != nil {
		return ports.Utgave{}, err
	}
	return s.Store.Update(ctx, id, fn)
}

func (s *syk) Settle(ctx context.Context, id melding.ID, o levering.Oppdrag, fn func(ports.Utgave) (ports.Endring, error)) (ports.Utgave, bool, error) {
	if err := s.prov(id); err != nil {
		return ports.Utgave{}, false, err
	}
	return s.Store.Settle(ctx, id, o, fn)
}

func (s *syk) prov(id melding.ID) error {
	switch {
	case id != s.id || s.frisk:
		return nil
	case s.feil == nil:
		panic("en feil i en regel")
	}
	return s.feil
}

// prov claims what is due in a queue and does it, n times, as the outbox would, with a quarter of an hour between.
func (r rigg) prov(t *testing.T, ko levering.Ko, n int) {
	t.Helper()
	is := is.New(t)
	for range n {
		leier, err := r.lager.Claim(t.Context(), ko, 1, r.klokke.Now(), time.Minute)
		is.NoErr(err)
		is.Equal(len(leier), 1)
		func() {
			defer func() { _ = recover() }() // as the outbox does
			_ = r.Utfor(t.Context(), leier[0])
		}()
		r.klokke.Sett(r.klokke.Now().Add(15 * time.Minute))
	}
}

func TestWorkThatNeverSucceedsCallsAPersonWhateverItIs(t *testing.T) {
	for navn, feil := range map[string]error{"avvist lagring": ports.ErrRefused, "panikk": nil} {
		t.Run(navn, func(t *testing.T) {
			is, r := is.New(t), nyRigg()
			n := contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.Innsendt, o.Frist = t0, t0.Add(time.Hour) })
			id, err := r.lager.Create(t.Context(), n)
			is.NoErr(err)
			s := &syk{Store: r.lager, id: id, feil: feil}
			r.Store = s
			is.NoErr(r.TaImot(t.Context(), melding.Svar{ID: "s", Meldingstype: protokoll.Mottatt, Korrelasjon: string(id), AvsenderKonto: n.Fakta.KontoID}))
			r.prov(t, levering.KoSvar, 5)
			is.Equal(len(r.apne(t)), 0) // the fifth may have been done after all, and nobody heard
			r.prov(t, levering.KoSvar, 2)
			is.Equal(r.apne(t), []string{"arbeid-sliter kritisk"}) // a receipt that cannot be written down is not lost unseen
			r.prov(t, levering.KoFrist, 6)
			is.Equal(len(r.apne(t)), 2)
			saker, err := r.lager.Cases(t.Context(), true, 10)
			is.NoErr(err)
			for _, x := range saker { // she closes them, and the work still fails
				is.NoErr(r.lager.CloseCase(t.Context(), x.ID, "operator:kari", "tror det er i orden", r.klokke.Now()))
			}
			r.prov(t, levering.KoSvar, 1)
			is.Equal(len(r.apne(t)), 1)
			s.frisk = true
			r.prov(t, levering.KoSvar, 1)
			is.Equal(len(r.apne(t)), 0) // done: the case closes itself
			u, err := r.lager.Get(t.Context(), id)
			is.NoErr(err)
			is.Equal(u.Melding.Tilstand(), melding.LEVERT)
		})
	}
}

func TestACaseAboutWorkThatIsNotNeededAnyMoreClosesItself(t *testing.T) {
	is, r := is.New(t), nyRigg()
	n := contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.Innsendt, o.Frist = t0, t0 })
	id, err := r.lager.Create(t.Context(), n)
	is.NoErr(err)
	s := &syk{Store: r.lager, id: id, feil: ports.ErrRefused}
	r.Store = s
	r.prov(t, levering.KoFrist, 6)
	_, err = r.Sveip(t.Context())
	is.NoErr(err)
	is.Equal(len(r.apne(t)), 1) // still owed
	s.frisk = true
	is.NoErr(r.TaImot(t.Context(), melding.Svar{ID: "s", Meldingstype: protokoll.Mottatt, Korrelasjon: string(id), AvsenderKonto: n.Fakta.KontoID}))
	_, err = r.Sveip(t.Context()) // confirmed: no letter is needed
	is.NoErr(err)
	is.Equal(len(r.apne(t)), 0)
}

// dor is a ledger of a process that dies when it closes a case.
type dor struct{ ports.Ledger }

func (dor) CloseCase(context.Context, levering.SakID, string, string, time.Time) error {
	return ports.ErrUnavailable
}

func TestACaseAboutAnAnswerIsClosedAlsoWhenTheProcessThatDidTheWorkDied(t *testing.T) {
	is, r := is.New(t), nyRigg()
	n := contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.Innsendt, o.Frist = t0, t0.Add(time.Hour) })
	id, err := r.lager.Create(t.Context(), n)
	is.NoErr(err)
	s := &syk{Store: r.lager, id: id, feil: ports.ErrRefused}
	r.Store = s
	is.NoErr(r.TaImot(t.Context(), melding.Svar{ID: "s/med/skråstrek", Meldingstype: protokoll.Mottatt, Korrelasjon: string(id), AvsenderKonto: n.Fakta.KontoID}))
	r.prov(t, levering.KoSvar, 7)
	_, err = r.Sveip(t.Context())
	is.NoErr(err)
	is.Equal(len(r.apne(t)), 1) // still owed
	s.frisk = true
	r.Ledger = dor{r.lager}
	r.prov(t, levering.KoSvar, 1) // settled, and the case stands
	is.Equal(len(r.apne(t)), 1)
	_, err = r.Sveip(t.Context())
	is.True(errors.Is(err, ports.ErrUnavailable))

	r.Ledger = r.lager // the next process
	_, err = r.Sveip(t.Context())
	is.NoErr(err)
	is.Equal(len(r.apne(t)), 0)
}

// uleseligArbeid is work of which one item cannot be looked at.
type uleseligArbeid struct {
	ports.Work
	id levering.OppdragID
}

func (u uleseligArbeid) Pending(ctx context.Context, id levering.OppdragID) (bool, error) {
	if id == u.id {
		return false, ports.ErrCorrupt
	}
	return u.Work.Pending(ctx, id)
}

func TestNeitherAFloodOfCasesNorOneThatCannotBeReadKeepsAnOldOneOpen(t *testing.T) {
	is, r := is.New(t), nyRigg()
	apne := func(id string, nar time.Time) {
		is.NoErr(r.lager.OpenCase(t.Context(), levering.Sak{ID: levering.SakID("ledger/arbeid-sliter/" + id + "/1"), Art: levering.SakArbeidSliter, Apnet: nar, Frist: nar}))
	}
	apne("svar/gjort", t0)
	apne("svar/uleselig", t0.Add(time.Second)) // looked at before the other
	for n := range 5000 {
		is.NoErr(r.lager.OpenCase(t.Context(), levering.Sak{ID: levering.SakID(fmt.Sprintf("ledger/nokkel-utloper/%d", n)), Art: levering.SakNokkelUtloper, Apnet: t0.Add(time.Hour), Frist: t0}))
	}
	r.Work = uleseligArbeid{r.lager, "svar/uleselig"}
	_, err := r.Sveip(t.Context())
	is.True(errors.Is(err, ports.ErrCorrupt)) // and it is told
	apent := func(id string) bool {
		s, err := r.lager.Case(t.Context(), levering.SakID("ledger/arbeid-sliter/"+id+"/1"))
		is.NoErr(err)
		return s.Apen()
	}
	is.True(!apent("svar/gjort"))
	is.True(apent("svar/uleselig"))
}

// stumtHvelv and stumKatalog are what a send or a letter needs before anything is tried.
type stumtHvelv struct{ ports.Vault }

func (stumtHvelv) Open(context.Context, melding.ID, melding.Del) (melding.Forseglet, error) {
	return melding.Forseglet{}, ports.ErrNotFound
}

type stumKatalog struct{ ports.Directory }

func (stumKatalog) Mottaker(context.Context, kommune.RessursID) (kommune.Mottakerkonto, error) {
	return kommune.Mottakerkonto{}, ports.ErrNotFound
}

func TestALetterOrASendThatNeverGetsAsFarAsBeingTriedCallsAPerson(t *testing.T) {
	for navn, x := range map[string]struct {
		odelegg func(*rigg)
		ko      levering.Ko
		sak     levering.Saksart
	}{
		"brevets innhold mangler": {func(r *rigg) { r.Vault = stumtHvelv{} }, levering.KoBrev, levering.SakBrevSliter},
		"adressen mangler":        {func(r *rigg) { r.Directory = stumKatalog{} }, levering.KoBrev, levering.SakBrevSliter},
		"kontoen mangler":         {func(r *rigg) { r.Directory = stumKatalog{} }, levering.KoSend, levering.SakSendingSliter},
	} {
		t.Run(navn, func(t *testing.T) {
			is, r := is.New(t), nyRigg()
			x.odelegg(&r)
			r.Printer = aldriHort{}
			id, err := r.lager.Create(t.Context(), contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.Innsendt = t0; o.Frist = t0 }))
			is.NoErr(err)
			if x.ko == levering.KoBrev {
				r.prov(t, levering.KoFrist, 1)
			}
			r.prov(t, x.ko, 6)
			u, err := r.lager.Get(t.Context(), id)
			is.NoErr(err)
			_, apen := u.ApenSak(x.sak)
			is.True(apen)
			alle, err := r.lager.Cases(t.Context(), true, 10)
			is.NoErr(err)
			for _, s := range alle {
				is.True(s.Art != levering.SakArbeidSliter) // one case is enough
			}
		})
	}
}

// aldriHort is a vendor that never got anything.
type aldriHort struct{ ports.Printer }

func (aldriHort) Status(context.Context, melding.ForsokID) (levering.Jobb, error) {
	return levering.Jobb{}, ports.ErrNotFound
}

func TestAReportThatCannotBeRepairedKeepsNoOtherFromIt(t *testing.T) {
	is, r := is.New(t), nyRigg()
	for range 2 {
		id, err := r.lager.Create(t.Context(), contracts.NyMelding(t))
		is.NoErr(err)
		for _, ko := range []levering.Ko{levering.KoSend, levering.KoFrist} {
			r.lager.Fjern(id, ko)
		}
	}
	brudd, err := r.lager.Breaches(t.Context(), 10)
	is.NoErr(err)
	is.Equal(len(brudd), 2)
	r.Store = &syk{Store: r.lager, id: brudd[0], feil: ports.ErrRefused}
	n, err := r.Sveip(t.Context())
	is.True(errors.Is(err, ports.ErrRefused))
	is.Equal(n, 2)
	brudd, err = r.lager.Breaches(t.Context(), 10)
	is.NoErr(err)
	is.Equal(len(brudd), 1)
}
