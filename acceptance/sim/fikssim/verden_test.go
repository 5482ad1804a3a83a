package fikssim_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/matryer/is"
	amqp091 "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/fagklient"
	"portal.example/bekymringsmelding/acceptance/sim/fikssim"
	"portal.example/bekymringsmelding/acceptance/sim/loopback"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit/rabbittest"
	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

const rapport = "0190c0de-0000-7000-8000-000000000001"

// forste makes the data folder of a first start once a run; tests work on copies.
var forste = sync.OnceValues(func() (string, error) {
	mappe, err := os.MkdirTemp("", "fikssim")
	if err != nil {
		return "", err
	}
	rydd = func() { _ = os.RemoveAll(mappe) }
	v, err := fikssim.Start(context.Background(), config(mappe))
	if err != nil {
		return "", err
	}
	return mappe, v.Stopp()
})

var rydd = func() {}

func TestMain(m *testing.M) {
	kode := m.Run()
	rydd()
	os.Exit(kode)
}

func config(mappe string) fikssim.Config {
	return fikssim.Config{Data: mappe, Fiks: "127.0.0.1:0", AMQP: "127.0.0.1:0", Maskinporten: "127.0.0.1:0", Bits: 2048}
}

// data is a data folder that has been used once.
func data(t *testing.T) string {
	t.Helper()
	fra, err := forste()
	if err != nil {
		t.Fatal(err)
	}
	til := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(til, os.DirFS(fra)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(til, 0o700); err != nil {
		t.Fatal(err)
	}
	return til
}

// klient is a vendor who has nothing but fiks-sim.json.
type klient struct {
	t   *testing.T
	is  *is.I
	ark fikssim.Ark
}

// start starts a world and reads its sheet from disk.
func start(t *testing.T, c fikssim.Config) (*fikssim.Verden, klient) {
	t.Helper()
	is := is.New(t)
	v, err := fikssim.Start(t.Context(), c)
	is.NoErr(err)
	t.Cleanup(func() { _ = v.Stopp() })
	fil, err := v.SkrivArk()
	is.NoErr(err)
	info, err := os.Stat(fil)
	is.NoErr(err)
	is.Equal(info.Mode().Perm(), os.FileMode(0o600))
	b, err := os.ReadFile(fil)
	is.NoErr(err)
	k := klient{t: t, is: is}
	is.NoErr(json.Unmarshal(b, &k.ark))
	is.Equal(k.ark.PortalKontoID, k.ark.Kontoer[0].KontoID) // whose reports a case system takes
	return v, k
}

func (k klient) konto(fagsystem string) fikssim.Konto {
	k.t.Helper()
	for _, x := range k.ark.Kontoer {
		if x.Fagsystem == fagsystem && !x.Portal {
			return x
		}
	}
	k.t.Fatal("ingen konto er " + fagsystem)
	return fikssim.Konto{}
}

// token goes the whole way: a grant signed with the account's key, to the token endpoint.
func (k klient) token(x fikssim.Konto) string {
	k.t.Helper()
	s, err := sim.LesSertifikat(x.Sertifikat, x.PrivatNokkel)
	k.is.NoErr(err)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: s.Nokkel}, (&jose.SignerOptions{}).WithHeader("x5c", []string{base64.StdEncoding.EncodeToString(s.Cert.Raw)}))
	k.is.NoErr(err)
	na := time.Now()
	b, err := json.Marshal(map[string]any{"iss": x.KlientID, "aud": k.ark.Maskinporten.Issuer, "scope": "ks:fiks", "iat": na.Unix(), "exp": na.Unix() + 120, "jti": uuid.NewString()})
	k.is.NoErr(err)
	jws, err := signer.Sign(b)
	k.is.NoErr(err)
	grant, err := jws.CompactSerialize()
	k.is.NoErr(err)
	req, err := http.NewRequestWithContext(k.t.Context(), "POST", k.ark.Maskinporten.TokenEndpoint,
		strings.NewReader(url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {grant}}.Encode()))
	k.is.NoErr(err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var svar struct {
		Token string `json:"access_token"`
	}
	status, kropp := k.kall(req)
	k.is.Equal(status, http.StatusOK)
	k.is.NoErr(json.Unmarshal(kropp, &svar))
	return svar.Token
}

