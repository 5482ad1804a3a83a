package ports

import (
	"context"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
)

// Varsel tells people that something waits. It has an id, a kind and a receiver; no field holds report text [N1].
type Varsel struct {
	ID  string
	Art levering.Saksart
	Til kommune.RessursID // "" = the operators
	Sak levering.SakID
	Nar time.Time
}

// Notifier sends Varsler; idempotent by id [N2].
type Notifier interface {
	Notify(ctx context.Context, v Varsel) error
}
