package sim

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"portal.example/bekymringsmelding/acceptance/sim/loopback"
	"portal.example/bekymringsmelding/domain/kommune"
)

// Scope is the one scope Fiks asks for.
const Scope = "ks:fiks"

// MaskinportenConfig is what the issuer needs.
type MaskinportenConfig struct {
	Klokke func() time.Time
	// Utsteder is the issuer identifier, trailing slash included; "" = set by Start to where it listens.
	Utsteder string
	Adresse  string // where Start listens, on loopback; "" = a free port of 127.0.0.1
	Bits     int    // of the signing keys; 0 = 2048
	// Nokkel is the first signing key; nil = a new one. With the same key after a restart, tokens that clients hold stay good.
	Nokkel *rsa.PrivateKey
	// Lempelig takes what the real one refuses and clients in use send (reference fiks-io.md §5): an aud without its slash, a clock up
	// to a minute off, and claims nobody knows.
	Lempelig bool
	Scope    []string // every scope that exists; nil = ks:fiks and one more that is of no use here
}

// Klient is one registered client. It is known by a certificate (x5c), a key (kid), or both.
type Klient struct {
	ID         string
	Orgnr      kommune.Orgnr
	Sertifikat *x509.Certificate
	JWK        *jose.JSONWebKey // public, with its KeyID
	Scope      []string         // nil = ks:fiks
	Delegert   []kommune.Orgnr  // organisations that have delegated to it: consumer_org may name these
}

// Tellere counts calls, answered or not.
type Tellere struct{ Token, JWK int }

// Maskinporten is the issuer. It is an http.Handler; Start puts it on a port of its own.
type Maskinporten struct {
	klokke   func() time.Time
	adresse  string
	bits     int
	lempelig bool
	scope    []string
	mux      *http.ServeMux

	mu       sync.Mutex
	utsteder string
	nokler   []signeringsnokkel // newest first; the newest signs, all are published
	klienter map[string]Klient
	leste    map[string]lestToken // tokens of ours -> what they say
	brukte   map[string]time.Time // client and jti -> when it may be forgotten
	stanset  bool
	tellere  Tellere
	server   *http.Server
	ferdig   chan struct{} // closed when server serves no more
}

type signeringsnokkel struct {
	kid string
	key *rsa.PrivateKey
}

// NyMaskinporten makes an issuer with one signing key and no clients.
func NyMaskinporten(c MaskinportenConfig) (*Maskinporten, error) {
	if c.Klokke == nil {
		return nil, errors.New("sim: Maskinporten trenger en klokke")
	}
	if c.Bits == 0 {
		c.Bits = 2048
	}
	if c.Scope == nil {
		c.Scope = []string{Scope, "ks:annet"}
	}
	if c.Adresse == "" {
		c.Adresse = "127.0.0.1:0"
	}
	m := &Maskinporten{klokke: c.Klokke, adresse: c.Adresse, bits: c.Bits, lempelig: c.Lempelig, scope: c.Scope, utsteder: c.Utsteder,
		klienter: map[string]Klient{}, brukte: map[string]time.Time{}, mux: http.NewServeMux()}
	m.mux.HandleFunc("POST /token", m.token)
	m.mux.HandleFunc("GET /jwk", m.jwk)
	m.mux.HandleFunc("GET /.well-known/oauth-authorization-server", m.metadata)
	if c.Nokkel != nil {
		m.taIBruk(c.Nokkel)
		return m, nil
	}
	return m, m.Roter()
}

// Start listens on the configured address and becomes its issuer.
func (m *Maskinporten) Start() error {
	adresse, err := loopback.Adresse(m.adresse)
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", adresse)
	if err != nil {
		return err
	}
	m.StartPa(l)
	return nil
}

// StartPa is Start on a listener that exists; Lukk closes it.
func (m *Maskinporten) StartPa(l net.Listener) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.utsteder == "" {
		m.utsteder = "http://" + l.Addr().String() + "/"
	}
	m.server = &http.Server{Handler: m, ReadTimeout: 10 * time.Second}
	m.ferdig = make(chan struct{})
	go func(s *http.Server, ferdig chan struct{}) {
		defer close(ferdig)
		_ = s.Serve(l) // ends with ErrServerClosed when Lukk is called
	}(m.server, m.ferdig)
}

// Lukk stops listening: when it returns, nobody gets in.
func (m *Maskinporten) Lukk() error {
	m.mu.Lock()
	s, ferdig := m.server, m.ferdig
	m.mu.Unlock()
	if s == nil {
		return nil
	}
	err := s.Close()
	<-ferdig // Serve closes a listener that it had not begun to serve
	return err
}

// Utsteder is the issuer identifier: what aud in a request, and iss in a token, must be to the letter.
func (m *Maskinporten) Utsteder() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.utsteder
}

func (m *Maskinporten) TokenURL() string { return m.Utsteder() + "token" }
func (m *Maskinporten) JWKURL() string   { return m.Utsteder() + "jwk" }

