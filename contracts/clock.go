package contracts

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/ports"
)

// Klokkerigg is a Clock and a hand that moves it. Flytt nil = real time: nothing here then waits longer than a few milliseconds.
type Klokkerigg struct {
	Clock ports.Clock
	Flytt func(d time.Duration)
}

// TestClock is the contract of ports.Clock.
func TestClock(t *testing.T, rigg func(t *testing.T) Klokkerigg) {
	t.Run("Now is UTC in whole microseconds", func(t *testing.T) {
		na := rigg(t).Clock.Now()
		Lik(t, na, na.UTC().Truncate(time.Microsecond))
	})

	t.Run("At fires at once for what has passed", func(t *testing.T) {
		r := rigg(t)
		for _, d := range []time.Duration{0, -time.Hour} {
			c, stopp := r.Clock.At(r.Clock.Now().Add(d))
			ventPa(t, c, "en tid som er gått")
			stopp()
		}
	})

	t.Run("At fires when its time comes, and not before", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		nar := r.Clock.Now().Add(5 * time.Millisecond)
		a, stoppA := r.Clock.At(nar)
		b, stoppB := r.Clock.At(nar.Add(time.Hour))
		defer stoppA()
		stoppB()
		stoppB() // twice is harmless
		if r.Flytt != nil {
			r.Flytt(4 * time.Millisecond)
			is.Equal(len(a), 0)
			r.Flytt(2 * time.Millisecond)
		}
		ventPa(t, a, "klokka")
		is.True(!r.Clock.Now().Before(nar))
		if r.Flytt != nil {
			r.Flytt(2 * time.Hour)
		}
		select {
		case <-b:
			t.Fatal("en stanset klokke ringte")
		default:
		}
	})
}
