package fiksio_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/amqp"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/fagklient"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/adapters/fiksio"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

const (
	portalen = "64414bcf-1fbe-4fad-afd4-eb01177adc4f"
	bydelen  = "ea06c717-96f5-442a-83a1-c9baeac6747b"
	stengt   = "0b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad0aa"
	ukjent   = "0b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad0bb"
	passord  = "mottaker02Pass"
	portalKo = protokoll.KoPrefiks + portalen
)

// rask is a clock that runs a hundred times as fast as the machine's, so that back-off costs a test nothing.
type rask struct{ start time.Time }

const fart = 100

func (k rask) Now() time.Time {
	return k.start.Add(fart * time.Since(k.start)).UTC().Truncate(time.Microsecond)
}

func (k rask) At(t time.Time) (<-chan time.Time, func()) {
	x := time.NewTimer(t.Sub(k.Now()) / fart)
	return x.C, func() { x.Stop() }
}

type nokler struct{ portal, bydel, tls, ca, fremmed *sim.Sertifikat }

// lagNokler makes RSA keys once a run.
var lagNokler = sync.OnceValues(func() (nokler, error) {
	ca, err := sim.NyCA("Testrot", 2048, time.Now)
	if err != nil {
		return nokler{}, err
	}
	s, err := ca.UtstedAlle(sim.Bestilling{Navn: "Portalen", Formal: sim.Portal, Bits: 2048}, sim.Bestilling{Navn: "Bydelen", Formal: sim.Portal, Bits: 2048},
		sim.Bestilling{Navn: "localhost", Formal: sim.TLS, Bits: 2048})
	if err != nil {
		return nokler{}, err
	}
	fremmed, err := sim.NyCA("Fremmed rot", 2048, time.Now)
	if err != nil {
		return nokler{}, err
	}
	return nokler{s[0], s[1], s[2], &ca.Sertifikat, &fremmed.Sertifikat}, nil
})

// rigg is Fiks IO's platform with a broker, a case system that takes what comes, and our Transport at the other end.
type rigg struct {
	t      *testing.T
	is     *is.I
	n      nokler
	mp     *sim.Maskinporten
	p      *plattform.Plattform
	b      broker.Broker
	api    string
	config fiksio.Config
	nede   atomic.Bool // no call and no login gets through

	mu       sync.Mutex
	ved      func(contracts.Ankommet)
	handtert map[string]chan struct{} // by message id: closed when ved has run
	sett     map[string]bool
}

type valg struct {
	plattform func(*plattform.Config)
	megler    func(t *testing.T, tilgang broker.Tilgang) (broker.Broker, *tls.Config)
}

func nyRigg(t *testing.T, v valg) *rigg {
	t.Helper()
	n, err := lagNokler()
	if err != nil {
		t.Fatal(err)
	}
	r := &rigg{t: t, is: is.New(t), n: n, handtert: map[string]chan struct{}{}, sett: map[string]bool{}}
	r.mp, err = sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: time.Now, Utsteder: "https://maskinporten.example/", Nokkel: n.portal.Nokkel})
	r.is.NoErr(err)
	c := plattform.Config{Klokke: sysclock.Clock{}, Token: r.mp.Verifiser, Lempelig: plattform.Lempelig{UkryptertData: true}}
	if v.plattform != nil {
		v.plattform(&c)
	}
	r.p, err = plattform.Ny(c)
	r.is.NoErr(err)
	if v.megler == nil {
		v.megler = r.innebygd
	}
	var tillit *tls.Config
	r.b, tillit = v.megler(t, vakt{r})
	r.p.Bruk(r.b)
	r.registrer(plattform.Konto{ID: portalen, Navn: "Portalen", Sertifikat: n.portal.Cert})
	r.registrer(plattform.Konto{ID: bydelen, Navn: "Bydelen", Sertifikat: n.bydel.Cert})
	r.registrer(plattform.Konto{ID: stengt, Navn: "Stengt", Sertifikat: n.bydel.Cert, Stengt: true})
	for _, id := range []string{portalen, bydelen} {
		r.is.NoErr(r.mp.Registrer(sim.Klient{ID: id, Orgnr: orgnr, Sertifikat: n.portal.Cert}))
	}
	server := httptest.NewServer(http.HandlerFunc(r.betjen))
	r.api = server.URL
	r.config = fiksio.Config{API: r.api, AMQP: r.b.Adresse(), TLS: tillit, Konto: portalen, Integrasjon: portalen, Passord: passord, Clock: rask{time.Now()},
		Token: func(context.Context) (string, error) { return r.mp.Token(portalen) }}
	fag, err := fagklient.Ny(fagklient.Config{AMQP: r.b.Adresse(), TLS: tillit, API: r.api, KontoID: bydelen, IntegrasjonID: bydelen, Passord: passord,
		Klokke: sysclock.Clock{}, Behandle: r.taImot, Token: func(context.Context) (string, error) { return r.mp.Token(bydelen) }})
	r.is.NoErr(err)
	ctx, stans := context.WithCancel(context.Background())
	var venter sync.WaitGroup
	venter.Go(func() { _ = r.p.Run(ctx) })
	venter.Go(func() { _ = fag.Run(ctx) })
	t.Cleanup(func() { stans(); venter.Wait(); server.Close() })
	return r
}

