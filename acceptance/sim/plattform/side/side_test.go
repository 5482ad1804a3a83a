package side_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/amqp"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/acceptance/sim/plattform/side"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

const (
	portalen = "64414bcf-1fbe-4fad-afd4-eb01177adc4f"
	bydelen  = "ea06c717-96f5-442a-83a1-c9baeac6747b"
)

// rigg is the page over a platform with the built-in broker. Whoever shows the token "portal" is the portal.
type rigg struct {
	is     *is.I
	t      *testing.T
	klokke *memory.Klokke
	p      *plattform.Plattform
	b      *amqp.Broker
	nokler []*sim.Sertifikat
	url    string
	api    string
}

func nyRigg(t *testing.T) *rigg {
	t.Helper()
	r := &rigg{is: is.New(t), t: t, klokke: memory.NyKlokke(simtest.Start)}
	var err error
	r.nokler = []*sim.Sertifikat{simtest.Nokler(t).Portal, simtest.Nokler(t).Bydel}
	r.p, err = plattform.Ny(plattform.Config{Klokke: r.klokke, Token: func(_ context.Context, token string) (string, error) {
		if token != "portal" {
			return "", errors.New("ukjent")
		}
		return string(sim.Orgnr(0)), nil
	}})
	r.is.NoErr(err)
	r.b, err = amqp.Start(amqp.Config{Adresse: "127.0.0.1:0", Klokke: r.klokke, Tilgang: r.p})
	r.is.NoErr(err)
	r.p.Bruk(r.b)
	for i, navn := range []string{"Portalen", "Bydelen <b>"} {
		id := []string{portalen, bydelen}[i]
		r.is.NoErr(r.p.Registrer(t.Context(), plattform.Konto{ID: id, Navn: navn, FiksOrgID: id, FiksOrgNavn: navn, Orgnr: string(sim.Orgnr(i)), Sertifikat: r.nokler[i].Cert,
			Nokkel: r.nokler[i].Nokkel, Integrasjoner: []plattform.Integrasjon{{ID: id, Passord: "hemmelig", Orgnr: string(sim.Orgnr(i))}}}))
	}
	h, err := side.Ny(side.Config{Plattform: r.p, Fagsystem: func(id string) string { return map[string]string{bydelen: "stille"}[id] }})
	r.is.NoErr(err)
	ctx, stans := context.WithCancel(t.Context())
	var venter sync.WaitGroup
	venter.Go(func() { _ = r.p.Run(ctx) })
	admin, api := httptest.NewServer(h), httptest.NewServer(r.p)
	r.url, r.api = admin.URL, api.URL
	t.Cleanup(func() { admin.Close(); api.Close(); stans(); venter.Wait(); _ = r.b.Close() })
	return r
}

// send sends a report from the portal to the bydel and gives its id, "" when it left no trace.
func (r *rigg) send() string {
	r.t.Helper()
	pk, err := asice.NewPacker(r.nokler[0].Nokkel, r.klokke.Now, r.nokler[0].Cert)
	r.is.NoErr(err)
	var pakke, kropp bytes.Buffer
	r.is.NoErr(pk.Write(&pakke, []melding.Fil{{Navn: protokoll.FilJSON, Innhold: melding.NyKlartekst([]byte(`{"navn":"<script>Åse","liste":[1]}`))},
		{Navn: protokoll.FilPDF, Innhold: melding.NyKlartekst([]byte("%PDF-"))}}))
	kropp.WriteString("--g\r\nContent-Disposition: form-data; name=metadata\r\n\r\n" + `{"avsenderKontoId":"` + portalen + `","mottakerKontoId":"` + bydelen +
		`","meldingType":"no.ks.fiks.bekymringsmelding.privat.v2"}` + "\r\n--g\r\nContent-Disposition: form-data; name=data; filename=x\r\n\r\n")
	r.is.NoErr(cms.Encrypt(&kropp, &pakke, int64(pakke.Len()), r.nokler[1].Cert))
	kropp.WriteString("\r\n--g--\r\n")
	req, err := http.NewRequestWithContext(r.t.Context(), "POST", r.api+"/fiks-io/api/v1/send", &kropp)
	r.is.NoErr(err)
	req.Header = http.Header{"Authorization": {"Bearer portal"}, "Integrasjonid": {portalen}, "Integrasjonpassord": {"hemmelig"}, "Content-Type": {"multipart/form-data; boundary=g"}}
	res, err := http.DefaultClient.Do(req)
	r.is.NoErr(err)
	_ = res.Body.Close()
	r.is.Equal(res.StatusCode, http.StatusAccepted)
	return r.p.Logg(1)[0].MeldingID
}

