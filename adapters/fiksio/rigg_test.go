package fiksio_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/amqp"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/adapters/fiksio"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

const (
	portalen  = "11111111-1111-4111-8111-111111111111"
	mottaker  = "22222222-2222-4222-8222-222222222222"
	stengt    = "33333333-3333-4333-8333-333333333333"
	inPortal  = "44444444-4444-4444-8444-444444444444"
	inBydel   = "55555555-5555-4555-8555-555555555555"
	passordet = "et-passord-til-proven-1234"
	frist     = 20 * time.Second
)

// nokler are made once a run: RSA is slow.
var nokler = sync.OnceValues(func() ([]*sim.Sertifikat, error) {
	ca, err := sim.NyCA("Testrot", 2048, time.Now)
	if err != nil {
		return nil, err
	}
	s, err := ca.UtstedAlle(sim.Bestilling{Navn: "megler", Formal: sim.TLS, Bits: 2048}, sim.Bestilling{Navn: "Portalen", Orgnr: sim.Orgnr(1), Formal: sim.Portal, Bits: 2048},
		sim.Bestilling{Navn: "Bydelen", Orgnr: sim.Orgnr(2), Formal: sim.Portal, Bits: 2048})
	return append(s, &ca.Sertifikat), err
})

// rigg is the simulated platform with the built-in broker, and our adapter against it.
type rigg struct {
	t         *testing.T
	plattform *plattform.Plattform
	broker    *amqp.Broker
	mp        *sim.Maskinporten
	http      *httptest.Server
	tls       *tls.Config
	config    fiksio.Config
	bydel     func(context.Context) (string, error)
	nede      atomic.Bool

	mu    sync.Mutex
	fn    func(contracts.Ankommet)
	tatt  map[string]chan struct{}
	sendt []*http.Request
}

// LoggInn is the platform's, unless everything is down.
func (r *rigg) LoggInn(ctx context.Context, bruker, passord string) bool {
	return !r.nede.Load() && r.plattform.LoggInn(ctx, bruker, passord)
}

func (r *rigg) KanLese(ctx context.Context, bruker, ko string) bool {
	return r.plattform.KanLese(ctx, bruker, ko)
}

func nyRigg(t *testing.T) *rigg {
	t.Helper()
	n, err := nokler()
	if err != nil {
		t.Fatal(err)
	}
	ma := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	r := &rigg{t: t, tatt: map[string]chan struct{}{}}
	r.mp, err = sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: sysclock.Clock{}.Now})
	ma(err)
	ma(r.mp.Start())
	t.Cleanup(func() { _ = r.mp.Lukk() })
	for i, orgnr := range []kommune.Orgnr{sim.Orgnr(1), sim.Orgnr(2)} {
		ma(r.mp.Registrer(sim.Klient{ID: fmt.Sprint("klient-", i+1), Orgnr: orgnr, Sertifikat: n[i+1].Cert}))
	}
	r.plattform, err = plattform.Ny(plattform.Config{Klokke: sysclock.Clock{}, Token: r.mp.Verifiser, Grense: 40_000,
		Lempelig: plattform.Lempelig{UkryptertData: true}}) // the suite's content is opaque
	ma(err)
	rot := x509.NewCertPool()
	rot.AddCert(n[3].Cert)
	r.tls = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: rot}
	r.broker, err = amqp.Start(amqp.Config{Adresse: "127.0.0.1:0", Klokke: sysclock.Clock{}, Tilgang: r,
		TLS: &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{n[0].Cert.Raw}, PrivateKey: n[0].Nokkel}}}})
	ma(err)
	t.Cleanup(func() { _ = r.broker.Close() })
	r.plattform.Bruk(r.broker)
	for id, k := range map[string]struct {
		sert        *sim.Sertifikat
		orgnr       kommune.Orgnr
		integrasjon string
	}{portalen: {n[1], sim.Orgnr(1), inPortal}, mottaker: {n[2], sim.Orgnr(2), inBydel}, stengt: {n[2], sim.Orgnr(2), inBydel}} {
		ma(r.plattform.Registrer(t.Context(), plattform.Konto{ID: id, Navn: "konto", FiksOrgID: "org", FiksOrgNavn: "org", Orgnr: string(k.orgnr), Stengt: id == stengt,
			Sertifikat:    k.sert.Cert,
			Integrasjoner: []plattform.Integrasjon{{ID: k.integrasjon, Passord: passordet, Orgnr: string(k.orgnr)}}}))
	}
	r.http = httptest.NewServer(r)
	t.Cleanup(r.http.Close)
	ctx, stopp := context.WithCancel(context.Background())
	ferdig := make(chan struct{})
	go func() { defer close(ferdig); _ = r.plattform.Run(ctx) }()
	t.Cleanup(func() { stopp(); <-ferdig })
	klient := func(i int) func(context.Context) (string, error) {
		k, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: r.mp.TokenURL(), Issuer: r.mp.Utsteder(), KlientID: fmt.Sprint("klient-", i),
			Nokkel: n[i].Nokkel, Sertifikat: n[i].Cert, Clock: sysclock.Clock{}})
		ma(err)
		return k.Token
	}
	r.bydel = klient(2)
	r.config = fiksio.Config{API: r.http.URL, AMQP: r.broker.Adresse(), TLS: r.tls, Konto: portalen, Integrasjon: inPortal, Passord: passordet,
		Token: klient(1), Clock: sysclock.Clock{}}
	return r
}

