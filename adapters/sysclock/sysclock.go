// Package sysclock is ports.Clock over the machine's own clock. Tests use a fake clock instead: with this one they would wait.
package sysclock

import "time"

// Clock is the machine's clock. The zero value is ready.
type Clock struct{}

// Now is the time in UTC, truncated to µs: what a database gives back is then what was put in.
func (Clock) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// At gives a channel that receives once, when t has come; at once when it has already. stop releases the timer and may be
// called any number of times; it does not close the channel, so nobody mistakes a stopped alarm for a ringing one.
func (Clock) At(t time.Time) (fired <-chan time.Time, stop func()) {
	timer := time.NewTimer(time.Until(t))
	return timer.C, func() { timer.Stop() }
}
