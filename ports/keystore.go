package ports

import (
	"context"
	"crypto"
	"crypto/x509"

	"portal.example/bekymringsmelding/domain/kommune"
)

// Handle is one private key that never leaves its store, with the certificate it belongs to.
type Handle interface {
	crypto.Decrypter
	crypto.Signer
	Sertifikat() *x509.Certificate
}

// KeyStore holds the platform's private keys (a file folder today, an HSM tomorrow).
type KeyStore interface {
	New(ctx context.Context, eier kommune.Eier, bits int) (Handle, error)
	// Private gives the handle for a certificate of ours; ErrNotFound for anybody else's [K1]. Old keys stay for as long as any
	// content needs them [K2].
	Private(ctx context.Context, c *x509.Certificate) (Handle, error)
}
