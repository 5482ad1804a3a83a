package plattform

import (
	"context"
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
)

// kaller is an integration that has proved who it is.
type kaller struct {
	id      string
	kontoer []string // ids
}

func (k kaller) har(kontoID string) bool { return slices.Contains(k.kontoer, kontoID) }

// autentiser judges the three headers (§2.1, §2.4). A bad token has an answer of its own; of the rest nothing tells which was wrong.
func (p *Plattform) autentiser(r *http.Request) (kaller, error) {
	const bearer = "Bearer "
	token, ok := strings.CutPrefix(enkel(r, "Authorization"), bearer)
	if !ok && p.c.Lempelig.Bearer && len(token) > len(bearer) && strings.EqualFold(token[:len(bearer)], bearer) {
		token, ok = token[len(bearer):], true
	}
	id, _ := lesUUID(enkel(r, "IntegrasjonId"))
	k, tokenOK := p.kaller(r.Context(), id, enkel(r, "IntegrasjonPassord"), token)
	switch {
	case !ok || !tokenOK:
		return kaller{}, feilToken.feil()
	case len(k.kontoer) == 0:
		f := feilIntegrasjon.feil()
		f.melding = "Autentisering feilet for integrasjon med id " + id
		return kaller{}, f
	}
	return k, nil
}

// enkel is a header that stands there exactly once, else "".
func enkel(r *http.Request, navn string) string {
	if v := r.Header.Values(navn); len(v) == 1 {
		return v[0]
	}
	return ""
}

// innlogging is what a login is compared by: always of one length, whatever somebody has sent.
type innlogging [sha256.Size]byte

// nyInnlogging: neither a registered password nor an organisation number has a NUL, so no two logins are written the same way.
func nyInnlogging(id, orgnr, passord string) innlogging {
	return sha256.Sum256([]byte(id + "\x00" + orgnr + "\x00" + passord))
}

// kaller finds the accounts an integration has with this password and token. The work is the same whatever is wrong: the token is looked
// at once, and the login is compared with every one there is, also after a match and when the token is bad.
func (p *Plattform) kaller(ctx context.Context, id, passord, token string) (kaller, bool) {
	orgnr, err := p.c.Token(ctx, token)
	if err != nil {
		orgnr = "" // nobody's
	}
	denne := nyInnlogging(id, orgnr, passord)
	k := kaller{id: id}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, kontoID := range p.rekke {
		for _, in := range p.kontoer[kontoID].innlogginger {
			if p.lik(denne[:], in[:]) == 1 {
				k.kontoer = append(k.kontoer, kontoID)
			}
		}
	}
	return k, err == nil
}

// LoggInn is broker.Tilgang. The SASL password is split at its last blank: a token has none (§1.7). The token counts now and never
// again while the connection lives (§1.1).
func (p *Plattform) LoggInn(ctx context.Context, bruker, passord string) bool {
	token := ""
	if i := strings.LastIndexByte(passord, ' '); i >= 0 {
		passord, token = passord[:i], passord[i+1:]
	}
	k, ok := p.kaller(ctx, strings.ToLower(bruker), passord, token)
	return ok && len(k.kontoer) > 0
}

// KanLese is broker.Tilgang: an integration reads the queues of its own accounts, and nothing else.
func (p *Plattform) KanLese(_ context.Context, bruker, ko string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.kontoer {
		if k.ko == ko {
			return slices.ContainsFunc(k.Integrasjoner, func(in Integrasjon) bool { return in.ID == strings.ToLower(bruker) })
		}
	}
	return false
}
