package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/memory/feil"
	"portal.example/bekymringsmelding/app/delivery"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// gjorAlt does what is due in a queue, once each.
func (r rigg) gjorAlt(t *testing.T, ko levering.Ko) {
	t.Helper()
	leier, err := r.lager.Claim(t.Context(), ko, 1000, r.klokke.Now(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range leier {
		var senere *delivery.Senere
		if err := r.Utfor(t.Context(), l); errors.As(err, &senere) {
			err = r.lager.Release(t.Context(), l, senere.Til, senere.Arsak)
			if err != nil {
				t.Fatal(err)
			}
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// svarene stores n answers and lets a quarter of an hour pass, so that what matches nothing is given up.
func (r rigg) svarene(t *testing.T, n int, s melding.Svar) {
	t.Helper()
	for i := range n {
		s.ID = fmt.Sprintf("%s-%s-%d-%d", s.AvsenderKonto, s.SvarTil, r.klokke.Now().Unix(), i)
		if err := r.TaImot(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	r.gjorAlt(t, levering.KoSvar)
	r.klokke.Sett(r.klokke.Now().Add(16 * time.Minute))
	r.gjorAlt(t, levering.KoSvar)
}

func TestAnswersThatMatchNothingAreAFewCasesAndThenOnlyCounted(t *testing.T) {
	is, r := is.New(t), nyRigg()
	talt := 0
	r.BareTalt = func() { talt++ }
	ukjent := func(fra kommune.KontoID) melding.Svar {
		return melding.Svar{Meldingstype: protokoll.Mottatt, SvarTil: "ukjent", AvsenderKonto: fra}
	}
	r.svarene(t, 19, ukjent("k-a"))
	is.Equal(len(r.apne(t)), 19)
	is.Equal(talt, 0)
	r.svarene(t, 500, ukjent("k-a"))
	is.Equal(len(r.apne(t)), levering.MaksUbrukteSvar)
	is.Equal(talt, 499)
	siste, err := r.lager.Cases(t.Context(), true, 1)
	is.NoErr(err)
	is.True(strings.Contains(siste[0].Grunn, "flere derfra i dag blir bare talt")) // nobody thinks that this was all
	is.True(strings.Contains(siste[0].Grunn, "k-a"))                               // and they know whom to ask

	for _, s := range siste { // closed cases are not a place for new ones
		is.NoErr(r.lager.CloseCase(t.Context(), s.ID, "operator:kari", "spurt", r.klokke.Now()))
	}
	r.svarene(t, 1, ukjent("k-a"))
	is.Equal(talt, 500)
	is.Equal(len(r.apne(t)), levering.MaksUbrukteSvar-1)

	r.svarene(t, 1, ukjent("k-b")) // another account's are seen all the same
	is.Equal(len(r.apne(t)), levering.MaksUbrukteSvar)
	r.klokke.Sett(r.klokke.Now().Add(24 * time.Hour))
	r.svarene(t, 1, ukjent("k-a")) // and another day's
	is.Equal(len(r.apne(t)), levering.MaksUbrukteSvar+1)
	is.Equal(talt, 500)
}

func TestAnAnswerGivenUpTwiceIsOneCase(t *testing.T) {
	is, r := is.New(t), nyRigg()
	is.NoErr(r.TaImot(t.Context(), melding.Svar{ID: "s", Meldingstype: protokoll.Mottatt, SvarTil: "ukjent", AvsenderKonto: "k"}))
	r.klokke.Sett(r.klokke.Now().Add(16 * time.Minute))
	for range 2 { // two workers, or one that died before it let go of the item
		leier, err := r.lager.Claim(t.Context(), levering.KoSvar, 1, r.klokke.Now(), time.Minute)
		is.NoErr(err)
		if len(leier) == 1 {
			igjen := leier[0]
			igjen.Token = "en annens"
			_ = r.Utfor(t.Context(), igjen) // opens the case, and cannot let go
			is.NoErr(r.Utfor(t.Context(), leier[0]))
		}
	}
	is.Equal(len(r.apne(t)), 1)
}

// raskere is a ledger where another replica always opens the same case first, about something else.
type raskere struct{ ports.Ledger }

func (r raskere) OpenCase(ctx context.Context, s levering.Sak) error {
	annen := s
	if annen.Grunn = "svar fra en annen"; !strings.HasSuffix(string(s.ID), "/3") {
		if err := r.Ledger.OpenCase(ctx, annen); err != nil {
			return err
		}
	}
	return r.Ledger.OpenCase(ctx, s)
}

func TestTwoReplicasWithOnePlaceLoseNoAnswer(t *testing.T) {
	is, r := is.New(t), nyRigg()
	r.Ledger = raskere{r.lager}
	r.svarene(t, 1, melding.Svar{Meldingstype: protokoll.Mottatt, SvarTil: "ukjent", AvsenderKonto: "k-a"})
	saker, err := r.lager.Cases(t.Context(), true, 10)
	is.NoErr(err)
	is.Equal(len(saker), 3)
	is.True(slices.ContainsFunc(saker, func(s levering.Sak) bool { return strings.Contains(s.Grunn, "k-a") }))
}

// A stranger's answers to one report end as rows in its history that stop, and the receiver's own is used.
func TestAStrangersAnswersToAReportAreCountedAndTheReceiversIsUsed(t *testing.T) {
	is, r := is.New(t), nyRigg()
	talt := 0
	r.BareTalt = func() { talt++ }
	n := contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.Innsendt = t0 })
	id, err := r.lager.Create(t.Context(), n)
	is.NoErr(err)
	r.svarene(t, 100, melding.Svar{Meldingstype: protokoll.Mottatt, Korrelasjon: string(id), AvsenderKonto: "en fremmed"})
	is.Equal(talt, 100-levering.MaksUbrukteSvar)
	is.Equal(r.apne(t), []string{string(levering.SakAnnenKonto)})
	r.svarene(t, 1, melding.Svar{Meldingstype: protokoll.Mottatt, Korrelasjon: string(id), AvsenderKonto: n.Fakta.KontoID})
	u, err := r.lager.Get(t.Context(), id)
	is.NoErr(err)
	is.Equal(u.Melding.Tilstand(), melding.LEVERT)
	is.Equal(talt, 100-levering.MaksUbrukteSvar)
}

// koet is how many answers wait for somebody to judge them.
func (r rigg) koet(t *testing.T) int {
	t.Helper()
	leier, err := r.lager.Claim(t.Context(), levering.KoSvar, 1000, r.klokke.Now(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return len(leier)
}

// When the wire is told «taken», the answer is in the report's history.
func TestAReceiptIsWrittenDownBeforeTheWireIsToldSo(t *testing.T) {
	is, r := is.New(t), nyRigg()
	gjentatt := 0
	r.Gjentatt = func(levering.Ko) { gjentatt++ }
	n := contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.Innsendt = t0 })
	id, err := r.lager.Create(t.Context(), n)
	is.NoErr(err)
	sv := melding.Svar{ID: "s", Meldingstype: protokoll.Mottatt, Korrelasjon: string(id), AvsenderKonto: n.Fakta.KontoID}
	is.NoErr(r.TaImot(t.Context(), sv))
	u, err := r.lager.Get(t.Context(), id)
	is.NoErr(err)
	is.Equal(u.Melding.Tilstand(), melding.LEVERT)
	is.Equal(gjentatt, 0)
	is.NoErr(r.TaImot(t.Context(), sv)) // the wire did not hear us
	is.Equal(gjentatt, 1)
	etter, err := r.lager.Get(t.Context(), id)
	is.NoErr(err)
	is.Equal(etter, u)
	is.Equal(r.koet(t), 0)
}

// An answer that cannot be judged now is stored all the same, and judged later.
func TestAnAnswerThatCannotBeJudgedNowIsSomebodysWork(t *testing.T) {
	n := contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.Innsendt = t0 })
	for navn, gjor := range map[string]func(r *rigg){
		"meldingen er ikke kjent ennå":   func(r *rigg) { n.Fakta.ID = "" },
		"klokken er ikke til å stole på": func(r *rigg) { r.Vakt = func(context.Context) error { return ports.ErrUnavailable } },
		"lagringen går ikke":             func(r *rigg) { r.Store = &syk{Store: r.lager, id: n.Fakta.ID, feil: ports.ErrUnavailable} },
		"en feil i en regel":             func(r *rigg) { r.Store = &syk{Store: r.lager, id: n.Fakta.ID} },
	} {
		t.Run(navn, func(t *testing.T) {
			is, r := is.New(t), nyRigg()
			n = contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.Innsendt = t0 })
			id, err := r.lager.Create(t.Context(), n)
			is.NoErr(err)
			gjor(&r)
			var vekket []levering.Ko
			r.Vekk = func(kk ...levering.Ko) { vekket = append(vekket, kk...) }
			sv := melding.Svar{ID: "s", Meldingstype: protokoll.Mottatt, Korrelasjon: string(n.Fakta.ID), AvsenderKonto: n.Fakta.KontoID}
			is.NoErr(r.TaImot(t.Context(), sv))
			is.Equal(vekket, []levering.Ko{levering.KoSvar})
			gjentatt := 0
			r.Gjentatt = func(levering.Ko) { gjentatt++ }
			r.Store = r.lager
			is.NoErr(r.TaImot(t.Context(), sv)) // the world says it again, when all is well
			is.Equal(gjentatt, 1)
			is.Equal(r.koet(t), 1)
			u, err := r.lager.Get(t.Context(), id)
			is.NoErr(err)
			is.Equal(u.Melding.Tilstand(), melding.AKSEPTERT)
		})
	}
}

// The commit was done, and nobody heard: the answer is neither judged twice nor counted as a repeat of the world's.
func TestAnAnswerWhoseCommitWasNotHeardOfIsJudgedOnce(t *testing.T) {
	is, r := is.New(t), nyRigg()
	f := feil.Ny(nil)
	f.Sett(feil.Nte(1, true, ports.ErrUnavailable))
	n := contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.Innsendt = t0 })
	id, err := r.lager.Create(t.Context(), n)
	is.NoErr(err)
	r.Store = f.Store(r.lager)
	r.Gjentatt = func(levering.Ko) { t.Error("ingen gjentakelse") }
	is.NoErr(r.TaImot(t.Context(), melding.Svar{ID: "s", Meldingstype: protokoll.Mottatt, Korrelasjon: string(id), AvsenderKonto: n.Fakta.KontoID}))
	u, err := r.lager.Get(t.Context(), id)
	is.NoErr(err)
	is.Equal(u.Melding.Tilstand(), melding.LEVERT)
	is.Equal(r.koet(t), 0)
}
