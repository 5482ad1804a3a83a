package world

import (
	"time"

	"portal.example/bekymringsmelding/adapters/memory"
)

// Klokke is a clock that a test moves.
type Klokke = memory.Klokke

// NyKlokke stands at t.
func NyKlokke(t time.Time) *Klokke { return memory.NyKlokke(t) }
