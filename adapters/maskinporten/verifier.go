// Package maskinporten checks access tokens that come in and fetches those that go out.
//
// Verifier is for a server: it tells which organisation an access token was issued to. Klient is for a program that calls
// somebody: it signs a JWT grant (RFC 7523) and keeps the token it gets until shortly before it ends. Neither logs, and no error
// holds a token or any part of one.
package maskinporten

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

// ErrToken: the token is not one we accept, and never will be. It is ports.ErrRefused. Which rule it broke is in the text, in
// words of our own.
var ErrToken = fmt.Errorf("token godtas ikke: %w", ports.ErrRefused)

// UtilgjengeligError: nobody can say now. It is ports.ErrUnavailable.
type UtilgjengeligError struct {
	Etter time.Duration // ask again after this
	Grunn string
}

func (e *UtilgjengeligError) Error() string             { return "maskinporten: " + e.Grunn }
func (e *UtilgjengeligError) Unwrap() error             { return ports.ErrUnavailable }
func (e *UtilgjengeligError) RetryAfter() time.Duration { return e.Etter }

// The lists are explicit: without one, "none" or a MAC under the public key would be a way in (RFC 8725 §3.1). These three are
// what Maskinporten uses.
var algoritmer = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512}

const (
	maksToken = 16 << 10
	// iso6523 is the authority of a consumer; ICD 0192 is Enhetsregisteret.
	iso6523   = "iso6523-actorid-upis"
	enhetsreg = "0192:"
)

// VerifierConfig is what NyVerifier needs. The first three are required.
type VerifierConfig struct {
	Issuer string // exactly as in the token's iss, normally with a final slash
	JWKS   string // URL of the issuer's key set
	Clock  ports.Clock

	Scope  string        // "" = ks:fiks
	Slingr time.Duration // how far the clocks may differ; 0 = 10 s
	Mellom time.Duration // shortest time between two fetches of the key set; 0 = 30 s
	Frisk  time.Duration // a key set older than this is fetched again beside the calls; 0 = 15 min
	Maks   time.Duration // and one older than this is not used; 0 = 24 h
	HTTP   *http.Client  // nil = one with a 5 s timeout
}

// Verifier is safe for concurrent use.
type Verifier struct {
	cfg    VerifierConfig
	nokler *nokkelsett
}

// NyVerifier fetches nothing yet.
func NyVerifier(c VerifierConfig) (*Verifier, error) {
	if c.Issuer == "" || c.JWKS == "" || c.Clock == nil {
		return nil, errors.New("maskinporten: Issuer, JWKS og Clock er påkrevd")
	}
	forvalg(&c.Scope, "ks:fiks")
	forvalg(&c.Slingr, 10*time.Second)
	forvalg(&c.Mellom, 30*time.Second)
	forvalg(&c.Frisk, 15*time.Minute)
	forvalg(&c.Maks, 24*time.Hour)
	if c.HTTP == nil {
		c.HTTP = nyHTTP()
	}
	return &Verifier{cfg: c, nokler: &nokkelsett{cfg: c}}, nil
}

func forvalg[T comparable](p *T, v T) {
	var null T
	if *p == null {
		*p = v
	}
}

// nyHTTP follows no redirect: the endpoints are configured, and a key set from elsewhere is somebody else's.
func nyHTTP() *http.Client {
	return &http.Client{Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

type krav struct {
	jwt.Claims
	Scope    string `json:"scope"`
	Consumer struct {
		Authority string `json:"authority"`
		ID        string `json:"ID"`
	} `json:"consumer"`
}

// Konsument verifies signature, issuer, lifetime and scope, and gives the organisation in the consumer claim.
func (v *Verifier) Konsument(ctx context.Context, token string) (kommune.Orgnr, error) {
	if len(token) > maksToken {
		return "", avvist("for langt")
	}
	t, err := jwt.ParseSigned(token, algoritmer)
	if err != nil {
		return "", avvist("ikke en signert JWT med tillatt algoritme")
	}
	if len(t.Headers) != 1 || t.Headers[0].KeyID == "" {
		return "", avvist("uten kid")
	}
	nokkel, err := v.nokler.finn(ctx, t.Headers[0].KeyID)
	if err != nil {
		return "", err
	}
	var k krav
	if err := t.Claims(nokkel, &k); err != nil {
		return "", avvist("signaturen stemmer ikke")
	}
	return v.vurder(&k)
}

func (v *Verifier) vurder(k *krav) (kommune.Orgnr, error) {
	if k.Expiry == nil {
		return "", avvist("uten exp")
	}
	// iss, exp, nbf and iat; the leeway is for both ends.
	if err := k.ValidateWithLeeway(jwt.Expected{Issuer: v.cfg.Issuer, Time: v.cfg.Clock.Now()}, v.cfg.Slingr); err != nil {
		return "", avvist("feil utsteder eller utenfor gyldighetstiden")
	}
	if !slices.Contains(strings.Fields(k.Scope), v.cfg.Scope) {
		return "", avvist("mangler scope")
	}
	id, ok := strings.CutPrefix(k.Consumer.ID, enhetsreg)
	orgnr, err := kommune.ParseOrgnr(id)
	if k.Consumer.Authority != iso6523 || !ok || err != nil {
		return "", avvist("mangler consumer")
	}
	return orgnr, nil
}

func avvist(grunn string) error { return fmt.Errorf("%w: %s", ErrToken, grunn) }
