package sim_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/domain/kommune"
)

const klientID = "klient-1"

type utsteder struct {
	*sim.Maskinporten
	klokke *klokke
}

func nyUtsteder(t *testing.T) *utsteder {
	t.Helper()
	k := &klokke{na: start}
	m, err := sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: k.Now, Utsteder: "http://maskinporten.test/"})
	if err != nil {
		t.Fatal(err)
	}
	v := verden(t)
	err = m.Registrer(sim.Klient{ID: klientID, Orgnr: sim.Orgnr(0), Sertifikat: v.avsender.Cert, Delegert: []kommune.Orgnr{sim.Orgnr(7)},
		JWK: &jose.JSONWebKey{Key: v.portal.Nokkel.Public(), KeyID: "kid-1"}})
	if err != nil {
		t.Fatal(err)
	}
	return &utsteder{m, k}
}

// gode are the claims KS's own clients send.
func (u *utsteder) gode() map[string]any {
	na := u.klokke.Now()
	return map[string]any{"aud": u.Utsteder(), "iss": klientID, "scope": sim.Scope, "iat": na.Unix(), "exp": na.Add(2 * time.Minute).Unix(), "jti": rand.Text()}
}

type hode map[jose.HeaderKey]any

func x5c(s ...*sim.Sertifikat) hode {
	var kjede []string
	for _, s := range s {
		kjede = append(kjede, base64.StdEncoding.EncodeToString(s.Cert.Raw))
	}
	return hode{"x5c": kjede}
}

func signer(t *testing.T, alg jose.SignatureAlgorithm, nokkel any, h hode, krav any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: nokkel}, &jose.SignerOptions{ExtraHeaders: h})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(krav)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := s.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	ut, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return ut
}

type svar struct {
	status int
	Token  string `json:"access_token"`
	Type   string `json:"token_type"`
	Varer  int    `json:"expires_in"`
	Scope  string `json:"scope"`
	Feil   string `json:"error"`
	Fordi  string `json:"error_description"`
}

func (u *utsteder) send(t *testing.T, r *http.Request) svar {
	t.Helper()
	w := httptest.NewRecorder()
	u.ServeHTTP(w, r)
	s := svar{status: w.Code}
	if err := json.NewDecoder(w.Body).Decode(&s); err != nil {
		t.Fatalf("status %d without JSON: %v", w.Code, err)
	}
	return s
}

func (u *utsteder) bytt(t *testing.T, assertion string) svar {
	t.Helper()
	return u.send(t, post(url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}.Encode()))
}

func post(kropp string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(kropp))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	return r
}

// verifiser reads a token's claims with the published keys.
func (u *utsteder) verifiser(t *testing.T, token string) (map[string]any, error) {
	t.Helper()
	w := httptest.NewRecorder()
	u.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/jwk", nil))
	var sett jose.JSONWebKeySet
	if err := json.NewDecoder(w.Body).Decode(&sett); err != nil {
		t.Fatal(err)
	}
	for _, k := range sett.Keys {
		if !k.IsPublic() || !k.Valid() {
			t.Fatal("a key set holds public keys only")
		}
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, err
	}
	b, err := jws.Verify(sett)
	if err != nil {
		return nil, err
	}
	var krav map[string]any
	return krav, json.Unmarshal(b, &krav)
}

func TestGoodGrants(t *testing.T) {
	u, v := nyUtsteder(t), verden(t)
	for _, tt := range []struct {
		navn string
		lag  func() string
		amr  string
	}{
		{"x5c leaf", func() string { return signer(t, jose.RS256, v.avsender.Nokkel, x5c(v.avsender), u.gode()) }, "virksomhetssertifikat"},
		{"x5c leaf and CA", func() string {
			return signer(t, jose.RS384, v.avsender.Nokkel, x5c(v.avsender, &v.ca.Sertifikat), u.gode())
		}, "virksomhetssertifikat"},
		{"x5c and kid", func() string {
			h := x5c(v.avsender)
			h["kid"] = "annet"
			return signer(t, jose.RS512, v.avsender.Nokkel, h, u.gode())
		}, "virksomhetssertifikat"},
		{"kid", func() string { return signer(t, jose.RS256, v.portal.Nokkel, hode{"kid": "kid-1"}, u.gode()) }, "private_key_jwt"},
	} {
		t.Run(tt.navn, func(t *testing.T) {
			is := is.New(t)
			s := u.bytt(t, tt.lag())
			is.Equal(s.Fordi, "")
			is.Equal(s.status, http.StatusOK)
			is.Equal(s.Type, "Bearer")
			is.Equal(s.Varer, 119)
			is.Equal(s.Scope, sim.Scope)
			krav, err := u.verifiser(t, s.Token)
			is.NoErr(err)
			is.Equal(krav["iss"], u.Utsteder())
			is.Equal(krav["client_id"], klientID)
			is.Equal(krav["client_amr"], tt.amr)
			is.Equal(krav["token_type"], "Bearer")
			is.Equal(krav["consumer"], map[string]any{"authority": "iso6523-actorid-upis", "ID": "0192:" + string(sim.Orgnr(0))})
			is.Equal(krav["exp"].(float64)-krav["iat"].(float64), 119.0)
			is.True(krav["jti"] != "")
			_, harAud := krav["aud"]
			is.True(!harAud)
		})
	}
}

