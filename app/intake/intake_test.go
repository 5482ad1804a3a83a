package intake_test

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/app/intake"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// kjentMed is an Inspector that takes the first byte of a part for its only recipient.
type kjentMed map[byte]*x509.Certificate

func (k kjentMed) Inspect(f melding.Forseglet) (ports.Segl, error) {
	b, err := f.Bytes()
	if err != nil {
		return ports.Segl{}, err
	}
	c := k[b[0]]
	return ports.Segl{Algoritme: "AES-256-CBC", Mottakere: []ports.Seglmottaker{{Utsteder: c.RawIssuer, Serie: c.SerialNumber.String(), RSA: ports.RSAOAEP}}}, nil
}

type rigg struct {
	*is.I
	t      *testing.T
	lager  *memory.Lager
	klokke *memory.Klokke
	o      ports.Oppsett
	s      *intake.Service
}

func oppsett(t *testing.T) *rigg {
	t.Helper()
	k := memory.NyKlokke(contracts.Start)
	r := &rigg{I: is.New(t), t: t, lager: memory.NyttLager(k), klokke: k, o: contracts.OppsettFor("0301", "01")}
	sert := kjentMed{'a': contracts.NyttSertifikat(t), 'p': contracts.NyttSertifikat(t)}
	r.bruk()
	r.NoErr(r.lager.Announce(t.Context(), kommune.MottakerEier(r.o.Mottakere[0].Bydel.RessursID), sert['a'], contracts.Start))
	r.NoErr(r.lager.Announce(t.Context(), kommune.Printleverandor, sert['p'], contracts.Start))
	r.s = intake.New(intake.Config{Store: r.lager, Directory: r.lager, Access: r.lager, Certs: r.lager, Inspector: sert, Clock: k,
		Policy: contracts.Policy, NyID: contracts.MeldingID})
	return r
}

func (r *rigg) bruk() {
	r.Helper()
	r.NoErr(r.lager.Apply(r.t.Context(), r.o))
}

// innsending is one that is accepted.
func (r *rigg) innsending() intake.Innsending {
	i := intake.Innsending{Fra: r.o.Organisasjoner[0].FiksOrgID, Integrasjon: r.o.Integrasjoner[0], Kommune: "0301", Bydel: "01",
		Slag: melding.Offentlig, Versjon: melding.V2, SHA: map[melding.Del][32]byte{}}
	asice, pdf := append([]byte("a"), contracts.Tilfeldig(700)...), append([]byte("p"), contracts.Tilfeldig(900)...)
	i.Asice, i.PDF = contracts.Forseglet(asice), contracts.Forseglet(pdf)
	i.SHA[melding.DelAsice], i.SHA[melding.DelPDF] = sha256.Sum256(asice), sha256.Sum256(pdf)
	return i
}

func TestRefusals(t *testing.T) {
	for navn, x := range map[string]struct {
		endre func(*ports.Oppsett, *intake.Innsending)
		vil   error
	}{
		"fremmed organisasjon":    {func(_ *ports.Oppsett, i *intake.Innsending) { i.Fra = "en annen" }, intake.ErrIkkeDin},
		"bare retten til å motta": {func(o *ports.Oppsett, _ *intake.Innsending) { o.Tilganger[0].Tilgang = kommune.TilgangMotta }, intake.ErrManglerTilgang},
		"ukjent kommune":          {func(_ *ports.Oppsett, i *intake.Innsending) { i.Kommune = "9999" }, intake.ErrUkjentMottaker},
		"ukjent bydel":            {func(_ *ports.Oppsett, i *intake.Innsending) { i.Bydel = "77" }, intake.ErrUkjentMottaker},
		"stengt bydel":            {func(o *ports.Oppsett, _ *intake.Innsending) { o.Mottakere[0].Bydel.Aktiv = false }, intake.ErrUkjentMottaker},
		"for ny versjon":          {func(o *ports.Oppsett, _ *intake.Innsending) { o.Mottakere[0].Bydel.Versjon = 1 }, intake.ErrVersjon},
		"delene byttet om":        {func(_ *ports.Oppsett, i *intake.Innsending) { i.Asice, i.PDF = i.PDF, i.Asice }, intake.ErrNokkel},
	} {
		t.Run(navn, func(t *testing.T) {
			r := oppsett(t)
			i := r.innsending()
			x.endre(&r.o, &i)
			r.bruk()
			if err := r.s.Forhandskontroll(t.Context(), i); !errors.Is(x.vil, intake.ErrNokkel) {
				r.True(errors.Is(err, x.vil)) // before the body is read
			}
			_, err := r.s.Motta(t.Context(), i)
			r.True(errors.Is(err, x.vil))
			n, err := r.lager.Count(t.Context(), ports.Filter{})
			r.NoErr(err)
			r.Equal(n, 0)
		})
	}
}

// omtrentlig answers what may be about right with what was right at first.
type omtrentlig struct {
	ports.Access
	forst *ports.Grunnlag
}

func (o *omtrentlig) Grunnlag(ctx context.Context, s ports.Sporsmal) (ports.Grunnlag, error) {
	if s.Omtrent && o.forst != nil {
		return *o.forst, nil
	}
	g, err := o.Access.Grunnlag(ctx, s)
	if o.forst == nil {
		o.forst = &g
	}
	return g, err
}

func TestARightWithdrawnWhileTheBodyComesCounts(t *testing.T) {
	r := oppsett(t)
	r.s.Access = &omtrentlig{Access: r.lager}
	i := r.innsending()
	r.NoErr(r.s.Forhandskontroll(t.Context(), i))
	r.o.Tilganger = nil
	r.bruk()
	r.NoErr(r.s.Forhandskontroll(t.Context(), i)) // about right will do here
	_, err := r.s.Motta(t.Context(), i)
	r.True(errors.Is(err, intake.ErrIkkeDin))
}

func TestAPossibleDuplicateIsNotedAndNeverSuppressed(t *testing.T) {
	r := oppsett(t)
	forst, err := r.s.Motta(t.Context(), r.innsending())
	r.NoErr(err)
	for _, x := range []struct {
		etter time.Duration
		vil   melding.ID
	}{{9 * time.Minute, forst}, {30 * time.Minute, ""}} {
		r.klokke.Sett(contracts.Start.Add(x.etter))
		id, err := r.s.Motta(t.Context(), r.innsending())
		r.NoErr(err)
		u, err := r.lager.Get(t.Context(), id)
		r.NoErr(err)
		r.Equal(u.Melding.Fakta.MuligDublett, x.vil)
		r.Equal(u.Melding.Har(melding.MuligDublett), x.vil != "")
	}
}

// tapt loses the answer of a commit, before or after it.
type tapt struct {
	ports.Store
	lagret bool
}

func (s tapt) Create(ctx context.Context, n ports.Ny) (melding.ID, error) {
	if s.lagret {
		if _, err := s.Store.Create(ctx, n); err != nil {
			return "", err
		}
	}
	return "", ports.ErrUnavailable
}

func TestAnUnknownCommitIsLookedUp(t *testing.T) {
	for _, lagret := range []bool{true, false} {
		r := oppsett(t)
		r.s.Store = tapt{r.lager, lagret}
		i := r.innsending()
		id, err := r.s.Motta(t.Context(), i)
		if !lagret {
			r.True(errors.Is(err, ports.ErrUnavailable)) // never a refusal: the commit may still come
			continue
		}
		r.NoErr(err)
		r.s.Store = r.lager
		igjen, err := r.s.Motta(t.Context(), i)
		r.NoErr(err)
		r.Equal(igjen, id)
	}
}
