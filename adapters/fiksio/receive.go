package fiksio

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/melding"
)

const (
	forsteKoblepause = time.Second
	// stabil is how long a connection must have consumed before the next pause is short again: each break counts as a delivery of
	// everything that was out, and after three the platform gives a message up.
	stabil = 30 * time.Second
)

// Receive: see ports.Transport. It returns ctx's error, when every take under way has returned.
func (t *Transport) Receive(ctx context.Context, take func(context.Context, melding.Svar) error) error {
	var venter sync.WaitGroup
	defer venter.Wait()
	for p := (pause{forst: forsteKoblepause}); ; {
		begynt, err := t.enOkt(ctx, &venter, take)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !begynt.IsZero() && t.c.Clock.Now().Sub(begynt) >= stabil {
			p = pause{forst: forsteKoblepause}
		}
		til := p.neste()
		t.c.Logg.WarnContext(ctx, "ingen forbindelse for svar fra Fiks IO, prøver igjen", "konto", t.c.Konto, "om", til, "feil", grunn(err))
		if !t.vent(ctx, til) {
			return ctx.Err()
		}
	}
}

// vent pauses on the clock; false when ctx ended.
func (t *Transport) vent(ctx context.Context, d time.Duration) bool {
	ringt, stopp := t.c.Clock.At(t.c.Clock.Now().Add(d))
	defer stopp()
	select {
	case <-ringt:
		return true
	case <-ctx.Done():
		return false
	}
}

// pause doubles from forst up to lengstePause. Each is drawn from its upper half, so that replicas that lost the same broker do not all
// come back at once.
type pause struct{ forst, forrige time.Duration }

func (p *pause) neste() time.Duration {
	p.forrige = min(max(2*p.forrige, p.forst), lengstePause)
	return p.forrige/2 + rand.N(p.forrige/2+1)
}
