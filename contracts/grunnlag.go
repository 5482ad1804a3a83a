package contracts

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

func sporsmal(o ports.Oppsett, mottaker int) ports.Sporsmal {
	b := o.Mottakere[mottaker].Bydel
	return ports.Sporsmal{Integrasjon: o.Integrasjoner[0].ID, Fra: o.Organisasjoner[0].FiksOrgID, Kommune: b.Kommunenummer, Bydel: b.Bydelsnummer, Na: Start}
}

func grunnlag(t testing.TB, l Lager, s ports.Sporsmal) ports.Grunnlag {
	t.Helper()
	g, err := l.Access.Grunnlag(t.Context(), s)
	if err != nil {
		t.Fatalf("Grunnlag: %v", err)
	}
	return g
}

func testGrunnlag(t *testing.T, open func(t *testing.T) Lager) {
	t.Run("A3 what is unknown is nil", func(t *testing.T) {
		is, l := is.New(t), open(t)
		is.Equal(grunnlag(t, l, ports.Sporsmal{}), ports.Grunnlag{})
		o := OppsettFor("0301", "01")
		is.NoErr(l.Registry.Apply(t.Context(), o))
		for range 2 {
			for _, endre := range []func(*ports.Sporsmal){
				func(s *ports.Sporsmal) { s.Integrasjon = "ukjent" },
				func(s *ports.Sporsmal) { s.Fra = "ukjent" },
			} {
				s := sporsmal(o, 0)
				endre(&s)
				is.True(!grunnlag(t, l, s).KanSende)
			}
			for _, endre := range []func(*ports.Sporsmal){
				func(s *ports.Sporsmal) { s.Kommune = "9999" },
				func(s *ports.Sporsmal) { s.Bydel = "77" },
			} {
				s := sporsmal(o, 0)
				endre(&s)
				g := grunnlag(t, l, s)
				is.True(g.KanSende && g.Mottaker == nil && g.TilMottaker == nil)
			}
		}
	})

	t.Run("A3 every change counts at once", func(t *testing.T) {
		l := open(t)
		o := OppsettFor("0301", "01", "02")
		s := sporsmal(o, 1)
		bruk := func(endre func()) func() error {
			return func() error { endre(); return l.Registry.Apply(t.Context(), o) }
		}
		eier, a, b, p := kommune.MottakerEier(o.Mottakere[1].Bydel.RessursID), NyttSertifikat(t), NyttSertifikat(t), NyttSertifikat(t)
		annonser := func(e kommune.Eier, c *x509.Certificate, nar time.Time) func() error {
			return func() error { return l.Certificates.Announce(t.Context(), e, c, nar) }
		}
		sende := o.Tilganger
		motta := ports.Tilgangslinje{Integrasjon: s.Integrasjon, Org: s.Fra, Tilgang: kommune.TilgangMotta}
		for _, x := range []struct {
			navn string
			gjor func() error
		}{
			{"oppsettet", bruk(func() {})},
			{"nøkkelen annonsert", annonser(eier, a, Start)},
			{"trykkeriets annonsert", annonser(kommune.Printleverandor, p, Start)},
			{"nøkkelen byttet", annonser(eier, b, Start.Add(time.Minute))},
			{"den gamle trukket", func() error { return l.Certificates.Revoke(t.Context(), a, Start, "på avveie") }},
			{"retten byttet", bruk(func() { o.Tilganger = []ports.Tilgangslinje{motta} })},
			{"retten trukket", bruk(func() { o.Tilganger = nil })},
			{"retten tilbake", bruk(func() { o.Tilganger = sende })},
			{"kontoen byttet", bruk(func() { o.Mottakere[1].KontoID = "ny"; o.Mottakere[1].Bydel.Versjon = 1 })},
			{"organisasjonen byttet nummer", bruk(func() { o.Organisasjoner[0].Orgnr = "123456789" })},
			{"bydelen stengt", bruk(func() { o.Mottakere[1].Bydel.Aktiv = false })},
			{"bydelen åpnet", bruk(func() { o.Mottakere[1].Bydel.Aktiv = true })},
			{"nøkkelen trukket", func() error { return l.Certificates.Revoke(t.Context(), b, Start, "på avveie") }},
		} {
			if err := x.gjor(); err != nil {
				t.Fatalf("%s: %v", x.navn, err)
			}
			for _, na := range []time.Time{Start, Start.Add(ports.Overlap + time.Hour)} {
				s.Na = na
				for range 2 { // what was kept is as good as what was read
					likGrunnlag(t, l, s, x.navn)
				}
			}
		}
	})

	t.Run("A3 what is handed out is the caller's own", func(t *testing.T) {
		is, l := is.New(t), open(t)
		o := OppsettFor("0301", "01")
		is.NoErr(l.Registry.Apply(t.Context(), o))
		for range 2 {
			g := grunnlag(t, l, sporsmal(o, 0))
			Lik(t, *g.Mottaker, o.Mottakere[0])
			g.Mottaker.Bydel.Navn["nb"], g.Mottaker.KontoID, g.Organisasjon.Orgnr = "endret", "endret", "endret"
		}
	})

	t.Run("A5 an answer that is about right is never older than a second", func(t *testing.T) {
		is, l := is.New(t), open(t)
		o := OppsettFor("0301", "01")
		is.NoErr(l.Registry.Apply(t.Context(), o))
		s := sporsmal(o, 0)
		s.Omtrent = true
		is.True(grunnlag(t, l, s).KanSende)
		o.Tilganger = nil
		is.NoErr(l.Registry.Apply(t.Context(), o))
		for _, etter := range []time.Duration{ports.OmtrentTid, -time.Microsecond} { // a clock set back proves nothing
			senere := s
			senere.Na = Start.Add(etter)
			is.True(!grunnlag(t, l, senere).KanSende)
		}
		s.Omtrent = false
		is.True(!grunnlag(t, l, s).KanSende) // and one who does not ask for it never gets it
	})

	t.Run("A4 Lik is the newest report that may be the same", func(t *testing.T) {
		is, l := is.New(t), open(t)
		o := OppsettFor("0301", "01")
		is.NoErr(l.Registry.Apply(t.Context(), o))
		s := sporsmal(o, 0)
		lagre := func(nar time.Duration, valg ...func(*Oppskrift)) melding.ID {
			return Lagre(t, l, NyMelding(t, append([]func(*Oppskrift){func(m *Oppskrift) {
				m.Fra, m.Til, m.Innsendt = s.Fra, o.Mottakere[0].Bydel.RessursID, Start.Add(nar)
			}}, valg...)...))
		}
		s.Lik = &ports.Likhet{Slag: melding.Offentlig, Asice: 700, PDF: 900, Siden: Start}
		is.Equal(grunnlag(t, l, s).Lik, melding.ID(""))
		a := lagre(0)
		is.Equal(grunnlag(t, l, s).Lik, a) // at Siden counts
		b := lagre(5*time.Minute, func(m *Oppskrift) { m.Versjon = melding.V1 })
		lagre(time.Minute)
		for _, annen := range []func(*Oppskrift){
			func(m *Oppskrift) { m.Fra = "en annen" },
			func(m *Oppskrift) { m.Til = "en annen" },
			func(m *Oppskrift) { m.Slag = melding.Privat },
			func(m *Oppskrift) { m.PDF = Tilfeldig(901) },
			func(m *Oppskrift) { m.Asice = Tilfeldig(699) },
		} {
			lagre(6*time.Minute, annen)
		}
		for siden, ventet := range map[time.Duration]melding.ID{0: b, 5 * time.Minute: b, 5*time.Minute + time.Microsecond: ""} {
			s.Lik.Siden = Start.Add(siden)
			is.Equal(grunnlag(t, l, s).Lik, ventet)
		}
		s.Lik = nil
		is.Equal(grunnlag(t, l, s).Lik, melding.ID("")) // not asked
	})
}