// Registrer adds a client or replaces it.
func (m *Maskinporten) Registrer(k Klient) error {
	if k.ID == "" || k.Sertifikat == nil && k.JWK == nil {
		return errors.New("sim: en klient må ha id og sertifikat eller nøkkel")
	}
	if k.JWK != nil && (k.JWK.KeyID == "" || !k.JWK.IsPublic()) {
		return errors.New("sim: klientens JWK må være offentlig og ha kid")
	}
	if _, err := kommune.ParseOrgnr(string(k.Orgnr)); err != nil {
		return err
	}
	if k.Scope == nil {
		k.Scope = []string{Scope}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.klienter[k.ID] = k
	return nil
}

// Roter takes a new signing key into use. The one before stays published, so that its tokens live out their time; older ones go.
func (m *Maskinporten) Roter() error {
	key, err := rsa.GenerateKey(rand.Reader, m.bits)
	if err != nil {
		return err
	}
	m.taIBruk(key)
	return nil
}

// taIBruk names a key by itself, so that it has the same kid in the next process.
func (m *Maskinporten) taIBruk(key *rsa.PrivateKey) {
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(&key.PublicKey))
	n := signeringsnokkel{kid: "sim-" + hex.EncodeToString(sum[:6]), key: key}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.nokler = append([]signeringsnokkel{n}, m.nokler...)
	m.nokler = m.nokler[:min(2, len(m.nokler))]
}

// Stans makes every call answer 503 until Gjenoppta.
func (m *Maskinporten) Stans() { m.settStanset(true) }

// Gjenoppta ends Stans.
func (m *Maskinporten) Gjenoppta() { m.settStanset(false) }

func (m *Maskinporten) settStanset(av bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stanset = av
}

// Tellere says how many calls there have been: how well a client caches.
func (m *Maskinporten) Tellere() Tellere {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tellere
}

func (m *Maskinporten) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	switch r.URL.Path {
	case "/token":
		m.tellere.Token++
	case "/jwk":
		m.tellere.JWK++
	}
	stanset := m.stanset
	m.mu.Unlock()
	if stanset {
		svarJSON(w, http.StatusServiceUnavailable, oauthFeil{Feil: "temporarily_unavailable", Beskrivelse: "stanset av testen"})
		return
	}
	m.mux.ServeHTTP(w, r)
}

// oauthFeil is RFC 6749 §5.2.
type oauthFeil struct {
	Status      int    `json:"-"`
	Feil        string `json:"error"`
	Beskrivelse string `json:"error_description"`
}

func (e *oauthFeil) Error() string { return e.Feil + ": " + e.Beskrivelse }

func nekt(feil, format string, a ...any) error {
	status := http.StatusBadRequest
	if feil == "invalid_client" {
		status = http.StatusUnauthorized
	}
	return &oauthFeil{status, feil, fmt.Sprintf(format, a...)}
}

func svarJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

const grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"

func (m *Maskinporten) token(w http.ResponseWriter, r *http.Request) {
	svar, err := m.veksle(w, r)
	if f := new(oauthFeil); errors.As(err, &f) {
		svarJSON(w, f.Status, f)
		return
	}
	if err != nil {
		svarJSON(w, http.StatusInternalServerError, oauthFeil{Feil: "server_error", Beskrivelse: "kunne ikke signere"})
		return
	}
	svarJSON(w, http.StatusOK, svar)
}

func (m *Maskinporten) veksle(w http.ResponseWriter, r *http.Request) (*tokensvar, error) {
	if ct, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || ct != "application/x-www-form-urlencoded" {
		return nil, nekt("invalid_request", "Content-Type må være application/x-www-form-urlencoded")
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		return nil, nekt("invalid_request", "skjemaet kan ikke leses")
	}
	if len(r.URL.RawQuery) > 0 || len(r.PostForm["grant_type"]) != 1 || len(r.PostForm["assertion"]) != 1 {
		return nil, nekt("invalid_request", "grant_type og assertion skal stå én gang hver, i kroppen")
	}
	if r.PostForm.Get("grant_type") != grantType {
		return nil, nekt("unsupported_grant_type", "bare %s", grantType)
	}
	g, err := m.lesGrant(r.PostForm.Get("assertion"))
	if err != nil {
		return nil, err
	}
	return m.utsted(g)
}

func (m *Maskinporten) jwk(w http.ResponseWriter, _ *http.Request) {
	m.mu.Lock()
	var sett jose.JSONWebKeySet
	for _, n := range m.nokler {
		sett.Keys = append(sett.Keys, jose.JSONWebKey{Key: n.key.Public(), KeyID: n.kid, Algorithm: "RS256", Use: "sig"})
	}
	m.mu.Unlock()
	svarJSON(w, http.StatusOK, sett)
}

func (m *Maskinporten) metadata(w http.ResponseWriter, _ *http.Request) {
	u := m.Utsteder()
	svarJSON(w, http.StatusOK, map[string]any{
		"issuer": u, "token_endpoint": u + "token", "jwks_uri": u + "jwk",
		"token_endpoint_auth_methods_supported":            []string{"private_key_jwt"},
		"grant_types_supported":                            []string{grantType},
		"token_endpoint_auth_signing_alg_values_supported": []string{"RS256", "RS384", "RS512"},
	})
}
