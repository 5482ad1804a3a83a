package delivery_test

import (
	"context"
	"crypto/x509"
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

// inHand is a report that its own process sends: leased and, begun or not, in the commit that accepted it.
func inHand(t *testing.T, r rigg, tr *sender, begun bool) (melding.ID, ports.Lease) {
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
	if begun {
		u := ports.Utgave{Melding: melding.Melding{Fakta: n.Fakta}.Med(n.Hendelser...), Owed: n.Oppdrag}
		_, begynt, ok := levering.SendesStraks(u, o.Mottakere[0], []*x509.Certificate{c}, contracts.Policy, t0)
		is.True(ok)
		n.Hendelser, l.Begynt = append(n.Hendelser, begynt), true
	}
	id, err := r.lager.Create(t.Context(), n)
	is.NoErr(err)
	return id, l
}

// begge lives a test with a report that is only in hand, and with one that is begun too.
func begge(t *testing.T, fn func(t *testing.T, begun bool)) {
	for _, begun := range []bool{false, true} {
		t.Run(map[bool]string{false: "leid", true: "begynt"}[begun], func(t *testing.T) { fn(t, begun) })
	}
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
	begge(t, func(t *testing.T, begun bool) {
		is, r, tr := is.New(t), nyRigg(), &sender{}
		gjentatt := 0
		r.Gjentatt = func(levering.Ko) { gjentatt++ }
		id, l := inHand(t, r, tr, begun)
		is.NoErr(r.Utfor(t.Context(), l))
		is.Equal(r.koder(t, id), []melding.Kode{melding.Akseptert, melding.SendingBegynt, melding.SendtFagsystem})
		is.Equal(tr.n, 1)
		is.Equal(gjentatt, 0)
	})
}

// The process that had it in hand died, before or after the platform got it: nobody knows, and the receiver may see it twice.
func TestWhatWasBegunByAProcessThatDiedIsARepeat(t *testing.T) {
	is, r, tr := is.New(t), nyRigg(), &sender{}
	gjentatt := 0
	r.Gjentatt = func(ko levering.Ko) {
		is.Equal(ko, levering.KoSend)
		gjentatt++
	}
	id, _ := inHand(t, r, tr, true)
	r.klokke.Sett(t0.Add(time.Minute))
	leier, err := r.lager.Claim(t.Context(), levering.KoSend, 1, r.klokke.Now(), time.Minute)
	is.NoErr(err)
	is.Equal(len(leier), 1)
	is.NoErr(r.Utfor(t.Context(), leier[0]))
	is.Equal(r.koder(t, id), []melding.Kode{melding.Akseptert, melding.SendingBegynt, melding.SendingGjentatt, melding.SendtFagsystem})
	is.Equal(gjentatt, 1)
}

// Two processes have the same item when one was paused until its lease ran out. What the second sends is a repeat, whoever of them that is.
func TestWhatTwoProcessesSendIsARepeat(t *testing.T) {
	begge(t, func(t *testing.T, begun bool) {
		is, r, tr := is.New(t), nyRigg(), &sender{feil: ports.ErrUnavailable}
		gjentatt := 0
		r.Gjentatt = func(levering.Ko) { gjentatt++ }
		id, paused := inHand(t, r, tr, begun)
		r.klokke.Sett(t0.Add(2 * time.Minute))
		leier, err := r.lager.Claim(t.Context(), levering.KoSend, 1, r.klokke.Now(), time.Minute)
		is.NoErr(err)
		is.True(errors.Is(r.Utfor(t.Context(), leier[0]), ports.ErrUnavailable)) // it may have come through
		is.True(errors.Is(r.Utfor(t.Context(), paused), ports.ErrUnavailable))
		is.Equal(tr.n, 2)
		is.True(slices.Contains(r.koder(t, id), melding.SendingGjentatt))
		is.True(gjentatt > 0)
	})
}

// What has come since the report was accepted counts, also when its attempt was begun then.
func TestWhatHasChangedSinceTheAcceptanceIsNotSentOver(t *testing.T) {
	begge(t, func(t *testing.T, begun bool) {
		for navn, gjor := range map[string]func(is *is.I, r rigg, c *x509.Certificate){
			"nøkkelen er trukket": func(is *is.I, r rigg, c *x509.Certificate) {
				is.NoErr(r.lager.Revoke(t.Context(), c, t0, "på avveie"))
			},
			"kontoen er stengt": func(is *is.I, r rigg, _ *x509.Certificate) {
				o := contracts.OppsettFor("0301", "01")
				o.Mottakere[0].KontoAktiv = false
				is.NoErr(r.lager.Apply(t.Context(), o))
			},
			"nøkkelen er utløpt": func(_ *is.I, r rigg, c *x509.Certificate) { r.klokke.Sett(c.NotAfter.Add(time.Second)) },
		} {
			t.Run(navn, func(t *testing.T) {
				is, r, tr := is.New(t), nyRigg(), &sender{}
				id, l := inHand(t, r, tr, begun)
				u, err := r.lager.Get(t.Context(), id)
				is.NoErr(err)
				cc, err := r.lager.Accepted(t.Context(), kommune.MottakerEier(u.Melding.Fakta.RessursID), t0)
				is.NoErr(err)
				gjor(is, r, cc[0])
				is.NoErr(r.Utfor(t.Context(), l))
				is.Equal(tr.n, 0)
				u, err = r.lager.Get(t.Context(), id)
				is.NoErr(err)
				is.True(u.Melding.Har(melding.SendingAvvist))
				is.True(u.Melding.Har(melding.VenterPaPrint))
			})
		}
	})
}

// An answer, or the letter, may come while the process is paused: what is settled is not sent.
func TestWhatIsSettledIsNotSentThoughItIsInHand(t *testing.T) {
	begge(t, func(t *testing.T, begun bool) {
		is, r, tr := is.New(t), nyRigg(), &sender{}
		id, l := inHand(t, r, tr, begun)
		u, err := r.lager.Get(t.Context(), id)
		is.NoErr(err)
		sv := levering.SvarOppdrag(melding.Svar{ID: "s", Meldingstype: "no.ks.fiks.bekymringsmelding.mottatt.v1", AvsenderKonto: u.Melding.Fakta.KontoID, Mottatt: t0})
		_, err = r.lager.Update(t.Context(), id, func(u ports.Utgave) (ports.Endring, error) {
			return levering.BehandleSvar(u, sv, contracts.Policy, t0)
		})
		is.NoErr(err)
		is.NoErr(r.Utfor(t.Context(), l))
		is.Equal(tr.n, 0)
	})
}

func TestAnUnknownOutcomeOfTheFirstTryComesAgain(t *testing.T) {
	begge(t, func(t *testing.T, begun bool) {
		is, r, tr := is.New(t), nyRigg(), &sender{feil: ports.ErrUnavailable}
		_, l := inHand(t, r, tr, begun)
		is.True(errors.Is(r.Utfor(t.Context(), l), ports.ErrUnavailable))
		tr.feil = nil
		is.NoErr(r.lager.Release(t.Context(), l, t0.Add(time.Second), "x"))
		leier, err := r.lager.Claim(t.Context(), levering.KoSend, 1, t0.Add(time.Second), time.Minute)
		is.NoErr(err)
		is.Equal(leier[0].Attempt, 2)
		is.NoErr(r.Utfor(t.Context(), leier[0]))
		is.Equal(tr.n, 2)
	})
}

// The portal was asked to take answers, and did not for a while: a receipt may have come and gone. Whoever gets the letter should know.
func TestALetterThatGoesAfterASilenceSaysThatAReceiptMayBeLost(t *testing.T) {
	for _, taus := range []bool{true, false} {
		is, r, tr := is.New(t), nyRigg(), &sender{}
		id, l := inHand(t, r, tr, false)
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
