package producerapi_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/producerapi"
	"portal.example/bekymringsmelding/app/intake"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

const (
	fraOrg      = "2454acc9-e500-45c3-a570-ba9f8469279c" // as in KS's bytes
	integrasjon = "64bfc8f7-cc77-4787-8dc8-7a5b311791c2"
	passord     = "avsenderPass1"
	token       = "eyJ"
	orgnr       = "312345678"
	meldingID   = "0199a5a0-0000-7000-8000-000000000001"
	sti1        = "/bekymringsmelding/api/v1/mottak/fagsystem/" + fraOrg + "/4601/02/offentlig"
)

// falsk is everything the API asks, and counts how often it was asked.
type falsk struct {
	mu      sync.Mutex
	oppslag int // Integrasjon
	mac     int // PassordMAC

	mottatt  []intake.Innsending // with content read
	innhold  []map[melding.Del][]byte
	mottaErr error
	forErr   error
	tokenErr error
	oppslErr error
	status   []melding.Hendelse
	statErr  error
	kommuner []kommune.Kommune
	bydeler  map[kommune.Kommunenummer][]kommune.Bydel
	nokler   intake.Nokler
	nokErr   error
	panikk   bool
	begynt   chan struct{} // told at Forhandskontroll; nil = nobody
	na       time.Time
}

func (f *falsk) Now() time.Time                                  { return f.na }
func (f *falsk) At(time.Time) (fired <-chan time.Time, s func()) { return nil, func() {} }

func (f *falsk) Konsument(_ context.Context, t string) (kommune.Orgnr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.tokenErr != nil:
		return "", f.tokenErr
	case t == "annen":
		return "399999999", nil
	case t != token:
		return "", ports.ErrRefused
	}
	return orgnr, nil
}

func (f *falsk) Integrasjon(_ context.Context, id kommune.IntegrasjonID) (kommune.Integrasjon, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.oppslag++
	if f.oppslErr != nil {
		return kommune.Integrasjon{}, f.oppslErr
	}
	if id != integrasjon {
		return kommune.Integrasjon{}, ports.ErrNotFound
	}
	m := sha256.Sum256([]byte(passord))
	return kommune.Integrasjon{ID: integrasjon, Orgnr: orgnr, PassordMAC: m[:], Aktiv: true}, nil
}

func (f *falsk) passordMAC(p string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mac++
	m := sha256.Sum256([]byte(p))
	return m[:]
}

func (f *falsk) Forhandskontroll(context.Context, intake.Innsending) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.begynt != nil {
		f.begynt <- struct{}{}
	}
	if f.panikk {
		panic("hemmelig innhold")
	}
	return f.forErr
}

func (f *falsk) Motta(_ context.Context, i intake.Innsending) (melding.ID, error) {
	if f.mottaErr != nil {
		return "", f.mottaErr
	}
	pdf, err := i.PDF.Bytes()
	if err != nil {
		return "", err
	}
	asice, err := i.Asice.Bytes()
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mottatt = append(f.mottatt, i)
	f.innhold = append(f.innhold, map[melding.Del][]byte{melding.DelPDF: pdf, melding.DelAsice: asice})
	return meldingID, nil
}

func (f *falsk) Nokler(context.Context, kommune.Kommunenummer, kommune.Bydelsnummer) (intake.Nokler, error) {
	return f.nokler, f.nokErr
}

func (f *falsk) Status(context.Context, kommune.FiksOrgID, kommune.IntegrasjonID, melding.ID) ([]melding.Hendelse, error) {
	return f.status, f.statErr
}

func (f *falsk) Kommuner(context.Context) ([]kommune.Kommune, error) { return f.kommuner, nil }
func (f *falsk) Bydeler(_ context.Context, k kommune.Kommunenummer) ([]kommune.Bydel, error) {
	return f.bydeler[k], nil
}

type rigg struct {
	*is.I
	f    *falsk
	api  *producerapi.API
	srv  *httptest.Server
	logg *bytes.Buffer
}

