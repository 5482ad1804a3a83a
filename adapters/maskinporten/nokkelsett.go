package maskinporten

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const maksJWKS = 1 << 20

// nokkelsett is the issuer's public keys, fetched by one caller at a time.
//
// A call gets a number when it comes, and so does a fetch when it begins. A set whose fetch has the higher number was asked for
// after the call came: if it lacks the key, the issuer does not have it. Numbers, because two things can happen in the same
// microsecond.
type nokkelsett struct {
	cfg VerifierConfig

	mu         sync.Mutex
	nummer     uint64
	nokler     map[string]jose.JSONWebKey
	hentet     time.Time // when the fetch that gave nokler began
	settnr     uint64
	forsokt    time.Time // when the last fetch began
	harForsokt bool
	pagar      chan struct{} // closed when the fetch under way is over; nil = none
}

// finn gives the key, or ErrToken when the issuer does not have it, or *UtilgjengeligError when that cannot be known now.
func (s *nokkelsett) finn(ctx context.Context, kid string) (jose.JSONWebKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nummer++
	kallnr := s.nummer
	for {
		na := s.cfg.Clock.Now()
		alder := na.Sub(s.hentet)
		if k, ok := s.nokler[kid]; ok && alder <= s.cfg.Maks {
			if alder > s.cfg.Frisk && s.pagar == nil && s.kanHente(na) {
				s.hent(na) //nolint:contextcheck // beside this call, which does not wait
			}
			return k, nil
		}
		switch {
		case s.settnr > kallnr:
			return jose.JSONWebKey{}, avvist("ukjent kid")
		case s.pagar != nil:
			// One that began before this call came does not count, but when it is over the next may begin.
		case !s.kanHente(na):
			return jose.JSONWebKey{}, &UtilgjengeligError{Etter: s.forsokt.Add(s.cfg.Mellom).Sub(na), Grunn: "nøklene kan ikke hentes ennå"}
		default:
			s.hent(na) //nolint:contextcheck // it belongs to no call: see hent
		}
		if err := s.vent(ctx); err != nil {
			return jose.JSONWebKey{}, err
		}
	}
}

func (s *nokkelsett) kanHente(na time.Time) bool {
	return !s.harForsokt || na.Sub(s.forsokt) >= s.cfg.Mellom
}

// vent lets go of the lock until the fetch under way is over.
func (s *nokkelsett) vent(ctx context.Context) error {
	pagar := s.pagar
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-pagar:
		return nil
	case <-ctx.Done():
		return &UtilgjengeligError{Etter: s.cfg.Mellom, Grunn: "avbrutt mens nøklene ble hentet"}
	}
}

// hent begins a fetch, with the lock held. It belongs to no call: the one that began it may give up, and the others wait on.
func (s *nokkelsett) hent(na time.Time) {
	s.nummer++
	nr, pagar := s.nummer, make(chan struct{})
	s.pagar, s.forsokt, s.harForsokt = pagar, na, true
	go func() {
		nokler, err := s.last()
		s.mu.Lock()
		defer s.mu.Unlock()
		if err == nil { // a failure leaves the old keys, which serve until they are too old
			s.nokler, s.hentet, s.settnr = nokler, na, nr
		}
		s.pagar = nil
		close(pagar)
	}()
}

func (s *nokkelsett) last() (map[string]jose.JSONWebKey, error) {
	ctx, stopp := context.WithTimeout(context.Background(), 10*time.Second)
	defer stopp()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.cfg.JWKS, nil)
	if err != nil {
		return nil, err
	}
	svar, err := s.cfg.HTTP.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = svar.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(svar.Body, maksJWKS+1))
	if err != nil {
		return nil, err
	}
	if svar.StatusCode != http.StatusOK || len(b) > maksJWKS {
		return nil, errors.New("uventet svar")
	}
	return lesJWKS(b)
}

// lesJWKS keeps the RSA signing keys. One key of a kind we do not know must not hide the others; a set without any is an error
// page, and must not wipe out what we have.
func lesJWKS(b []byte) (map[string]jose.JSONWebKey, error) {
	var sett struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(b, &sett); err != nil {
		return nil, err
	}
	ut := map[string]jose.JSONWebKey{}
	for _, raa := range sett.Keys {
		var felt struct {
			Kty string `json:"kty"`
		}
		var k jose.JSONWebKey
		if json.Unmarshal(raa, &felt) != nil || felt.Kty != "RSA" || json.Unmarshal(raa, &k) != nil {
			continue
		}
		if k.IsPublic() && k.KeyID != "" && (k.Use == "" || k.Use == "sig") {
			ut[k.KeyID] = k
		}
	}
	if len(ut) == 0 {
		return nil, errors.New("ingen nøkler")
	}
	return ut, nil
}
