package sim_test

import (
	"testing"

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
