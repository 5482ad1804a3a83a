package compose

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/memory"
)

type vaktlager struct {
	*memory.Lager
	plass int64
}

func (vaktlager) Vedlikehold(context.Context) error           { return nil }
func (v vaktlager) LedigPlass(context.Context) (int64, error) { return v.plass, nil }
func (vaktlager) Close() error                                { return nil }

func TestAWrongClockOrAFullDiskClaimsNothing(t *testing.T) {
	start := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for navn, x := range map[string]struct {
		avvik time.Duration
		plass int64
		vil   error
	}{
		"riktig klokke": {1900 * time.Millisecond, 1 << 40, nil},
		"for sen":       {-2100 * time.Millisecond, 1 << 40, errKlokke},
		"for tidlig":    {2100 * time.Millisecond, 1 << 40, errKlokke},
		"full disk":     {0, 1 << 20, errFullt},
		"ukjent plass":  {0, -1, nil},
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			var lager Lager = vaktlager{memory.NyttLager(memory.NyKlokke(start)), x.plass}
			v := &vakt{lager: lager, clock: memory.NyKlokke(start.Add(x.avvik))}
			is.True(errors.Is(v.Sjekk(t.Context()), x.vil))
		})
	}
}
