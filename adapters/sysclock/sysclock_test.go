package sysclock_test

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/ports"
)

var _ ports.Clock = sysclock.Clock{}

func TestContract(t *testing.T) {
	contracts.TestClock(t, func(*testing.T) contracts.Klokkerigg { return contracts.Klokkerigg{Clock: sysclock.Clock{}} })
}

func TestNowIsUTCAndWholeMicroseconds(t *testing.T) {
	is := is.New(t)
	now := sysclock.Clock{}.Now()
	is.Equal(now.Location(), time.UTC)
	is.Equal(now, now.Truncate(time.Microsecond))
	is.True(time.Since(now) < time.Minute)
}

func TestAtFires(t *testing.T) {
	is := is.New(t)
	c := sysclock.Clock{}
	for _, t0 := range []time.Time{{}, c.Now().Add(-time.Hour), c.Now().Add(time.Millisecond)} {
		fired, stop := c.At(t0)
		got := <-fired
		is.True(!got.Before(t0)) // never early
		stop()
		stop()
	}
}

func TestStoppedAlarmStaysSilent(t *testing.T) {
	fired, stop := sysclock.Clock{}.At(time.Now().Add(time.Hour))
	stop()
	select {
	case <-fired:
		t.Fatal("a stopped alarm rang")
	default:
	}
}