var orgnr = sim.Orgnr(1)

func (r *rigg) registrer(k plattform.Konto) {
	r.t.Helper()
	k.FiksOrgID, k.FiksOrgNavn, k.Orgnr = k.ID, k.Navn, string(orgnr)
	k.Integrasjoner = []plattform.Integrasjon{{ID: k.ID, Passord: passord, Orgnr: k.Orgnr}}
	r.is.NoErr(r.p.Registrer(r.t.Context(), k))
}

// innebygd is the simulator's own broker.
func (r *rigg) innebygd(t *testing.T, tilgang broker.Tilgang) (broker.Broker, *tls.Config) {
	b, err := amqp.Start(amqp.Config{Adresse: "127.0.0.1:0", Klokke: sysclock.Clock{}, Tilgang: tilgang,
		TLS: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{r.n.tls.Cert.Raw}, PrivateKey: r.n.tls.Nokkel}}}})
	r.is.NoErr(err)
	t.Cleanup(func() { _ = b.Close() })
	return b, stolerPa(r.n.ca)
}

func stolerPa(s *sim.Sertifikat) *tls.Config {
	rot := x509.NewCertPool()
	rot.AddCert(s.Cert)
	return &tls.Config{RootCAs: rot, MinVersion: tls.VersionTLS12}
}

// vakt is the platform's word on who may log in, and nobody while it is away.
type vakt struct{ r *rigg }

func (v vakt) LoggInn(ctx context.Context, bruker, passord string) bool {
	return !v.r.nede.Load() && v.r.p.LoggInn(ctx, bruker, passord)
}
func (v vakt) KanLese(ctx context.Context, bruker, ko string) bool {
	return v.r.p.KanLese(ctx, bruker, ko)
}

func (r *rigg) brudd(t *testing.T) {
	t.Helper()
	r.nede.Store(true)
	r.is.NoErr(r.b.Brudd(t.Context()))
}

func (r *rigg) mend(*testing.T) { r.nede.Store(false) }

// betjen is the platform's API. It holds the portal's 202 back until the case system has had the message, for an answer may come before.
func (r *rigg) betjen(w http.ResponseWriter, req *http.Request) {
	if r.nede.Load() {
		panic(http.ErrAbortHandler)
	}
	opptak := httptest.NewRecorder()
	r.p.ServeHTTP(opptak, req)
	var sendt struct{ MeldingID, AvsenderKontoID string }
	if opptak.Code == http.StatusAccepted && json.Unmarshal(opptak.Body.Bytes(), &sendt) == nil && sendt.AvsenderKontoID == portalen {
		select {
		case <-r.erHandtert(sendt.MeldingID):
		case <-time.After(simtest.Frist):
		case <-req.Context().Done():
		}
	}
	for k, v := range opptak.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(opptak.Code)
	_, _ = w.Write(opptak.Body.Bytes())
}

func (r *rigg) erHandtert(id string) chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.handtert[id] == nil {
		r.handtert[id] = make(chan struct{})
	}
	return r.handtert[id]
}

