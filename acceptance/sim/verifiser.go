package sim

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"portal.example/bekymringsmelding/domain/kommune"
)

// errToken is every refusal of an access token. It does not say why: neither does Fiks.
var errToken = errors.New("sim: tokenet godtas ikke")

// Verifiser judges an access token as a platform does that trusts this issuer and no other (reference fiks-io.md §5.5): RS256 with a
// published key, issuer, lifetime and the scope ks:fiks. It gives the consumer organisation.
func (m *Maskinporten) Verifiser(_ context.Context, token string) (orgnr string, err error) {
	t, err := m.les(token)
	if err != nil {
		return "", errToken
	}
	if na := m.klokke(); m.publisert(t.kid) == nil || !t.exp.After(na) || t.nbf.After(na) {
		return "", errToken
	}
	return t.org, nil
}

// lestToken is a token that a published key has signed, and that says what it should. Its key and its lifetime are judged at each call.
type lestToken struct {
	kid, org string
	exp, nbf time.Time
}

// maksLeste bounds the tokens remembered.
const maksLeste = 1000

// les reads a good token once: a client shows the same one for minutes, and the signature is the dear part of a call.
func (m *Maskinporten) les(token string) (lestToken, error) {
	m.mu.Lock()
	t, ok := m.leste[token]
	m.mu.Unlock()
	if ok {
		return t, nil
	}
	t, err := m.lesNytt(token)
	if err != nil {
		return t, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leste == nil || len(m.leste) >= maksLeste {
		m.leste = map[string]lestToken{}
	}
	m.leste[token] = t
	return t, nil
}

func (m *Maskinporten) lesNytt(token string) (t lestToken, err error) {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return t, err
	}
	t.kid = jws.Signatures[0].Header.KeyID
	b, err := jws.Verify(m.publisert(t.kid))
	if err != nil {
		return t, err
	}
	alle, err := lesKrav(b)
	if err != nil {
		return t, err
	}
	k := krav{alle: alle}
	t.exp, t.nbf = k.tid("exp"), k.tid("nbf")
	var consumer struct{ Authority, ID string }
	k.les("consumer", &consumer)
	var harOrg bool
	t.org, harOrg = strings.CutPrefix(consumer.ID, "0192:")
	_, orgErr := kommune.ParseOrgnr(t.org)
	switch {
	case k.tekst("iss") != m.Utsteder(), !slices.Contains(strings.Fields(k.tekst("scope")), Scope):
		return t, errToken
	case consumer.Authority != "iso6523-actorid-upis", !harOrg, orgErr != nil, len(k.galt) > 0:
		return t, errToken
	}
	return t, nil
}

// publisert is the public key of that id, or nil, with which nothing verifies.
func (m *Maskinporten) publisert(kid string) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.nokler {
		if n.kid == kid {
			return &n.key.PublicKey
		}
	}
	return nil
}