func (r *rigg) kall(req *http.Request) (int, string) {
	r.t.Helper()
	res, err := http.DefaultClient.Do(req)
	r.is.NoErr(err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	r.is.NoErr(err)
	return res.StatusCode, string(b)
}

func (r *rigg) hent(sti string) string {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), "GET", r.url+sti, nil)
	r.is.NoErr(err)
	status, s := r.kall(req)
	r.is.Equal(status, http.StatusOK)
	return s
}

// trykk sends a form and follows where it leads.
func (r *rigg) trykk(sti string, felt url.Values, endre ...func(*http.Request)) (int, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), "POST", r.url+sti, strings.NewReader(felt.Encode()))
	r.is.NoErr(err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, e := range endre {
		e(req)
	}
	return r.kall(req)
}

func (r *rigg) paKoen(konto string) int {
	st, err := r.p.Ko(r.t.Context(), konto)
	r.is.NoErr(err)
	return st.Klare
}

func TestAPersonSeesAccountsQueuesAndTheContentOfAMessage(t *testing.T) {
	r := nyRigg(t)
	r.is.True(strings.Contains(r.hent("/"), "Ingen meldinger ennå"))
	id := r.send()
	forside := r.hent("/")
	for _, vil := range []string{"Portalen", "Bydelen &lt;b&gt;", bydelen, "stille", "venter på køen", "privat.v2", "ubesvart"} {
		r.is.True(strings.Contains(forside, vil))
	}
	r.is.True(!strings.Contains(forside, "<script")) // works without, and has none
	en := r.hent("/meldinger/" + id)
	for _, vil := range []string{"bekymringsmelding.pdf", "&#34;liste&#34;: [\n", "7 døgn", "La den utløpe nå"} {
		r.is.True(strings.Contains(en, vil))
	}
	r.is.True(!strings.Contains(en, "<script"))
	for _, kilde := range regexp.MustCompile(`(?:src|href|action)="([^"]*)"`).FindAllStringSubmatch(forside+en, -1) {
		r.is.True(strings.HasPrefix(kilde[1], "/") && !strings.HasPrefix(kilde[1], "//")) // loads nothing from elsewhere
	}
	r.is.True(strings.Contains(r.hent("/stil.css"), "prefers-color-scheme"))
}

func TestTheButtonsAnswerInTheReceiversName(t *testing.T) {
	r := nyRigg(t)
	id := r.send()
	for slag, vil := range map[string]int{"mottatt": 1, "to-ganger": 2, "feilet": 1, "ingenting": 0} {
		for0 := r.paKoen(portalen)
		status, _ := r.trykk("/meldinger/"+id+"/svar", url.Values{"slag": {slag}, "tekst": {"Kan ikke leses"}})
		r.is.Equal(status, http.StatusOK)
		r.is.Equal(r.paKoen(portalen)-for0, vil)
	}
	r.is.Equal(r.paKoen(bydelen), 0) // the first answer took it from the queue
	for _, l := range r.p.Logg(10) {
		if l.Meldingstype == protokoll.Feilet {
			r.is.True(strings.Contains(r.hent("/meldinger/"+l.MeldingID), "Kan ikke leses"))
		}
	}
	status, _ := r.trykk("/meldinger/"+id+"/svar", url.Values{"slag": {"annet"}})
	r.is.Equal(status, http.StatusConflict)
}

func TestTheButtonsMoveWhatLiesOnTheQueue(t *testing.T) {
	r := nyRigg(t)
	gjor := func(hva string) int {
		status, _ := r.trykk("/meldinger/"+r.send()+"/ko", url.Values{"gjor": {hva}, "sekunder": {"60"}})
		r.is.Equal(status, http.StatusOK)
		return r.paKoen(bydelen)
	}
	r.is.Equal(gjor("fjern"), 0)
	r.is.Equal(gjor("utlop"), 0)
	r.is.Equal(gjor("forsink"), 0)
	id := r.send()
	for _, v := range []url.Values{{"gjor": {"annet"}}, {"gjor": {"forsink"}, "sekunder": {"0"}}, {"gjor": {"forsink"}, "sekunder": {"x"}}} {
		status, _ := r.trykk("/meldinger/"+id+"/ko", v)
		r.is.Equal(status, http.StatusConflict)
	}
}

