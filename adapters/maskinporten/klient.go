package maskinporten

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"portal.example/bekymringsmelding/ports"
)

// grantType is RFC 7523 §2.1.
const grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// KlientConfig is what NyKlient needs. All but the last two are required, and exactly one of Sertifikat and KID. It prints as [skjult].
type KlientConfig struct {
	TokenEndpoint string
	Issuer        string // becomes aud: Maskinporten wants its issuer, not the endpoint
	KlientID      string
	Nokkel        *rsa.PrivateKey
	Sertifikat    *x509.Certificate // the organisation's certificate, sent as x5c
	KID           string            // or the id of a key registered beforehand
	Clock         ports.Clock

	Scope string       // "" = ks:fiks
	HTTP  *http.Client // nil = one with a 5 s timeout
}

const skjult = "[skjult]"

func (KlientConfig) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, skjult) }
func (KlientConfig) MarshalText() ([]byte, error) { return []byte(skjult), nil }

// Klient gives access tokens. Safe for concurrent use: one fetches, the others wait for it.
type Klient struct {
	cfg  KlientConfig
	sign jose.Signer

	plass chan struct{} // holds one: whoever has it may fetch

	mu        sync.Mutex // never held while fetching
	token     string
	utgar     time.Time
	forkastet time.Time // when a token was last thrown away
}

// forkastPause is how long a token is kept after another was thrown away: when the new one is refused too, the fault is not the token's,
// and the issuer must not be asked once for every call that is refused.
const forkastPause = 10 * time.Second

func (*Klient) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, skjult) }

// NyKlient fetches nothing yet.
func NyKlient(c KlientConfig) (*Klient, error) {
	if c.TokenEndpoint == "" || c.Issuer == "" || c.KlientID == "" || c.Nokkel == nil || c.Clock == nil {
		return nil, errors.New("maskinporten: TokenEndpoint, Issuer, KlientID, Nokkel og Clock er påkrevd")
	}
	if (c.Sertifikat == nil) == (c.KID == "") {
		return nil, errors.New("maskinporten: nøyaktig én av Sertifikat og KID")
	}
	forvalg(&c.Scope, "ks:fiks")
	if c.HTTP == nil {
		c.HTTP = nyHTTP()
	}
	valg := &jose.SignerOptions{}
	if c.Sertifikat != nil {
		valg = valg.WithHeader("x5c", []string{base64.StdEncoding.EncodeToString(c.Sertifikat.Raw)})
	} else {
		valg = valg.WithHeader("kid", c.KID)
	}
	sign, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: c.Nokkel}, valg)
	if err != nil {
		return nil, fmt.Errorf("maskinporten: nøkkelen kan ikke signere: %w", err)
	}
	return &Klient{cfg: c, sign: sign, plass: make(chan struct{}, 1)}, nil
}

// Token gives one that is valid for at least ten seconds more, when the issuer's are. ports.ErrRefused: the issuer says no;
// ports.ErrUnavailable: it could not be asked.
func (k *Klient) Token(ctx context.Context) (string, error) {
	select {
	case k.plass <- struct{}{}:
		defer func() { <-k.plass }()
	case <-ctx.Done():
		return "", fmt.Errorf("token: %w: %w", ports.ErrUnavailable, ctx.Err())
	}
	na := k.cfg.Clock.Now()
	k.mu.Lock()
	token, utgar := k.token, k.utgar
	k.mu.Unlock()
	if token != "" && na.Before(utgar) {
		return token, nil
	}
	token, varer, err := k.hent(ctx, na)
	if err != nil {
		return "", err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.token, k.utgar = token, na.Add(varer-10*time.Second)
	return token, nil
}

// Forkast throws away a token that was refused where it was used, so that the next call of Token fetches another. However many had the
// token, one fetches. It never waits.
func (k *Klient) Forkast(token string) {
	na := k.cfg.Clock.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if token != k.token || na.Before(k.forkastet.Add(forkastPause)) {
		return
	}
	k.token, k.forkastet = "", na
}

func (k *Klient) hent(ctx context.Context, na time.Time) (string, time.Duration, error) {
	// exp - iat may be at most 120 s, and a jti is good once.
	assertion, err := jwt.Signed(k.sign).Claims(map[string]any{
		"aud": k.cfg.Issuer, "iss": k.cfg.KlientID, "scope": k.cfg.Scope,
		"iat": na.Unix(), "exp": na.Unix() + 120, "jti": rand.Text(),
	}).Serialize()
	if err != nil {
		return "", 0, fmt.Errorf("token: signering: %w", err)
	}
	form := url.Values{"grant_type": {grantType}, "assertion": {assertion}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, k.cfg.TokenEndpoint, strings.NewReader(form))
	if err != nil {
		return "", 0, fmt.Errorf("token: %w", ports.ErrRefused)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	svar, err := k.cfg.HTTP.Do(r)
	if err != nil {
		return "", 0, fmt.Errorf("token: %w: %w", ports.ErrUnavailable, err)
	}
	defer func() { _ = svar.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(svar.Body, 64<<10))
	if err != nil {
		return "", 0, fmt.Errorf("token: %w: %w", ports.ErrUnavailable, err)
	}
	return tolk(svar.StatusCode, b)
}

func tolk(status int, b []byte) (string, time.Duration, error) {
	var svar struct {
		AccessToken string          `json:"access_token"`
		ExpiresIn   json.RawMessage `json:"expires_in"`
		Error       string          `json:"error"`
	}
	lest := json.Unmarshal(b, &svar) == nil
	switch {
	case status == http.StatusOK && lest && svar.AccessToken != "":
		// A number by RFC 6749 §5.1; some issuers write "119". Unknown = use it once.
		sekunder, _ := strconv.Atoi(strings.Trim(string(svar.ExpiresIn), `"`))
		return svar.AccessToken, time.Duration(sekunder) * time.Second, nil
	case status >= 400 && status < 500 && status != http.StatusTooManyRequests:
		return "", 0, fmt.Errorf("token: status %d, %s: %w", status, oauthfeil(svar.Error), ports.ErrRefused)
	}
	return "", 0, fmt.Errorf("token: status %d: %w", status, ports.ErrUnavailable)
}

// oauthfeil passes on an OAuth error code and nothing else: the rest of the answer may repeat what was sent.
func oauthfeil(s string) string {
	if s == "" || len(s) > 40 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return "uten feilkode"
	}
	return s
}
