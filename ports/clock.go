package ports

import "time"

// Clock is the only source of now. With the fake clock nothing sleeps: At fires when the test moves time past t.
type Clock interface {
	Now() time.Time // UTC, truncated to µs
	At(t time.Time) (fired <-chan time.Time, stop func())
}