func TestOptionalClaims(t *testing.T) {
	is := is.New(t)
	u, v := nyUtsteder(t), verden(t)
	krav := u.gode()
	krav["resource"], krav["consumer_org"], krav["pid"] = "https://ressurs.example", string(sim.Orgnr(7)), sim.Personer(1)[0].PID
	s := u.bytt(t, signer(t, jose.RS256, v.avsender.Nokkel, x5c(v.avsender), krav))
	is.Equal(s.Fordi, "")
	ut, err := u.verifiser(t, s.Token)
	is.NoErr(err)
	is.Equal(ut["aud"], "https://ressurs.example")
	is.Equal(ut["consumer"].(map[string]any)["ID"], "0192:"+string(sim.Orgnr(7)))
	is.Equal(ut["supplier"].(map[string]any)["ID"], "0192:"+string(sim.Orgnr(0)))
}

func TestBadGrants(t *testing.T) {
	v := verden(t)
	unix := func(d time.Duration) int64 { return start.Add(d).Unix() }
	sett := func(navn string, verdi any) func(map[string]any) { return func(k map[string]any) { k[navn] = verdi } }
	uten := func(navn string) func(map[string]any) { return func(k map[string]any) { delete(k, navn) } }
	for _, tt := range []struct {
		navn  string
		endre func(map[string]any)
		feil  string
	}{
		{"aud without slash", sett("aud", "http://maskinporten.test"), "invalid_grant"},
		{"aud is the token URL", sett("aud", "http://maskinporten.test/token"), "invalid_grant"},
		{"two audiences", sett("aud", []string{"http://maskinporten.test/", "x"}), "invalid_grant"},
		{"no aud", uten("aud"), "invalid_grant"},
		{"unknown client", sett("iss", "noen andre"), "invalid_client"},
		{"no iss", uten("iss"), "invalid_client"},
		{"lives 121 s", sett("exp", unix(121*time.Second)), "invalid_grant"},
		{"iat 11 s ahead", func(k map[string]any) { k["iat"], k["exp"] = unix(11*time.Second), unix(60*time.Second) }, "invalid_grant"},
		{"iat 11 s ago", func(k map[string]any) { k["iat"], k["exp"] = unix(-11*time.Second), unix(60*time.Second) }, "invalid_grant"},
		{"expired", func(k map[string]any) { k["iat"], k["exp"] = unix(-5*time.Second), unix(-time.Second) }, "invalid_grant"},
		{"no exp", uten("exp"), "invalid_grant"},
		{"no iat", uten("iat"), "invalid_grant"},
		{"iat as text", sett("iat", "nå"), "invalid_grant"},
		{"no scope", uten("scope"), "invalid_scope"},
		{"unknown scope", sett("scope", "ks:ukjent"), "invalid_scope"},
		{"a scope that is not the client's", sett("scope", "ks:fiks ks:annet"), "invalid_scope"},
		{"no jti", uten("jti"), "invalid_grant"},
		{"unknown claim", sett("sub", "noe"), "invalid_grant"},
		{"consumer_org without delegation", sett("consumer_org", string(sim.Orgnr(8))), "invalid_grant"},
		{"on behalf of somebody", sett("iss_onbehalfof", "noen"), "invalid_grant"},
		{"scope as a list", sett("scope", []string{"ks:fiks"}), "invalid_scope"},
		{"pid as a number", sett("pid", 1), "invalid_grant"},
	} {
		t.Run(tt.navn, func(t *testing.T) {
			is := is.New(t)
			u := nyUtsteder(t)
			krav := u.gode()
			tt.endre(krav)
			s := u.bytt(t, signer(t, jose.RS256, v.avsender.Nokkel, x5c(v.avsender), krav))
			is.Equal(s.Feil, tt.feil)
			is.True(s.Fordi != "" && s.Token == "")
			if tt.feil == "invalid_client" {
				is.Equal(s.status, http.StatusUnauthorized)
			} else {
				is.Equal(s.status, http.StatusBadRequest)
			}
		})
	}
}

