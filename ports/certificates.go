package ports

import (
	"context"
	"crypto/x509"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
)

// Certificates are public and shared by every replica, so they live in the store.
type Certificates interface {
	// Current is what krypteringsnokler announces; ErrNotFound when there is none. [C1] Once announced, a certificate is in Accepted
	// for at least the overlap (14 days), on every replica, also when it is replaced a moment later.
	Current(ctx context.Context, eier kommune.Eier) (*x509.Certificate, error)
	// Accepted lists current and previous at now, newest first; revoked ones are not in it [C2], a replaced one is in it for the
	// overlap after it was replaced. Expired ones are in it: expiry is the caller's judgement.
	Accepted(ctx context.Context, eier kommune.Eier, now time.Time) ([]*x509.Certificate, error)
	// Announce is idempotent for the current certificate. A key that was revoked is ErrRefused for everybody, also in another certificate
	// [C3].
	Announce(ctx context.Context, eier kommune.Eier, c *x509.Certificate, at time.Time) error
	Revoke(ctx context.Context, c *x509.Certificate, at time.Time, grunn string) error
	// All lists every owner that has a current certificate, for expiry warnings.
	All(ctx context.Context) (map[kommune.Eier]*x509.Certificate, error)
}

// Overlap is how long a replaced certificate is still accepted.
const Overlap = 14 * 24 * time.Hour
