package contracts

import (
	"reflect"
	"slices"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

// Notifierrigg is a Notifier and a way to see what people were told: the ids, in order, one for each time they were told.
type Notifierrigg struct {
	Notifier ports.Notifier
	Fortalt  func(t *testing.T) []string
}

// TestNotifier is the contract of ports.Notifier.
func TestNotifier(t *testing.T, rigg func(t *testing.T) Notifierrigg) {
	varsel := func() ports.Varsel {
		return ports.Varsel{ID: UUID(), Art: levering.SakBrevAvvist, Til: "r-1", Sak: "sak-1", Nar: Start}
	}

	t.Run("N1 no field holds report text", func(t *testing.T) {
		is := is.New(t)
		var felt []string
		for f := range reflect.TypeFor[ports.Varsel]().Fields() {
			felt = append(felt, f.Name+" "+f.Type.String())
		}
		slices.Sort(felt)
		// A new field must be looked at by somebody who knows that this leaves the portal unsealed.
		is.Equal(felt, []string{"Art levering.Saksart", "ID string", "Nar time.Time", "Sak levering.SakID", "Til kommune.RessursID"})
	})

	t.Run("N2 the same Varsel is told once", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		a, b := varsel(), varsel()
		for _, v := range []ports.Varsel{a, a, b, a} {
			is.NoErr(r.Notifier.Notify(t.Context(), v))
		}
		is.Equal(r.Fortalt(t), []string{a.ID, b.ID})
	})
}
