package delivery_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// sender is a Transport that counts.
type sender struct {
	ports.Transport
	n    int
	feil error
}

func (s *sender) Send(context.Context, ports.Forsendelse) (string, error) {
	s.n++
	return "platformens-id", s.feil
}

// inHand is a report whose send was leased in the commit that accepted it.
func inHand(t *testing.T, r rigg, tr *sender) (melding.ID, ports.Lease) {
	t.Helper()
	is := is.New(t)
	r.Transport, r.Policy = tr, contracts.Policy
	o := contracts.OppsettFor("0301", "01")
	is.NoErr(r.lager.Apply(t.Context(), o))
	c := contracts.NyttSertifikat(t)
	is.NoErr(r.lager.Announce(t.Context(), kommune.MottakerEier(o.Mottakere[0].Bydel.RessursID), c, t0))
	n := contracts.NyMelding(t, func(x *contracts.Oppskrift) { x.Til, x.Innsendt = o.Mottakere[0].Bydel.RessursID, t0 })
	f := n.Fakta.Deler[melding.DelAsice]
	f.Nokkelserie = []string{c.SerialNumber.Text(16)}
	n.Fakta.Deler[melding.DelAsice] = f
	l := ports.Lease{Oppdrag: n.Oppdrag[0], Token: "leie", Until: t0.Add(time.Minute), Attempt: 1}
	is.Equal(l.Oppdrag.Ko, levering.KoSend)
	n.Leier = []ports.Lease{l}
	id, err := r.lager.Create(t.Context(), n)
	is.NoErr(err)
	return id, l
}

func (r rigg) koder(t *testing.T, id melding.ID) (ut []melding.Kode) {
	t.Helper()
	u, err := r.lager.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range u.Melding.Historikk {
		ut = append(ut, h.Kode)
	}
	return ut
}

func TestWhatIsLeasedFromTheStartIsSentOnceAndIsNoRepeat(t *testing.T) {
	is, r, tr := is.New(t), nyRigg(), &sender{}
	gjentatt := 0
	r.Gjentatt = func(levering.Ko) { gjentatt++ }
	id, l := inHand(t, r, tr)
	is.NoErr(r.Utfor(t.Context(), l))
	is.Equal(r.koder(t, id), []melding.Kode{melding.Akseptert, melding.SendingBegynt, melding.SendtFagsystem})
	is.Equal(tr.n, 1)
	is.Equal(gjentatt, 0)
}

// The process that had it in hand died, before or after the platform got it: nobody knows, and the receiver may see it twice.
func TestWhatWasBegunByAProcessThatDiedIsARepeat(t *testing.T) {
	is, r, tr := is.New(t), nyRigg(), &sender{}
	gjentatt := 0
	r.Gjentatt = func(ko levering.Ko) {
		is.Equal(ko, levering.KoSend)
		gjentatt++
	}
	id, l := inHand(t, r, tr)
	_, err := r.lager.Update(t.Context(), id, func(u ports.Utgave) (ports.Endring, error) {
		return levering.BegynnSending(u, l.Oppdrag, kommune.Mottakerkonto{Kanal: kommune.FiksIO, KontoID: "k", KontoAktiv: true}, levering.NokkelGyldig, contracts.Policy, t0)
	})
	is.NoErr(err)
	r.klokke.Sett(t0.Add(time.Minute))
	leier, err := r.lager.Claim(t.Context(), levering.KoSend, 1, r.klokke.Now(), time.Minute)
	is.NoErr(err)
	is.Equal(len(leier), 1)
	is.NoErr(r.Utfor(t.Context(), leier[0]))
	is.Equal(r.koder(t, id), []melding.Kode{melding.Akseptert, melding.SendingBegynt, melding.SendingGjentatt, melding.SendtFagsystem})
	is.Equal(gjentatt, 1)
}

// etterpa lets something happen between the reading and the commit.
type etterpa struct {
	ports.Dispatch
	hva func()
}

func (e etterpa) Sendegrunnlag(ctx context.Context, id melding.ID, na time.Time) (ports.Sendegrunnlag, error) {
	g, err := e.Dispatch.Sendegrunnlag(ctx, id, na)
	e.hva()
	return g, err
}

