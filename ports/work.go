package ports

import (
	"context"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
)

// Lease is one claimed Oppdrag. Attempt counts claims, so a crash counts too. Whoever makes work may make its first lease with it:
// Token random, Until whole microseconds, Attempt 1.
type Lease struct {
	Oppdrag levering.Oppdrag
	Token   string
	Until   time.Time
	Attempt int
	// Begynt: the item's attempt was begun in the commit that made the item (levering.SendesStraks). Only its maker knows; a Claim never says so.
	Begynt bool
}

// Work hands out owed work. Two workers may hold the same item after a pause; then Update decides. Leases only keep that rare.
// Every instant a Work judges by is the now given to it, so that a fake clock rules it.
type Work interface {
	// Add queues work that belongs to no Update (an answer from the wire), durably [W1]; same id twice is one item, also after
	// it was settled [W2]. nye is how many were new: the rest the world has said before, and the caller makes that seen. After an
	// error nye says nothing: the items may be there, and a repeat will then count none as new.
	Add(ctx context.Context, o ...levering.Oppdrag) (nye int, err error)
	// Claim leases at most max items of the queue that are due at now, oldest due first [W3], never two of one report at a time
	// [W4], across callers and queues. [W5] An item not due, or backing off, never holds back another of the same report: the frist
	// fires while sending retries. [W6] Not settled by Until = handed out again. A claim that finds nothing writes nothing.
	Claim(ctx context.Context, ko levering.Ko, max int, now time.Time, lease time.Duration) ([]Lease, error)
	// Extend moves Until; ErrConflict when the lease was lost [W7]: stop before the next effect.
	Extend(ctx context.Context, l Lease, now time.Time, lease time.Duration) error
	// Release gives the item back for due, with a cause free of content. Work settled by Ferdig needs no call: releasing what is
	// gone is nil. ErrConflict when somebody else holds it now.
	Release(ctx context.Context, l Lease, due time.Time, cause string) error
	// Done settles work that belongs to no report. Items tied to a report: ErrRefused [W8].
	Done(ctx context.Context, l Lease) error
	// Pending says whether an item is there and not settled, leased or not [W9].
	Pending(ctx context.Context, id levering.OppdragID) (bool, error)
	// Next is when the earliest item of the queue becomes due (a leased one when its lease ends); zero time = none.
	Next(ctx context.Context, ko levering.Ko) (time.Time, error)
}

// Handover lets whoever makes work have this process do it at once, without a claim. What is not handed over is claimed by somebody.
type Handover interface {
	// Hold takes a free place for an item that is due, and makes the lease it is to be born with. ok = false: no place is free, or
	// older work of the same queue waits for one. After ok, call Start or Drop, once.
	Hold(ctx context.Context, o levering.Oppdrag) (l Lease, ok bool)
	// Start does the item. Its lease must be committed.
	Start(l Lease)
	// Drop gives the place back: the item was not stored, or nobody knows whether it was.
	Drop(l Lease)
}