func (r *rigg) transport() *fiksio.Transport {
	r.t.Helper()
	tr, err := fiksio.New(r.config)
	if err != nil {
		r.t.Fatal(err)
	}
	return tr
}

// ServeHTTP is the platform's API. A send to an account that somebody takes from is answered when its message has been taken: so an
// answer can overtake the 202.
func (r *rigg) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if r.nede.Load() {
		http.Error(w, "<html>nede</html>", http.StatusServiceUnavailable)
		return
	}
	r.mu.Lock()
	r.sendt = append(r.sendt, req)
	tar := r.fn != nil
	r.mu.Unlock()
	svar := httptest.NewRecorder()
	r.plattform.ServeHTTP(svar, req)
	var s struct{ MeldingID, MottakerKontoID string }
	if tar && svar.Code == http.StatusAccepted && json.Unmarshal(svar.Body.Bytes(), &s) == nil && s.MottakerKontoID == mottaker {
		select {
		case <-r.ventTatt(s.MeldingID):
		case <-time.After(frist):
			r.t.Errorf("ingen tok melding %s", s.MeldingID)
		}
	}
	for k, v := range svar.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(svar.Code)
	_, _ = w.Write(svar.Body.Bytes())
}

func (r *rigg) ventTatt(id string) chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tatt[id] == nil {
		r.tatt[id] = make(chan struct{})
	}
	return r.tatt[id]
}

// vedAnkomst takes every message of the receiver over AMQP, and runs fn with it.
func (r *rigg) vedAnkomst(fn func(contracts.Ankommet)) {
	r.t.Helper()
	r.mu.Lock()
	forste := r.fn == nil
	r.fn = fn
	r.mu.Unlock()
	if !forste {
		return
	}
	ctx, stopp := context.WithCancel(context.Background())
	ferdig := make(chan struct{})
	go func() {
		defer close(ferdig)
		for ctx.Err() == nil {
			r.konsumer(ctx)
		}
	}()
	r.t.Cleanup(func() { stopp(); <-ferdig })
}

