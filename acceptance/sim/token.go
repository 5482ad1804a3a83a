package sim

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"portal.example/bekymringsmelding/domain/kommune"
)

// Levetid is how long an access token lives: production's, less the second that a client's rounding may cost.
const Levetid = 119 * time.Second

type tokensvar struct {
	Token string `json:"access_token"`
	Type  string `json:"token_type"`
	Varer int    `json:"expires_in"`
	Scope string `json:"scope"`
}

func (m *Maskinporten) utsted(g *grant) (*tokensvar, error) {
	krav := m.tokenkrav(g)
	t, err := m.Signer(krav)
	if err != nil {
		return nil, err
	}
	return &tokensvar{Token: t, Type: "Bearer", Varer: int(Levetid.Seconds()), Scope: strings.Join(g.scope, " ")}, nil
}

func (m *Maskinporten) tokenkrav(g *grant) map[string]any {
	na := m.klokke()
	k := map[string]any{
		"iss": m.Utsteder(), "scope": strings.Join(g.scope, " "), "token_type": "Bearer",
		"client_id": g.klient.ID, "client_amr": g.amr, "consumer": organisasjon(g.org),
		"iat": na.Unix(), "exp": na.Add(Levetid).Unix(), "jti": rand.Text(),
	}
	switch len(g.ressurs) {
	case 0:
	case 1:
		k["aud"] = g.ressurs[0]
	default:
		k["aud"] = g.ressurs
	}
	if g.org != g.klient.Orgnr {
		k["supplier"], k["delegation_source"] = organisasjon(g.klient.Orgnr), "https://delegering.example/"
	}
	return k
}

// organisasjon is an organisation number the way ISO 6523 writes it; 0192 is Enhetsregisteret.
func organisasjon(o kommune.Orgnr) map[string]string {
	return map[string]string{"authority": "iso6523-actorid-upis", "ID": "0192:" + string(o)}
}

// Token gives a good token for a registered client without the detour over a grant.
func (m *Maskinporten) Token(klientID string) (string, error) {
	krav, err := m.kravFor(klientID)
	if err != nil {
		return "", err
	}
	return m.Signer(krav)
}

func (m *Maskinporten) kravFor(klientID string) (map[string]any, error) {
	m.mu.Lock()
	k, ok := m.klienter[klientID]
	m.mu.Unlock()
	if !ok {
		return nil, errors.New("sim: klienten er ikke registrert")
	}
	return m.tokenkrav(&grant{klient: k, amr: "virksomhetssertifikat", scope: k.Scope, org: k.Orgnr}), nil
}

// Signer makes a token of any claims, with the key in use.
func (m *Maskinporten) Signer(krav map[string]any) (string, error) {
	m.mu.Lock()
	n := m.nokler[0]
	m.mu.Unlock()
	return signerMed(jose.RS256, n.key, n.kid, krav)
}

func signerMed(alg jose.SignatureAlgorithm, key any, kid string, krav map[string]any) (string, error) {
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key},
		(&jose.SignerOptions{}).WithHeader("kid", kid).WithType("JWT"))
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(krav)
	if err != nil {
		return "", err
	}
	jws, err := s.Sign(b)
	if err != nil {
		return "", err
	}
	return jws.CompactSerialize()
}

// Feilart is one way a token can be wrong. Everything but what the name says is as in a good one.
type Feilart string

const (
	Utlopt        Feilart = "utløpt"
	IkkeGyldigEnd Feilart = "nbf om en time"
	FeilScope     Feilart = "feil scope"
	UtenConsumer  Feilart = "uten consumer"
	FremmedOrg    Feilart = "fremmed organisasjon"
	FeilUtsteder  Feilart = "feil utsteder"
	UtenUtlop     Feilart = "uten exp"
	AlgNone       Feilart = "alg none"
	Usignert      Feilart = "signaturen fjernet"
	HMAC          Feilart = "HS256 med den offentlige nøkkelen"
	EndretInnhold Feilart = "innholdet endret etter signering"
	FeilNokkel    Feilart = "annen nøkkel, kjent kid"
	UkjentKid     Feilart = "annen nøkkel, ukjent kid"
)

// Feilarter lists them all.
func Feilarter() []Feilart {
	return []Feilart{Utlopt, IkkeGyldigEnd, FeilScope, UtenConsumer, FremmedOrg, FeilUtsteder, UtenUtlop, AlgNone, Usignert, HMAC,
		EndretInnhold, FeilNokkel, UkjentKid}
}

// fremmed is an organisation number no world hands out: it is far from the start of the series.
var fremmed = Orgnr(9999)

// Feiltoken makes a token for the client that nobody may accept.
func (m *Maskinporten) Feiltoken(art Feilart, klientID string) (string, error) {
	krav, err := m.kravFor(klientID)
	if err != nil {
		return "", err
	}
	na := m.klokke()
	switch art {
	case Utlopt: // far enough back that no allowance for clock difference saves it
		krav["iat"], krav["exp"] = na.Add(-time.Hour).Unix(), na.Add(Levetid-time.Hour).Unix()
	case IkkeGyldigEnd:
		krav["nbf"], krav["exp"] = na.Add(time.Hour).Unix(), na.Add(time.Hour+Levetid).Unix()
	case FeilScope:
		krav["scope"] = "ks:annet"
	case UtenConsumer:
		delete(krav, "consumer")
	case FremmedOrg:
		krav["consumer"] = organisasjon(fremmed)
	case FeilUtsteder:
		krav["iss"] = "https://utsteder.example/"
	case UtenUtlop:
		delete(krav, "exp")
	default:
		return m.forfalsk(art, krav)
	}
	return m.Signer(krav)
}

// forfalsk makes the tokens whose claims are good and whose signature is not.
func (m *Maskinporten) forfalsk(art Feilart, krav map[string]any) (string, error) {
	m.mu.Lock()
	n := m.nokler[0]
	m.mu.Unlock()
	god, err := m.Signer(krav)
	if err != nil {
		return "", err
	}
	del := strings.Split(god, ".")
	switch art {
	case AlgNone:
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + del[1] + ".", nil
	case Usignert:
		return del[0] + "." + del[1] + ".", nil
	case EndretInnhold:
		annet := maps.Clone(krav)
		annet["consumer"] = organisasjon(fremmed)
		b, err := json.Marshal(annet)
		return del[0] + "." + base64.RawURLEncoding.EncodeToString(b) + "." + del[2], err
	case HMAC: // a verifier that lets the token choose the algorithm takes the public key for a shared secret
		return signerMed(jose.HS256, x509.MarshalPKCS1PublicKey(&n.key.PublicKey), n.kid, krav)
	case FeilNokkel, UkjentKid:
		annen, err := rsa.GenerateKey(rand.Reader, m.bits)
		if err != nil {
			return "", err
		}
		if art == UkjentKid {
			return signerMed(jose.RS256, annen, "ukjent-"+rand.Text()[:8], krav)
		}
		return signerMed(jose.RS256, annen, n.kid, krav)
	default: // the rest are signed as they should be, and wrong in what they say
		return "", errors.New("sim: ukjent feilart")
	}
}
