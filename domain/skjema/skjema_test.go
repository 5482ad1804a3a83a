package skjema_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/skjema"
	"portal.example/bekymringsmelding/domain/virketid"
)

type variant struct {
	slag    melding.Slag
	versjon melding.Versjon
	fil     string // KS's example
}

var varianter = []variant{
	{melding.Privat, melding.V1, "privatBekymringsmeldingV1.json"},
	{melding.Privat, melding.V2, "privatBekymringsmeldingV2.json"},
	{melding.Offentlig, melding.V1, "offentligBekymringsmeldingV1.json"},
	{melding.Offentlig, melding.V2, "offentligBekymringsmeldingV2.json"},
}

func (v variant) eksempelKS(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "eksempler", v.fil))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (v variant) eksempel() skjema.Dokument {
	if v.slag == melding.Privat {
		return skjema.EksempelPrivat()
	}
	return skjema.EksempelOffentlig(v.versjon)
}

func (v variant) les(s string) (skjema.Dokument, error) {
	return skjema.Les(v.slag, v.versjon, melding.NyKlartekst([]byte(s)))
}

func tilJSON(t testing.TB, d skjema.Dokument) string {
	t.Helper()
	k, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(k.Bytes())
}

func bruddene(err error) []skjema.Brudd {
	var f *skjema.Feil
	if errors.As(err, &f) {
		return f.Brudd
	}
	return nil
}

// KS's examples are read whole and come out again byte for byte, in their order, less the optional members without content.
func TestKSEksempler(t *testing.T) {
	tomme := regexp.MustCompile(`"adresselinje[23]":"",|,"orientertGrunn":""`)
	for _, v := range varianter {
		t.Run(v.fil, func(t *testing.T) {
			is := is.New(t)
			inn := v.eksempelKS(t)
			d, err := skjema.Les(v.slag, v.versjon, melding.NyKlartekst(inn))
			is.NoErr(err)
			is.Equal(d.Slag(), v.slag)
			is.Equal(tilJSON(t, d), tomme.ReplaceAllString(kompakt(t, inn), ""))
		})
	}
}

func kompakt(t testing.TB, b []byte) string {
	t.Helper()
	var ut strings.Builder
	skille := false // blanks inside strings stay
	for i, c := range b {
		if c == '"' && b[i-1] != '\\' {
			skille = !skille
		}
		if skille || c != ' ' && c != '\n' && c != '\r' {
			ut.WriteByte(c)
		}
	}
	return ut.String()
}

