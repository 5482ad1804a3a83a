package ports

import (
	"context"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

// Printer turns a sealed PDF into a letter.
type Printer interface {
	// Submit is idempotent by Brev's job id [P1]. After an unknown outcome the caller asks Status first.
	Submit(ctx context.Context, b levering.Brev) error
	// Status: ErrNotFound only when the vendor certainly never got the job [P2]; then, and only then, Submit again.
	Status(ctx context.Context, id melding.ForsokID) (levering.Jobb, error)
	// Cancel is an attempt; false = too late [P4]. Both answers are facts for the history. ErrNotFound as Status.
	Cancel(ctx context.Context, id melding.ForsokID) (bool, error)
	// Events since cursor, at least once, in any order [P3]; the cursor given back is for the next call.
	Events(ctx context.Context, cursor string) ([]levering.Jobb, string, error)
}
