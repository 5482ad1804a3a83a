package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/skjema"
)

const (
	fiksOrg  = "0190c0de-0000-7000-8000-0000000000aa"
	integr   = "0190c0de-0000-7000-8000-0000000000bb"
	passord  = "et-passord-som-aldri-vises"
	uuid     = "0190c0de-0000-7000-8000-000000000001"
	klientID = "klient-1"
)

var start = time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)

type klokke struct{}

func (klokke) Now() time.Time                          { return start }
func (klokke) At(time.Time) (<-chan time.Time, func()) { panic("nothing here waits for a clock") }

type nokler struct{ ca, avsender, print, mottaker *sim.Sertifikat }

var lagNokler = sync.OnceValues(func() (nokler, error) {
	ca, err := sim.NyCA("Testrot", 2048, klokke{}.Now)
	if err != nil {
		return nokler{}, err
	}
	s, err := ca.UtstedAlle(sim.Bestilling{Navn: "Skolen", Orgnr: sim.Orgnr(0), Formal: sim.Virksomhet, Bits: 2048},
		sim.Bestilling{Navn: "Trykkeriet", Formal: sim.Printer, Bits: 2048}, sim.Bestilling{Navn: "Bydelen", Formal: sim.Portal, Bits: 2048})
	if err != nil {
		return nokler{}, err
	}
	return nokler{&ca.Sertifikat, s[0], s[1], s[2]}, nil
})

// innsending is one POST as the portal saw it.
type innsending struct {
	sti, nokkel, ct string
	kropp           []byte
}

// verden is a portal and a Maskinporten on loopback, a connection sheet, and files to send.
type verden struct {
	nokler
	t          *testing.T
	mp         *sim.Maskinporten
	mappe      string
	ark        string
	print      *x509.Certificate // announced
	pauser     []time.Duration
	ut, feil   bytes.Buffer
	svar       []func(http.ResponseWriter) // to POSTs, in order; the last one repeats
	innsendt   []innsending
	statussvar string
	leser      string // stottetVersjon of 4601/01
}

func setup(t *testing.T) *verden {
	t.Helper()
	n, err := lagNokler()
	if err != nil {
		t.Fatal(err)
	}
	v := &verden{nokler: n, t: t, mappe: t.TempDir(), print: n.print.Cert, leser: "V2"}
	if v.mp, err = sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: klokke{}.Now}); err != nil {
		t.Fatal(err)
	}
	v.ok(v.mp.Registrer(sim.Klient{ID: klientID, Orgnr: sim.Orgnr(0), Sertifikat: n.avsender.Cert}))
	v.ok(v.mp.Start())
	t.Cleanup(func() { _ = v.mp.Lukk() })
	portal := httptest.NewServer(v)
	t.Cleanup(portal.Close)
	v.ok(n.avsender.Skriv(v.fil("avsender.pem"), v.fil("avsender.key")))
	v.ok(n.mottaker.Skriv(v.fil("mottaker.pem"), v.fil("mottaker.key")))
	v.ark = v.skriv("demo.json", fmt.Appendf(nil, `{"api": %q, "ukjent": 1, "maskinporten": {"issuer": %q, "tokenEndpoint": %q},
		"avsender": {"fiksOrgId": %q, "integrasjonId": %q, "integrasjonPassord": %q, "klientId": %q, "sertifikat": %q, "privatNokkel": %q}}`,
		portal.URL+"/bekymringsmelding", v.mp.Utsteder(), v.mp.TokenURL(), fiksOrg, integr, passord, klientID, v.fil("avsender.pem"), v.fil("avsender.key")))
	v.skriv("m.pdf", pdf("0 0 595 842"))
	dok, err := skjema.EksempelOffentlig(melding.V1).JSON()
	v.ok(err)
	v.skriv("m.json", dok.Bytes())
	return v
}

