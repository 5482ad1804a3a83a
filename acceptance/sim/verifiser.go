package sim

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"portal.example/bekymringsmelding/domain/kommune"
)

// errToken is every refusal of an access token. It does not say why: neither does Fiks.
var errToken = errors.New("sim: tokenet godtas ikke")

// Verifiser judges an access token as a platform does that trusts this issuer and no other (reference fiks-io.md §5.5): RS256 with a
// published key, issuer, lifetime and the scope ks:fiks. It gives the consumer organisation.
func (m *Maskinporten) Verifiser(_ context.Context, token string) (orgnr string, err error) {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return "", errToken
	}
	b, err := m.signert(token, jws)
	if err != nil {
		return "", errToken
	}
	alle, err := lesKrav(b)
	if err != nil {
		return "", errToken
	}
	k := krav{alle: alle}
	na, exp, nbf := m.klokke(), k.tid("exp"), k.tid("nbf")
	var consumer struct{ Authority, ID string }
	k.les("consumer", &consumer)
	org, harOrg := strings.CutPrefix(consumer.ID, "0192:")
	_, orgErr := kommune.ParseOrgnr(org)
	switch {
	case k.tekst("iss") != m.Utsteder(), !exp.After(na), nbf.After(na), !slices.Contains(strings.Fields(k.tekst("scope")), Scope):
		return "", errToken
	case consumer.Authority != "iso6523-actorid-upis", !harOrg, orgErr != nil, len(k.galt) > 0:
		return "", errToken
	}
	return org, nil
}

// maksSignerte bounds the signatures remembered.
const maksSignerte = 1000

// signert gives what a token says if a published key has signed it. A client shows the same token for minutes, and the signature is the
// dear part of a call: it is looked at once, as long as its key is published.
func (m *Maskinporten) signert(token string, jws *jose.JSONWebSignature) ([]byte, error) {
	nokkel := m.publisert(jws.Signatures[0].Header.KeyID)
	m.mu.Lock()
	b, ok := m.signerte[token]
	m.mu.Unlock()
	if ok && nokkel != nil {
		return b, nil
	}
	b, err := jws.Verify(nokkel)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.signerte == nil || len(m.signerte) >= maksSignerte {
		m.signerte = map[string][]byte{}
	}
	m.signerte[token] = b
	return b, nil
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