// endre gives KS's example with the member at the path set to verdi, or taken away.
func endre(t testing.TB, v variant, sti string, verdi any) string {
	t.Helper()
	var rot any
	if err := json.Unmarshal(v.eksempelKS(t), &rot); err != nil {
		t.Fatal(err)
	}
	deler := strings.Split(strings.TrimPrefix(sti, "/"), "/")
	node := rot
	for _, d := range deler[:len(deler)-1] {
		switch n := node.(type) {
		case map[string]any:
			node = n[d]
		case []any:
			node = n[d[0]-'0']
		}
	}
	siste := deler[len(deler)-1]
	switch m := node.(map[string]any); verdi {
	case borte:
		delete(m, siste)
	default:
		m[siste] = verdi
	}
	b, err := json.Marshal(rot)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const borte = "<borte>"

// Each rule by itself, in the forms where it applies: the one breach names the member and the rule.
func TestRegler(t *testing.T) {
	privat, offentlig := varianter[0], varianter[2]
	en := map[string]any{"personnavn": "x", "orientert": true}
	for _, tt := range []struct {
		v     variant
		sti   string
		verdi any
		regel string // "" = allowed
	}{
		{privat, "/kommunenummer", "301", skjema.RegelFireSifre},
		{privat, "/kommunenummer", "0301", ""},
		{privat, "/kommunenummer", "03O1", skjema.RegelFireSifre},
		{privat, "/kommunenummer", 301, skjema.RegelTekst},
		{privat, "/bydelsnummer", "00", ""},
		{privat, "/bydelsnummer", "0", skjema.RegelToSifre},
		{privat, "/bydelsnummer", borte, skjema.RegelMangler},
		{privat, "/kommunenavn", "to\nlinjer", ""},
		{offentlig, "/kommunenavn", "to\nlinjer", skjema.RegelEnLinje},
		{privat, "/privatMelder", []any{}, skjema.RegelObjekt},
		{privat, "/privatMelder/adresse", borte, ""},
		{privat, "/privatMelder/adresse/adresselinje1", borte, skjema.RegelMangler},
		{privat, "/privatMelder/adresse/adresselinje1", "", ""},
		{privat, "/privatMelder/telefonnummer", "", skjema.RegelTelefon},
		{privat, "/privatMelder/telefonnummer", borte, ""},
		{privat, "/privatMelder/telefonnummer", nil, skjema.RegelTekst},
		{privat, "/privatMelder/telefonnummer", "00-47", ""},
		{privat, "/privatMelder/telefonnummer", "+47 99 99 99 99", ""},
		{privat, "/privatMelder/telefonnummer", "(+47) 99 99 99 99", skjema.RegelTelefon},
		{privat, "/privatMelder/telefonnummer", "99  99", skjema.RegelTelefon},
		{privat, "/privatMelder/telefonnummer", "99999999\n", skjema.RegelTelefon},
		{privat, "/privatBarn", []any{}, skjema.RegelMinstEn}, // KS's schema lets it through
		{privat, "/privatBarn", map[string]any{}, skjema.RegelListe},
		{privat, "/privatBarn/1/adresse", borte, skjema.RegelMangler},
		{privat, "/privatBarn/0/antattAlder", "ti\når", ""},
		{privat, "/melding", "to\nlinjer", ""},
		{privat, "/melding", borte, skjema.RegelMangler},
		{privat, "/samtykke", map[string]any{"gitt": "ja"}, ""}, // an extension
		{privat, "/Melding", 7, ""},                             // not melding: case matters
		{offentlig, "/offentligMelder/rolle", "a\r\nb", skjema.RegelEnLinje},
		{offentlig, "/offentligMelder/rolle", "a\u2028b", skjema.RegelEnLinje},
		{offentlig, "/offentligMelder/telefonnummer", "", skjema.RegelTelefon},
		{offentlig, "/offentligMelder/epost", "ola+x@skole.no", skjema.RegelEpost},
		{offentlig, "/offentligMelder/epost", "o'hara@skole.no", skjema.RegelEpost},
		{offentlig, "/offentligMelder/epost", "andré@skole.no", skjema.RegelEpost},
		{offentlig, "/offentligMelder/epost", "kåre.ås-by_1@blåbær.skole.no", ""},
		{offentlig, "/offentligMelder/epost", "ola@skole", skjema.RegelEpost},
		{offentlig, "/offentligMelder/virksomhet/orgnr", "123455789", ""}, // mod 11 is not judged
		{offentlig, "/offentligMelder/virksomhet/orgnr", borte, ""},
		{offentlig, "/offentligMelder/virksomhet/navn", "a\nb", skjema.RegelEnLinje},
		{offentlig, "/offentligBarn", []any{}, skjema.RegelMinstEn},
		{offentlig, "/offentligBarn/0/fnr", "termin i mars", ""},
		{offentlig, "/offentligBarn/0/ufoedt", "false", skjema.RegelJaNei},
		{offentlig, "/offentligBarn/0/orientert", borte, skjema.RegelMangler},
		{offentlig, "/offentligBarn/1/orientertGrunn", "a\nb", skjema.RegelEnLinje},
		{offentlig, "/offentligBarn/1/telefonnummer", "hos\nmormor", ""},
		{offentlig, "/foresatte", []any{}, skjema.RegelEnEllerTo},
		{offentlig, "/foresatte", []any{en}, ""},
		{offentlig, "/foresatte", []any{en, en}, ""},
		{offentlig, "/foresatte", []any{en, en, en}, skjema.RegelEnEllerTo},
		{offentlig, "/foresatte/0/telefonnummer", "spør mormor", ""},
		{offentlig, "/melding/historie", borte, skjema.RegelMangler},
		{offentlig, "/melding/historie", "a\nb", ""},
		{offentlig, "/melding/andreSynspunkter", 7, ""}, // to v1 it is an extension
		{varianter[3], "/melding/andreSynspunkter", 7, skjema.RegelTekst},
		{varianter[3], "/melding/andreSynspunkter", borte, ""},
		{privat, "/sendingstidspunkt", "2020-03-17", skjema.RegelTidspunkt},
		{privat, "/sendingstidspunkt", 1584401516, skjema.RegelTekst},
		{privat, "/leveringskanal", nil, skjema.RegelTekst},
	} {
		t.Run(string(tt.v.slag)+tt.sti, func(t *testing.T) {
			is := is.New(t)
			d, err := tt.v.les(endre(t, tt.v, tt.sti, tt.verdi))
			if tt.regel == "" {
				is.NoErr(err)
				return
			}
			is.True(d == nil)
			is.Equal(bruddene(err), []skjema.Brudd{{Sti: tt.sti, Regel: tt.regel}})
		})
	}
}

func TestIkkeEtDokument(t *testing.T) {
	for _, tt := range []struct{ navn, inn, regel string }{
		{"tomt", "", skjema.RegelJSON},
		{"null", "null", skjema.RegelObjekt},
		{"liste", "[]", skjema.RegelObjekt},
		{"mer etterpå", "{} {}", skjema.RegelJSON},
		{"latin-1", "{\"melding\":\"b\xe5t\"}", skjema.RegelUTF8},
	} {
		t.Run(tt.navn, func(t *testing.T) {
			_, err := varianter[0].les(tt.inn)
			is.New(t).Equal(bruddene(err), []skjema.Brudd{{Regel: tt.regel}})
		})
	}
	is := is.New(t)
	_, err := skjema.Les("annet", melding.V1, melding.NyKlartekst([]byte("{}")))
	is.Equal(bruddene(err), []skjema.Brudd{{Regel: skjema.RegelSlag}})
	_, err = skjema.Les(melding.Privat, 3, melding.NyKlartekst([]byte("{}")))
	is.Equal(bruddene(err), []skjema.Brudd{{Regel: skjema.RegelVersjon}})
	_, err = varianter[0].les("\ufeff" + string(varianter[0].eksempelKS(t))) // the mark .NET puts first
	is.NoErr(err)
}

// All breaches come at once, and a document that is wrong everywhere has a bounded answer.
func TestMangeBrudd(t *testing.T) {
	is := is.New(t)
	_, err := varianter[0].les("{}")
	is.Equal(len(bruddene(err)), 9) // the required members of the top level
	_, err = varianter[0].les(endre(t, varianter[0], "/privatBarn", make([]any, 10_000)))
	is.Equal(len(bruddene(err)), 100)
	is.True(len(err.Error()) < 10_000)
}

func TestSendingstidspunkt(t *testing.T) {
	for _, tt := range []struct{ inn, utc, ut string }{
		{"2020-03-17T00:31:56", "2020-03-16T23:31:56Z", "2020-03-17T00:31:56"},
		{"2026-07-01T12:00:00+02:00", "2026-07-01T10:00:00Z", "2026-07-01T12:00:00"},
		{"2026-07-01T10:00:00Z", "2026-07-01T10:00:00Z", "2026-07-01T12:00:00"},
		{"2026-07-01t10:00:00.123z", "2026-07-01T10:00:00.123Z", "2026-07-01T12:00:00"},
		{"2026-12-01T10:00", "2026-12-01T09:00:00Z", "2026-12-01T10:00:00"},                    // Java's LocalDateTime.toString at a whole minute
		{"2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00"},           // the hour that comes twice: first
		{"2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00"},           // and second
		{"2026-12-31T23:30:00-01:00", "2027-01-01T00:30:00Z", "2027-01-01T01:30:00"},           // another year in Norway
		{"2026-11-24T09:30:00.1234567", "2026-11-24T08:30:00.1234567Z", "2026-11-24T09:30:00"}, // .NET's DateTime
	} {
		t.Run(tt.inn, func(t *testing.T) {
			is := is.New(t)
			d, err := varianter[0].les(endre(t, varianter[0], "/sendingstidspunkt", tt.inn))
			is.NoErr(err)
			is.Equal(d.(skjema.Privat).Sendingstidspunkt.Format(time.RFC3339Nano), tt.utc)
			is.True(strings.Contains(tilJSON(t, d), `"sendingstidspunkt":"`+tt.ut+`"`))
		})
	}
	is := is.New(t)
	p := skjema.EksempelPrivat()
	p.Sendingstidspunkt = time.Time{}
	_, err := p.JSON()
	is.Equal(bruddene(err), []skjema.Brudd{{Sti: "/sendingstidspunkt", Regel: skjema.RegelMangler}})
	p.Sendingstidspunkt = time.Date(12026, 1, 1, 0, 0, 0, 0, virketid.Oslo())
	_, err = p.JSON()
	is.Equal(bruddene(err), []skjema.Brudd{{Sti: "/sendingstidspunkt", Regel: skjema.RegelTidspunkt}})
}

// Scenario 17: breaks are folded where the protocol has one line, kept where the reporter tells, and kept in the document itself,
// which the PDF is made from.
func TestLinjeskift(t *testing.T) {
	is := is.New(t)
	o := skjema.EksempelOffentlig(melding.V2)
	o.Mottaker.Bydelsnavn = "Åsane\n"
	o.Barn[0].OrientertGrunn = skjema.NyTekst("Barnet er redd. \r\n\r\n Vi vil vente.\u0085\u2028Takk\u0085til\n")
	o.Foresatte[0].Telefonnummer = skjema.NyTekst("1\n2")
	o.Melding.Historie = skjema.NyTekst("linje 1\nlinje 2")
	d, err := varianter[3].les(tilJSON(t, o))
	is.NoErr(err)
	lest := d.(skjema.Offentlig)
	is.Equal(lest.Mottaker.Bydelsnavn, "Åsane")
	is.Equal(lest.Barn[0].OrientertGrunn.Verdi(), "Barnet er redd. Vi vil vente. Takk til")
	is.Equal(lest.Foresatte[0].Telefonnummer.Verdi(), "1 2")
	is.Equal(lest.Melding.Historie.Verdi(), "linje 1\nlinje 2")
	is.True(strings.Contains(o.Barn[0].OrientertGrunn.Verdi(), "\n"))

	o.Barn[0].OrientertGrunn = skjema.NyTekst("  blanke  uten linjeskift  ")
	d, err = varianter[3].les(tilJSON(t, o))
	is.NoErr(err)
	is.Equal(d.(skjema.Offentlig).Barn[0].OrientertGrunn.Verdi(), "  blanke  uten linjeskift  ")
}

// What JSON refuses: a report that would not be what the reporter wrote, or that a case system would turn away.
func TestJSONNekter(t *testing.T) {
	for _, tt := range []struct {
		navn string
		gjor func(*skjema.Offentlig)
		vil  skjema.Brudd
	}{
		{"andre synspunkter i v1", func(o *skjema.Offentlig) { o.Versjon = melding.V1 }, skjema.Brudd{Sti: "/melding/andreSynspunkter", Regel: skjema.RegelBareV2}},
		{"ingen versjon", func(o *skjema.Offentlig) { o.Versjon = 0 }, skjema.Brudd{Regel: skjema.RegelVersjon}},
		{"ingen barn", func(o *skjema.Offentlig) { o.Barn = nil }, skjema.Brudd{Sti: "/offentligBarn", Regel: skjema.RegelMinstEn}},
		{"tre foresatte", func(o *skjema.Offentlig) { o.Foresatte = make([]skjema.Foresatt, 3) }, skjema.Brudd{Sti: "/foresatte", Regel: skjema.RegelEnEllerTo}},
		{"e-post", func(o *skjema.Offentlig) { o.Melder.Epost = skjema.NyTekst("ola+x@skole.no") }, skjema.Brudd{Sti: "/offentligMelder/epost", Regel: skjema.RegelEpost}},
		{"ikke UTF-8", func(o *skjema.Offentlig) { o.Melding.Melding = skjema.NyTekst("b\xe5t") }, skjema.Brudd{Sti: "/melding/melding", Regel: skjema.RegelUTF8}},
	} {
		t.Run(tt.navn, func(t *testing.T) {
			is := is.New(t)
			o := skjema.EksempelOffentlig(melding.V2)
			tt.gjor(&o)
			k, err := o.JSON()
			is.Equal(bruddene(err), []skjema.Brudd{tt.vil})
			is.Equal(k.Storrelse(), 0)
		})
	}
}

// Scenario 20: text is exact, also where JSON libraries like to change it.
func TestTekstErEksakt(t *testing.T) {
	is := is.New(t)
	const tekst = "æøå ŋ š <b>&\"\\/ \u2028 \u0000 😀 שלום"
	p := skjema.EksempelPrivat()
	p.Melding = skjema.NyTekst(tekst + strings.Repeat("lang ", 20_000))
	s := tilJSON(t, p)
	is.True(strings.Contains(s, `<b>&`))
	d, err := varianter[0].les(s)
	is.NoErr(err)
	is.Equal(d.(skjema.Privat).Melding.Verdi(), p.Melding.Verdi())
}

// Optional members without content are left out; required ones are there also when empty.
func TestTommeFelt(t *testing.T) {
	is := is.New(t)
	p := skjema.Privat{
		Mottaker: skjema.Mottaker{Kommunenummer: "0301", Bydelsnummer: "00"}, Barn: make([]skjema.PrivatBarn, 1),
		Sendingstidspunkt: time.Date(2026, 11, 24, 8, 30, 0, 0, time.UTC),
	}
	is.Equal(tilJSON(t, p), `{"kommunenummer":"0301","kommunenavn":"","bydelsnummer":"00","bydelsnavn":"","privatMelder":{"personnavn":""},`+
		`"privatBarn":[{"personnavn":"","adresse":{"adresselinje1":""}}],"melding":"","sendingstidspunkt":"2026-11-24T09:30:00","leveringskanal":""}`)
	p.Melder.Adresse.Poststed = skjema.NyTekst("Oslo")
	is.True(strings.Contains(tilJSON(t, p), `"privatMelder":{"personnavn":"","adresse":{"adresselinje1":"","poststed":"Oslo"}}`))
}
