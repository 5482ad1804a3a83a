package producerapi_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"portal.example/bekymringsmelding/adapters/producerapi"
	"portal.example/bekymringsmelding/app/intake"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// What KS's Java client knows, no more (java-klienter.md §3). localDateTime is what Java's reader takes.
type (
	ksBydel struct {
		Bydelsnummer, Bydelsnavn string
		StandardMottaker         bool
	}
	ksNokkel struct {
		Nokkel, Serial, SubjectDN, IssuerDN string
		ValidFrom, ValidTo                  localDateTime
	}
	ksNokler    struct{ PrintOffentligNokkel, FiksIOOffentligNokkel ksNokkel }
	ksHistorikk struct {
		BekymringsmeldingID, Tilstand, Beskrivelse string
		Tidspunkt                                  localDateTime
	}
)

type localDateTime struct{ t time.Time }

func (l *localDateTime) UnmarshalText(b []byte) (err error) {
	// No offset and no Z: the layout refuses both.
	l.t, err = time.Parse("2006-01-02T15:04:05.999999999", string(b))
	return err
}

func (r *rigg) v1(sti string, til any) {
	r.Helper()
	svar, b := r.hent("/bekymringsmelding/api/v1" + sti)
	r.Equal(svar.StatusCode, 200)
	r.Equal(svar.Header.Get("Content-Type"), "application/json")
	strengt(r, bytes.NewReader(b), til)
}

func TestV1SomKSJava(t *testing.T) {
	r := oppsett(t)
	var bydeler []ksBydel
	r.v1("/kommuner/4601/bydeler", &bydeler)
	r.Equal(bydeler, []ksBydel{{"01", "Åsane", true}, {"02", "Laksevåg", false}})
	var en ksBydel
	r.v1("/kommuner/4601/bydeler/02", &en)
	r.Equal(en, bydeler[1])
	var hel struct {
		Kommunenr, Navn string
		Bydeler         []ksBydel
	}
	r.v1("/kommuner/4601", &hel)
	r.Equal(hel.Navn, "Bergen")
	r.Equal(len(hel.Bydeler), 2)

	var n ksNokler
	r.v1("/mottak/fagsystem/4601/01/krypteringsnokler", &n)
	for _, k := range []ksNokkel{n.PrintOffentligNokkel, n.FiksIOOffentligNokkel} {
		blokk, _ := pem.Decode([]byte(k.Nokkel))
		r.True(blokk != nil && blokk.Type == "CERTIFICATE")
		r.Equal(k.Serial, "4711")
	}
	r.Equal(n.PrintOffentligNokkel.SubjectDN, "CN=Print")
	r.Equal(n.PrintOffentligNokkel.ValidFrom.t.Format(time.DateTime), "2026-11-22 13:00:00") // 12 UTC is 13 in Norway

	// The night the clock goes back: the second 02:30 comes after the first 02:45, and the order is that of the history.
	forst := time.Date(2026, 10, 25, 0, 45, 0, 123456000, time.UTC)
	r.f.status = []melding.Hendelse{
		{Tidspunkt: forst, Art: melding.Overgang, Tilstand: melding.AKSEPTERT, Kode: melding.Akseptert},
		{Tidspunkt: forst.Add(45 * time.Minute), Art: melding.Overgang, Tilstand: melding.SENDT_FAGSYSTEM, Kode: melding.SendtFagsystem},
	}
	var h []ksHistorikk
	r.v1("/mottak/fagsystem/"+fraOrg+"/bekymringsmelding/"+strings.ToUpper(meldingID)+"/status", &h)
	r.Equal(len(h), 2)
	r.Equal(h[0].BekymringsmeldingID, meldingID)
	r.Equal(h[0].Tidspunkt.t.Format("15:04:05.000000"), "02:45:00.123456")
	r.Equal(h[1].Tidspunkt.t.Format("15:04:05"), "02:30:00")
	r.Equal(h[1].Tilstand, "SENDT_FAGSYSTEM")
	r.Equal(h[1].Beskrivelse, melding.SendtFagsystem.Beskrivelse())
}