func (r *rigg) konsumer(ctx context.Context) {
	token, err := r.bydel(ctx)
	if err != nil {
		return
	}
	conn, err := amqp091.DialConfig("amqps://"+r.broker.Adresse()+"/", amqp091.Config{TLSClientConfig: r.tls.Clone(),
		SASL: []amqp091.Authentication{&amqp091.PlainAuth{Username: inBydel, Password: passordet + " " + token}}})
	if err != nil {
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	ch, err := conn.Channel()
	if err != nil {
		return
	}
	levert, err := ch.ConsumeWithContext(ctx, protokoll.Konavn(mottaker), "", false, false, false, false, nil)
	if err != nil {
		return
	}
	for d := range levert {
		tekst := func(navn string) string { s, _ := d.Headers[navn].(string); return s }
		egen := func(navn string) string { return tekst(protokoll.HeaderEgendefinert + navn) }
		a := contracts.Ankommet{Ref: tekst(protokoll.HeaderMeldingID), Konto: mottaker, Meldingstype: tekst(protokoll.HeaderType),
			Forsok: melding.ForsokID(egen(protokoll.HeaderKlientMelding)), Melding: melding.ID(egen(protokoll.HeaderBekymring)), Innhold: d.Body}
		_ = d.Ack(false)
		r.mu.Lock()
		fn := r.fn
		r.mu.Unlock()
		fn(a)
		select {
		case <-r.ventTatt(a.Ref): // the ack was lost with the connection, and it came again
		default:
			close(r.ventTatt(a.Ref))
		}
	}
}

// svar sends an answer as a case system does.
func (r *rigg) svar(t *testing.T, til contracts.Ankommet, meldingstype string, innhold []byte) {
	t.Helper()
	r.sendSom(t, map[string]any{"avsenderKontoId": mottaker, "mottakerKontoId": portalen, "meldingType": meldingstype, "svarPaMelding": til.Ref, "ttl": 86_400_000,
		"headere": map[string]string{protokoll.HeaderKorrelasjon: string(til.Melding)}}, innhold)
}

func (r *rigg) sendSom(t *testing.T, metadata map[string]any, innhold []byte) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	mj, _ := json.Marshal(metadata)
	_ = w.WriteField("metadata", string(mj))
	if innhold != nil {
		p, _ := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="data"; filename="x"`}})
		_, _ = p.Write(innhold)
	}
	_ = w.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.http.URL+"/fiks-io/api/v1/send", &b)
	if err != nil {
		t.Fatal(err)
	}
	token, err := r.bydel(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("IntegrasjonId", inBydel)
	req.Header.Set("IntegrasjonPassord", passordet)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusAccepted {
		t.Fatalf("svaret ble avvist: %d", res.StatusCode)
	}
}

func (r *rigg) brudd(t *testing.T) {
	t.Helper()
	r.nede.Store(true)
	if err := r.broker.Brudd(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (r *rigg) mend(*testing.T) { r.nede.Store(false) }

func konto(id string) kommune.Mottakerkonto {
	return kommune.Mottakerkonto{Bydel: kommune.Bydel{RessursID: "66666666-6666-4666-8666-666666666666", Bydelsnummer: "01"}, FiksOrgID: "77777777-7777-4777-8777-777777777777",
		Kanal: kommune.FiksIO, KontoID: kommune.KontoID(id), KontoAktiv: true}
}

func TestTransport(t *testing.T) {
	contracts.TestTransport(t, func(t *testing.T) contracts.Transportrigg {
		r := nyRigg(t)
		return contracts.Transportrigg{Transport: r.transport(), Konto: konto(mottaker), Stengt: konto(stengt), VedAnkomst: r.vedAnkomst, Svar: r.svar,
			Brudd: r.brudd, Mend: r.mend}
	})
}

func TestCatalogue(t *testing.T) {
	contracts.TestCatalogue(t, func(t *testing.T) contracts.Katalogrigg {
		r := nyRigg(t)
		return contracts.Katalogrigg{Catalogue: r.transport(), Nede: func(_ *testing.T, nede bool) { r.nede.Store(nede) },
			Registrer: func(t *testing.T, k kommune.KontoID, der []byte) {
				t.Helper()
				ny := plattform.Konto{ID: string(k), Navn: "konto", FiksOrgID: "org", FiksOrgNavn: "org", Orgnr: string(sim.Orgnr(2))}
				if der != nil {
					var err error
					if ny.Sertifikat, err = x509.ParseCertificate(der); err != nil {
						t.Fatal(err)
					}
				}
				if err := r.plattform.Registrer(t.Context(), ny); err != nil {
					t.Fatal(err)
				}
			}}
	})
}

var _ ports.Clock = sysclock.Clock{}