// Two processes may have the same item when a lease ran out under one of them. What the second sends is a repeat, also when it looked
// before the first began.
func TestARepeatIsCountedThoughItsFirstTryBeganAfterWeLooked(t *testing.T) {
	is, r, tr := is.New(t), nyRigg(), &sender{feil: ports.ErrUnavailable}
	gjentatt := 0
	r.Gjentatt = func(levering.Ko) { gjentatt++ }
	id, l := inHand(t, r, tr)
	den := r.Dispatch
	r.Dispatch = etterpa{den, func() {
		r.Dispatch = den
		is.True(errors.Is(r.Utfor(t.Context(), l), ports.ErrUnavailable)) // the other one
		is.Equal(gjentatt, 0)
	}}
	is.True(errors.Is(r.Utfor(t.Context(), l), ports.ErrUnavailable))
	is.Equal(tr.n, 2)
	is.True(slices.Contains(r.koder(t, id), melding.SendingGjentatt))
	is.Equal(gjentatt, 1)
}

// An answer, or the letter, may come while the process is paused: what is settled is not sent.
func TestWhatIsSettledIsNotSentThoughItIsInHand(t *testing.T) {
	is, r, tr := is.New(t), nyRigg(), &sender{}
	id, l := inHand(t, r, tr)
	u, err := r.lager.Get(t.Context(), id)
	is.NoErr(err)
	sv := levering.SvarOppdrag(melding.Svar{ID: "s", Meldingstype: "no.ks.fiks.bekymringsmelding.mottatt.v1", AvsenderKonto: u.Melding.Fakta.KontoID, Mottatt: t0})
	_, err = r.lager.Update(t.Context(), id, func(u ports.Utgave) (ports.Endring, error) {
		return levering.BehandleSvar(u, sv, contracts.Policy, t0)
	})
	is.NoErr(err)
	is.NoErr(r.Utfor(t.Context(), l))
	is.Equal(tr.n, 0)
}

func TestAnUnknownOutcomeOfTheFirstTryComesAgain(t *testing.T) {
	is, r, tr := is.New(t), nyRigg(), &sender{feil: ports.ErrUnavailable}
	_, l := inHand(t, r, tr)
	is.True(errors.Is(r.Utfor(t.Context(), l), ports.ErrUnavailable))
	tr.feil = nil
	is.NoErr(r.lager.Release(t.Context(), l, t0.Add(time.Second), "x"))
	leier, err := r.lager.Claim(t.Context(), levering.KoSend, 1, t0.Add(time.Second), time.Minute)
	is.NoErr(err)
	is.Equal(leier[0].Attempt, 2)
	is.NoErr(r.Utfor(t.Context(), leier[0]))
	is.Equal(tr.n, 2)
}

// The portal was asked to take answers, and did not for a while: a receipt may have come and gone. Whoever gets the letter should know.
func TestALetterThatGoesAfterASilenceSaysThatAReceiptMayBeLost(t *testing.T) {
	for _, taus := range []bool{true, false} {
		is, r, tr := is.New(t), nyRigg(), &sender{}
		id, l := inHand(t, r, tr)
		is.NoErr(r.Lyttet(t.Context(), t0.Add(-time.Hour), t0))
		is.NoErr(r.Utfor(t.Context(), l))
		u, err := r.lager.Get(t.Context(), id)
		is.NoErr(err)
		frist := u.Melding.Fakta.Frist
		fra := t0 // heard without a break until the frist
		if taus {
			fra = frist.Add(-time.Hour)
		}
		r.klokke.Sett(frist)
		is.NoErr(r.Lyttet(t.Context(), fra, frist))
		leier, err := r.lager.Claim(t.Context(), levering.KoFrist, 1, frist, time.Minute)
		is.NoErr(err)
		is.Equal(len(leier), 1)
		is.NoErr(r.Utfor(t.Context(), leier[0]))
		u, err = r.lager.Get(t.Context(), id)
		is.NoErr(err)
		is.True(u.Melding.Har(melding.VenterPaPrint)) // the letter is ordered either way
		is.Equal(u.Melding.Har(melding.KvitteringKanVaereTapt), taus)
	}
}
