package outbox

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

// ko is what the process knows of one queue.
type ko struct {
	vekker chan struct{}
	plass  chan struct{} // one in it for each item in work
	mer    atomic.Bool   // the last claim took all it asked for

	mu   sync.Mutex
	apen bool // somebody runs the queue, and what is handed over will be waited for
}

func (k *ko) apne(apen bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.apen = apen
}

// ta takes a place if one is free.
func (k *ko) ta() bool {
	select {
	case k.plass <- struct{}{}:
		return true
	default:
		return false
	}
}

func (k *ko) taAlle() (n int) {
	for k.ta() {
		n++
	}
	return n
}

// ferdig gives a place back, and looks for more if there was more.
func (o *Outbox) ferdig(navn levering.Ko) {
	k := o.koer[navn]
	<-k.plass
	if k.mer.Load() {
		o.Vekk(navn)
	}
}

// Hold: see ports.Handover. Nothing is held before Run, after it was asked to stop, or while Vakt says no.
func (o *Outbox) Hold(ctx context.Context, x levering.Oppdrag) (ports.Lease, bool) {
	k, na := o.koer[x.Ko], o.Clock.Now()
	if k == nil || k.mer.Load() || x.Forfall.After(na) {
		return ports.Lease{}, false
	}
	k.mu.Lock()
	ok := k.apen && k.ta()
	if ok {
		o.underveis.Add(1)
	}
	k.mu.Unlock()
	l := ports.Lease{Oppdrag: x, Token: rand.Text(), Until: na.Add(o.Leietid).Truncate(time.Microsecond), Attempt: 1}
	if ok && o.Vakt(ctx) != nil { // last: it may ask the database
		o.Drop(l)
		ok = false
	}
	return l, ok
}

// Start: see ports.Handover. A commit that took half the lease leaves too little of it: it is renewed first, and lost if somebody has the
// item by now.
func (o *Outbox) Start(l ports.Lease) {
	go func() {
		defer o.Drop(l)
		ctx := context.Background()
		if na := o.Clock.Now(); !na.Before(l.Until.Add(-o.Leietid / 2)) {
			if err := o.Work.Extend(ctx, l, na, o.Leietid); err != nil {
				return // claimed by somebody, or will be
			}
		}
		o.medLeie(ctx, l)
	}()
}

// Drop: see ports.Handover.
func (o *Outbox) Drop(l ports.Lease) {
	o.ferdig(l.Oppdrag.Ko)
	o.underveis.Done()
}
