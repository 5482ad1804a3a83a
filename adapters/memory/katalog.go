package memory

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"sync"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

// Kontokatalog is a Catalogue in memory. The zero value is empty and ready.
type Kontokatalog struct {
	mu     sync.Mutex
	nokler map[kommune.KontoID][]byte
	nede   bool
}

var _ ports.Catalogue = (*Kontokatalog)(nil)

// Registrer makes der the account's key; nil = the account has none.
func (k *Kontokatalog) Registrer(id kommune.KontoID, der []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.nokler == nil {
		k.nokler = map[kommune.KontoID][]byte{}
	}
	k.nokler[id] = der
}

// Nede makes it answer nothing, or answer again.
func (k *Kontokatalog) Nede(nede bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.nede = nede
}

// Certificate: see ports.Catalogue.
func (k *Kontokatalog) Certificate(ctx context.Context, id kommune.KontoID) (*x509.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case k.nede:
		return nil, fmt.Errorf("katalogen er nede: %w", ports.ErrUnavailable)
	case k.nokler[id] == nil:
		return nil, fmt.Errorf("nøkkel for konto %s: %w", id, ports.ErrNotFound)
	}
	c, err := x509.ParseCertificate(k.nokler[id])
	if err != nil {
		return nil, fmt.Errorf("nøkkel for konto %s: %w", id, ports.ErrRefused)
	}
	if rk, ok := c.PublicKey.(*rsa.PublicKey); !ok || rk.N.BitLen() < 2048 {
		return nil, fmt.Errorf("nøkkel for konto %s: %w", id, ports.ErrRefused)
	}
	return c, nil
}
