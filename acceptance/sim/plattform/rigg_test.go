package plattform_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// The accounts of every test. The ids of the first two, the integration and its password are those of the recorded Java client.
const (
	portalen  = "64414bcf-1fbe-4fad-afd4-eb01177adc4f"
	bydelen   = "ea06c717-96f5-442a-83a1-c9baeac6747b"
	naboen    = "0b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad0aa"
	inPortal  = "11111111-2222-4333-8444-555555555555"
	inBydel   = "57feb801-820f-494b-b0e2-5fcc853662e6"
	inNabo    = "99999999-2222-4333-8444-555555555555"
	passord   = "mottaker02Pass"
	privatV2  = "no.ks.fiks.bekymringsmelding.privat.v2"
	koPrefiks = "fiksio.konto."
)

var start = time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)

type nokler struct {
	ca                     *sim.CA
	portal, bydel, nyBydel *sim.Sertifikat
}

// lagNokler makes RSA keys once a run; 2048 bits are the least anything accepts.
var lagNokler = sync.OnceValues(func() (nokler, error) {
	ca, err := sim.NyCA("Testrot", 2048, func() time.Time { return start })
	if err != nil {
		return nokler{}, err
	}
	b := func(navn string, n int) sim.Bestilling {
		return sim.Bestilling{Navn: navn, Orgnr: sim.Orgnr(n), Formal: sim.Portal, Bits: 2048}
	}
	s, err := ca.UtstedAlle(b("Portalen", 1), b("Bydelen", 2), b("Bydelen", 2))
	if err != nil {
		return nokler{}, err
	}
	return nokler{ca, s[0], s[1], s[2]}, nil
})

type rigg struct {
	t      *testing.T
	klokke *memory.Klokke
	mp     *sim.Maskinporten
	b      *minne
	p      *plattform.Plattform
	url    string
	n      nokler
	konto  map[string]plattform.Konto
}

// nyRigg is a platform with three accounts over a broker in memory, served on loopback.
func nyRigg(t *testing.T, endre ...func(*plattform.Config)) *rigg {
	t.Helper()
	b := nyttMinne()
	return nyRiggMed(t, func(broker.Tilgang, broker.Klokke) broker.Broker { return b }, b, endre...)
}

func nyRiggMed(t *testing.T, megler func(broker.Tilgang, broker.Klokke) broker.Broker, b *minne, endre ...func(*plattform.Config)) *rigg {
	t.Helper()
	n, err := lagNokler()
	if err != nil {
		t.Fatal(err)
	}
	r := &rigg{t: t, klokke: memory.NyKlokke(start), b: b, n: n, konto: map[string]plattform.Konto{}}
	r.mp, err = sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: r.klokke.Now, Utsteder: "https://maskinporten.example/", Nokkel: n.portal.Nokkel})
	r.feilfri(err)
	c := plattform.Config{Klokke: r.klokke, Token: r.mp.Verifiser}
	for _, e := range endre {
		e(&c)
	}
	r.p, err = plattform.Ny(c)
	r.feilfri(err)
	r.p.Bruk(megler(r.p, r.klokke))
	for i, k := range []plattform.Konto{
		{ID: portalen, Navn: "Portalen", Sertifikat: n.portal.Cert, Nokkel: n.portal.Nokkel, Integrasjoner: []plattform.Integrasjon{{ID: inPortal, Passord: passord}}},
		{ID: bydelen, Navn: "Bydelen", Sertifikat: n.bydel.Cert, Nokkel: n.bydel.Nokkel, Integrasjoner: []plattform.Integrasjon{{ID: inBydel, Passord: passord}}},
		{ID: naboen, Navn: "Naboen", Integrasjoner: []plattform.Integrasjon{{ID: inNabo, Passord: passord}}},
	} {
		k.FiksOrgID, k.FiksOrgNavn, k.Orgnr = k.ID, k.Navn+" (test)", string(sim.Orgnr(1+i))
		k.Integrasjoner[0].Orgnr = k.Orgnr
		r.registrer(k)
		r.feilfri(r.mp.Registrer(sim.Klient{ID: k.Integrasjoner[0].ID, Orgnr: sim.Orgnr(1 + i), Sertifikat: n.portal.Cert}))
	}
	ctx, stans := context.WithCancel(t.Context())
	ferdig := make(chan struct{})
	go func() { defer close(ferdig); _ = r.p.Run(ctx) }()
	server := httptest.NewServer(r.p)
	r.url = server.URL
	t.Cleanup(func() { server.Close(); stans(); <-ferdig })
	return r
}

