package maskinporten_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/maskinporten"
)

const orgnr = "312345678"

// rsaNokler are made once: a key takes a good part of a second.
var rsaNokler = sync.OnceValue(func() []*rsa.PrivateKey {
	var ut []*rsa.PrivateKey
	for range 2 {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		ut = append(ut, k)
	}
	return ut
})

// klokke stands still until a test moves it.
type klokke struct {
	mu sync.Mutex
	na time.Time
}

func nyKlokke() *klokke { return &klokke{na: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)} }

func (k *klokke) Now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.na
}

func (k *klokke) At(time.Time) (fired <-chan time.Time, stop func()) { return nil, func() {} }

func (k *klokke) fram(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.na = k.na.Add(d)
}

// utsteder is a small Maskinporten: a key set that can be down, and a token endpoint that keeps what it was asked.
type utsteder struct {
	*is.I
	klokke *klokke
	srv    *httptest.Server

	mu       sync.Mutex
	nokler   map[string]*rsa.PrivateKey
	nede     bool
	hentet   int // key set fetches
	port     chan struct{}
	spurt    []map[string]any // assertions
	headere  []jose.Header
	expires  string
	svarKode int
	svar     string
}

func nyUtsteder(t *testing.T) *utsteder {
	t.Helper()
	u := &utsteder{I: is.New(t), klokke: nyKlokke(), nokler: map[string]*rsa.PrivateKey{"k1": rsaNokler()[0]}, expires: "119"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /jwk", u.jwk)
	mux.HandleFunc("POST /token", u.token)
	u.srv = httptest.NewServer(mux)
	t.Cleanup(u.srv.Close)
	return u
}

func (u *utsteder) jwk(w http.ResponseWriter, _ *http.Request) {
	u.mu.Lock()
	u.hentet++
	nede, port := u.nede, u.port
	sett := jose.JSONWebKeySet{}
	for kid, k := range u.nokler {
		sett.Keys = append(sett.Keys, jose.JSONWebKey{Key: k.Public(), KeyID: kid, Algorithm: "RS256", Use: "sig"})
	}
	u.mu.Unlock()
	if port != nil {
		<-port
	}
	if nede {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	b, _ := json.Marshal(sett)
	// Beside them, keys of kinds we do not use.
	_, _ = fmt.Fprintf(w, `{"keys":[{"kty":"XYZ","kid":"rar"},{"kty":"oct","kid":"hmac","k":"aGVtbWVsaWc"},%s`, b[len(`{"keys":[`):])
}

func (u *utsteder) token(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	defer u.mu.Unlock()
	_ = r.ParseForm()
	if u.svarKode != 0 {
		w.WriteHeader(u.svarKode)
		_, _ = io.WriteString(w, u.svar)
		return
	}
	t, err := jwt.ParseSigned(r.PostForm.Get("assertion"), []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || r.PostForm.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var m map[string]any
	if err := t.Claims(rsaNokler()[1].Public(), &m); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	u.spurt = append(u.spurt, m)
	u.headere = append(u.headere, t.Headers[0])
	_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":%s,"ukjent":1}`, len(u.spurt), u.expires)
}

func (u *utsteder) verifier() *maskinporten.Verifier {
	v, err := maskinporten.NyVerifier(maskinporten.VerifierConfig{Issuer: u.srv.URL + "/", JWKS: u.srv.URL + "/jwk", Clock: u.klokke})
	u.NoErr(err)
	return v
}

// krav are the claims of a good token, with changes; nil takes a claim away.
func (u *utsteder) krav(endringer map[string]any) map[string]any {
	na := u.klokke.Now()
	k := map[string]any{
		"iss": u.srv.URL + "/", "iat": na.Unix(), "exp": na.Unix() + 119, "scope": "annet ks:fiks", "client_id": "x",
		"consumer": map[string]string{"authority": "iso6523-actorid-upis", "ID": "0192:" + orgnr},
	}
	for n, v := range endringer {
		if k[n] = v; v == nil {
			delete(k, n)
		}
	}
	return k
}

func (u *utsteder) signert(alg jose.SignatureAlgorithm, nokkel any, kid string, krav map[string]any) string {
	valg := &jose.SignerOptions{}
	if kid != "" {
		valg = valg.WithHeader("kid", kid)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: nokkel}, valg)
	u.NoErr(err)
	t, err := jwt.Signed(s).Claims(krav).Serialize()
	u.NoErr(err)
	return t
}

func (u *utsteder) godt() string { return u.signert(jose.RS256, u.nokler["k1"], "k1", u.krav(nil)) }

func (u *utsteder) sett(f func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f()
}

func (u *utsteder) antall() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.hentet
}

func sertifikat(t *testing.T) *x509.Certificate {
	t.Helper()
	k := rsaNokler()[1]
	na := nyKlokke().na
	mal := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Avsender"}, NotBefore: na.Add(-time.Hour), NotAfter: na.Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, mal, mal, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
