package compose

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/app/overview"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// A platform that stops believing a token (its issuer has changed keys, or it is withdrawn) must not hold reports back until the token
// would have run out.
func TestATokenThePlatformRefusesIsReplacedAtOnce(t *testing.T) {
	is := is.New(t)
	var gitt int
	utsteder := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		gitt++
		_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","expires_in":119}`, gitt)
	}))
	t.Cleanup(utsteder.Close)
	var med []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		med = append(med, r.Header.Get("Authorization"))
		switch {
		case r.Header.Get("Authorization") == "Bearer token-1":
			w.WriteHeader(http.StatusUnauthorized)
		case strings.HasSuffix(r.URL.Path, "/status"):
			_, _ = io.WriteString(w, `{"gyldigMottaker":true}`)
		default:
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"meldingId":"1b4e28ba-2fa1-4bd2-883f-0016d3cca427","meldingType":"x"}`)
		}
	}))
	t.Cleanup(api.Close)

	klokke := memory.NyKlokke(nokkeltid)
	nokkel := filepath.Join(t.TempDir(), "klient.pem")
	is.NoErr(os.WriteFile(nokkel, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: testdata(t, "portal.key.der")}), 0o600))
	nokler := filepath.Join(t.TempDir(), "nokler")
	is.NoErr(os.Mkdir(nokler, 0o700))
	const konto = "64414bcf-1fbe-4fad-afd4-eb01177adc4f"
	s := &System{Lager: vaktlager{memory.NyttLager(klokke), 0}, clock: klokke, logg: slog.New(slog.DiscardHandler), malinger: nyeMalinger(&overview.Service{}, klokke),
		cfg: Config{Utsteder: utsteder.URL + "/", Nokler: nokler, NokkelHemmelighet: base64.StdEncoding.EncodeToString(make([]byte, 32)), Deler: Deler{Clock: klokke},
			Fiks: FiksConfig{API: api.URL, AMQP: "127.0.0.1:1", Konto: konto, Integrasjon: konto, Passord: "p", TokenEndpoint: utsteder.URL, KlientID: "k", KlientNokkel: nokkel, KID: "1"}}}
	f, err := s.apneFiks(t.Context())
	is.NoErr(err)
	_, err = f.Send(t.Context(), ports.Forsendelse{Forsok: "f", Melding: "m", Slag: melding.Privat, Versjon: melding.V1, TTL: time.Hour,
		Innhold: melding.ForsegletBytes(melding.X509, bytes.Repeat([]byte("x"), 100))})
	is.NoErr(err)
	is.Equal(med, []string{"Bearer token-1", "Bearer token-2"}) // the catalogue's no is enough
}

// Behind a company's proxy both must get out, and both must believe the same roots.
func TestTokensAreFetchedTheWayTheAPIIsCalled(t *testing.T) {
	is := is.New(t)
	rot := &tls.Config{ServerName: "rot.example"}
	token := FiksConfig{}.http(rot).Transport.(*http.Transport)
	vanlig := http.DefaultTransport.(*http.Transport)
	is.True(token.Proxy != nil)
	is.Equal(reflect.ValueOf(token.Proxy).Pointer(), reflect.ValueOf(vanlig.Proxy).Pointer())
	is.Equal(token.TLSHandshakeTimeout, vanlig.TLSHandshakeTimeout)
	is.Equal(token.TLSClientConfig.ServerName, "rot.example")
	is.True(token.TLSClientConfig != rot)
}

// A System holds the whole set-up, also where fmt cannot ask a Config how it prints.
func TestASystemDoesNotPrintItsSetUp(t *testing.T) {
	s := &System{cfg: Config{Hemmelighet: "hemmelig", Fiks: FiksConfig{Passord: "hemmelig"}}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		is.New(t).Equal(fmt.Sprintf(verb, s), "[skjult]")
	}
}