func (v *verden) ok(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

func (v *verden) fil(navn string) string { return filepath.Join(v.mappe, navn) }

func (v *verden) skriv(navn string, b []byte) string {
	v.ok(os.WriteFile(v.fil(navn), b, 0o600))
	return v.fil(navn)
}

// kjor runs the program; whatever it says, it never says the password or anything out of the report.
func (v *verden) kjor(args ...string) int {
	v.t.Helper()
	return v.kjorMed(context.Background(), args...)
}

func (v *verden) kjorMed(ctx context.Context, args ...string) int {
	v.t.Helper()
	v.ut.Reset()
	v.feil.Reset()
	p := &program{ctx: ctx, ut: &v.ut, feil: &v.feil, klokke: klokke{}, http: nyHTTP(), vent: func(ctx context.Context, d time.Duration) error {
		v.pauser = append(v.pauser, d)
		return ctx.Err()
	}}
	kode := kjor(p, args)
	for _, hemmelig := range []string{passord, "PRIVATE KEY", "oppdiktet", "Havørn"} {
		if strings.Contains(v.ut.String()+v.feil.String(), hemmelig) {
			v.t.Fatalf("the program said %q", hemmelig)
		}
	}
	return kode
}

func (v *verden) send(ekstra ...string) int {
	v.t.Helper()
	return v.kjor(append([]string{"--ark", v.ark, "send", "--kommune", "4601", "--bydel", "01", "--pdf", v.fil("m.pdf"), "--json", v.fil("m.json")}, ekstra...)...)
}

// ServeHTTP is the portal.
func (v *verden) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("IntegrasjonId") != integr || r.Header.Get("IntegrasjonPassord") != passord || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ey") {
		nekt(401, "IKKE_AUTENTISERT", "")(w)
		return
	}
	sti := strings.TrimPrefix(r.URL.Path, "/bekymringsmelding/api")
	switch {
	case r.Method == http.MethodPost:
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		v.innsendt = append(v.innsendt, innsending{sti, r.Header.Get("Idempotency-Key"), r.Header.Get("Content-Type"), b})
		v.svar[min(len(v.innsendt), len(v.svar))-1](w)
	case strings.HasSuffix(sti, "/4601/01/krypteringsnokler"):
		type m map[string]string
		_ = json.NewEncoder(w).Encode(map[string]m{"printOffentligNokkel": {"nokkel": pemTekst(v.print)}, "fiksIOOffentligNokkel": {"nokkel": pemTekst(v.mottaker.Cert)}})
	case sti == "/v2/kommuner/4601/bydeler":
		_, _ = io.WriteString(w, `[{"bydelsnummer":"01","bydelsnavn":"x","standardMottaker":true,"stottetVersjon":"`+v.leser+`"}]`)
	case sti == "/v1/mottak/fagsystem/"+fiksOrg+"/bekymringsmelding/"+uuid+"/status":
		_, _ = io.WriteString(w, v.statussvar)
	default:
		nekt(404, "UKJENT_RESSURS", "")(w)
	}
}

func pemTekst(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func kvitter(w http.ResponseWriter) {
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"uuid":"`+uuid+`"}`)
}

func nekt(status int, kode, ekstra string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"status":%d,"errorCode":%q,"message":"En setning.\u001b[31m","errorId":"feil-1"%s}`, status, kode, ekstra)
	}
}

// brudd closes the connection without an answer.
func brudd(http.ResponseWriter) { panic(http.ErrAbortHandler) }

// pdf is one page without text.
func pdf(boks string) []byte {
	var b bytes.Buffer
	var xref []int
	b.WriteString("%PDF-1.7\n")
	for i, o := range []string{"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>", "<</Type/Page/Parent 2 0 R/MediaBox[" + boks + "]/Resources<<>>>>"} {
		xref = append(xref, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	sist := b.Len()
	fmt.Fprintf(&b, "xref\n0 4\n0000000000 65535 f \n")
	for _, x := range xref {
		fmt.Fprintf(&b, "%010d 00000 n \n", x)
	}
	fmt.Fprintf(&b, "trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", sist)
	return b.Bytes()
}

var errStopp = errors.New("stopp")