func (r *rigg) feilfri(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rigg) registrer(k plattform.Konto) {
	r.t.Helper()
	r.konto[k.ID] = k
	r.feilfri(r.p.Registrer(r.t.Context(), k))
}

func (r *rigg) token(integrasjon string) string {
	r.t.Helper()
	s, err := r.mp.Token(integrasjon)
	r.feilfri(err)
	return s
}

// svar is an answer, with KS's error body read when it has one.
type svar struct {
	status int
	hode   http.Header
	kropp  []byte
	json   map[string]any
	kode   string
}

func (r *rigg) kall(req *http.Request) svar {
	r.t.Helper()
	res, err := http.DefaultClient.Do(req)
	r.feilfri(err)
	defer func() { _ = res.Body.Close() }()
	s := svar{status: res.StatusCode, hode: res.Header}
	s.kropp, err = io.ReadAll(res.Body)
	r.feilfri(err)
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		r.feilfri(json.Unmarshal(s.kropp, &s.json))
		s.kode, _ = s.json["errorCode"].(string)
	}
	return s
}

// som makes a request with an integration's three headers.
func (r *rigg) som(integrasjon, metode, sti string, kropp io.Reader) *http.Request {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), metode, r.url+sti, kropp)
	r.feilfri(err)
	req.Header.Set("Authorization", "Bearer "+r.token(integrasjon))
	req.Header.Set("IntegrasjonId", integrasjon)
	req.Header.Set("IntegrasjonPassord", passord)
	return req
}

// m is a metadata object.
type m = map[string]any

// rapport is the metadata of a report from the portal to the bydel, with changes.
func rapport(endringer ...m) m {
	ut := m{"avsenderKontoId": portalen, "mottakerKontoId": bydelen, "meldingType": privatV2}
	for _, e := range endringer {
		for k, v := range e {
			ut[k] = v
		}
	}
	return ut
}

// send sends as the portal does; data nil = no data part.
func (r *rigg) send(meta any, data []byte) svar { return r.sendSom(inPortal, meta, data) }

func (r *rigg) sendSom(integrasjon string, meta any, data []byte) svar {
	r.t.Helper()
	b, ok := meta.([]byte)
	if !ok {
		var err error
		b, err = json.Marshal(meta)
		r.feilfri(err)
	}
	var kropp bytes.Buffer
	w := multipart.NewWriter(&kropp)
	r.feilfri(w.WriteField("metadata", string(b)))
	if data != nil {
		d, err := w.CreateFormFile("data", "0ad8f071-40b4-4ffb-929d-d67cfb6eb8d8")
		r.feilfri(err)
		_, _ = d.Write(data)
	}
	r.feilfri(w.Close())
	req := r.som(integrasjon, "POST", "/fiks-io/api/v1/send", &kropp)
	req.Header.Set("Content-Type", w.FormDataContentType())
	return r.kall(req)
}

// forseglet is a report with the two files, sealed for s.
func forseglet(t testing.TB, s, signerer *sim.Sertifikat) []byte {
	t.Helper()
	pk, err := asice.NewPacker(signerer.Nokkel, func() time.Time { return start }, signerer.Cert)
	if err != nil {
		t.Fatal(err)
	}
	var pakke, ut bytes.Buffer
	if err := pk.Write(&pakke, []melding.Fil{
		{Navn: protokoll.FilJSON, Innhold: melding.NyKlartekst([]byte(`{"melding":"Åse er redd"}`))},
		{Navn: protokoll.FilPDF, Innhold: melding.NyKlartekst([]byte("%PDF-"))}}); err != nil {
		t.Fatal(err)
	}
	if err := cms.Encrypt(&ut, &pakke, int64(pakke.Len()), s.Cert); err != nil {
		t.Fatal(err)
	}
	return ut.Bytes()
}

// lagtRapport sends one report and gives its message id and what is on the bydel's queue.
func (r *rigg) lagtRapport(endringer ...m) (string, broker.Melding) {
	r.t.Helper()
	s := r.send(rapport(endringer...), forseglet(r.t, r.n.bydel, r.n.portal))
	if s.status != http.StatusAccepted {
		r.t.Fatalf("%d %s", s.status, s.kropp)
	}
	ko := r.b.ta(koPrefiks + bydelen)
	if len(ko) != 1 {
		r.t.Fatalf("%d meldinger på køen", len(ko))
	}
	return s.json["meldingId"].(string), ko[0]
}
