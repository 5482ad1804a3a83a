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
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
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

type rigg struct {
	t      *testing.T
	klokke *memory.Klokke
	mp     *sim.Maskinporten
	b      *minne
	p      *plattform.Plattform
	url    string
	n      simtest.Nokkelring
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
	n := simtest.Nokler(t)
	var err error
	r := &rigg{t: t, klokke: memory.NyKlokke(simtest.Start), b: b, n: n, konto: map[string]plattform.Konto{}}
	r.mp, err = sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: r.klokke.Now, Utsteder: "https://maskinporten.example/", Nokkel: n.Portal.Nokkel})
	r.feilfri(err)
	c := plattform.Config{Klokke: r.klokke, Token: r.mp.Verifiser}
	for _, e := range endre {
		e(&c)
	}
	r.p, err = plattform.Ny(c)
	r.feilfri(err)
	r.p.Bruk(megler(r.p, r.klokke))
	for i, k := range []plattform.Konto{
		{ID: portalen, Navn: "Portalen", Sertifikat: n.Portal.Cert, Nokkel: n.Portal.Nokkel, Integrasjoner: []plattform.Integrasjon{{ID: inPortal, Passord: passord}}},
		{ID: bydelen, Navn: "Bydelen", Sertifikat: n.Bydel.Cert, Nokkel: n.Bydel.Nokkel, Integrasjoner: []plattform.Integrasjon{{ID: inBydel, Passord: passord}}},
		{ID: naboen, Navn: "Naboen", Integrasjoner: []plattform.Integrasjon{{ID: inNabo, Passord: passord}}},
	} {
		k.FiksOrgID, k.FiksOrgNavn, k.Orgnr = k.ID, k.Navn+" (test)", string(sim.Orgnr(1+i))
		k.Integrasjoner[0].Orgnr = k.Orgnr
		r.registrer(k)
		r.feilfri(r.mp.Registrer(sim.Klient{ID: k.Integrasjoner[0].ID, Orgnr: sim.Orgnr(1 + i), Sertifikat: n.Portal.Cert}))
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
	pk, err := asice.NewPacker(signerer.Nokkel, func() time.Time { return simtest.Start }, signerer.Cert)
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
	s := r.send(rapport(endringer...), forseglet(r.t, r.n.Bydel, r.n.Portal))
	if s.status != http.StatusAccepted {
		r.t.Fatalf("%d %s", s.status, s.kropp)
	}
	ko := r.b.ta(koPrefiks + bydelen)
	if len(ko) != 1 {
		r.t.Fatalf("%d meldinger på køen", len(ko))
	}
	return s.json["meldingId"].(string), ko[0]
}
