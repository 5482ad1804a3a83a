package fagsystem_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/adapters/fagsystem"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

const (
	konto    = "0b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad0aa"
	portal   = "1b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad0bb"
	fremmed  = "8b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad033" // in the catalogue, and not the portal
	ukjent   = "9b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad044" // has no key there
	rapport  = "2b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad0cc"
	integr   = "3b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad0dd"
	passord  = "et-passord-som-aldri-vises"
	adgang   = "eyJ.token.sig"
	innholdJ = `{"melding": "oppdiktet"}`
	innholdP = "%PDF-1.7 oppdiktet"
)

type nokler struct{ fagsystem, portal, andre *sim.Sertifikat }

var lagNokler = sync.OnceValues(func() (nokler, error) {
	ca, err := sim.NyCA("Testrot", 2048, time.Now)
	if err != nil {
		return nokler{}, err
	}
	s, err := ca.UtstedAlle(sim.Bestilling{Navn: "Bydelen", Formal: sim.Mottaker, Bits: 2048}, sim.Bestilling{Navn: "Portalen", Formal: sim.Portal, Bits: 2048},
		sim.Bestilling{Navn: "En annen", Formal: sim.Mottaker, Bits: 2048})
	if err != nil {
		return nokler{}, err
	}
	return nokler{s[0], s[1], s[2]}, nil
})

// sendt is one call of the send API.
type sendt struct {
	Avsender  string            `json:"avsenderKontoId"`
	Mottaker  string            `json:"mottakerKontoId"`
	Type      string            `json:"meldingType"`
	SvarPa    string            `json:"svarPaMelding"`
	TTL       int64             `json:"ttl"`
	Headere   map[string]string `json:"headere"`
	data      []byte
	meldinger []fagsystem.Hendelse // what had been told when it came
	acket     int
	lagret    int // reports in the folder when it came
}

// rigg is a case system with a folder, and the platform's HTTP API on loopback.
type rigg struct {
	nokler
	t       *testing.T
	klient  *fagsystem.Klient
	config  fagsystem.Config
	mappe   string
	api     *httptest.Server
	meldt   []fagsystem.Hendelse
	kvitter kvitterer

	mu     sync.Mutex
	sendt  []sendt
	status map[string]int    // by path prefix; 0 = 200
	dok    map[string][]byte // Dokumentlager

	omdiriger string // where a status 307 points
}

// kvitterer is the channel of hand-made deliveries.
type kvitterer struct{ ack, nack int }

func (k *kvitterer) Ack(uint64, bool) error        { k.ack++; return nil }
func (k *kvitterer) Nack(uint64, bool, bool) error { k.nack++; return nil }
func (k *kvitterer) Reject(uint64, bool) error     { k.nack++; return nil }

func setup(t *testing.T) *rigg {
	t.Helper()
	n, err := lagNokler()
	if err != nil {
		t.Fatal(err)
	}
	r := &rigg{nokler: n, t: t, mappe: t.TempDir(), status: map[string]int{}, dok: map[string][]byte{}}
	r.api = httptest.NewTLSServer(r)
	t.Cleanup(r.api.Close)
	pakker, err := asice.NewPacker(n.fagsystem.Nokkel, time.Now, n.fagsystem.Cert)
	if err != nil {
		t.Fatal(err)
	}
	r.config = fagsystem.Config{Konto: konto, Portalkonto: portal, IntegrasjonID: integr, Passord: passord, AMQP: "127.0.0.1:1", API: r.api.URL,
		Token:  func(context.Context) (string, error) { return adgang, nil },
		TLS:    r.api.Client().Transport.(*http.Transport).TLSClientConfig,
		Nokler: []cms.Key{{Certificate: n.fagsystem.Cert, Decrypter: n.fagsystem.Nokkel}}, Pakker: pakker, Versjon: melding.V2,
		Lager: fagsystem.Mappe(r.mappe), Meld: func(h fagsystem.Hendelse) { r.meldt = append(r.meldt, h) }}
	r.ny()
	return r
}

// ny makes the client again, as after a restart or a change of config.
func (r *rigg) ny() {
	r.t.Helper()
	k, err := fagsystem.New(r.config)
	if err != nil {
		r.t.Fatal(err)
	}
	k.SettPause(time.Millisecond)
	r.klient = k
}

