package ports

import (
	"context"
	"crypto/x509"

	"portal.example/bekymringsmelding/domain/kommune"
)

// Catalogue is the digital channel's own register of accounts and their public keys.
type Catalogue interface {
	// Certificate is what a message to the account is sealed for now [G1]. ErrNotFound: there is no such account, or it has no key
	// [G2]. ErrRefused: what is registered is not an X.509 certificate with an RSA key of at least 2048 bits, so nobody can seal for
	// it [G3]. ErrUnavailable: the catalogue could not be asked [G4]. Expiry is the caller's judgement.
	Certificate(ctx context.Context, k kommune.KontoID) (*x509.Certificate, error)
}
