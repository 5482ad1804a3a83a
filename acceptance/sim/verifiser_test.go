package sim_test

import (
	"net/http"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
)

func TestIssuerAcceptsItsOwnTokensAndNoneOfTheBadOnes(t *testing.T) {
	is := is.New(t)
	v, k := verden(t), &klokke{na: start}
	m, err := sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: k.Now, Utsteder: "https://maskinporten.example/"})
	is.NoErr(err)
	is.NoErr(m.Registrer(sim.Klient{ID: "klient", Orgnr: sim.Orgnr(0), Sertifikat: v.avsender.Cert}))
	god, err := m.Token("klient")
	is.NoErr(err)
	org, err := m.Verifiser(t.Context(), god)
	is.NoErr(err)
	is.Equal(org, string(sim.Orgnr(0)))
	for _, art := range sim.Feilarter() {
		if art == sim.FremmedOrg {
			continue // a good token, of somebody without rights: the platform's own matter
		}
		token, err := m.Feiltoken(art, "klient")
		is.NoErr(err)
		if _, err := m.Verifiser(t.Context(), token); err == nil {
			t.Errorf("%s ble godtatt", art)
		}
	}
	for _, skrot := range []string{"", "x", "a.b.c", god + "x", god[:len(god)-9]} {
		if _, err := m.Verifiser(t.Context(), skrot); err == nil {
			t.Errorf("%q ble godtatt", skrot)
		}
	}
	is.NoErr(m.Roter())
	_, err = m.Verifiser(t.Context(), god) // the key before is still published
	is.NoErr(err)
	k.frem(sim.Levetid)
	_, err = m.Verifiser(t.Context(), god)
	is.True(err != nil)
}

func TestTokensOutliveARestartWithTheSameKey(t *testing.T) {
	is := is.New(t)
	v, k := verden(t), &klokke{na: start}
	c := sim.MaskinportenConfig{Klokke: k.Now, Utsteder: "https://maskinporten.example/", Nokkel: v.portal.Nokkel}
	forste, err := sim.NyMaskinporten(c)
	is.NoErr(err)
	is.NoErr(forste.Registrer(sim.Klient{ID: "klient", Orgnr: sim.Orgnr(0), Sertifikat: v.avsender.Cert}))
	token, err := forste.Token("klient")
	is.NoErr(err)
	andre, err := sim.NyMaskinporten(c)
	is.NoErr(err)
	_, err = andre.Verifiser(t.Context(), token)
	is.NoErr(err)
}

func TestALenientIssuerTakesWhatClientsInUseSendAndTheStrictOneDoesNot(t *testing.T) {
	is := is.New(t)
	v := verden(t)
	for _, lempelig := range []bool{false, true} {
		k := &klokke{na: start}
		m, err := sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: k.Now, Utsteder: "http://maskinporten.test/", Lempelig: lempelig, Nokkel: v.portal.Nokkel})
		is.NoErr(err)
		is.NoErr(m.Registrer(sim.Klient{ID: klientID, Orgnr: sim.Orgnr(0), Sertifikat: v.avsender.Cert}))
		u := &utsteder{m, k}
		for navn, verdi := range map[string]any{"aud": "http://maskinporten.test", "ukjent": "x", "iat": start.Unix() - 50} {
			krav := u.gode()
			krav[navn] = verdi
			krav["exp"] = start.Unix() + 60
			s := u.bytt(t, signer(t, jose.RS256, v.avsender.Nokkel, x5c(v.avsender), krav))
			is.Equal(s.status == http.StatusOK, lempelig)
		}
		krav := u.gode()
		krav["aud"] = u.TokenURL()
		is.Equal(u.bytt(t, signer(t, jose.RS256, v.avsender.Nokkel, x5c(v.avsender), krav)).status, http.StatusBadRequest)
	}
}
