package memory

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

var _ ports.Catalogue = (*Nett)(nil)

// Publiser makes c the key the account opens with; nil = it has none.
func (k *Konto) Publiser(c *x509.Certificate) {
	k.n.mu.Lock()
	defer k.n.mu.Unlock()
	k.sertifikat = c
}

// Certificate: see ports.Catalogue.
func (n *Nett) Certificate(ctx context.Context, id kommune.KontoID) (*x509.Certificate, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("konto %s: %w: %w", id, ports.ErrUnavailable, err)
	}
	k := n.konti[id]
	switch {
	case n.nede:
		return nil, fmt.Errorf("konto %s: nettet er nede: %w", id, ports.ErrUnavailable)
	case k == nil || k.sertifikat == nil:
		return nil, fmt.Errorf("konto %s har ingen offentlig nøkkel: %w", id, ports.ErrNotFound)
	}
	if pub, ok := k.sertifikat.PublicKey.(*rsa.PublicKey); !ok || pub.N.BitLen() < 2048 {
		return nil, fmt.Errorf("konto %s: nøkkelen er ikke RSA på minst 2048 bit: %w", id, ports.ErrRefused)
	}
	return k.sertifikat, nil
}