// ServeHTTP is the platform.
func (r *rigg) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if req.Header.Get("IntegrasjonId") != integr || req.Header.Get("IntegrasjonPassord") != passord || req.Header.Get("Authorization") != "Bearer "+adgang {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	for prefiks, status := range r.status {
		if strings.HasPrefix(req.URL.Path, prefiks) && status != 0 {
			if status == http.StatusTemporaryRedirect {
				w.Header().Set("Location", r.omdiriger)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"message": "feil"}`)
			return
		}
	}
	switch sti := req.URL.Path; {
	case sti == "/fiks-io/api/v1/send" && req.Method == http.MethodPost:
		r.ta(req)
		w.WriteHeader(http.StatusAccepted)
	case sti == "/fiks-io/katalog/api/v1/kontoer/"+portal+"/offentligNokkel":
		visNokkel(w, r.portal)
	case sti == "/fiks-io/katalog/api/v1/kontoer/"+fremmed+"/offentligNokkel":
		visNokkel(w, r.andre)
	case strings.HasPrefix(sti, "/dokumentlager/nedlasting/") && r.dok[sti[26:]] != nil:
		_, _ = w.Write(r.dok[sti[26:]])
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func visNokkel(w io.Writer, s *sim.Sertifikat) {
	_ = json.NewEncoder(w).Encode(map[string]any{"valid": true, "nokkel": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Cert.Raw}))})
}

func (r *rigg) ta(req *http.Request) {
	_, p, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil {
		r.t.Error(err)
		return
	}
	s := sendt{meldinger: r.meldt, acket: r.kvitter.ack, lagret: len(r.filer())}
	for mr := multipart.NewReader(req.Body, p["boundary"]); ; {
		del, err := mr.NextPart()
		if err != nil {
			break
		}
		b, _ := io.ReadAll(del)
		switch del.FormName() {
		case "metadata":
			if err := json.Unmarshal(b, &s); err != nil {
				r.t.Error(err)
			}
		case "data":
			s.data = b
		}
	}
	r.sendt = append(r.sendt, s)
}

// filer are the names in the folder.
func (r *rigg) filer() (ut []string) {
	navn, err := os.ReadDir(r.mappe)
	if err != nil {
		r.t.Error(err)
	}
	for _, n := range navn {
		ut = append(ut, n.Name())
	}
	return ut
}

// levering is one message by hand: a report from the portal unless endre says otherwise.
func (r *rigg) levering(endre ...func(*amqp.Delivery)) amqp.Delivery {
	d := amqp.Delivery{Acknowledger: &r.kvitter, Body: r.forseglet(r.fagsystem, protokoll.FilJSON, protokoll.FilPDF), Headers: amqp.Table{
		"melding-id": nyUUID(), "avsender-id": portal, "type": "no.ks.fiks.bekymringsmelding.offentlig.v1", "x-delivery-count": int64(0),
		"egendefinert-header.bekymringsmelding-id": rapport, "egendefinert-header.klientKorrelasjonsId": rapport}}
	for _, f := range endre {
		f(&d)
	}
	return d
}

func hode(navn, verdi string) func(*amqp.Delivery) {
	return func(d *amqp.Delivery) {
		if verdi == "" {
			delete(d.Headers, navn)
			return
		}
		d.Headers[navn] = verdi
	}
}

func kropp(b []byte) func(*amqp.Delivery) { return func(d *amqp.Delivery) { d.Body = b } }

func nyUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// forseglet is a package with the named files, signed by the portal and sealed for til.
func (r *rigg) forseglet(til *sim.Sertifikat, navn ...string) []byte {
	r.t.Helper()
	pakker, err := asice.NewPacker(r.portal.Nokkel, time.Now, r.portal.Cert)
	if err != nil {
		r.t.Fatal(err)
	}
	var filer []melding.Fil
	for _, n := range navn {
		innhold := innholdP
		if strings.HasSuffix(n, ".json") {
			innhold = innholdJ
		}
		if n, tom := strings.CutPrefix(n, "tom:"); tom {
			filer = append(filer, melding.Fil{Navn: n, Innhold: melding.NyKlartekst(nil)})
			continue
		}
		filer = append(filer, melding.Fil{Navn: n, Innhold: melding.NyKlartekst([]byte(innhold))})
	}
	pakke, err := pakker.Pack(context.Background(), filer)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.segl(til, pakke.Bytes())
}

func (r *rigg) segl(til *sim.Sertifikat, b []byte) []byte {
	r.t.Helper()
	var ut bytes.Buffer
	if err := cms.Encrypt(&ut, bytes.NewReader(b), int64(len(b)), til.Cert); err != nil {
		r.t.Fatal(err)
	}
	return ut.Bytes()
}

// feilmelding opens the body of a feilet as the sender of what was refused does.
func (r *rigg) feilmelding(avsender *sim.Sertifikat, b []byte) string {
	r.t.Helper()
	var pakke bytes.Buffer
	if err := cms.Decrypt(&pakke, bytes.NewReader(b), cms.Key{Certificate: avsender.Cert, Decrypter: avsender.Nokkel}); err != nil {
		r.t.Fatal(err)
	}
	c, err := asice.Read(melding.NyKlartekst(pakke.Bytes()))
	if err != nil {
		r.t.Fatal(err)
	}
	if len(c.Filer) != 1 || c.Filer[0].Navn != "feilmelding.json" || !c.Signer.Equal(r.fagsystem.Cert) {
		r.t.Fatal("not one feilmelding.json, signed by the case system")
	}
	f, err := protokoll.ParseFeilmelding(c.Filer[0].Innhold.Bytes())
	if err != nil {
		r.t.Fatal(err)
	}
	return f.Melding
}

func (r *rigg) arter() (ut []fagsystem.Art) {
	for _, h := range r.meldt {
		ut = append(ut, h.Art)
	}
	return ut
}