func oppsett(t *testing.T, endre ...func(*producerapi.Config)) *rigg {
	t.Helper()
	r := &rigg{I: is.New(t), logg: &bytes.Buffer{}}
	r.f = &falsk{
		na: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
		kommuner: []kommune.Kommune{
			{Nummer: "4601", Navn: kommune.Navn{"nb": "Bergen"}, Fylke: "46", FylkeNavn: kommune.Navn{"nb": "Vestland"}},
			{Nummer: "4204", Navn: kommune.Navn{"nb": "Kristiansand"}, Fylke: "42", FylkeNavn: kommune.Navn{"nb": "Agder"}},
			{Nummer: "5610", Navn: kommune.Navn{"nb": "Karasjok", "se": "Kárášjohka"}, Fylke: "56", FylkeNavn: kommune.Navn{"nb": "Finnmark"}},
		},
		bydeler: map[kommune.Kommunenummer][]kommune.Bydel{"4601": {
			{Kommunenummer: "4601", Bydelsnummer: "01", Navn: kommune.Navn{"nb": "Åsane"}, StandardMottaker: true, Versjon: 2, Aktiv: true},
			{Kommunenummer: "4601", Bydelsnummer: "02", Navn: kommune.Navn{"nb": "Laksevåg"}, Versjon: 1, Aktiv: true},
		}},
	}
	r.f.nokler = intake.Nokler{Print: sertifikat(t, "Print", r.f.na), Mottaker: sertifikat(t, "Bergen", r.f.na.AddDate(-3, 0, 0))}
	var mu sync.Mutex
	c := producerapi.Config{
		Inntak: r.f, Oversikt: r.f, Katalog: r.f, Integrasjoner: r.f, Tokens: r.f, PassordMAC: r.f.passordMAC, Clock: r.f, Mappe: t.TempDir(),
		Logg: slog.New(slog.NewTextHandler(laast{&mu, r.logg}, nil)),
	}
	for _, e := range endre {
		e(&c)
	}
	api, err := producerapi.New(c)
	r.NoErr(err)
	r.api = api
	r.srv = httptest.NewServer(api)
	t.Cleanup(r.srv.Close)
	return r
}

type laast struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l laast) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// sertifikat is valid for two years from fra.
func sertifikat(t *testing.T, navn string, fra time.Time) *x509.Certificate {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	mal := &x509.Certificate{SerialNumber: big.NewInt(4711), Subject: pkix.Name{CommonName: navn}, NotBefore: fra, NotAfter: fra.AddDate(2, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, mal, mal, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// bestill makes a request with the three headers.
func (r *rigg) bestill(metode, sti string, kropp io.Reader) *http.Request {
	q, err := http.NewRequest(metode, r.srv.URL+sti, kropp)
	r.NoErr(err)
	q.Header.Set("Authorization", "Bearer "+token)
	q.Header.Set("IntegrasjonId", integrasjon)
	q.Header.Set("IntegrasjonPassord", passord)
	return q
}

func (r *rigg) gjor(q *http.Request) (*http.Response, []byte) {
	svar, err := r.srv.Client().Do(q)
	r.NoErr(err)
	defer svar.Body.Close()
	b, err := io.ReadAll(svar.Body)
	r.NoErr(err)
	return svar, b
}

func (r *rigg) hent(sti string) (*http.Response, []byte) {
	return r.gjor(r.bestill(http.MethodGet, sti, nil))
}

type del struct{ navn, innhold string }

var toDeler = []del{{"bekymringsmelding", "pdf-cms"}, {"asice", "asice-cms"}}

// flerdel gives a multipart body and its Content-Type.
func flerdel(deler ...del) (*bytes.Buffer, string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, d := range deler {
		p, _ := w.CreateFormFile(d.navn, d.navn+".bin")
		_, _ = io.WriteString(p, d.innhold)
	}
	_ = w.Close()
	return &b, w.FormDataContentType()
}

func (r *rigg) post(deler ...del) *http.Request {
	b, ct := flerdel(deler...)
	q := r.bestill(http.MethodPost, sti1, b)
	q.Header.Set("Content-Type", ct)
	return q
}

// sjekkFeil requires KS's whole error body, as strictly as can be, and gives its errorCode.
func (r *rigg) sjekkFeil(svar *http.Response, b []byte, status int, kode string) map[string]any {
	r.Helper()
	r.Equal(svar.StatusCode, status)
	r.Equal(svar.Header.Get("Content-Type"), "application/json")
	var m map[string]any
	r.NoErr(json.Unmarshal(b, &m))
	for _, navn := range []string{"timestamp", "status", "error", "errorId", "path", "message", "errorCode"} {
		_, ok := m[navn]
		r.True(ok) // the body lacks a member
	}
	_, farlig := m["uuid"]
	r.True(!farlig) // KS's client would take it for success
	r.Equal(m["errorCode"], kode)
	r.Equal(m["status"], float64(status))
	r.Equal(m["error"], http.StatusText(status))
	r.Equal(m["timestamp"], float64(r.f.na.UnixMilli()))
	_, err := melding.ParseID(m["errorId"].(string))
	r.NoErr(err)
	return m
}

func (r *rigg) ingenLagret() {
	r.Helper()
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	r.Equal(len(r.f.mottatt), 0)
}

var errUkjent = errors.New("noe hemmelig om tabellen melding")

func inneholder(b []byte, s string) bool { return strings.Contains(string(b), s) }
