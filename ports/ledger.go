package ports

import (
	"context"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
)

// Ledger keeps durably what belongs to no report: cases without a melding (a silent broker, an unmatched answer), marks (the
// printer's event cursor, an operator's hold on letters, a consumer gap), and says what time the store thinks it is.
type Ledger interface {
	OpenCase(ctx context.Context, s levering.Sak) error // idempotent by id, also after it was closed [L1]
	// Case gives a case of no report by its id, open or closed; ErrNotFound for an unknown one, and for a report's [L3].
	Case(ctx context.Context, id levering.SakID) (levering.Sak, error)
	// CloseCase: ErrNotFound for an unknown id; closing twice keeps the first.
	CloseCase(ctx context.Context, id levering.SakID, av, grunn string, at time.Time) error
	// Mark is "" when never set.
	Mark(ctx context.Context, name string) (value string, err error)
	SetMark(ctx context.Context, name, value string) error // durable [L2]
	// Marks gives every mark whose name begins with prefix, but for those that are "" [L4]. What several may write at once is one mark
	// each.
	Marks(ctx context.Context, prefix string) (map[string]string, error)
	Now(ctx context.Context) (time.Time, error)
}
