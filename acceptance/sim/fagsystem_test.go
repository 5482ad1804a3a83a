package sim_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

const (
	rapport  = melding.ID("0190c0de-0000-7000-8000-000000000001")
	innholdJ = `{"melding":"noe ingen andre skal lese"}`
)

func fagsystem(t *testing.T, endre func(*sim.FagsystemConfig)) *sim.Fagsystem {
	t.Helper()
	v := verden(t)
	c := sim.FagsystemConfig{Nokkel: v.mottaker, Klokke: func() time.Time { return start }, SentEtter: time.Hour,
		Avsender: func() *x509.Certificate { return v.portal.Cert }}
	if endre != nil {
		endre(&c)
	}
	f, err := sim.NyttFagsystem(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// forsegl packs files as a sender does and seals them.
func forsegl(t *testing.T, til *sim.Sertifikat, filer map[string]string) []byte {
	t.Helper()
	v := verden(t)
	p, err := asice.NewPacker(v.avsender.Nokkel, func() time.Time { return start }, v.avsender.Cert)
	if err != nil {
		t.Fatal(err)
	}
	var ff []melding.Fil
	for _, navn := range []string{protokoll.FilJSON, protokoll.FilPDF, "annet.json"} {
		if s, ok := filer[navn]; ok {
			ff = append(ff, melding.Fil{Navn: navn, Innhold: melding.NyKlartekst([]byte(s))})
		}
	}
	var pakke, ut bytes.Buffer
	if err := p.Write(&pakke, ff); err != nil {
		t.Fatal(err)
	}
	if err := cms.Encrypt(&ut, &pakke, int64(pakke.Len()), til.Cert); err != nil {
		t.Fatal(err)
	}
	return ut.Bytes()
}

var begge = map[string]string{protokoll.FilJSON: innholdJ, protokoll.FilPDF: "%PDF-"}

func mottatt(t *testing.T, n int) sim.Mottatt {
	t.Helper()
	return sim.Mottatt{
		Meldingstype: protokoll.Meldingstype(melding.Offentlig, melding.V1), MeldingID: fmt.Sprintf("melding-%d", n),
		Headere: map[string]string{protokoll.HeaderEgendefinert + protokoll.HeaderBekymring: string(rapport)}, Korrelasjon: string(rapport),
		Innhold: forsegl(t, verden(t).mottaker, begge),
	}
}

func TestEveryCharacter(t *testing.T) {
	mott := func(etter ...time.Duration) (ut []sim.Svar) {
		for _, d := range etter {
			ut = append(ut, sim.Svar{Meldingstype: protokoll.Mottatt, SvarTil: "melding-1", Forsinkelse: d})
		}
		return ut
	}
	fasit := map[sim.Oppforsel]struct {
		svar   []sim.Svar
		feilet bool
		lagret bool
		ganger int
	}{
		sim.Kvitterer: {mott(0), false, true, 1}, sim.Stille: {nil, false, true, 1}, sim.ToGanger: {mott(0, 0), false, true, 1},
		sim.Sent: {mott(time.Hour), false, true, 1}, sim.ForCommit: {mott(sim.ForSending), false, true, 1},
		sim.Lyver: {mott(0), false, false, 1}, sim.Ingen: {nil, false, false, 0},
		sim.Avviser: {nil, true, false, 1}, sim.AvviserUleselig: {nil, true, false, 1},
	}
	for _, o := range sim.Oppforsler() {
		t.Run(string(o), func(t *testing.T) {
			is := is.New(t)
			tt, ok := fasit[o]
			is.True(ok)
			f := fagsystem(t, func(c *sim.FagsystemConfig) { c.Oppforsel = o })
			m := mottatt(t, 1)
			svar := f.Behandle(m)
			if tt.feilet {
				is.Equal(len(svar), 1)
				is.Equal(svar[0].Meldingstype, protokoll.Feilet)
				is.Equal(svar[0].SvarTil, "melding-1")
				is.True(len(svar[0].Innhold) > 0)
			} else {
				is.Equal(svar, tt.svar)
			}
			is.Equal(f.Har(rapport), tt.lagret)
			is.Equal(f.Ganger(rapport), tt.ganger)
			is.Equal(f.Uleste(), 0)
			if tt.lagret {
				l := f.Lagrede()
				is.Equal(len(l), 1)
				is.Equal(l[0].SHA256, sha256.Sum256(m.Innhold))
				is.Equal(l[0].Filer[protokoll.FilJSON], sha256.Sum256([]byte(innholdJ)))
			}
		})
	}
}

func TestRejectionsBody(t *testing.T) {
	is := is.New(t)
	v := verden(t)
	f := fagsystem(t, func(c *sim.FagsystemConfig) { c.Oppforsel = sim.Avviser })
	apne := func(b []byte, s *sim.Sertifikat) ([]byte, error) {
		var ut bytes.Buffer
		err := cms.Decrypt(&ut, bytes.NewReader(b), cms.Key{Certificate: s.Cert, Decrypter: s.Nokkel})
		return ut.Bytes(), err
	}
	b, err := apne(f.Behandle(mottatt(t, 1))[0].Innhold, v.portal)
	is.NoErr(err)
	c, err := asice.Read(melding.NyKlartekst(b))
	is.NoErr(err)
	is.Equal(c.Filer[0].Navn, protokoll.FilFeilmelding)
	var fm protokoll.Feilmelding
	is.NoErr(json.Unmarshal(c.Filer[0].Innhold.Bytes(), &fm))
	is.True(fm.Melding != "")

	f.Oppfor(sim.AvviserUleselig)
	b = f.Behandle(mottatt(t, 2))[0].Innhold
	_, err = apne(b, v.portal)
	is.True(err != nil)
	b, err = apne(b, v.mottaker)
	is.NoErr(err)
	_, err = asice.Read(melding.NyKlartekst(b))
	is.True(err != nil)
}

func TestWhatIsWrongIsRejectedAndNotStored(t *testing.T) {
	v := verden(t)
	for _, tt := range []struct {
		navn   string
		endre  func(*sim.Mottatt)
		uleste int
	}{
		{"sealed for another", func(m *sim.Mottatt) { m.Innhold = forsegl(t, v.portal, begge) }, 1},
		{"damaged", func(m *sim.Mottatt) { m.Innhold = m.Innhold[:len(m.Innhold)-1] }, 1},
		{"empty", func(m *sim.Mottatt) { m.Innhold = nil }, 1},
		{"PDF missing", func(m *sim.Mottatt) { m.Innhold = forsegl(t, v.mottaker, map[string]string{protokoll.FilJSON: "{}"}) }, 1},
		{"another file too", func(m *sim.Mottatt) {
			m.Innhold = forsegl(t, v.mottaker, map[string]string{protokoll.FilJSON: "{}", protokoll.FilPDF: "x", "annet.json": "{}"})
		}, 1},
		{"JSON that is none", func(m *sim.Mottatt) {
			m.Innhold = forsegl(t, v.mottaker, map[string]string{protokoll.FilJSON: "{", protokoll.FilPDF: "x"})
		}, 1},
		{"unknown type", func(m *sim.Mottatt) { m.Meldingstype = "no.ks.fiks.noe.annet.v1" }, 0},
		{"no id", func(m *sim.Mottatt) { m.Headere, m.Korrelasjon = nil, "" }, 1},
		{"an id that is a path", func(m *sim.Mottatt) { m.Headere, m.Korrelasjon = nil, "../../../../../../etc/passwd-------" }, 1},
		{"id and correlation differ", func(m *sim.Mottatt) { m.Korrelasjon = "0190c0de-0000-7000-8000-000000000002" }, 1},
	} {
		t.Run(tt.navn, func(t *testing.T) {
			is := is.New(t)
			mappe := t.TempDir()
			f := fagsystem(t, func(c *sim.FagsystemConfig) { c.Mappe = mappe })
			m := mottatt(t, 1)
			tt.endre(&m)
			svar := f.Behandle(m)
			is.Equal(len(svar), 1)
			is.Equal(svar[0].Meldingstype, protokoll.Feilet)
			is.Equal(f.Uleste(), tt.uleste)
			is.Equal(len(f.Lagrede()), 0)
			filer, err := os.ReadDir(mappe)
			is.NoErr(err)
			is.Equal(len(filer), 0)
		})
	}
}

func TestVersionsAndSpelling(t *testing.T) {
	is := is.New(t)
	f := fagsystem(t, func(c *sim.FagsystemConfig) { c.Versjon = melding.V1 })
	m := mottatt(t, 1)
	m.Meldingstype = protokoll.Meldingstype(melding.Offentlig, melding.V2)
	is.Equal(f.Behandle(m)[0].Meldingstype, protokoll.Feilet)
	m.Meldingstype = "NO.KS.fiks.bekymringsmelding.OFFENTLIG.v1"
	m.Headere = map[string]string{protokoll.HeaderBekymring: string(rapport)} // the prefix is gone in KS's Java and .NET
	is.Equal(f.Behandle(m)[0].Meldingstype, protokoll.Mottatt)
	for _, k := range []string{protokoll.Tidsavbrudd, protokoll.Serverfeil, protokoll.Mottatt, protokoll.Feilet} {
		is.Equal(len(f.Behandle(sim.Mottatt{Meldingstype: k, MeldingID: "x"})), 0) // never answer a receipt with a receipt
	}
}

func TestSameReportIsStoredOnceAndAnsweredEachTime(t *testing.T) {
	is := is.New(t)
	f := fagsystem(t, nil)
	forste := mottatt(t, 1)
	is.Equal(len(f.Behandle(forste)), 1)
	var wg sync.WaitGroup
	for n := 2; n < 6; n++ {
		m := mottatt(t, n) // sealed anew each time
		wg.Go(func() {
			if s := f.Behandle(m); len(s) != 1 || s[0].Meldingstype != protokoll.Mottatt || s[0].SvarTil != m.MeldingID {
				t.Error("each is answered with its own message id")
			}
		})
	}
	wg.Wait()
	is.Equal(f.Ganger(rapport), 5)
	is.Equal(len(f.Lagrede()), 1)
	is.Equal(f.Lagrede()[0].SHA256, sha256.Sum256(forste.Innhold))
}

func TestFolderHoldsSealedBytesOnlyAndSurvivesRestart(t *testing.T) {
	is := is.New(t)
	mappe := filepath.Join(t.TempDir(), "fagsystem")
	medMappe := func(c *sim.FagsystemConfig) { c.Mappe = mappe }
	m := mottatt(t, 1)
	is.Equal(len(fagsystem(t, medMappe).Behandle(m)), 1)
	rad, err := os.ReadFile(filepath.Join(mappe, string(rapport)+".cms"))
	is.NoErr(err)
	is.True(bytes.Equal(rad, m.Innhold))
	is.NoErr(os.WriteFile(filepath.Join(mappe, ".uferdig-1"), []byte("halv"), 0o600)) // what a crash leaves
	is.NoErr(os.WriteFile(filepath.Join(mappe, "annet.txt"), nil, 0o600))

	f := fagsystem(t, medMappe)
	is.True(f.Har(rapport))
	is.Equal(f.Lagrede()[0].Filer[protokoll.FilJSON], sha256.Sum256([]byte(innholdJ)))
	is.Equal(f.Behandle(mottatt(t, 2))[0].Meldingstype, protokoll.Mottatt)
	etter, err := os.ReadFile(filepath.Join(mappe, string(rapport)+".cms"))
	is.NoErr(err)
	is.True(bytes.Equal(etter, rad)) // what came first stays
	filer, err := os.ReadDir(mappe)
	is.NoErr(err)
	is.Equal(len(filer), 2)
}

func TestWhatCannotBeStoredIsNotAnsweredFor(t *testing.T) {
	is := is.New(t)
	mappe := filepath.Join(t.TempDir(), "fagsystem")
	f := fagsystem(t, func(c *sim.FagsystemConfig) { c.Mappe = mappe })
	is.NoErr(os.RemoveAll(mappe))
	is.Equal(f.Behandle(mottatt(t, 1))[0].Meldingstype, protokoll.Feilet)
	is.True(!f.Har(rapport))
}

func TestFagsystemNeedsItsParts(t *testing.T) {
	is := is.New(t)
	_, err := sim.NyttFagsystem(sim.FagsystemConfig{})
	is.True(err != nil)
}
