package maskinporten_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/ports"
)

func (u *utsteder) klient(endre func(*maskinporten.KlientConfig)) (*maskinporten.Klient, error) {
	c := maskinporten.KlientConfig{TokenEndpoint: u.srv.URL + "/token", Issuer: u.srv.URL + "/", KlientID: "klient", Nokkel: rsaNokler()[1], Clock: u.klokke, KID: "min"}
	if endre != nil {
		endre(&c)
	}
	return maskinporten.NyKlient(c)
}

func TestKlientBufrer(t *testing.T) {
	u := nyUtsteder(t)
	k, err := u.klient(nil)
	u.NoErr(err)
	hent := func(vil string) {
		t.Helper()
		token, err := k.Token(t.Context())
		u.NoErr(err)
		u.Equal(token, vil)
	}
	hent("token-1")
	u.klokke.fram(108 * time.Second)
	hent("token-1")
	u.klokke.fram(time.Second) // 119 − 10
	hent("token-2")
	u.sett(func() { u.expires = `"119"` })
	u.klokke.fram(2 * time.Minute)
	hent("token-3")
	hent("token-3")

	a, b := u.spurt[0], u.spurt[1]
	u.Equal(a["aud"], u.srv.URL+"/")
	u.Equal(a["iss"], "klient")
	u.Equal(a["scope"], "ks:fiks")
	u.Equal(a["exp"].(float64)-a["iat"].(float64), float64(120))
	u.True(a["jti"] != "" && a["jti"] != b["jti"])
	u.Equal(u.headere[0].KeyID, "min")
}

func TestKlientMedSertifikat(t *testing.T) {
	u := nyUtsteder(t)
	k, err := u.klient(func(c *maskinporten.KlientConfig) { c.KID, c.Sertifikat = "", sertifikat(t) })
	u.NoErr(err)
	_, err = k.Token(t.Context())
	u.NoErr(err)
	u.Equal(u.headere[0].KeyID, "")
	u.Equal(u.headere[0].ExtraHeaders["x5c"], nil)
	// go-jose takes x5c out of the extra headers; a chain that verifies against itself shows that the leaf is there.
	rot := x509.NewCertPool()
	rot.AddCert(sertifikat(t))
	kjede, err := u.headere[0].Certificates(x509.VerifyOptions{Roots: rot, CurrentTime: u.klokke.Now()})
	u.NoErr(err)
	u.Equal(kjede[0][0].Subject.CommonName, "Avsender")
}

func TestKlientFeil(t *testing.T) {
	u := nyUtsteder(t)
	k, err := u.klient(nil)
	u.NoErr(err)
	for _, c := range []struct {
		status int
		svar   string
		vil    error
		tekst  string
	}{
		{400, `{"error":"invalid_grant","error_description":"hemmelig"}`, ports.ErrRefused, "invalid_grant"},
		{401, `hemmelig`, ports.ErrRefused, "uten feilkode"},
		{400, `{"error":"<hemmelig>"}`, ports.ErrRefused, "uten feilkode"},
		{429, ``, ports.ErrUnavailable, "429"},
		{503, `hemmelig`, ports.ErrUnavailable, "503"},
		{200, `hemmelig`, ports.ErrUnavailable, "200"},
		{302, ``, ports.ErrUnavailable, "302"},
	} {
		u.sett(func() { u.svarKode, u.svar = c.status, c.svar })
		_, err := k.Token(t.Context())
		u.True(errors.Is(err, c.vil))
		u.True(strings.Contains(err.Error(), c.tekst))
		u.True(!strings.Contains(err.Error(), "hemmelig"))
	}
	u.srv.Close()
	_, err = k.Token(t.Context())
	u.True(errors.Is(err, ports.ErrUnavailable))
	ctx, stopp := context.WithCancel(t.Context())
	stopp()
	_, err = k.Token(ctx)
	u.True(errors.Is(err, ports.ErrUnavailable))
}

func TestKlientHenterEnGang(t *testing.T) {
	u := nyUtsteder(t)
	k, err := u.klient(nil)
	u.NoErr(err)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { _, _ = k.Token(t.Context()) })
	}
	wg.Wait()
	u.Equal(len(u.spurt), 1)
}

func TestKlientConfig(t *testing.T) {
	u := nyUtsteder(t)
	for _, endre := range []func(*maskinporten.KlientConfig){
		func(c *maskinporten.KlientConfig) { c.KID = "" },
		func(c *maskinporten.KlientConfig) { c.Sertifikat = sertifikat(t) },
		func(c *maskinporten.KlientConfig) { c.Nokkel = nil },
	} {
		_, err := u.klient(endre)
		u.True(err != nil)
	}
}

func TestEtForkastetTokenGisIkkeIgjen(t *testing.T) {
	u := nyUtsteder(t)
	k, err := u.klient(nil)
	u.NoErr(err)
	token := func() string {
		t.Helper()
		s, err := k.Token(t.Context())
		u.NoErr(err)
		return s
	}
	u.Equal(token(), "token-1")
	k.Forkast("et annet")
	u.Equal(token(), "token-1")
	k.Forkast("token-1")
	u.Equal(token(), "token-2")
	u.klokke.fram(time.Minute)
	k.Forkast("token-1") // somebody who had it before the others
	u.Equal(token(), "token-2")
}

// Everybody whose call was refused throws the token away and asks for another.
func TestNarMangeForkasterHenterEn(t *testing.T) {
	u := nyUtsteder(t)
	k, err := u.klient(nil)
	u.NoErr(err)
	token, err := k.Token(t.Context())
	u.NoErr(err)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { k.Forkast(token); _, _ = k.Token(t.Context()) })
	}
	wg.Wait()
	u.Equal(len(u.spurt), 2)
}

// When every token is refused it is something else that is wrong, and the issuer is left in peace.
func TestNarAltNektesBlirIkkeUtstederenSpurtHverGang(t *testing.T) {
	u := nyUtsteder(t)
	k, err := u.klient(nil)
	u.NoErr(err)
	for range 100 {
		token, err := k.Token(t.Context())
		u.NoErr(err)
		k.Forkast(token)
		u.klokke.fram(time.Second)
	}
	u.Equal(len(u.spurt), 11) // the first, and one each ten seconds
}

// opptatt is a way to the issuer on which somebody waits.
type opptatt struct{ inne, slipp chan struct{} }

func (o opptatt) RoundTrip(*http.Request) (*http.Response, error) {
	close(o.inne)
	<-o.slipp
	return nil, errors.New("brutt")
}

func TestForkastVenterIkkePaaUtstederen(t *testing.T) {
	u := nyUtsteder(t)
	o := opptatt{make(chan struct{}), make(chan struct{})}
	k, err := u.klient(func(c *maskinporten.KlientConfig) { c.HTTP = &http.Client{Transport: o} })
	u.NoErr(err)
	ferdig := make(chan struct{})
	go func() { defer close(ferdig); _, _ = k.Token(t.Context()) }()
	<-o.inne
	k.Forkast("token-0") // hangs here if it waits
	close(o.slipp)
	<-ferdig
}