// taImot is the case system: it takes everything and answers nothing by itself.
func (r *rigg) taImot(m sim.Mottatt) []sim.Svar {
	r.mu.Lock()
	ved, igjen := r.ved, r.sett[m.MeldingID]
	r.sett[m.MeldingID] = true
	r.mu.Unlock()
	if igjen {
		return nil // its ack was lost
	}
	if ved != nil {
		ved(contracts.Ankommet{Ref: m.MeldingID, Konto: bydelen, Meldingstype: m.Meldingstype, Innhold: m.Innhold,
			Forsok:  melding.ForsokID(m.Headere[protokoll.HeaderEgendefinert+protokoll.HeaderKlientMelding]),
			Melding: melding.ID(m.Headere[protokoll.HeaderEgendefinert+protokoll.HeaderBekymring])})
	}
	close(r.erHandtert(m.MeldingID))
	return nil
}

func (r *rigg) vedAnkomst(fn func(contracts.Ankommet)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ved = fn
}

// svar answers as the case system. nil = no body.
func (r *rigg) svar(t *testing.T, til contracts.Ankommet, slag string, innhold []byte) {
	t.Helper()
	is := is.New(t)
	token, err := r.mp.Token(bydelen)
	is.NoErr(err)
	meta := map[string]any{"avsenderKontoId": bydelen, "mottakerKontoId": portalen, "meldingType": slag, "svarPaMelding": til.Ref, "ttl": 3_600_000,
		"headere": map[string]string{protokoll.HeaderKorrelasjon: string(til.Melding)}}
	req, err := fagklient.Login{IntegrasjonID: bydelen, Passord: passord, Token: token}.Sending(t.Context(), "", meta, innhold)
	is.NoErr(err)
	opptak := httptest.NewRecorder()
	r.p.ServeHTTP(opptak, req)
	if opptak.Code != http.StatusAccepted {
		t.Fatalf("svaret ble ikke sendt: %d %s", opptak.Code, opptak.Body)
	}
}

// transport makes our end.
func (r *rigg) transport(endre ...func(*fiksio.Config)) *fiksio.Transport {
	r.t.Helper()
	c := r.config
	for _, e := range endre {
		e(&c)
	}
	t, err := fiksio.New(c)
	r.is.NoErr(err)
	return t
}

// motta runs Receive until the test ends. What take is handed, and gives back nil for, comes out of the channel.
func (r *rigg) motta(t *fiksio.Transport, take func(context.Context, melding.Svar) error) <-chan melding.Svar {
	r.t.Helper()
	svar := make(chan melding.Svar, 100)
	ctx, avbryt := context.WithCancel(context.Background())
	slutt := make(chan struct{})
	go func() {
		defer close(slutt)
		_ = t.Receive(ctx, func(ctx context.Context, s melding.Svar) error {
			if take != nil {
				if err := take(ctx, s); err != nil {
					return err
				}
			}
			svar <- s
			return nil
		})
	}()
	r.t.Cleanup(func() { avbryt(); <-slutt })
	return svar
}

func mottaker(id kommune.KontoID) kommune.Mottakerkonto {
	return kommune.Mottakerkonto{KontoID: id, Kanal: kommune.FiksIO, KontoAktiv: true, FiksOrgID: "a65b4e9c-bdf0-4c29-bb77-0242ac130002",
		Bydel: kommune.Bydel{RessursID: "5c21a1a2-6b0c-4b5e-9a0e-0242ac130003", Kommunenummer: "0301", Bydelsnummer: "07"}}
}

func forsendelse() ports.Forsendelse {
	id := contracts.MeldingID(contracts.Start)
	return ports.Forsendelse{Forsok: melding.NyForsokID(id, "sending", 1), Melding: id, Til: mottaker(bydelen), Slag: melding.Privat, Versjon: melding.V1,
		Innhold: contracts.Forseglet(contracts.Tilfeldig(3000)), TTL: time.Hour}
}

// sendt sends a report and gives what the case system got.
func (r *rigg) sendt(t *fiksio.Transport) contracts.Ankommet {
	r.t.Helper()
	kom := make(chan contracts.Ankommet, 10)
	r.vedAnkomst(func(a contracts.Ankommet) { kom <- a })
	_, err := t.Send(r.t.Context(), forsendelse())
	r.is.NoErr(err)
	return simtest.Vent(r.t, kom, "meldingen")
}

func innhold(t *testing.T, f melding.Forseglet) string {
	t.Helper()
	b, err := f.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// tryggBuffer is a log that is read while it is written.
type tryggBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *tryggBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *tryggBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
