package amqp

import (
	"context"
	"sync"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
)

// nyttForsok is how long a dead message rests when its taker failed, in real time.
const nyttForsok = 100 * time.Millisecond

// dodsbo holds the dead messages in the order they died.
type dodsbo struct {
	mu  sync.Mutex
	alt fifo[broker.Dod]
	nye chan struct{} // room for one: there is something
	tar chan struct{} // room for one: held by the taker
}

func nyttDodsbo() *dodsbo {
	return &dodsbo{nye: make(chan struct{}, 1), tar: make(chan struct{}, 1)}
}

func (d *dodsbo) legg(x broker.Dod) {
	d.mu.Lock()
	d.alt.legg(x)
	d.mu.Unlock()
	select {
	case d.nye <- struct{}{}:
	default:
	}
}

func (d *dodsbo) forste() (broker.Dod, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.alt.forste()
}

func (d *dodsbo) fjernForste() {
	d.mu.Lock()
	d.alt.ta()
	d.mu.Unlock()
}

// Dode: see broker.Broker. A message whose ta failed is offered again, before any other. Of several calls one takes and the rest
// wait. It ends with ctx's error, or when the broker closes.
func (b *Broker) Dode(ctx context.Context, ta func(context.Context, broker.Dod) error) error {
	select {
	case b.dode.tar <- struct{}{}:
		defer func() { <-b.dode.tar }()
	case <-ctx.Done():
		return ctx.Err()
	case <-b.ctx.Done():
		return errStengt
	}
	for ctx.Err() == nil && b.ctx.Err() == nil {
		d, ok := b.dode.forste()
		if !ok {
			select {
			case <-b.dode.nye:
			case <-ctx.Done():
			case <-b.ctx.Done():
			}
			continue
		}
		if ta(ctx, d) == nil {
			// The platform has it. A crash before this line offers it once more.
			b.dode.fjernForste()
			continue
		}
		pause := time.NewTimer(nyttForsok)
		select {
		case <-pause.C:
		case <-ctx.Done():
		case <-b.ctx.Done():
		}
		pause.Stop()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errStengt
}
