package fiksio_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/adapters/fiksio"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/ports"
)

func TestAnAccountTheCatalogueSaysIsClosedIsNotSentTo(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t, valg{})
	r.p.VedSend(func(plattform.Sendt) plattform.Virkning {
		t.Error("ble sendt")
		return plattform.Virkning{}
	})
	f := forsendelse()
	f.Til.KontoID = stengt
	_, err := r.transport().Send(t.Context(), f)
	is.True(errors.Is(err, ports.ErrRefused))
}

func TestThePlatformsOwnRefusalIsCertain(t *testing.T) {
	is := is.New(t)
	f := forsendelse()
	f.Til.KontoID = ukjent // the catalogue does not know it either
	_, err := nyRigg(t, valg{}).transport().Send(t.Context(), f)
	is.True(errors.Is(err, ports.ErrRefused))
	is.True(strings.Contains(err.Error(), "MOTTAKER_UKJENT"))
}

func TestTheCatalogueIsAskedNowAndThen(t *testing.T) {
	for navn, tt := range map[string]struct {
		status   int
		svar     string
		sporsmal []int // asked by then, after each send: at once, at once, 31 s later, 5 min later
		sendt    int
	}{
		"an open account is remembered for five minutes": {200, `{"gyldigMottaker":true}`, []int{1, 1, 1, 2}, 4},
		"a closed one is asked about each time":          {200, `{"gyldigMottaker":false}`, []int{1, 2, 3, 4}, 0},
		"without a word the report is sent":              {200, `{}`, []int{1, 1, 2, 3}, 4},
		"a catalogue that is down holds nothing back":    {503, ``, []int{1, 1, 2, 3}, 4},
		"nor does a proxy's page":                        {200, `<html>`, []int{1, 1, 2, 3}, 4},
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			spurt, sendinger, naa := 0, 0, contracts.Start
			tr := motAPI(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "GET" {
					spurt++
					is.Equal(r.URL.Path, "/fiks-io/katalog/api/v1/kontoer/"+bydelen+"/status")
					is.Equal(r.Header.Get("IntegrasjonPassord"), passord)
					svarMed(tt.status, tt.svar)(w, r)
					return
				}
				sendinger++
				svarMed(202, sendt)(w, r)
			}, func(c *fiksio.Config) { c.Clock = fast{&naa} })
			for i, d := range []time.Duration{0, 0, 31 * time.Second, 5 * time.Minute} {
				naa = naa.Add(d)
				_, err := tr.Send(t.Context(), forsendelse())
				is.Equal(errors.Is(err, ports.ErrRefused), tt.sendt == 0)
				is.Equal(spurt, tt.sporsmal[i])
			}
			is.Equal(sendinger, tt.sendt)
		})
	}
}

// fast is a clock that a test sets and nobody waits for.
type fast struct{ t *time.Time }

func (k fast) Now() time.Time                          { return *k.t }
func (k fast) At(time.Time) (<-chan time.Time, func()) { return nil, func() {} }

func TestCertificatesFromTheCatalogue(t *testing.T) {
	n, err := lagNokler()
	if err != nil {
		t.Fatal(err)
	}
	god := string(n.bydel.PEM())
	som := func(nokkel string) string {
		b, _ := json.Marshal(map[string]any{"nokkel": nokkel, "valid": false, "ukjent": 1})
		return string(b)
	}
	for navn, tt := range map[string]struct {
		status int
		kropp  string
		vil    error
	}{
		"a certificate":                          {200, som(god), nil},
		"the first of a chain":                   {200, som(god + string(n.ca.PEM())), nil},
		"text and other blocks before it":        {200, som("Subject: x\r\n-----BEGIN X-----\nAAAA\n-----END X-----\n" + strings.ReplaceAll(god, "\n", "\r\n")), nil},
		"the label of a trusted certificate":     {200, som(strings.ReplaceAll(god, "CERTIFICATE", "X509 CERTIFICATE")), nil},
		"something else":                         {200, som("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), ports.ErrRefused},
		"a block that is no certificate":         {200, som("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), ports.ErrRefused},
		"no key":                                 {404, egenFeil, ports.ErrNotFound},
		"a proxy that does not know the address": {404, "<html>", ports.ErrUnavailable},
		"an answer without a key":                {200, "{}", ports.ErrUnavailable},
		"an answer that is no JSON":              {200, "<html>", ports.ErrUnavailable},
		"a catalogue that is down":               {503, egenFeil, ports.ErrUnavailable},
		"a catalogue that does not know us":      {401, egenFeil, ports.ErrUnavailable},
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			tr := motAPI(t, func(w http.ResponseWriter, r *http.Request) {
				is.Equal(r.URL.Path, "/fiks-io/katalog/api/v1/kontoer/"+bydelen+"/offentligNokkel")
				is.Equal(r.Header.Get("Authorization")+r.Header.Get("IntegrasjonPassord"), "") // the call needs no login and gets none
				svarMed(tt.status, tt.kropp)(w, r)
			})
			c, err := tr.Certificate(t.Context(), bydelen)
			if tt.vil == nil {
				is.NoErr(err)
				is.True(c.Equal(n.bydel.Cert))
				return
			}
			is.True(errors.Is(err, tt.vil))
			is.True(c == nil)
		})
	}
}
