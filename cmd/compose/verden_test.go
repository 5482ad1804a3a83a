package compose_test

import (
	"context"
	"testing"

	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/cmd/compose"
)

// minnelager is memory's store with what a database needs and it does not.
type minnelager struct{ *memory.Lager }

func (minnelager) Vedlikehold(context.Context) error         { return nil }
func (minnelager) LedigPlass(context.Context) (int64, error) { return -1, nil }
func (minnelager) Close() error                              { return nil }

// verden is a portal without its API, in memory.
func verden(t *testing.T) *world.Verden {
	t.Helper()
	return world.Ny(t, world.Valg{UtenHTTP: true, Lager: func(testing.TB) compose.Lager {
		return minnelager{memory.NyttLager(memory.NyKlokke(world.Start))}
	}})
}
