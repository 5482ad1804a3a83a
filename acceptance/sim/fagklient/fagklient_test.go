package fagklient_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/amqp"
	"portal.example/bekymringsmelding/acceptance/sim/fagklient"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
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
	ko       = protokoll.KoPrefiks + bydelen
	rapport  = melding.ID("0190c0de-0000-7000-8000-000000000001")
	passord  = "hemmelig"
)

type rigg struct {
	t             *testing.T
	is            *is.I
	klokke        *memory.Klokke
	p             *plattform.Plattform
	b             *amqp.Broker
	fag           *sim.Fagsystem
	klient        *fagklient.Fagklient
	portal, bydel *sim.Sertifikat
	token         func(context.Context) (string, error)
	api           string
	sendt         chan plattform.Sendt // every message the platform accepts
	virkning      chan plattform.Virkning
}

// nyRigg is a platform, its broker, and the bydel's case system connected to them.
func nyRigg(t *testing.T, karakter sim.Oppforsel, endre ...func(*plattform.Config)) *rigg {
	t.Helper()
	n := simtest.Nokler(t)
	r := &rigg{t: t, is: is.New(t), klokke: memory.NyKlokke(simtest.Start), portal: n.Portal, bydel: n.Bydel, sendt: make(chan plattform.Sendt, 100),
		virkning: make(chan plattform.Virkning, 100)}
	mp, err := sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: r.klokke.Now, Utsteder: "https://maskinporten.example/", Nokkel: r.portal.Nokkel})
	r.is.NoErr(err)
	c := plattform.Config{Klokke: r.klokke, Token: mp.Verifiser}
	for _, e := range endre {
		e(&c)
	}
	r.p, err = plattform.Ny(c)
	r.is.NoErr(err)
	r.b, err = amqp.Start(amqp.Config{Adresse: "127.0.0.1:0", Klokke: r.klokke, Tilgang: r.p,
		TLS: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{n.TLS.Cert.Raw}, PrivateKey: n.TLS.Nokkel}}}})
	r.is.NoErr(err)
	r.p.Bruk(r.b)
	for i, k := range []plattform.Konto{{ID: portalen, Navn: "Portalen", Sertifikat: r.portal.Cert, Nokkel: r.portal.Nokkel}, {ID: bydelen, Navn: "Bydelen", Sertifikat: r.bydel.Cert}} {
		k.FiksOrgID, k.FiksOrgNavn, k.Orgnr = k.ID, k.Navn, string(sim.Orgnr(i))
		k.Integrasjoner = []plattform.Integrasjon{{ID: k.ID, Passord: passord, Orgnr: k.Orgnr}}
		r.is.NoErr(r.p.Registrer(t.Context(), k))
		r.is.NoErr(mp.Registrer(sim.Klient{ID: k.ID, Orgnr: sim.Orgnr(i), Sertifikat: r.portal.Cert}))
	}
	r.p.VedSend(func(s plattform.Sendt) (v plattform.Virkning) {
		select {
		case v = <-r.virkning:
		default:
		}
		r.sendt <- s
		return v
	})
	server := httptest.NewServer(r.p)
	r.api = server.URL
	r.fag, err = sim.NyttFagsystem(sim.FagsystemConfig{Nokkel: r.bydel, Avsender: func() *x509.Certificate { return r.portal.Cert }, Klokke: r.klokke.Now,
		Oppforsel: karakter, SentEtter: time.Hour})
	r.is.NoErr(err)
	rot := x509.NewCertPool()
	rot.AddCert(n.CA.Cert)
	r.token = func(context.Context) (string, error) { return mp.Token(portalen) }
	r.klient, err = fagklient.Ny(fagklient.Config{AMQP: r.b.Adresse(), TLS: &tls.Config{RootCAs: rot, Time: r.klokke.Now}, API: r.api, KontoID: bydelen,
		IntegrasjonID: bydelen, Passord: passord, Klokke: r.klokke, Behandle: r.fag.Behandle,
		Token: func(context.Context) (string, error) { return mp.Token(bydelen) }})
	r.is.NoErr(err)
	ctx, stans := context.WithCancel(t.Context())
	var venter sync.WaitGroup
	venter.Go(func() { _ = r.p.Run(ctx) })
	venter.Go(func() { _ = r.klient.Run(ctx) })
	t.Cleanup(func() { stans(); venter.Wait(); server.Close(); _ = r.b.Close() })
	return r
}

// send lays a report on the bydel's queue through the send API, as the portal would.
func (r *rigg) send() plattform.Sendt {
	r.t.Helper()
	pk, err := asice.NewPacker(r.portal.Nokkel, r.klokke.Now, r.portal.Cert)
	r.is.NoErr(err)
	var pakke, kropp bytes.Buffer
	r.is.NoErr(pk.Write(&pakke, []melding.Fil{{Navn: protokoll.FilJSON, Innhold: melding.NyKlartekst([]byte("{}"))}, {Navn: protokoll.FilPDF, Innhold: melding.NyKlartekst([]byte("%PDF-"))}}))
	kropp.WriteString("--grense\r\nContent-Disposition: form-data; name=metadata\r\n\r\n" + `{"avsenderKontoId":"` + portalen + `","mottakerKontoId":"` + bydelen +
		`","meldingType":"` + protokoll.Meldingstype(melding.Privat, melding.V2) + `","headere":{"klientKorrelasjonsId":"` + string(rapport) + `","bekymringsmelding-id":"` + string(rapport) + `"}}` +
		"\r\n--grense\r\nContent-Disposition: form-data; name=data; filename=x\r\n\r\n")
	r.is.NoErr(cms.Encrypt(&kropp, &pakke, int64(pakke.Len()), r.bydel.Cert))
	kropp.WriteString("\r\n--grense--\r\n")
	req, err := http.NewRequestWithContext(r.t.Context(), "POST", r.api+"/fiks-io/api/v1/send", &kropp)
	r.is.NoErr(err)
	token, err := r.token(r.t.Context())
	r.is.NoErr(err)
	req.Header = http.Header{"Authorization": {"Bearer " + token}, "Integrasjonid": {portalen}, "Integrasjonpassord": {passord}, "Content-Type": {"multipart/form-data; boundary=grense"}}
	res, err := http.DefaultClient.Do(req)
	r.is.NoErr(err)
	_ = res.Body.Close()
	r.is.Equal(res.StatusCode, http.StatusAccepted)
	for {
		if s := r.neste(); s.Fra == portalen { // not a repeated answer to an earlier one
			return s
		}
	}
}

