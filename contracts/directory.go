package contracts

import (
	"errors"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

// OppsettFor is a valid set-up of one kommune: its organisation, an integration that may send for it, and its bydeler, all active.
// The first bydel is standardMottaker.
func OppsettFor(nummer kommune.Kommunenummer, bydeler ...kommune.Bydelsnummer) ports.Oppsett {
	org := kommune.FiksOrgID("org-" + string(nummer))
	o := ports.Oppsett{
		Organisasjoner: []kommune.Organisasjon{{FiksOrgID: org, Orgnr: "987654321", Navn: "Kommunen " + string(nummer)}},
		Kommuner: []kommune.Kommune{{Nummer: nummer, Navn: kommune.Navn{"nb": "Kommunen", "se": "Gielda"}, Fylke: "03",
			FylkeNavn: kommune.Navn{"nb": "Fylket"}, FiksOrgID: org, Organisasjon: "987654321"}},
		Integrasjoner: []kommune.Integrasjon{{ID: kommune.IntegrasjonID("i-" + string(nummer)), Orgnr: "987654321", PassordMAC: []byte("mac"), Aktiv: true}},
		Tilganger:     []ports.Tilgangslinje{{Integrasjon: kommune.IntegrasjonID("i-" + string(nummer)), Org: org, Tilgang: kommune.TilgangSende}},
	}
	for i, b := range bydeler {
		r := kommune.RessursID("r-" + string(nummer) + "-" + string(b))
		o.Mottakere = append(o.Mottakere, kommune.Mottakerkonto{
			Bydel: kommune.Bydel{RessursID: r, Kommunenummer: nummer, Bydelsnummer: b, Navn: kommune.Navn{"nb": "Bydel " + string(b)},
				StandardMottaker: i == 0, Versjon: 2, Aktiv: true},
			Kommunenavn: kommune.Navn{"nb": "Kommunen"}, FiksOrgID: org, Orgnr: "987654321", Kanal: kommune.FiksIO,
			KontoID: kommune.KontoID("k-" + string(nummer) + "-" + string(b)), KontoAktiv: true,
			Adresse:       kommune.Postadresse{Navn: "Barneverntjenesten", Linje1: "Gata 1", Postnummer: "0001", Poststed: "Oslo"},
			FristSekunder: 30, OppbevarDager: 60, TarGCM: true,
		})
	}
	return o
}

// TestDirectory is the contract of ports.Directory and ports.Registry.
func TestDirectory(t *testing.T, open func(t *testing.T) Lager) {
	bruk := func(t *testing.T, l Lager, o ports.Oppsett) {
		t.Helper()
		if err := l.Registry.Apply(t.Context(), o); err != nil {
			t.Fatalf("Apply: %v", err)
		}
	}
	bydeler := func(t *testing.T, l Lager, k kommune.Kommunenummer) []kommune.Bydel {
		t.Helper()
		b, err := l.Directory.Bydeler(t.Context(), k)
		if err != nil {
			t.Fatalf("Bydeler: %v", err)
		}
		return b
	}
	kommuner := func(t *testing.T, l Lager) []kommune.Kommune {
		t.Helper()
		k, err := l.Directory.Kommuner(t.Context())
		if err != nil {
			t.Fatalf("Kommuner: %v", err)
		}
		return k
	}

	t.Run("D1 not activated is an empty list", func(t *testing.T) {
		is, l := is.New(t), open(t)
		is.Equal(len(bydeler(t, l, "0301")), 0)
		is.Equal(len(kommuner(t, l)), 0)
		o := OppsettFor("0301", "01", "02")
		for i := range o.Mottakere {
			o.Mottakere[i].Bydel.Aktiv = false
		}
		bruk(t, l, o)
		is.Equal(len(bydeler(t, l, "0301")), 0)
		is.Equal(len(kommuner(t, l)), 0)
		_, err := l.Directory.Mottaker(t.Context(), "ukjent")
		is.True(errors.Is(err, ports.ErrNotFound))
	})

	t.Run("D2 exactly one is standardMottaker", func(t *testing.T) {
		is, l := is.New(t), open(t)
		bruk(t, l, OppsettFor("4601", "00"))
		bruk(t, l, OppsettFor("0301", "03", "01", "02"))
		l = l.pany(t)
		k := kommuner(t, l)
		is.Equal(len(k), 2)
		Lik(t, k[0], OppsettFor("0301").Kommuner[0]) // by number
		Lik(t, k[1], OppsettFor("4601").Kommuner[0])
		standard := 0
		for _, b := range bydeler(t, l, "0301") {
			if b.StandardMottaker {
				standard++
				Lik(t, b, OppsettFor("0301", "03").Mottakere[0].Bydel)
			}
		}
		is.Equal(len(bydeler(t, l, "0301")), 3)
		is.Equal(standard, 1)
	})

	t.Run("D3 a deactivated bydel still says where its reports go", func(t *testing.T) {
		is, l := is.New(t), open(t)
		o := OppsettFor("0301", "01", "02")
		bruk(t, l, o)
		fikk, err := l.Directory.Mottaker(t.Context(), o.Mottakere[1].Bydel.RessursID)
		is.NoErr(err)
		Lik(t, fikk, o.Mottakere[1])
		o.Mottakere[1].Bydel.Aktiv, o.Mottakere[1].KontoAktiv = false, false
		bruk(t, l, o)
		is.Equal(len(bydeler(t, l, "0301")), 1)
		fikk, err = l.Directory.Mottaker(t.Context(), o.Mottakere[1].Bydel.RessursID)
		is.NoErr(err)
		Lik(t, fikk, o.Mottakere[1])
	})

	t.Run("R1 Apply is idempotent and leaves alone what it does not name", func(t *testing.T) {
		is, l := is.New(t), open(t)
		a, b := OppsettFor("0301", "01", "02"), OppsettFor("4601", "00")
		bruk(t, l, a)
		bruk(t, l, b)
		bruk(t, l, a)
		endret := a.Mottakere[1]
		endret.KontoID, endret.Kanal, endret.Bydel.Navn, endret.Bydel.Versjon = "ny", kommune.Manuell, kommune.Navn{"nb": "Nytt"}, 1
		endret.FristSekunder, endret.OppbevarDager, endret.TarGCM = 0, 0, false
		bruk(t, l, ports.Oppsett{Mottakere: []kommune.Mottakerkonto{endret}}) // names one receiver only
		for _, ventet := range []kommune.Mottakerkonto{a.Mottakere[0], endret, b.Mottakere[0]} {
			fikk, err := l.Directory.Mottaker(t.Context(), ventet.Bydel.RessursID)
			is.NoErr(err)
			Lik(t, fikk, ventet)
		}
		is.Equal(len(kommuner(t, l)), 2)
		is.Equal(len(bydeler(t, l, "0301")), 2)
		bruk(t, l, ports.Oppsett{})
		is.Equal(len(bydeler(t, l, "0301")), 2)
	})

	t.Run("R1 an integration that is named has exactly the grants that are named", func(t *testing.T) {
		is, l := is.New(t), open(t)
		a, b := OppsettFor("0301", "01"), OppsettFor("4601", "00")
		ekstra := ports.Tilgangslinje{Integrasjon: a.Integrasjoner[0].ID, Org: b.Organisasjoner[0].FiksOrgID, Tilgang: kommune.TilgangMotta}
		bruk(t, l, b)
		med := a
		med.Tilganger = append([]ports.Tilgangslinje{ekstra}, a.Tilganger...)
		bruk(t, l, med)
		har := func(x ports.Tilgangslinje) bool {
			ok, err := l.Access.Har(t.Context(), x.Integrasjon, x.Org, x.Tilgang)
			is.NoErr(err)
			return ok
		}
		is.True(har(ekstra) && har(a.Tilganger[0]) && har(b.Tilganger[0]))
		bruk(t, l, a) // the grant is gone from the file: it is withdrawn
		is.True(!har(ekstra))
		is.True(har(a.Tilganger[0]) && har(b.Tilganger[0]))
		bruk(t, l, ports.Oppsett{Tilganger: []ports.Tilgangslinje{ekstra}}) // the integration itself is not named: added only
		is.True(har(ekstra) && har(a.Tilganger[0]))
	})

	t.Run("R2 all or nothing", func(t *testing.T) {
		is, l := is.New(t), open(t)
		god, gal := OppsettFor("0301", "01"), OppsettFor("4601", "00")
		gal.Mottakere[0].Bydel.StandardMottaker = false
		sammen := ports.Oppsett{
			Organisasjoner: append(god.Organisasjoner, gal.Organisasjoner...), Kommuner: append(god.Kommuner, gal.Kommuner...),
			Mottakere: append(god.Mottakere, gal.Mottakere...), Integrasjoner: god.Integrasjoner, Tilganger: god.Tilganger}
		is.True(errors.Is(l.Registry.Apply(t.Context(), sammen), ports.ErrRefused))
		is.Equal(len(kommuner(t, l)), 0)
		_, err := l.Directory.Mottaker(t.Context(), god.Mottakere[0].Bydel.RessursID)
		is.True(errors.Is(err, ports.ErrNotFound))
		_, err = l.Access.Organisasjon(t.Context(), god.Organisasjoner[0].FiksOrgID)
		is.True(errors.Is(err, ports.ErrNotFound))
		_, err = l.Access.Integrasjon(t.Context(), god.Integrasjoner[0].ID)
		is.True(errors.Is(err, ports.ErrNotFound))
		ok, err := l.Access.Har(t.Context(), god.Tilganger[0].Integrasjon, god.Tilganger[0].Org, god.Tilganger[0].Tilgang)
		is.NoErr(err)
		is.True(!ok)
	})

	t.Run("R3 what would strand reports is refused", func(t *testing.T) {
		is, l := is.New(t), open(t)
		for navn, odelegg := range map[string]func(m []kommune.Mottakerkonto){
			"ingen standardMottaker":       func(m []kommune.Mottakerkonto) { m[0].Bydel.StandardMottaker = false },
			"to standardMottaker":          func(m []kommune.Mottakerkonto) { m[1].Bydel.StandardMottaker = true },
			"standardMottaker ikke aktiv":  func(m []kommune.Mottakerkonto) { m[0].Bydel.Aktiv = false },
			"aktiv bydel uten brevadresse": func(m []kommune.Mottakerkonto) { m[1].Adresse = kommune.Postadresse{} },
		} {
			o := OppsettFor("0301", "01", "02")
			odelegg(o.Mottakere)
			if err := l.Registry.Apply(t.Context(), o); !errors.Is(err, ports.ErrRefused) {
				t.Errorf("%s: %v", navn, err)
			}
			is.Equal(len(kommuner(t, l)), 0)
		}
		o := OppsettFor("0301", "01", "02")
		bruk(t, l, o)
		// Judged with what is there already, not only by what is named.
		andre := o.Mottakere[1]
		andre.Bydel.StandardMottaker = true
		is.True(errors.Is(l.Registry.Apply(t.Context(), ports.Oppsett{Mottakere: []kommune.Mottakerkonto{andre}}), ports.ErrRefused))
		forste := o.Mottakere[0]
		forste.Bydel.Aktiv = false
		is.True(errors.Is(l.Registry.Apply(t.Context(), ports.Oppsett{Mottakere: []kommune.Mottakerkonto{forste}}), ports.ErrRefused))
		Lik(t, bydeler(t, l, "0301"), []kommune.Bydel{o.Mottakere[0].Bydel, o.Mottakere[1].Bydel})
		// Nobody active is lawful, also without an address.
		o.Mottakere[0].Bydel.Aktiv, o.Mottakere[1].Bydel.Aktiv, o.Mottakere[1].Adresse = false, false, kommune.Postadresse{}
		bruk(t, l, o)
		is.Equal(len(bydeler(t, l, "0301")), 0)
	})
}

// TestAccess is the contract of ports.Access.
func TestAccess(t *testing.T, open func(t *testing.T) Lager) {
	t.Run("A1 an unknown integration is ErrNotFound", func(t *testing.T) {
		is, l := is.New(t), open(t)
		o := OppsettFor("0301", "01")
		o.Integrasjoner = append(o.Integrasjoner, kommune.Integrasjon{ID: "stengt", Orgnr: "123456789", PassordMAC: []byte{0, 1, 255}})
		is.NoErr(l.Registry.Apply(t.Context(), o))
		for _, ventet := range o.Integrasjoner { // a closed one is known: the caller judges
			fikk, err := l.Access.Integrasjon(t.Context(), ventet.ID)
			is.NoErr(err)
			Lik(t, fikk, ventet)
		}
		_, err := l.Access.Integrasjon(t.Context(), "ukjent")
		is.True(errors.Is(err, ports.ErrNotFound))
		_, err = l.Access.Organisasjon(t.Context(), "ukjent")
		is.True(errors.Is(err, ports.ErrNotFound))
		org, err := l.Access.Organisasjon(t.Context(), o.Organisasjoner[0].FiksOrgID)
		is.NoErr(err)
		is.Equal(org, o.Organisasjoner[0])
	})

	t.Run("A2 false for everything unknown", func(t *testing.T) {
		is, l := is.New(t), open(t)
		o := OppsettFor("0301", "01")
		is.NoErr(l.Registry.Apply(t.Context(), o))
		g := o.Tilganger[0]
		for _, x := range []struct {
			ports.Tilgangslinje
			ventet bool
		}{
			{g, true},
			{ports.Tilgangslinje{Integrasjon: "ukjent", Org: g.Org, Tilgang: g.Tilgang}, false},
			{ports.Tilgangslinje{Integrasjon: g.Integrasjon, Org: "ukjent", Tilgang: g.Tilgang}, false},
			{ports.Tilgangslinje{Integrasjon: g.Integrasjon, Org: g.Org, Tilgang: kommune.TilgangMotta}, false},
			{ports.Tilgangslinje{}, false},
		} {
			ok, err := l.Access.Har(t.Context(), x.Integrasjon, x.Org, x.Tilgang)
			is.NoErr(err)
			is.Equal(ok, x.ventet)
		}
	})
	t.Run("Grunnlag", func(t *testing.T) { testGrunnlag(t, open) })
}
