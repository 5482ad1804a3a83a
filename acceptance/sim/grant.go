package sim

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"portal.example/bekymringsmelding/domain/kommune"
)

const (
	maksLevetid   = 120 * time.Second // exp - iat of a request
	maksAvvik     = 10 * time.Second  // iat against our clock
	lempeligAvvik = time.Minute
)

// grant is a request that has been found good.
type grant struct {
	klient  Klient
	amr     string
	scope   []string
	ressurs []string
	org     kommune.Orgnr // consumer
}

type grantHode struct {
	Alg string   `json:"alg"`
	Kid string   `json:"kid"`
	X5c []string `json:"x5c"`
}

// lesGrant judges a JWT bearer grant the way Maskinporten's documentation says. Each refusal tells what was wrong: it is the developer
// of a client who reads it.
func (m *Maskinporten) lesGrant(assertion string) (*grant, error) {
	jws, err := jose.ParseSignedCompact(assertion, []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512})
	if err != nil {
		return nil, nekt("invalid_grant", "assertion er ikke en kompakt JWS med RS256, RS384 eller RS512")
	}
	var hode grantHode
	if err := dekodJSON(strings.SplitN(assertion, ".", 2)[0], &hode); err != nil {
		return nil, nekt("invalid_grant", "hodet kan ikke leses")
	}
	var krav krav
	if krav.alle, err = lesKrav(jws.UnsafePayloadWithoutVerification()); err != nil {
		return nil, nekt("invalid_grant", "innholdet er ikke et JSON-objekt")
	}
	iss := krav.tekst("iss")
	m.mu.Lock()
	k, kjent := m.klienter[iss]
	m.mu.Unlock()
	if !kjent {
		return nil, nekt("invalid_client", "iss er ikke en registrert klient")
	}
	nokkel, amr, err := m.klientnokkel(k, hode)
	if err != nil {
		return nil, err
	}
	if _, err := jws.Verify(nokkel); err != nil {
		return nil, nekt("invalid_grant", "signaturen stemmer ikke med den registrerte nøkkelen")
	}
	g := &grant{klient: k, amr: amr}
	if err := m.bedom(g, &krav); err != nil {
		return nil, err
	}
	return g, nil
}

// klientnokkel finds the key a request must be signed with. Of a chain only the leaf counts: it must be the registered one, byte for
// byte. When both x5c and kid are there (the .NET client can), x5c decides.
func (m *Maskinporten) klientnokkel(k Klient, h grantHode) (any, string, error) {
	switch {
	case len(h.X5c) > 0:
		der, err := base64.StdEncoding.DecodeString(h.X5c[0])
		if err != nil || k.Sertifikat == nil || !bytes.Equal(der, k.Sertifikat.Raw) {
			return nil, "", nekt("invalid_client", "sertifikatet i x5c er ikke registrert på klienten")
		}
		if na := m.klokke(); na.Before(k.Sertifikat.NotBefore) || na.After(k.Sertifikat.NotAfter) {
			return nil, "", nekt("invalid_client", "sertifikatet i x5c er ikke gyldig nå")
		}
		if k.Sertifikat.KeyUsage != 0 && k.Sertifikat.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
			return nil, "", nekt("invalid_client", "sertifikatet i x5c kan ikke brukes til å signere")
		}
		return k.Sertifikat.PublicKey, "virksomhetssertifikat", nil
	case h.Kid != "":
		if k.JWK == nil || h.Kid != k.JWK.KeyID {
			return nil, "", nekt("invalid_client", "kid er ikke registrert på klienten")
		}
		return k.JWK.Key, "private_key_jwt", nil
	}
	return nil, "", nekt("invalid_client", "hodet må ha x5c eller kid")
}