func (r *rigg) v2(sti string) string {
	r.Helper()
	svar, b := r.hent("/bekymringsmelding/api/v2" + sti)
	r.Equal(svar.StatusCode, 200)
	return strings.TrimSpace(string(b))
}

func TestV2(t *testing.T) {
	r := oppsett(t)
	r.Equal(r.v2("/kommuner/4601/bydeler/02"), `{"bydelsnummer":"02","bydelsnavn":"Laksevåg","standardMottaker":false,"stottetVersjon":"V1"}`)
	r.Equal(r.v2("/kommuner/4601/bydeler"), `[{"bydelsnummer":"01","bydelsnavn":"Åsane","standardMottaker":true,"stottetVersjon":"V2"},`+
		`{"bydelsnummer":"02","bydelsnavn":"Laksevåg","standardMottaker":false,"stottetVersjon":"V1"}]`)
	r.Equal(r.v2("/kommuner/fylker"), `[{"fylkenummer":"42","navn":"Agder"},{"fylkenummer":"46","navn":"Vestland"},{"fylkenummer":"56","navn":"Finnmark"}]`)
	r.Equal(r.v2("/kommuner/fylker/46/kommuner"), `[{"kommunenr":"4601","navn":"Bergen"}]`)
	r.Equal(r.v2("/kommuner/fylker/99/kommuner"), `[]`)
	for sprak, navn := range map[string]string{"se": "Kárášjohka", "nb": "Karasjok", "nn": "Karasjok", "": "Karasjok", "xx": "Karasjok"} {
		r.True(strings.Contains(r.v2("/kommuner?sprakKode="+sprak), `"navn":"`+navn+`"`))
		r.True(strings.Contains(r.v2("/kommuner/5610?sprakKode="+sprak), `"navn":"`+navn+`"`))
		r.True(strings.Contains(r.v2("/kommuner/fylker/56/kommuner?sprakKode="+sprak), `"navn":"`+navn+`"`))
	}
	var n struct {
		Print  struct{ Gyldig *bool } `json:"printOffentligNokkel"`
		FiksIO struct{ Gyldig *bool } `json:"fiksIOOffentligNokkel"`
	}
	r.NoErr(json.Unmarshal([]byte(r.v2("/mottak/fagsystem/4601/01/krypteringsnokler")), &n))
	r.Equal(*n.Print.Gyldig, true)
	r.Equal(*n.FiksIO.Gyldig, false) // expired a year ago
}

func TestIkkeAktivert(t *testing.T) {
	r := oppsett(t)
	for _, v := range []string{"v1", "v2"} {
		svar, b := r.hent("/bekymringsmelding/api/" + v + "/kommuner/0301/bydeler")
		r.Equal(svar.StatusCode, 200) // and not 404
		r.Equal(strings.TrimSpace(string(b)), "[]")
	}
}

