package fikssim_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/fikssim"
	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/adapters/fagsystem"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/domain/skjema"
)

// motta lets the reference client take messages for an account until one has been dealt with, and gives what came of it.
func (k klient) motta(x fikssim.Konto, mappe string) fagsystem.Hendelse {
	k.t.Helper()
	s, err := sim.LesSertifikat(x.Sertifikat, x.PrivatNokkel)
	k.is.NoErr(err)
	pakker, err := asice.NewPacker(s.Nokkel, time.Now, s.Cert)
	k.is.NoErr(err)
	pem, err := os.ReadFile(k.ark.AMQP.CA)
	k.is.NoErr(err)
	rot := x509.NewCertPool()
	k.is.True(rot.AppendCertsFromPEM(pem))
	versjon := melding.V2
	if x.StottetVersjon == "V1" {
		versjon = melding.V1
	}
	ctx, slutt := context.WithTimeout(k.t.Context(), 20*time.Second)
	defer slutt()
	var ut fagsystem.Hendelse
	f, err := fagsystem.New(fagsystem.Config{Konto: kommune.KontoID(x.KontoID), Portalkonto: kommune.KontoID(k.ark.PortalKontoID), IntegrasjonID: x.IntegrasjonID,
		Passord: x.IntegrasjonPassord, Token: func(context.Context) (string, error) { return k.token(x), nil }, AMQP: fmt.Sprintf("%s:%d", k.ark.AMQP.Host, k.ark.AMQP.Port),
		API: k.ark.Fiks, TLS: &tls.Config{RootCAs: rot}, Versjon: versjon, Nokler: []cms.Key{{Certificate: s.Cert, Decrypter: s.Nokkel}}, Pakker: pakker,
		Lager: fagsystem.Mappe(mappe), Forhand: 1, Meld: func(h fagsystem.Hendelse) {
			if h.Art != fagsystem.Frakoblet {
				ut = h
				slutt()
			}
		}})
	k.is.NoErr(err)
	f.Motta(ctx)
	return ut
}

// trykk sends a form of the admin page and gives where it leads, "" when it did not go.
func (k klient) trykk(sti string) (int, string) {
	k.t.Helper()
	req, err := http.NewRequestWithContext(k.t.Context(), "POST", strings.TrimSuffix(k.ark.Admin, "/")+sti, nil)
	k.is.NoErr(err)
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	k.is.NoErr(err)
	_ = res.Body.Close()
	return res.StatusCode, res.Header.Get("Location")
}

// A vendor has fiks-sim and nothing else: no portal, no sender of its own.
func TestAVendorIsSentAMadeUpReportAsThePortalWouldSendIt(t *testing.T) {
	v, k := start(t, config(data(t)))
	for versjon, x := range map[melding.Versjon]fikssim.Konto{melding.V1: k.konto("ingen"), melding.V2: k.konto("kvitterer")} {
		status, sted := k.trykk("/kontoer/" + x.KontoID + "/prove")
		k.is.Equal(status, http.StatusSeeOther)
		id := strings.TrimPrefix(sted, "/meldinger/")
		l, ok := v.Plattform().Melding(id)
		k.is.True(ok)
		k.is.Equal(l.Meldingstype, protokoll.Meldingstype(melding.Offentlig, versjon))
		if x.Fagsystem != "ingen" { // the built-in case system has it already
			d := k.neste(k.ark.Kontoer[0])
			k.is.Equal(d.Headers["type"], protokoll.Mottatt)
			k.is.Equal(d.Headers["svar-til"], id)
			continue
		}
		mappe := t.TempDir()
		h := k.motta(x, mappe)
		k.is.NoErr(h.Feil)
		k.is.Equal(h.Art, fagsystem.Lagret)
		k.is.Equal(h.MeldingID, id)
		b, err := os.ReadFile(filepath.Join(mappe, string(h.ID), protokoll.FilJSON))
		k.is.NoErr(err)
		dok, err := skjema.Les(melding.Offentlig, versjon, melding.NyKlartekst(b)) // the form's own rules
		k.is.NoErr(err)
		o := dok.(skjema.Offentlig)
		k.is.Equal(string(o.Mottaker.Kommunenummer), x.Kommunenummer)
		pdf, err := os.ReadFile(filepath.Join(mappe, string(h.ID), protokoll.FilPDF))
		k.is.NoErr(err)
		k.is.True(strings.HasPrefix(string(pdf), "%PDF-"))
		d := k.neste(k.ark.Kontoer[0])
		k.is.Equal(d.Headers["type"], protokoll.Mottatt)
		k.is.Equal(d.Headers["svar-til"], id)
		k.is.Equal(d.Headers["egendefinert-header.klientKorrelasjonsId"], string(h.ID))
	}
	for _, feil := range []string{"0190c0de-0000-7000-8000-00000000dead", "x"} {
		status, _ := k.trykk("/kontoer/" + feil + "/prove")
		k.is.Equal(status, http.StatusConflict)
	}
}
