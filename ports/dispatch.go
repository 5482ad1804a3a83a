package ports

import (
	"context"
	"crypto/x509"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
)

// Sendegrunnlag is what a send begins with.
type Sendegrunnlag struct {
	Utgave  Utgave                // as Store.Get
	Konto   kommune.Mottakerkonto // as Directory.Mottaker of the report's receiver
	Godtatt []*x509.Certificate   // as Certificates.Accepted of it
}

// Dispatch reads for a send.
type Dispatch interface {
	// Sendegrunnlag answers in one question what three would [U1]; now is when certificates are judged. Nothing in it is older than
	// the call, also when the change was made by another process a moment before [U2]. ErrNotFound as the three.
	Sendegrunnlag(ctx context.Context, id melding.ID, now time.Time) (Sendegrunnlag, error)
}
