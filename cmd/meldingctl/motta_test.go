package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/amqp"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/fagklient"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

const (
	kontoPortal = "0190c0de-0000-7000-8000-0000000000c1"
	kontoBydel  = "0190c0de-0000-7000-8000-0000000000c2"
	kontoAnnen  = "0190c0de-0000-7000-8000-0000000000c3"
	intPortal   = "0190c0de-0000-7000-8000-0000000000d1"
	intBydel    = "0190c0de-0000-7000-8000-0000000000d2"
	intAnnen    = "0190c0de-0000-7000-8000-0000000000d3"
	klientBydel = "klient-2"
)

// mottak is Fiks IO over TLS on loopback with three accounts, the portal's, a bydel's and a stranger's, and the bydel's connection sheet.
type mottak struct {
	*verden
	is   *is.I
	b    *amqp.Broker
	p    *plattform.Plattform
	api  *httptest.Server
	inn  string // the folder reports are stored in
	ark  string
	tatt context.Context // bounds every run
}

func nyttMottak(t *testing.T, grense int64) *mottak {
	t.Helper()
	m := &mottak{verden: setup(t), is: is.New(t)}
	m.inn = m.fil("mottatt")
	var avbryt context.CancelFunc
	m.tatt, avbryt = context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(avbryt)
	s := simtest.NyTjener(t)
	m.ok(s.CA.Skriv(m.fil("ca.pem"), m.fil("ca.key")))
	sikker := s.TLS.Clone()
	var err error
	m.p, err = plattform.Ny(plattform.Config{Klokke: sysclock.Clock{}, Token: m.mp.Verifiser, Grense: grense})
	m.ok(err)
	m.b, err = amqp.Start(amqp.Config{Adresse: "127.0.0.1:0", TLS: sikker, Klokke: sysclock.Clock{}, Tilgang: m.p})
	m.ok(err)
	m.p.Bruk(m.b)
	for i, k := range []plattform.Konto{
		{ID: kontoPortal, Navn: "Portalen", Sertifikat: m.avsender.Cert, Integrasjoner: []plattform.Integrasjon{{ID: intPortal}}},
		{ID: kontoBydel, Navn: "Bydelen", Sertifikat: m.mottaker.Cert, Integrasjoner: []plattform.Integrasjon{{ID: intBydel}}},
		{ID: kontoAnnen, Navn: "En annen", Sertifikat: m.print, Integrasjoner: []plattform.Integrasjon{{ID: intAnnen}}},
	} {
		k.FiksOrgID, k.FiksOrgNavn, k.Orgnr = k.ID, k.Navn, string(sim.Orgnr(i))
		k.Integrasjoner[0].Passord, k.Integrasjoner[0].Orgnr = passord, k.Orgnr
		if k.ID == kontoAnnen {
			k.Integrasjoner[0].Orgnr = string(sim.Orgnr(0)) // the portal's client can send for it: its own token is not what is tried here
		}
		m.ok(m.p.Registrer(t.Context(), k))
	}
	m.ok(m.mp.Registrer(sim.Klient{ID: klientBydel, Orgnr: sim.Orgnr(1), Sertifikat: m.mottaker.Cert}))
	ferdig := make(chan struct{})
	ctx, stans := context.WithCancel(context.Background())
	go func() { defer close(ferdig); _ = m.p.Run(ctx) }()
	m.api = httptest.NewUnstartedServer(m.p)
	m.api.TLS = sikker.Clone()
	m.api.StartTLS()
	t.Cleanup(func() { m.api.Close(); stans(); <-ferdig; _ = m.b.Close() })
	m.skrivArk(nil)
	return m
}

// skrivArk writes the sheet, with changes.
func (m *mottak) skrivArk(endre func(ark, mottaker map[string]any)) {
	vert, port, err := net.SplitHostPort(m.b.Adresse())
	m.ok(err)
	nr, err := strconv.Atoi(port)
	m.ok(err)
	mottaker := map[string]any{"kommunenummer": "4601", "bydelsnummer": "02", "stottetVersjon": "V1", "kontoId": kontoBydel, "integrasjonId": intBydel,
		"integrasjonPassord": passord, "klientId": klientBydel, "sertifikat": m.fil("mottaker.pem"), "privatNokkel": m.fil("mottaker.key")}
	ark := map[string]any{"fiks": m.api.URL, "portalKontoId": strings.ToUpper(kontoPortal), "amqp": map[string]any{"host": vert, "port": nr, "tls": true, "ca": m.fil("ca.pem")},
		"maskinporten": map[string]any{"issuer": m.mp.Utsteder(), "tokenEndpoint": m.mp.TokenURL()}, "mottakere": []any{mottaker}}
	if endre != nil {
		endre(ark, mottaker)
	}
	b, err := json.Marshal(ark)
	m.ok(err)
	m.ark = m.skriv("mottak.json", b)
}