func (k klient) kall(req *http.Request) (int, []byte) {
	k.t.Helper()
	res, err := http.DefaultClient.Do(req)
	k.is.NoErr(err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	k.is.NoErr(err)
	return res.StatusCode, b
}

func (k klient) login(x fikssim.Konto) fagklient.Login {
	return fagklient.Login{IntegrasjonID: x.IntegrasjonID, Passord: x.IntegrasjonPassord, Token: k.token(x)}
}

// send sends a report from the portal's account.
func (k klient) send(til fikssim.Konto) string {
	k.t.Helper()
	fra := k.ark.Kontoer[0]
	s, err := sim.LesSertifikat(fra.Sertifikat, fra.PrivatNokkel)
	k.is.NoErr(err)
	m, err := sim.LesSertifikat(til.Sertifikat, til.PrivatNokkel)
	k.is.NoErr(err)
	pk, err := asice.NewPacker(s.Nokkel, time.Now, s.Cert)
	k.is.NoErr(err)
	var pakke, forseglet bytes.Buffer
	k.is.NoErr(pk.Write(&pakke, []melding.Fil{{Navn: protokoll.FilJSON, Innhold: melding.NyKlartekst([]byte("{}"))}, {Navn: protokoll.FilPDF, Innhold: melding.NyKlartekst([]byte("%PDF-"))}}))
	k.is.NoErr(cms.Encrypt(&forseglet, &pakke, int64(pakke.Len()), m.Cert))
	req, err := k.login(fra).Sending(k.t.Context(), k.ark.Fiks, map[string]any{"avsenderKontoId": fra.KontoID, "mottakerKontoId": til.KontoID,
		"meldingType": "no.ks.fiks.bekymringsmelding.privat.v1", "headere": map[string]string{"bekymringsmelding-id": rapport}}, forseglet.Bytes())
	k.is.NoErr(err)
	status, b := k.kall(req)
	k.is.Equal(status, http.StatusAccepted)
	var svar struct {
		MeldingID string `json:"meldingId"`
	}
	k.is.NoErr(json.Unmarshal(b, &svar))
	return svar.MeldingID
}

// ring connects as a client does, with no more trust than the CA of the sheet.
func (k klient) ring(x fikssim.Konto) *amqp091.Connection {
	k.t.Helper()
	pem, err := os.ReadFile(k.ark.AMQP.CA)
	k.is.NoErr(err)
	rot := x509.NewCertPool()
	k.is.True(rot.AppendCertsFromPEM(pem))
	c, err := amqp091.DialConfig(fmt.Sprintf("amqps://%s:%d/", k.ark.AMQP.Host, k.ark.AMQP.Port), amqp091.Config{TLSClientConfig: &tls.Config{RootCAs: rot},
		SASL: k.login(x).SASL()})
	k.is.NoErr(err)
	k.t.Cleanup(func() { _ = c.Close() })
	return c
}

// neste is the next message on an account's queue.
func (k klient) neste(x fikssim.Konto) amqp091.Delivery {
	k.t.Helper()
	c := k.ring(x)
	defer func() { _ = c.Close() }()
	ch, err := c.Channel()
	k.is.NoErr(err)
	inn, err := ch.Consume(x.Ko, "", false, false, false, false, nil)
	k.is.NoErr(err)
	select {
	case d := <-inn:
		k.is.NoErr(d.Ack(false))
		return d
	case <-time.After(20 * time.Second):
		k.t.Fatal("ingen melding kom")
	}
	return amqp091.Delivery{}
}

func TestAVendorWithTheSheetAloneSendsAndReceives(t *testing.T) {
	_, k := start(t, config(data(t)))
	portal := k.ark.Kontoer[0]
	k.is.True(portal.Portal)
	id := k.send(k.konto("kvitterer"))
	d := k.neste(portal)
	k.is.Equal(d.Headers["type"], protokoll.Mottatt)
	k.is.Equal(d.Headers["svar-til"], id)

	id = k.send(k.konto("avviser"))
	d = k.neste(portal)
	k.is.Equal(d.Headers["type"], protokoll.Feilet)
	k.is.Equal(d.Headers["svar-til"], id)

	ledig := k.konto("ingen") // the vendor's own client takes it
	id = k.send(ledig)
	k.is.Equal(k.neste(ledig).Headers["melding-id"], id)

	req, err := http.NewRequestWithContext(t.Context(), "GET", k.ark.Admin, nil)
	k.is.NoErr(err)
	status, side := k.kall(req)
	k.is.Equal(status, http.StatusOK)
	k.is.True(bytes.Contains(side, []byte(ledig.Navn)))
	req.URL.Path = "/fiks-io/finnes/ikke"
	_, feil := k.kall(req)
	k.is.True(bytes.Contains(feil, []byte("STI_UKJENT"))) // the API's paths are the API's
}

func TestTheSameWorldRunsOnRabbitMQ(t *testing.T) {
	c := config(data(t))
	c.Megler = fikssim.RabbitMQ
	v, err := fikssim.Start(t.Context(), c)
	rabbittest.Startet(t, err)
	is := is.New(t)
	t.Cleanup(func() { is.NoErr(v.Stopp()) })
	k := klient{t: t, is: is}
	k.ark, err = v.Ark()
	is.NoErr(err)
	portal := k.ark.Kontoer[0]
	id := k.send(k.konto("kvitterer"))
	d := k.neste(portal)
	is.Equal(d.Headers["type"], protokoll.Mottatt)
	is.Equal(d.Headers["svar-til"], id)
	_, vet := v.Plattform().Venter(portal.KontoID)
	is.True(!vet) // the admin page shows no buttons for what this broker cannot do

	v.Plattform().NesteTil(k.konto("stille").KontoID, plattform.Virkning{Utlop: true}) // what works on both
	id = k.send(k.konto("stille"))
	d = k.neste(portal)
	is.Equal(d.Headers["type"], protokoll.Tidsavbrudd)
	is.Equal(d.Headers["svar-til"], id)
}

func TestASecondStartIsTheSameWorldOnTheSamePorts(t *testing.T) {
	c := config(data(t))
	v, k := start(t, c)
	token := k.token(k.ark.Kontoer[0])
	k.is.NoErr(v.Stopp())
	c.Fiks = strings.TrimPrefix(k.ark.Fiks, "http://")
	c.AMQP = fmt.Sprintf("%s:%d", k.ark.AMQP.Host, k.ark.AMQP.Port)
	c.Maskinporten = strings.Trim(strings.TrimPrefix(k.ark.Maskinporten.Issuer, "http://"), "/")
	_, igjen := start(t, c)
	k.is.Equal(igjen.ark, k.ark)
	x := k.ark.Kontoer[0]
	req, err := http.NewRequestWithContext(t.Context(), "GET", k.ark.Fiks+"/fiks-io/katalog/api/v1/kontoer/"+x.KontoID, nil)
	k.is.NoErr(err)
	req.Header = http.Header{"Authorization": {"Bearer " + token}, "Integrasjonid": {x.IntegrasjonID}, "Integrasjonpassord": {x.IntegrasjonPassord}}
	status, _ := k.kall(req)
	k.is.Equal(status, http.StatusOK) // a token from before the restart is still good
}

func TestATestGivesItsOwnAccountsKeysAndCharacters(t *testing.T) {
	is := is.New(t)
	fra := data(t)
	b, err := os.ReadFile(filepath.Join(fra, "oppsett.json"))
	is.NoErr(err)
	var o fikssim.Oppsett
	is.NoErr(json.Unmarshal(b, &o))
	o.CA = &fikssim.Nokkelfiler{Sertifikat: "ca.pem", PrivatNokkel: "ca.key.pem"}
	o.Kontoer = o.Kontoer[:3]
	o.Kontoer[1].Fagsystem, o.Kontoer[1].Lager = "stille", "lager"
	o.Kontoer[2].Fagsystem = "to-ganger"
	b, err = json.Marshal(o)
	is.NoErr(err)
	is.NoErr(os.WriteFile(filepath.Join(fra, "annet.json"), b, 0o600))
	c := config(filepath.Join(t.TempDir(), "ny"))
	c.Oppsett = filepath.Join(fra, "annet.json")
	_, k := start(t, c)
	k.is.Equal(len(k.ark.Kontoer), 3)
	k.is.Equal(k.ark.AMQP.CA, filepath.Join(fra, "ca.pem"))
	_ = k.send(k.ark.Kontoer[1])
	id := k.send(k.ark.Kontoer[2])
	for range 2 {
		k.is.Equal(k.neste(k.ark.Kontoer[0]).Headers["svar-til"], id)
	}
	k.is.True(filFinnes(filepath.Join(fra, "lager", rapport+".cms"))) // the silent one has stored it, sealed
}

func filFinnes(fil string) bool {
	_, err := os.Stat(fil)
	return err == nil
}

func TestItRefusesWhatCouldBeTakenForTheRealThing(t *testing.T) {
	nekter := func(navn string, vil error, endre func(*fikssim.Config)) {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			c := config(data(t))
			endre(&c)
			_, err := fikssim.Start(t.Context(), c)
			is.True(err != nil)
			if vil != nil {
				is.True(errors.Is(err, vil))
			}
		})
	}
	nekter("alle grensesnitt", loopback.ErrUtenfor, func(c *fikssim.Config) { c.Fiks = "0.0.0.0:0" })
	nekter("KS sitt navn", loopback.ErrUtenfor, func(c *fikssim.Config) { c.AMQP = "io.fiks.test.ks.no:5671" })
	nekter("en annen maskin", loopback.ErrUtenfor, func(c *fikssim.Config) { c.Maskinporten = "10.0.0.1:0" })
	nekter("ukjent megler", nil, func(c *fikssim.Config) { c.Megler = "annen" })
	nekter("mappe som andre kan lese", nil, func(c *fikssim.Config) { _ = os.Chmod(c.Data, 0o755) })
	nekter("serversertifikat fra en annen CA", fikssim.ErrServersertifikat, func(c *fikssim.Config) {
		ca, err := sim.NyCA("En annen", 2048, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		skrivServer(t, c.Data, ca, "fiks-sim")
	})
	nekter("serversertifikat med KS sitt navn", fikssim.ErrServersertifikat, func(c *fikssim.Config) {
		s, err := sim.LesSertifikat(filepath.Join(c.Data, "ca.pem"), filepath.Join(c.Data, "ca.key.pem"))
		if err != nil {
			t.Fatal(err)
		}
		skrivServer(t, c.Data, sim.CAFra(s, time.Now), "io.fiks.ks.no")
	})
}