func TestAPersonDecidesWhatHappensToTheNextMessage(t *testing.T) {
	r := nyRigg(t)
	sett := func(hva string) int {
		status, _ := r.trykk("/kontoer/"+bydelen+"/neste", url.Values{"hva": {hva}, "sekunder": {"45"}})
		return status
	}
	for _, hva := range []string{"tap", "utlop", "forsink"} {
		r.is.Equal(sett(hva), http.StatusOK)
		r.is.True(strings.Contains(r.hent("/"), "gjelder neste"))
		_ = r.send()
		r.is.Equal(r.paKoen(bydelen), 0)
		r.is.True(!strings.Contains(r.hent("/"), "gjelder neste"))
	}
	r.is.Equal(sett("tap"), http.StatusOK)
	r.is.Equal(sett("normal"), http.StatusOK)
	_ = r.send()
	r.is.Equal(r.paKoen(bydelen), 1)
	r.is.Equal(sett("annet"), http.StatusBadRequest)
	status, _ := r.trykk("/kontoer/"+bydelen+"/neste", url.Values{"hva": {"forsink"}})
	r.is.Equal(status, http.StatusBadRequest)
	status, _ = r.trykk("/kontoer/x/neste", url.Values{"hva": {"tap"}})
	r.is.Equal(status, http.StatusNotFound)
}

func TestNeitherARebornNameNorAnotherSiteGetsIn(t *testing.T) {
	r := nyRigg(t)
	id := r.send()
	for vert, vil := range map[string]int{"ond.example": http.StatusMisdirectedRequest, "ond.example:80": http.StatusMisdirectedRequest, "127.0.0.1.ond.example": http.StatusMisdirectedRequest,
		"localhost:9": http.StatusOK, "[::1]:9": http.StatusOK} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", r.url+"/", nil)
		r.is.NoErr(err)
		req.Host = vert
		status, s := r.kall(req)
		r.is.Equal(status, vil)
		r.is.Equal(strings.Contains(s, "Bydelen"), vil == http.StatusOK)
	}
	for navn, verdi := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://ond.example"} {
		status, _ := r.trykk("/meldinger/"+id+"/svar", url.Values{"slag": {"mottatt"}}, func(req *http.Request) { req.Header.Set(navn, verdi) })
		r.is.Equal(status, http.StatusForbidden)
	}
	r.is.Equal(r.paKoen(portalen), 0)
}

// As in the demo: the portal has made its key, and published only its certificate.
func TestThePageSaysWhyAnAnswerForThePortalCannotBeShown(t *testing.T) {
	r := nyRigg(t)
	r.is.NoErr(r.p.Registrer(t.Context(), plattform.Konto{ID: portalen, Navn: "Portalen (test)", FiksOrgID: portalen, FiksOrgNavn: "Portalen (test)", Orgnr: string(sim.Orgnr(0)),
		Sertifikat: simtest.Nokler(t).CA.Cert, Integrasjoner: []plattform.Integrasjon{{ID: portalen, Passord: "hemmelig", Orgnr: string(sim.Orgnr(0))}}}))
	id := r.send()
	status, _ := r.trykk("/meldinger/"+id+"/svar", url.Values{"slag": {"feilet"}, "tekst": {"Kan ikke leses"}})
	r.is.Equal(status, http.StatusOK)
	feilet := r.hent("/meldinger/" + r.p.Logg(1)[0].MeldingID)
	for _, vil := range []string{"bare Portalen (test) kan åpne det", "mottakeren har laget nøkkelen sin selv", "«portal svar»"} {
		r.is.True(strings.Contains(feilet, vil))
	}
	r.is.True(!strings.Contains(feilet, "Kan ikke leses"))
	status, _ = r.trykk("/meldinger/"+id+"/svar", url.Values{"slag": {"mottatt"}})
	r.is.Equal(status, http.StatusOK)
	r.is.True(strings.Contains(r.hent("/meldinger/"+r.p.Logg(1)[0].MeldingID), "Meldingen har ikke innhold.")) // and nothing about keys
}