func (m *mottak) motta(ekstra ...string) int {
	m.t.Helper()
	return m.kjorMed(m.tatt, append([]string{"--ark", m.ark, "motta", "--kommune", "4601", "--bydel", "02", "--mappe", m.inn}, ekstra...)...)
}

// sendInn has the portal send one report, and gives its melding-id. The report's own id ends in n.
func (m *mottak) sendInn(n int, til *x509.Certificate) (rapport, meldingID string) {
	m.t.Helper()
	return m.sendFra(kontoPortal, intPortal, n, til)
}

func (m *mottak) sendFra(konto, integrasjon string, n int, til *x509.Certificate) (rapport, meldingID string) {
	m.t.Helper()
	rapport = fmt.Sprintf("0190c0de-0000-7000-8000-%012d", n)
	pakker, err := asice.NewPacker(m.avsender.Nokkel, time.Now, m.avsender.Cert)
	m.ok(err)
	pakke, err := pakker.Pack(m.tatt, []melding.Fil{{Navn: protokoll.FilJSON, Innhold: melding.NyKlartekst([]byte(`{"melding": "oppdiktet"}`))},
		{Navn: protokoll.FilPDF, Innhold: melding.NyKlartekst([]byte("%PDF-1.7 oppdiktet"))}})
	m.ok(err)
	b, err := segl(pakke, til)
	m.ok(err)
	token, err := m.mp.Token(klientID)
	m.ok(err)
	meta := map[string]any{"avsenderKontoId": konto, "mottakerKontoId": kontoBydel, "meldingType": "no.ks.fiks.bekymringsmelding.offentlig.v1",
		"ttl": 3_600_000, "headere": map[string]string{protokoll.HeaderBekymring: rapport, protokoll.HeaderKorrelasjon: rapport}}
	req, err := fagklient.Login{IntegrasjonID: integrasjon, Passord: passord, Token: token}.Sending(m.tatt, m.api.URL, meta, b)
	m.ok(err)
	res, err := m.api.Client().Do(req)
	m.ok(err)
	defer func() { _ = res.Body.Close() }()
	svar, err := io.ReadAll(res.Body)
	m.ok(err)
	var ut struct{ MeldingID string }
	m.ok(json.Unmarshal(svar, &ut))
	if res.StatusCode != http.StatusAccepted {
		m.t.Fatalf("%d %s", res.StatusCode, svar)
	}
	return rapport, ut.MeldingID
}

// svar are the messages on the portal's queue.
func (m *mottak) svar() []broker.Melding { return m.b.Meldinger(protokoll.KoPrefiks + kontoPortal) }

func (m *mottak) lagret() (ut []string) {
	navn, err := filepath.Glob(filepath.Join(m.inn, "*", protokoll.FilJSON))
	m.ok(err)
	for _, n := range navn {
		ut = append(ut, filepath.Base(filepath.Dir(n)))
	}
	return ut
}

func TestMottaStoresAReportAndThePortalHearsOfIt(t *testing.T) {
	m := nyttMottak(t, 0)
	rapport, meldingID := m.sendInn(1, m.mottaker.Cert)
	m.is.Equal(m.motta("--en"), kodeOK)
	m.is.Equal(m.lagret(), []string{rapport})
	m.is.Equal(len(m.svar()), 1)
	h := m.svar()[0].Headere
	m.is.Equal(h["type"], protokoll.Mottatt)
	m.is.Equal(h["svar-til"], meldingID)
	m.is.Equal(h["egendefinert-header.klientKorrelasjonsId"], rapport)
	m.is.Equal(h["egendefinert-header.klientKorrelasjonId"], rapport)
	linjer := strings.Split(strings.TrimSpace(m.ut.String()), "\n")
	m.is.Equal(len(linjer), 1) // one line a message
	m.is.True(strings.Contains(linjer[0], rapport) && strings.Contains(linjer[0], meldingID))
	s, err := m.b.Status(m.tatt, protokoll.KoPrefiks+kontoBydel)
	m.is.NoErr(err)
	m.is.Equal(s.Klare+s.Ubekreftede, 0)
}

// fiks-sim.json has accounts, and no bydeler.
func TestMottaFindsAnAccountInTheSheetOfFiksSim(t *testing.T) {
	m := nyttMottak(t, 0)
	m.skrivArk(func(ark, mottaker map[string]any) {
		delete(mottaker, "bydelsnummer")
		delete(mottaker, "stottetVersjon")
		ark["kontoer"] = ark["mottakere"]
		delete(ark, "mottakere")
	})
	rapport, _ := m.sendInn(1, m.mottaker.Cert)
	m.is.Equal(m.kjorMed(m.tatt, "--ark", m.ark, "motta", "--konto", strings.ToUpper(kontoBydel), "--mappe", m.inn, "--en"), kodeOK)
	m.is.Equal(m.lagret(), []string{rapport})
}