func TestOppslagFeil(t *testing.T) {
	r := oppsett(t)
	r.f.nokErr, r.f.statErr = intake.ErrUkjentMottaker, ports.ErrNotFound
	p := producerapi.Prefiks
	for _, c := range []struct {
		metode, sti string
		status      int
		kode, path  string
	}{
		{"GET", p + "/v1/kommuner/46/bydeler", 400, "UGYLDIG_PARAMETER", p + "/v1/kommuner/46/bydeler"},
		{"GET", p + "/v1/kommuner/hemmelig", 400, "UGYLDIG_PARAMETER", p + "/v1/kommuner/{kommunenummer}"},
		{"GET", p + "/v1/kommuner/4601/bydeler/77", 404, "UKJENT_MOTTAKER", p + "/v1/kommuner/4601/bydeler/77"},
		{"GET", p + "/v1/kommuner/0301", 404, "UKJENT_MOTTAKER", p + "/v1/kommuner/0301"},
		{"GET", p + "/v2/kommuner/fylker/4/kommuner", 400, "UGYLDIG_PARAMETER", p + "/v2/kommuner/fylker/4/kommuner"},
		{"GET", p + "/v1/mottak/fagsystem/0301/01/krypteringsnokler", 404, "UKJENT_MOTTAKER", p + "/v1/mottak/fagsystem/0301/01/krypteringsnokler"},
		{"GET", p + "/v1/mottak/fagsystem/" + fraOrg + "/bekymringsmelding/" + meldingID + "/status", 404, "UKJENT_MELDING", p + "/v1/mottak/fagsystem/" + fraOrg + "/bekymringsmelding/" + meldingID + "/status"},
		{"GET", p + "/v1/mottak/fagsystem/" + fraOrg + "/bekymringsmelding/12345678901/status", 400, "UGYLDIG_PARAMETER", p + "/v1/mottak/fagsystem/" + fraOrg + "/bekymringsmelding/{bekymringsmeldingId}/status"},
		{"GET", p + "/v3/kommuner", 404, "UKJENT_RESSURS", p},
		{"GET", p + "/", 404, "UKJENT_RESSURS", p},
		{"GET", p + "/v1//kommuner", 404, "UKJENT_RESSURS", p},
		{"GET", p + "/v1/kommuner/", 404, "UKJENT_RESSURS", p},
		{"GET", p + "/v1/kommuner/fylker/46/kommuner", 404, "UKJENT_RESSURS", p},
		{"GET", p + "/hemmelig", 404, "UKJENT_RESSURS", p},
		{"DELETE", p + "/v1/kommuner", 405, "METODE_IKKE_TILLATT", p},
		{"POST", p + "/v1/kommuner", 405, "METODE_IKKE_TILLATT", p},
		{"GET", sti1, 405, "METODE_IKKE_TILLATT", p},
	} {
		svar, b := r.gjor(r.bestill(c.metode, c.sti, nil))
		m := r.sjekkFeil(svar, b, c.status, c.kode)
		r.Equal(m["path"], c.path)
		r.True(!inneholder(b, "hemmelig"))
		r.Equal(svar.Header.Get("Allow") != "", c.status == 405)
	}
	r.f.statErr = errUkjent
	svar, b := r.hent(p + "/v1/mottak/fagsystem/" + fraOrg + "/bekymringsmelding/" + meldingID + "/status")
	r.sjekkFeil(svar, b, 503, "UTILGJENGELIG")
}

// operasjoner reads every path of the OpenAPI file, with its parameters filled in.
func (r *rigg) operasjoner() map[string][]string {
	r.Helper()
	var oa struct {
		Paths map[string]map[string]json.RawMessage
	}
	r.NoErr(json.Unmarshal(r.api.OpenAPI(producerapi.OpenAPI31), &oa))
	ut := map[string][]string{}
	for sti, m := range oa.Paths {
		for navn, verdi := range map[string]string{"kommunenummer": "4601", "bydelsnummer": "01", "fylkenummer": "46", "fraFiksOrgId": fraOrg, "bekymringsmeldingId": meldingID} {
			sti = strings.ReplaceAll(sti, "{"+navn+"}", verdi)
		}
		for metode := range m {
			ut[strings.ToUpper(metode)] = append(ut[strings.ToUpper(metode)], sti)
		}
	}
	return ut
}

func TestFeilkoder(t *testing.T) {
	r := oppsett(t)
	form := regexp.MustCompile(`^[A-Z_]+$`)
	sett := map[string]bool{}
	for _, k := range producerapi.Feilkoder() {
		r.True(form.MatchString(k.Kode) && !sett[k.Kode])
		r.True(strings.HasSuffix(k.Melding, ".") && strings.HasSuffix(k.Rad, "."))
		r.True(http.StatusText(k.Status) != "")
		sett[k.Kode] = true
	}
	// Each code an operation documents is in the list.
	for _, kode := range regexp.MustCompile(`[A-Z]+(_[A-Z]+)+`).FindAllString(string(r.api.OpenAPI(producerapi.OpenAPI30)), -1) {
		r.True(sett[kode] || tilstand(kode))
	}
}

func tilstand(s string) bool {
	for _, t := range melding.Tilstander() {
		if string(t) == s {
			return true
		}
	}
	return false
}

var _ producerapi.Katalog = ports.Directory(nil)
var _ producerapi.Integrasjoner = ports.Access(nil)
var _ producerapi.Inntak = (*intake.Service)(nil)