func TestLimitsAreExact(t *testing.T) {
	is := is.New(t)
	u, v := nyUtsteder(t), verden(t)
	for _, avvik := range []time.Duration{-10 * time.Second, 10 * time.Second} {
		krav := u.gode()
		krav["iat"], krav["exp"] = start.Add(avvik).Unix(), start.Add(avvik+120*time.Second).Unix()
		is.Equal(u.bytt(t, signer(t, jose.RS256, v.avsender.Nokkel, x5c(v.avsender), krav)).Fordi, "")
	}
}

func TestBadKeys(t *testing.T) {
	is := is.New(t)
	u, v := nyUtsteder(t), verden(t)
	god := signer(t, jose.RS256, v.avsender.Nokkel, x5c(v.avsender), u.gode())
	del := strings.Split(god, ".")
	is.Equal(u.bytt(t, signer(t, jose.RS256, v.mottaker.Nokkel, x5c(v.avsender), u.gode())).Feil, "invalid_grant")  // not its key
	is.Equal(u.bytt(t, signer(t, jose.RS256, v.mottaker.Nokkel, x5c(v.mottaker), u.gode())).Feil, "invalid_client") // not registered
	is.Equal(u.bytt(t, signer(t, jose.RS256, v.portal.Nokkel, hode{"kid": "kid-2"}, u.gode())).Feil, "invalid_client")
	is.Equal(u.bytt(t, signer(t, jose.RS256, v.portal.Nokkel, hode{}, u.gode())).Feil, "invalid_client")
	is.Equal(u.bytt(t, signer(t, jose.RS256, v.avsender.Nokkel, hode{"x5c": []string{"%"}}, u.gode())).Feil, "invalid_grant")
	is.Equal(u.bytt(t, signer(t, jose.PS256, v.avsender.Nokkel, x5c(v.avsender), u.gode())).Feil, "invalid_grant")
	is.Equal(u.bytt(t, base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))+"."+del[1]+".").Feil, "invalid_grant")
	is.Equal(u.bytt(t, del[0]+"."+del[1]+".").Feil, "invalid_grant")
	is.Equal(u.bytt(t, "tull").Feil, "invalid_grant")
	is.Equal(u.bytt(t, signer(t, jose.RS256, v.avsender.Nokkel, x5c(v.avsender), []string{"liste"})).Feil, "invalid_grant")

	is.Equal(u.bytt(t, god).Fordi, "") // none of the failures used up its jti
	is.Equal(u.bytt(t, god).Feil, "invalid_grant")

	u.klokke.frem(4 * 365 * 24 * time.Hour)
	is.Equal(u.bytt(t, signer(t, jose.RS256, v.avsender.Nokkel, x5c(v.avsender), u.gode())).Feil, "invalid_client") // certificate expired
}

func TestJTIIsForgottenOnlyWhenItCanDoNoHarm(t *testing.T) {
	is := is.New(t)
	u, v := nyUtsteder(t), verden(t)
	krav := u.gode()
	is.Equal(u.bytt(t, signer(t, jose.RS256, v.avsender.Nokkel, x5c(v.avsender), krav)).Fordi, "")
	u.klokke.frem(121 * time.Second)
	is.Equal(u.bytt(t, signer(t, jose.RS256, v.avsender.Nokkel, x5c(v.avsender), krav)).Feil, "invalid_grant")
	ny := u.gode()
	ny["jti"] = krav["jti"]
	is.Equal(u.bytt(t, signer(t, jose.RS256, v.avsender.Nokkel, x5c(v.avsender), ny)).Feil, "invalid_grant")
	u.klokke.frem(time.Hour)
	ny = u.gode()
	ny["jti"] = krav["jti"]
	is.Equal(u.bytt(t, signer(t, jose.RS256, v.avsender.Nokkel, x5c(v.avsender), ny)).Fordi, "")
}