// bedom judges the claims of a request whose signature is good, and uses up its jti.
func (m *Maskinporten) bedom(g *grant, k *krav) error {
	avvik := maksAvvik
	if m.lempelig {
		avvik = lempeligAvvik
	}
	aud := k.liste("aud")
	if len(aud) != 1 || aud[0] != m.Utsteder() && !(m.lempelig && aud[0]+"/" == m.Utsteder()) {
		return nekt("invalid_grant", "aud må være utstederen, med skråstrek til slutt, og ikke tokenadressen")
	}
	na := m.klokke()
	iat, exp := k.tid("iat"), k.tid("exp")
	switch {
	case iat.IsZero() || exp.IsZero():
		return nekt("invalid_grant", "iat og exp må være hele sekunder")
	case iat.Sub(na) > avvik || na.Sub(iat) > avvik:
		return nekt("invalid_grant", "iat avviker mer enn %d sekunder fra klokken her", int(avvik.Seconds()))
	case exp.Sub(iat) > maksLevetid:
		return nekt("invalid_grant", "exp er mer enn 120 sekunder etter iat")
	case !exp.After(na):
		return nekt("invalid_grant", "exp er passert")
	}
	if err := m.bedomScope(g, k.tekst("scope")); err != nil {
		return err
	}
	g.ressurs = k.liste("resource")
	g.org = g.klient.Orgnr
	if org := k.tekst("consumer_org"); org != "" && kommune.Orgnr(org) != g.org {
		if !slices.Contains(g.klient.Delegert, kommune.Orgnr(org)) {
			return nekt("invalid_grant", "consumer_org har ikke delegert til klienten")
		}
		g.org = kommune.Orgnr(org)
	}
	if k.tekst("iss_onbehalfof") != "" {
		return nekt("invalid_grant", "klienten har ingen registrert på-vegne-av")
	}
	jti := k.tekst("jti")
	k.tekst("pid") // documented, and of no consequence to a machine token
	if m.lempelig {
		clear(k.alle) // what nobody asked for
	}
	if feil := k.feil(); feil != "" {
		return nekt("invalid_grant", "%s", feil)
	}
	if jti == "" {
		return nekt("invalid_grant", "jti mangler")
	}
	return m.brukJTI(g.klient.ID+" "+jti, exp, na)
}

func (m *Maskinporten) bedomScope(g *grant, s string) error {
	g.scope = strings.Fields(s)
	if len(g.scope) == 0 {
		return nekt("invalid_scope", "scope mangler")
	}
	for _, s := range g.scope {
		if !slices.Contains(m.scope, s) || !slices.Contains(g.klient.Scope, s) {
			return nekt("invalid_scope", "klienten har ikke et av scopene det er bedt om")
		}
	}
	return nil
}

// brukJTI takes a jti once. It is kept until no clock difference could make its request good again.
func (m *Maskinporten) brukJTI(id string, exp, na time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for gammel, til := range m.brukte {
		if til.Before(na) {
			delete(m.brukte, gammel)
		}
	}
	if _, brukt := m.brukte[id]; brukt {
		return nekt("invalid_grant", "jti er brukt før")
	}
	m.brukte[id] = exp.Add(lempeligAvvik)
	return nil
}

// krav reads claims by name and remembers which it was asked for and which had the wrong form.
type krav struct {
	alle map[string]json.RawMessage
	galt []string
}

func lesKrav(b []byte) (map[string]json.RawMessage, error) {
	var alle map[string]json.RawMessage
	err := json.Unmarshal(b, &alle)
	return alle, err
}

func (k *krav) les(navn string, til any) bool {
	r, ok := k.alle[navn]
	delete(k.alle, navn)
	if ok && json.Unmarshal(r, til) != nil {
		k.galt = append(k.galt, navn)
		return false
	}
	return ok
}

func (k *krav) tekst(navn string) (s string) { k.les(navn, &s); return s }

// liste takes one text or a list of texts, as JWT allows for aud.
func (k *krav) liste(navn string) []string {
	r, ok := k.alle[navn]
	var s string
	if ok && json.Unmarshal(r, &s) == nil {
		delete(k.alle, navn)
		return []string{s}
	}
	var ss []string
	k.les(navn, &ss)
	return ss
}

// tid takes whole seconds, which is all a client has any use for.
func (k *krav) tid(navn string) time.Time {
	var n int64
	if !k.les(navn, &n) || n <= 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// feil names what had the wrong form, and what nobody asked for: an unknown claim is refused.
func (k *krav) feil() string {
	for navn := range k.alle {
		k.galt = append(k.galt, navn)
	}
	if len(k.galt) == 0 {
		return ""
	}
	slices.Sort(k.galt)
	return "ukjent eller feil utfylt: " + strings.Join(k.galt, ", ")
}

func dekodJSON(del string, til any) error {
	b, err := base64.RawURLEncoding.DecodeString(del)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, til)
}
