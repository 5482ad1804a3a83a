package ports

import (
	"context"
	"crypto/x509"

	"portal.example/bekymringsmelding/domain/kommune"
)

// Catalogue is where the accounts of the digital channel publish the keys they open with (Fiks IO's katalog-API, or its stand-in).
type Catalogue interface {
	// Certificate is what the account publishes now: nothing is kept from an earlier call [G1]. ErrNotFound: the account does not exist,
	// or publishes no key [G2]. ErrRefused: it publishes something that nobody may seal for; what comes out is always X.509 with an RSA
	// key of at least 2048 bits [G3]. ErrUnavailable: the catalogue could not be asked [G4]. Expiry and revocation are the caller's
	// judgement.
	Certificate(ctx context.Context, konto kommune.KontoID) (*x509.Certificate, error)
}
