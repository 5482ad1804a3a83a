package producerapi_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"portal.example/bekymringsmelding/app/intake"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// The bytes KS's Java client sent (vectors-java): filename before name, no blank after the semicolon, filename and type first.
func TestKSJavaBytes(t *testing.T) {
	r := oppsett(t)
	b, err := os.ReadFile("testdata/produsent-post-offentlig.http")
	r.NoErr(err)
	c, err := net.Dial("tcp", r.srv.Listener.Addr().String())
	r.NoErr(err)
	defer c.Close()
	_, err = c.Write(b)
	r.NoErr(err)
	svar, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodPost})
	r.NoErr(err)
	r.Equal(svar.StatusCode, http.StatusCreated)
	var k struct{ UUID string }
	strengt(r, svar.Body, &k)
	r.Equal(k.UUID, meldingID)
	r.Equal(len(r.f.mottatt), 1)
	i := r.f.mottatt[0]
	r.Equal(string(i.Fra), fraOrg)
	r.Equal(i.Versjon, melding.V1)
	r.Equal(i.Slag, melding.Offentlig)
	for navn, innhold := range r.f.innhold[0] {
		r.Equal(i.SHA[navn], sha256.Sum256(innhold))
		r.True(bytes.HasPrefix(innhold, []byte{0x30})) // a SEQUENCE: the CMS
	}
}

// What the generators and hands of vendors have made of multipart; all of it is accepted.
func TestTaalerUlikMultipart(t *testing.T) {
	const s = "XyZ"
	ledd := func(headere, innhold string) string {
		return "--" + s + "\r\n" + headere + "\r\n\r\n" + innhold + "\r\n"
	}
	dispo := func(d string) string { return "Content-Disposition: " + d }
	a, b := ledd(dispo(`form-data; name="bekymringsmelding"`), "pdf-cms"), ledd(dispo(`form-data; name="asice"`), "asice-cms")
	slutt := "--" + s + "--\r\n"
	for navn, kropp := range map[string]string{
		"som i spesifikasjonen":     a + b + slutt,
		"byttet rekkefølge":         b + a + slutt,
		"uten anførselstegn":        ledd(dispo("form-data; name=bekymringsmelding"), "pdf-cms") + ledd(dispo("form-data; name=asice"), "asice-cms") + slutt,
		"filnavn først":             ledd(dispo(`form-data; filename="name=asice"; name="bekymringsmelding"`), "pdf-cms") + b + slutt,
		"filnavn med blanke":        ledd(dispo(`form-data; filename=min fil.pdf; name=bekymringsmelding`), "pdf-cms") + b + slutt,
		"stor forbokstav":           ledd(dispo(`Form-Data; Name="bekymringsmelding"`), "pdf-cms") + b + slutt,
		"fil i stedet for form":     ledd(dispo(`attachment; name="bekymringsmelding"; filename="x.pdf"`), "pdf-cms") + b + slutt,
		"innholdstyper":             ledd("Content-Type: application/pdf\r\n"+dispo(`form-data; name="bekymringsmelding"`), "pdf-cms") + b + slutt,
		"overføringskoding":         ledd("Content-Transfer-Encoding: quoted-printable\r\n"+dispo(`form-data; name="bekymringsmelding"`), "pdf-cms") + b + slutt,
		"ukjente små deler":         ledd(dispo(`form-data; name="metadata"`), "{}") + a + ledd(dispo(`form-data`), "") + b + slutt,
		"tekst før og etter":        "innledning\r\n" + a + b + slutt + "etterord",
		"bare linjeskift til slutt": a + b + "--" + s + "--",
	} {
		t.Run(navn, func(t *testing.T) {
			r := oppsett(t)
			for _, kilde := range []io.Reader{strings.NewReader(kropp), iotest.OneByteReader(strings.NewReader(kropp))} { // the second is chunked
				q := r.bestill(http.MethodPost, sti1, kilde)
				q.Header.Set("Content-Type", "multipart/form-data; boundary="+s)
				svar, b := r.gjor(q)
				if svar.StatusCode != http.StatusCreated {
					t.Fatalf("%d %s", svar.StatusCode, b)
				}
			}
			for _, i := range r.f.innhold {
				r.Equal(string(i[melding.DelPDF]), "pdf-cms")
				r.Equal(string(i[melding.DelAsice]), "asice-cms")
			}
		})
	}
}