// likGrunnlag fails unless the answer is what the other ports say one by one.
func likGrunnlag(t *testing.T, l Lager, s ports.Sporsmal, hva string) {
	t.Helper()
	var ventet ports.Grunnlag
	var err error
	ma := func() {
		if err != nil {
			t.Fatalf("%s: %v", hva, err)
		}
	}
	ventet.KanSende, err = l.Access.Har(t.Context(), s.Integrasjon, s.Fra, kommune.TilgangSende)
	ma()
	ventet.KanMotta, err = l.Access.Har(t.Context(), s.Integrasjon, s.Fra, kommune.TilgangMotta)
	ma()
	o, err := l.Access.Organisasjon(t.Context(), s.Fra)
	ma()
	ventet.Organisasjon = &o
	bydeler, err := l.Directory.Bydeler(t.Context(), s.Kommune)
	ma()
	for _, b := range bydeler {
		if b.Bydelsnummer == s.Bydel {
			m, err := l.Directory.Mottaker(t.Context(), b.RessursID)
			if err != nil {
				t.Fatal(err)
			}
			ventet.Mottaker = &m
			ventet.TilMottaker, err = l.Certificates.Accepted(t.Context(), kommune.MottakerEier(b.RessursID), s.Na)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	ventet.TilPrint, err = l.Certificates.Accepted(t.Context(), kommune.Printleverandor, s.Na)
	ma()
	fikk := grunnlag(t, l, s)
	if !likeSertifikater(fikk.TilMottaker, ventet.TilMottaker) || !likeSertifikater(fikk.TilPrint, ventet.TilPrint) {
		t.Fatalf("%s: feil sertifikater", hva)
	}
	fikk.TilMottaker, fikk.TilPrint, ventet.TilMottaker, ventet.TilPrint = nil, nil, nil, nil
	if d := ulik(fikk, ventet); d != "" {
		t.Fatalf("%s: %s", hva, d)
	}
}

func likeSertifikater(a, b []*x509.Certificate) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].Equal(b[i]) {
			return false
		}
	}
	return true
}