// neste is the next message the platform accepts.
func (r *rigg) neste() plattform.Sendt {
	r.t.Helper()
	select {
	case s := <-r.sendt:
		return s
	case <-time.After(20 * time.Second):
		r.t.Fatal("ingen melding kom")
	}
	return plattform.Sendt{}
}

// til waits for what happens on its own.
func (r *rigg) til(hva string, skjedd func() bool) {
	r.t.Helper()
	tikk, frist := time.NewTicker(2*time.Millisecond), time.After(20*time.Second)
	defer tikk.Stop()
	for !skjedd() {
		select {
		case <-tikk.C:
		case <-frist:
			r.t.Fatal("skjedde ikke: " + hva)
		}
	}
}

func TestACaseSystemAnswersOverTheWireAndAcksAfterwards(t *testing.T) {
	r := nyRigg(t, sim.Kvitterer)
	rapporten := r.send()
	svar := r.neste()
	r.is.Equal(svar.Meldingstype, protokoll.Mottatt)
	r.is.Equal(svar.SvarPa, rapporten.MeldingID)
	r.is.Equal(svar.Fra, bydelen)
	r.is.Equal(svar.TTL, 24*time.Hour)
	r.is.Equal(svar.Headere[protokoll.HeaderKorrelasjon], string(rapport))
	r.is.True(r.fag.Har(rapport)) // stored before it answered
	_ = r.send()
	_ = r.neste()
	r.til("begge er bekreftet", func() bool { return r.klient.Behandlet() == 2 }) // the ack follows the answer
}

func TestARejectionCarriesAReasonThePortalCanRead(t *testing.T) {
	r := nyRigg(t, sim.Avviser)
	_ = r.send()
	svar := r.neste()
	r.is.Equal(svar.Meldingstype, protokoll.Feilet)
	r.til("svaret er i loggen", func() bool { _, ok := r.p.Melding(svar.MeldingID); return ok }) // right after the hook
	filer, err := r.p.Apne(svar.MeldingID)
	r.is.NoErr(err)
	f, err := protokoll.ParseFeilmelding(filer[0].Innhold.Bytes())
	r.is.NoErr(err)
	r.is.True(f.Melding != "")
}

func TestACaseSystemComesBackAfterABrokenConnection(t *testing.T) {
	r := nyRigg(t, sim.Kvitterer)
	_ = r.send()
	_ = r.neste()
	r.is.NoErr(r.b.Brudd(t.Context()))
	ny := r.send()
	for {
		if s := r.neste(); s.SvarPa == ny.MeldingID { // the first may be answered again: its ack may have been lost
			return
		}
	}
}

func TestALateAnswerComesWhenTheClockSaysSo(t *testing.T) {
	r := nyRigg(t, sim.Sent)
	ny := r.send()
	r.til("meldingen er bekreftet", func() bool { return r.klient.Behandlet() == 1 })
	r.klokke.Flytt(time.Hour)
	r.is.Equal(r.neste().SvarPa, ny.MeldingID)
}

func TestAMessageWhoseAnswerCannotBeSentIsGivenUpAfterThreeTimes(t *testing.T) {
	r := nyRigg(t, sim.Kvitterer)
	r.virkning <- plattform.Virkning{} // the report itself
	for range 3 {
		r.virkning <- plattform.Virkning{Status: http.StatusForbidden}
	}
	ny := r.send()
	for range 3 {
		r.is.Equal(r.neste().SvarPa, ny.MeldingID)
	}
	r.til("plattformen melder serverfeil", func() bool { return r.p.Logg(1)[0].Meldingstype == protokoll.Serverfeil })
	r.is.Equal(r.p.Logg(1)[0].SvarPa, ny.MeldingID)
}

func TestAnAnswerIsTriedAgainWhenThePlatformIsAwayForAMoment(t *testing.T) {
	r := nyRigg(t, sim.Kvitterer)
	r.virkning <- plattform.Virkning{}
	r.virkning <- plattform.Virkning{Status: http.StatusServiceUnavailable}
	r.virkning <- plattform.Virkning{MistSvar: true}
	ny := r.send()
	for range 3 {
		r.is.Equal(r.neste().SvarPa, ny.MeldingID)
	}
	r.is.Equal(r.fag.Ganger(rapport), 1)
}

func TestALargeReportIsFetchedFromDokumentlager(t *testing.T) {
	r := nyRigg(t, sim.Kvitterer, func(c *plattform.Config) { c.Grense = 100 })
	_ = r.send()
	r.is.Equal(r.neste().Meldingstype, protokoll.Mottatt)
	r.is.True(r.fag.Har(rapport))
}

func TestFagklientNeedsItsParts(t *testing.T) {
	_, err := fagklient.Ny(fagklient.Config{})
	is.New(t).True(err != nil)
}