func TestBadRequests(t *testing.T) {
	is := is.New(t)
	u := nyUtsteder(t)
	is.Equal(u.send(t, post("grant_type=client_credentials&assertion=x")).Feil, "unsupported_grant_type")
	is.Equal(u.send(t, post("assertion=x")).Feil, "invalid_request")
	is.Equal(u.send(t, post("grant_type=a&grant_type=b&assertion=x")).Feil, "invalid_request")
	is.Equal(u.send(t, post("%zz")).Feil, "invalid_request")
	is.Equal(u.send(t, post("assertion="+strings.Repeat("x", 65<<10))).Feil, "invalid_request")
	r := post("grant_type=x&assertion=y")
	r.Header.Set("Content-Type", "application/json")
	is.Equal(u.send(t, r).Feil, "invalid_request")
	is.Equal(u.Tellere(), sim.Tellere{Token: 6})

	w := httptest.NewRecorder()
	u.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/token", nil))
	is.Equal(w.Code, http.StatusMethodNotAllowed)
}

func TestRotation(t *testing.T) {
	is := is.New(t)
	u := nyUtsteder(t)
	forste, err := u.Token(klientID)
	is.NoErr(err)
	is.NoErr(u.Roter())
	andre, err := u.Token(klientID)
	is.NoErr(err)
	_, err = u.verifiser(t, forste)
	is.NoErr(err) // still published
	_, err = u.verifiser(t, andre)
	is.NoErr(err)
	is.NoErr(u.Roter())
	_, err = u.verifiser(t, forste)
	is.True(err != nil)
	_, err = u.verifiser(t, andre)
	is.NoErr(err)
	_, err = u.Token("noen andre")
	is.True(err != nil)
}

func TestStopped(t *testing.T) {
	is := is.New(t)
	u := nyUtsteder(t)
	u.Stans()
	for _, r := range []*http.Request{post("x"), httptest.NewRequest(http.MethodGet, "/jwk", nil)} {
		is.Equal(u.send(t, r).status, http.StatusServiceUnavailable)
	}
	u.Gjenoppta()
	is.Equal(u.send(t, post("x")).status, http.StatusBadRequest)
}

func TestBadTokens(t *testing.T) {
	u := nyUtsteder(t)
	for _, art := range sim.Feilarter() {
		t.Run(string(art), func(t *testing.T) {
			is := is.New(t)
			token, err := u.Feiltoken(art, klientID)
			is.NoErr(err)
			krav, err := u.verifiser(t, token)
			var exp float64
			if v, ok := krav["exp"].(float64); ok {
				exp = v
			}
			consumer, _ := krav["consumer"].(map[string]any)
			feil := err != nil || krav["iss"] != u.Utsteder() || krav["scope"] != sim.Scope || krav["nbf"] != nil ||
				int64(exp) <= start.Unix() || consumer["ID"] != "0192:"+string(sim.Orgnr(0))
			is.True(feil)
		})
	}
	is := is.New(t)
	_, err := u.Feiltoken("ukjent", klientID)
	is.True(err != nil)
	_, err = u.Feiltoken(sim.Utlopt, "noen andre")
	is.True(err != nil)
}

func TestRegistration(t *testing.T) {
	is := is.New(t)
	u, v := nyUtsteder(t), verden(t)
	is.True(u.Registrer(sim.Klient{ID: "x", Orgnr: sim.Orgnr(0)}) != nil)
	is.True(u.Registrer(sim.Klient{ID: "x", Orgnr: "3", Sertifikat: v.avsender.Cert}) != nil)
	is.True(u.Registrer(sim.Klient{ID: "x", Orgnr: sim.Orgnr(0), JWK: &jose.JSONWebKey{Key: v.avsender.Nokkel, KeyID: "k"}}) != nil) // private
	_, err := sim.NyMaskinporten(sim.MaskinportenConfig{})
	is.True(err != nil)
}

func TestOnAPortOfItsOwn(t *testing.T) {
	is := is.New(t)
	m, err := sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: func() time.Time { return start }})
	is.NoErr(err)
	is.NoErr(m.Lukk()) // before Start: nothing to close
	is.NoErr(m.Start())
	t.Cleanup(func() { is.NoErr(m.Lukk()) })
	is.True(strings.HasPrefix(m.Utsteder(), "http://127.0.0.1:") && strings.HasSuffix(m.Utsteder(), "/"))
	r, err := http.Get(m.Utsteder() + ".well-known/oauth-authorization-server")
	is.NoErr(err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	is.NoErr(err)
	var meta map[string]any
	is.NoErr(json.Unmarshal(b, &meta))
	is.Equal(meta["issuer"], m.Utsteder())
	is.Equal(meta["token_endpoint"], m.TokenURL())
	is.Equal(meta["jwks_uri"], m.JWKURL())
}
