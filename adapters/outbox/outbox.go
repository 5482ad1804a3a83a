// Package outbox drives app/delivery: it claims owed work queue by queue and runs it through a watermill Router.
//
// The Subscriber here is ours, over ports.Work, because the work lies in the same database as the reports. An item's message carries
// no content, only its lease; handlers read what they need. The Router starts a goroutine for every message it is given, so the
// Subscriber limits how many are unacknowledged. There is no Retry middleware: an item that fails goes back with a later due
// time. Pump does the same work without goroutines, for tests that move a fake clock.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

// Leveringen is what runs one item: app/delivery.
type Leveringen interface {
	Utfor(ctx context.Context, l ports.Lease) error
}

// Senere is how a handler gives an item back for a known time (delivery.Senere).
type Senere interface {
	error
	Tid() (time.Time, string)
}

// Config is what an Outbox needs.
type Config struct {
	Work       ports.Work
	Clock      ports.Clock
	Leveringen Leveringen
	Policy     levering.Policy
	Logg       *slog.Logger
	Leietid    time.Duration // default 60 s; renewed while a handler runs
	Samtidig   int           // items of a queue in work at once; default 16
	Pause      time.Duration // longest time between two looks at a queue; default 1 s
	// Vakt says whether work may be claimed now: the disk is full, or our clock is not the store's. nil = always.
	Vakt func(context.Context) error
}

// Outbox runs owed work.
type Outbox struct {
	Config
	koer      map[levering.Ko]*ko
	underveis sync.WaitGroup // items handed over
}

// New fills in what may be missing.
func New(c Config) *Outbox {
	if c.Leietid == 0 {
		c.Leietid = time.Minute
	}
	if c.Samtidig == 0 {
		c.Samtidig = 16
	}
	if c.Pause == 0 {
		c.Pause = time.Second
	}
	if c.Logg == nil {
		c.Logg = slog.New(slog.DiscardHandler)
	}
	if c.Vakt == nil {
		c.Vakt = func(context.Context) error { return nil }
	}
	o := &Outbox{Config: c, koer: map[levering.Ko]*ko{}}
	for _, k := range levering.Koene() {
		o.koer[k] = &ko{vekker: make(chan struct{}, 1), plass: make(chan struct{}, c.Samtidig)}
	}
	return o
}

// Vekk makes these queues look now; each look is a query or two, so only those that have got work. It never blocks.
func (o *Outbox) Vekk(koer ...levering.Ko) {
	for _, ko := range koer {
		select {
		case o.koer[ko].vekker <- struct{}{}:
		default: // it will look already
		}
	}
}

// Pump claims and runs everything due now, one item at a time, until nothing is. It returns how many items ran.
func (o *Outbox) Pump(ctx context.Context) (int, error) {
	n := 0
	for {
		runde := 0
		for _, ko := range levering.Koene() {
			if err := o.Vakt(ctx); err != nil {
				return n, err
			}
			leier, err := o.Work.Claim(ctx, ko, 1, o.Clock.Now(), o.Leietid)
			if err != nil {
				return n, fmt.Errorf("claim %s: %w", ko, err)
			}
			for _, l := range leier {
				runde++
				o.kjor(ctx, l)
			}
		}
		n += runde
		if runde == 0 || ctx.Err() != nil {
			return n, ctx.Err()
		}
	}
}

// kjor runs one item and gives it back when it did not end. A panic is an unknown outcome like any other.
func (o *Outbox) kjor(ctx context.Context, l ports.Lease) {
	err := o.trygt(ctx, l)
	if err == nil {
		return
	}
	na := o.Clock.Now()
	vent, arsak := o.Policy.Vent(l.Attempt), "ukjent utfall"
	due := na.Add(vent)
	if vent == o.Policy.MaksVent {
		// On the quarter, not a quarter from now: what has waited through the same long outage is due at one instant, and is then
		// claimed in the order it was accepted (reference bekymringsmelding.md §8, 34).
		due = due.Truncate(vent)
	}
	var s Senere
	if errors.As(err, &s) {
		if due, arsak = s.Tid(); due.Before(na.Add(time.Second)) {
			due = na.Add(time.Second) // a time that has passed must not become a busy loop
		}
	} else {
		o.Logg.WarnContext(ctx, "oppdrag gikk ikke", "oppdrag", l.Oppdrag.ID, "forsok", l.Attempt, "feil", err.Error(), "neste", due)
	}
	// The request to stop must not keep the lease for its whole length.
	ctx, avbryt := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer avbryt()
	if err := o.Work.Release(ctx, l, due, arsak); err != nil && !errors.Is(err, ports.ErrConflict) {
		o.Logg.WarnContext(ctx, "oppdrag ble ikke gitt tilbake; leien løper ut", "oppdrag", l.Oppdrag.ID, "feil", err.Error())
	}
}

func (o *Outbox) trygt(ctx context.Context, l ports.Lease) (err error) {
	defer func() {
		if r := recover(); r != nil {
			// The value of a panic may hold content; its type may not.
			err = fmt.Errorf("oppdrag %s: panikk av type %T", l.Oppdrag.ID, r)
		}
	}()
	return o.Leveringen.Utfor(ctx, l)
}