// Each message has three deliveries; one that was fetched ahead by a run that ended would have spent one.
func TestStoppingAfterOneLosesNoneOfThoseBehind(t *testing.T) {
	m := nyttMottak(t, 0)
	for n := range broker.Forsok + 2 {
		m.sendInn(n, m.mottaker.Cert)
	}
	for n := range broker.Forsok + 2 {
		m.is.Equal(m.motta("--en"), kodeOK)
		m.is.Equal(len(m.lagret()), n+1)
	}
	for _, s := range m.svar() {
		m.is.Equal(s.Headere["type"], protokoll.Mottatt)
	}
}

func TestAReportTooLargeForTheQueueComesFromDokumentlager(t *testing.T) {
	m := nyttMottak(t, 1000)
	rapport, _ := m.sendInn(1, m.mottaker.Cert)
	m.is.True(m.b.Meldinger(protokoll.KoPrefiks + kontoBydel)[0].Headere["dokumentlager-id"] != "")
	m.is.Equal(m.motta("--en"), kodeOK)
	m.is.Equal(m.lagret(), []string{rapport})
}

func TestAReportForAnotherKeyIsAnsweredFeiletAndThePortalReadsWhy(t *testing.T) {
	m := nyttMottak(t, 0)
	rapport, _ := m.sendInn(1, m.print)
	m.is.Equal(m.motta("--en"), kodeOK)
	m.is.True(strings.Contains(m.ut.String(), "avvist") && strings.Contains(m.ut.String(), rapport))
	m.is.Equal(m.svar()[0].Headere["type"], protokoll.Feilet)
	var pakke bytes.Buffer
	m.ok(cms.Decrypt(&pakke, bytes.NewReader(m.svar()[0].Kropp), cms.Key{Certificate: m.avsender.Cert, Decrypter: m.avsender.Nokkel}))
	c, err := asice.Read(melding.NyKlartekst(pakke.Bytes()))
	m.ok(err)
	f, err := protokoll.ParseFeilmelding(c.Filer[0].Innhold.Bytes())
	m.ok(err)
	m.is.Equal(f.Melding, "Meldingen kan ikke dekrypteres")
}

func TestAMessageHeldWhenCtrlCComesIsThereAtTheNextStart(t *testing.T) {
	m := nyttMottak(t, 0)
	rapport, _ := m.sendInn(1, m.mottaker.Cert)
	avbrutt, avbryt := context.WithCancel(m.tatt)
	sett := make(chan struct{})
	m.p.VedSend(func(s plattform.Sendt) plattform.Virkning {
		select {
		case <-sett:
		default:
			close(sett)
		}
		return plattform.Virkning{Status: http.StatusServiceUnavailable}
	})
	go func() { <-sett; avbryt() }()
	m.is.Equal(m.kjorMed(avbrutt, "--ark", m.ark, "motta", "--kommune", "4601", "--bydel", "02", "--mappe", m.inn), kodeOK)
	m.is.Equal(m.lagret(), []string{rapport})
	m.is.Equal(len(m.svar()), 0)

	m.p.VedSend(nil)
	m.is.Equal(m.motta("--en"), kodeOK)
	m.is.True(strings.Contains(m.ut.String(), "lagret fra før"))
	m.is.Equal(len(m.svar()), 1)
}

func TestWhatIsWrongWithTheSheetIsSaid(t *testing.T) {
	m := nyttMottak(t, 0)
	for navn, tt := range map[string]struct {
		endre func(ark, mottaker map[string]any)
		args  []string
		vil   string
	}{
		"no wire yet":                {func(a, _ map[string]any) { delete(a, "fiks"); delete(a, "amqp") }, nil, "mangler for 4601/02: fiks, amqp."},
		"no account of the portal":   {func(a, _ map[string]any) { delete(a, "portalKontoId") }, nil, "portalKontoId."},
		"the portal's by its name":   {func(a, _ map[string]any) { a["portalKontoId"] = "portalen" }, nil, "portalKontoId i"},
		"no account":                 {func(_, x map[string]any) { delete(x, "kontoId") }, nil, "kontoId."},
		"a password over plain HTTP": {func(a, _ map[string]any) { a["fiks"] = "http://fiks.example" }, nil, "fiks.example bruker http."},
		"no such receiver":           {nil, []string{"--bydel", "07"}, "ingen mottaker 4601/07."},
		"no kommune":                 {nil, []string{"--kommune", ""}, "--kommune skal ha fire sifre."},
		"no sheet":                   {nil, []string{"--ark", ""}, "Oppgi --ark"},
		"an unknown root":            {func(a, _ map[string]any) { a["amqp"].(map[string]any)["ca"] = m.fil("m.json") }, nil, "ikke et sertifikat"},
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			m.skrivArk(tt.endre)
			is.Equal(m.motta(append([]string{"--en"}, tt.args...)...), kodeBruk)
			is.True(strings.Contains(m.feil.String(), tt.vil))
		})
	}
	_, err := os.Stat(m.inn)
	m.is.True(os.IsNotExist(err)) // nothing was made for it
}