func TestSkillelinjeUtenAnforselstegn(t *testing.T) {
	r := oppsett(t)
	b, ct := flerdel(toDeler...)
	kropp := strings.ReplaceAll(b.String(), strings.TrimPrefix(ct, "multipart/form-data; boundary="), "----=_Part_1/2")
	q := r.bestill(http.MethodPost, sti1, strings.NewReader(kropp))
	q.Header.Set("Content-Type", "multipart/form-data; boundary=----=_Part_1/2")
	svar, _ := r.gjor(q)
	r.Equal(svar.StatusCode, http.StatusCreated)
}

func TestKvitteringOgFelter(t *testing.T) {
	r := oppsett(t)
	b, ct := flerdel(toDeler...)
	q := r.bestill(http.MethodPost, strings.Replace(strings.Replace(sti1, "/v1/", "/v2/", 1), "offentlig", "privat", 1), b)
	q.Header.Set("Content-Type", ct)
	q.Header.Set("Idempotency-Key", "nokkel 1")
	svar, kropp := r.gjor(q)
	r.Equal(svar.StatusCode, http.StatusCreated)
	r.Equal(svar.Header.Get("Content-Type"), "application/json")
	r.Equal(strings.TrimSpace(string(kropp)), `{"uuid":"`+meldingID+`"}`)
	r.Equal(svar.Header.Get("Link"), "") // huma's schema link
	i := r.f.mottatt[0]
	r.Equal(i.Nokkel, "nokkel 1")
	r.Equal(i.Slag, melding.Privat)
	r.Equal(i.Versjon, melding.V2)
	r.Equal(string(i.Kommune)+"/"+string(i.Bydel), "4601/02")
	r.Equal(string(i.Integrasjon.ID), integrasjon)
}

func TestDarligInnsending(t *testing.T) {
	lang := strings.Repeat("x", 300<<10) // larger than what is kept in memory
	ti := make([]del, 10_000)
	for i := range ti {
		ti[i] = del{"x", "y"}
	}
	header := func(navn, verdi string) func(*http.Request) {
		return func(q *http.Request) { q.Header.Set(navn, verdi) }
	}
	avkort := func(n int64) func(*http.Request) {
		return func(q *http.Request) {
			q.Body, q.ContentLength = io.NopCloser(io.LimitReader(q.Body, q.ContentLength-n)), -1
		}
	}
	sti := func(s string) func(*http.Request) {
		return func(q *http.Request) {
			q.URL.Path = strings.ReplaceAll(q.URL.Path, strings.Fields(s)[0], strings.Fields(s)[1])
		}
	}
	for _, c := range []struct {
		navn   string
		deler  []del
		endre  func(*http.Request)
		status int
		kode   string
		melder string // is in message
	}{
		{"bare asice", toDeler[1:], nil, 400, "MANGLER_DEL", "bekymringsmelding"},
		{"bare pdf", toDeler[:1], nil, 400, "MANGLER_DEL", "asice"},
		{"tom del", []del{toDeler[0], {"asice", ""}}, nil, 400, "MANGLER_DEL", "asice"},
		{"feil navn", []del{toDeler[0], {"asic", "x"}}, nil, 400, "MANGLER_DEL", "asice"},
		{"ingen deler", nil, nil, 400, "MANGLER_DEL", ""},
		{"dobbel del", []del{toDeler[0], toDeler[1], toDeler[0]}, nil, 400, "DOBBEL_DEL", "bekymringsmelding"},
		{"10 000 deler", ti, nil, 400, "FOR_MANGE_DELER", ""},
		{"stor ukjent del", []del{{"annet", lang}, toDeler[0], toDeler[1]}, nil, 413, "FOR_STOR", ""},
		{"uten slutt", toDeler, avkort(4), 400, "UGYLDIG_MULTIPART", ""},
		{"kuttet midt i en del", []del{toDeler[0], {"asice", lang}}, avkort(1000), 400, "UGYLDIG_MULTIPART", ""},
		{"annen skillelinje", toDeler, header("Content-Type", "multipart/form-data; boundary=annen"), 400, "UGYLDIG_MULTIPART", ""},
		{"ikke multipart", toDeler, header("Content-Type", "application/json"), 415, "IKKE_MULTIPART", ""},
		{"uten type", toDeler, header("Content-Type", ""), 415, "IKKE_MULTIPART", ""},
		{"uten skillelinje", toDeler, header("Content-Type", "multipart/form-data"), 415, "IKKE_MULTIPART", ""},
		{"kommunenummer", toDeler, sti("/4601/ /46/"), 400, "UGYLDIG_PARAMETER", "kommunenummer"},
		{"bydelsnummer", toDeler, sti("/02/ /hemmelig/"), 400, "UGYLDIG_PARAMETER", "bydelsnummer"},
		{"fraFiksOrgId", toDeler, sti(fraOrg + " 12345678901"), 400, "UGYLDIG_PARAMETER", "fraFiksOrgId"},
		{"tom nøkkel", toDeler, header("Idempotency-Key", ""), 400, "UGYLDIG_IDEMPOTENSNOKKEL", ""},
		{"lang nøkkel", toDeler, header("Idempotency-Key", strings.Repeat("a", 256)), 400, "UGYLDIG_IDEMPOTENSNOKKEL", ""},
		{"nøkkel med ø", toDeler, header("Idempotency-Key", "hemmelig ø"), 400, "UGYLDIG_IDEMPOTENSNOKKEL", ""},
	} {
		t.Run(c.navn, func(t *testing.T) {
			r := oppsett(t)
			q := r.post(c.deler...)
			if c.endre != nil {
				c.endre(q)
			}
			svar, b := r.gjor(q)
			m := r.sjekkFeil(svar, b, c.status, c.kode)
			r.True(strings.Contains(m["message"].(string), c.melder))
			r.True(!inneholder(b, "hemmelig") && !inneholder(b, "12345678901")) // no input echoed
			r.True(!strings.Contains(r.logg.String(), "hemmelig") && !strings.Contains(r.logg.String(), passord))
			r.ingenLagret()
		})
	}
}

