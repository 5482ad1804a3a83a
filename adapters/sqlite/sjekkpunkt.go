package sqlite

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/uptrace/bun"
)

const (
	// skrivingerMellom is how many commits lie between two looks at the log; an accepted report is some 25 pages of it.
	skrivingerMellom = 32
	// maksLogg is how many pages of log make the writer move them itself: then the log starts anew, which it cannot while others write.
	maksLogg = 4000
)

// sjekkpunkter moves pages from the log into the file beside the writer, so that no accept waits for the move of those before it.
// What is committed is synced in the log either way; a crash at any point of the move leaves the log, and it is moved again.
type sjekkpunkter struct {
	db   *bun.DB
	n    atomic.Int32
	vekk chan struct{}
	lukk func() error
}

func nyeSjekkpunkter(db *bun.DB) *sjekkpunkter {
	s := &sjekkpunkter{db: db, vekk: make(chan struct{}, 1)}
	ctx, stans := context.WithCancel(context.Background())
	ferdig := make(chan struct{})
	go func() {
		defer close(ferdig)
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.vekk:
				// Passive: waits for nobody and holds nobody up. What it could not move, the next one moves.
				_, _ = s.db.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
			}
		}
	}()
	s.lukk = sync.OnceValue(func() error {
		stans()
		<-ferdig
		return db.Close()
	})
	return s
}

// skrev is told of every commit.
func (s *sjekkpunkter) skrev() {
	if s.n.Add(1) < skrivingerMellom {
		return
	}
	s.n.Store(0)
	select {
	case s.vekk <- struct{}{}:
	default: // it is at work already
	}
}