func skrivServer(t *testing.T, mappe string, ca *sim.CA, navn string) {
	t.Helper()
	s, err := ca.Utsted(sim.Bestilling{Navn: navn, Formal: sim.TLS, Bits: 2048})
	if err == nil {
		err = s.Skriv(filepath.Join(mappe, "server.pem"), filepath.Join(mappe, "server.key.pem"))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestASetUpThatMakesNoSenseIsRefused(t *testing.T) {
	is := is.New(t)
	c := config(data(t))
	c.Oppsett = filepath.Join(c.Data, "feil.json")
	for _, innhold := range []string{``, `[]`, `{}`, `{"kontoer":[{"portal":true,"fagsystem":"finnes ikke"}]}`, `{"kontoer":[{"fagsystem":"ingen"}]}`,
		`{"kontoer":[{"portal":true,"fagsystem":"ingen"},{"portal":true,"fagsystem":"ingen"}]}`, `{"kontoer":[{"portal":true,"fagsystem":"ingen","stottetVersjon":"V3"}]}`,
		`{"kontoer":[{"portal":true,"fagsystem":"ingen","sertifikat":"borte.pem"}]}`} {
		is.NoErr(os.WriteFile(c.Oppsett, []byte(innhold), 0o600))
		_, err := fikssim.Start(t.Context(), c)
		is.True(err != nil)
	}
}

// Somebody else has the port: that is said, and nothing is left open.
func TestAnAddressThatIsTakenIsToldInWords(t *testing.T) {
	is := is.New(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	is.NoErr(err)
	defer l.Close()
	c := config(data(t))
	c.AMQP = l.Addr().String()
	_, err = fikssim.Start(t.Context(), c)
	is.True(err != nil)
	c.AMQP = "127.0.0.1:0"
	start(t, c)
}