func TestInntaketsFeil(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		kode   string
	}{
		{intake.ErrUkjentMottaker, 404, "UKJENT_MOTTAKER"},
		{intake.ErrIkkeDin, 404, "UKJENT_AVSENDER"},
		{intake.ErrManglerTilgang, 403, "MANGLER_TILGANG"},
		{intake.ErrVersjon, 400, "VERSJON_IKKE_STOTTET"},
		{fmt.Errorf("del asice: %w", intake.ErrNokkel), 400, "NOKKEL_FEIL"},
		{intake.ErrCMS, 400, "CMS_IKKE_STOTTET"},
		{intake.ErrUgyldigCMS, 400, "UGYLDIG_CMS"},
		{intake.ErrFull, 503, "MANGLER_PLASS"},
		{&intake.IdempotensError{Forste: meldingID}, 409, "IDEMPOTENSNOKKEL_BRUKT"},
		{ports.ErrUnavailable, 503, "UTILGJENGELIG"},
		{fmt.Errorf("%w: %w", ports.ErrUnavailable, intake.ErrNokkel), 503, "UTILGJENGELIG"}, // unknown wins
		{ports.ErrNotFound, 503, "UTILGJENGELIG"},
		{context.Canceled, 503, "UTILGJENGELIG"},
		{errUkjent, 503, "UTILGJENGELIG"},
	} {
		for _, tidlig := range []bool{true, false} {
			r := oppsett(t)
			if tidlig {
				r.f.forErr = c.err
			} else {
				r.f.mottaErr = c.err
			}
			svar, b := r.gjor(r.post(toDeler...))
			m := r.sjekkFeil(svar, b, c.status, c.kode)
			r.True(!inneholder(b, "hemmelig")) // an unknown error loses its text
			r.Equal(svar.Header.Get("Retry-After") != "", c.status == 503)
			if c.status == 409 {
				r.Equal(m["errorJson"], map[string]any{"bekymringsmeldingId": meldingID})
			}
			r.Equal(strings.Contains(r.logg.String(), "level=ERROR"), c.status == 503)
		}
	}
}

func TestPanikk(t *testing.T) {
	r := oppsett(t)
	r.f.panikk = true
	svar, b := r.gjor(r.post(toDeler...))
	r.sjekkFeil(svar, b, 500, "INTERN_FEIL")
	r.True(!inneholder(b, "hemmelig") && !strings.Contains(r.logg.String(), "hemmelig"))
}
