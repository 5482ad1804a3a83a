package plattform_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
)

// minne is a broker in memory without clients: what is laid on a queue stays there until a test looks.
type minne struct {
	mu   sync.Mutex
	koer map[string][]broker.Melding
	nekt error // from Legg
	dode chan broker.Dod
	svar chan error    // what the platform said about each dead message
	lagt chan struct{} // something was laid on some queue
}

func nyttMinne() *minne {
	return &minne{koer: map[string][]broker.Melding{}, dode: make(chan broker.Dod), svar: make(chan error), lagt: make(chan struct{}, 1)}
}

func (b *minne) Opprett(_ context.Context, ko string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.koer[ko] == nil {
		b.koer[ko] = []broker.Melding{}
	}
	return nil
}

func (b *minne) Legg(_ context.Context, ko string, m broker.Melding) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.nekt != nil {
		return b.nekt
	}
	if b.koer[ko] == nil {
		return errors.New("ukjent kø")
	}
	b.koer[ko] = append(b.koer[ko], m)
	select {
	case b.lagt <- struct{}{}:
	default:
	}
	return nil
}

func (b *minne) Dode(ctx context.Context, ta func(context.Context, broker.Dod) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case d := <-b.dode:
			b.svar <- ta(ctx, d)
		}
	}
}

func (b *minne) Status(_ context.Context, ko string) (broker.Status, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return broker.Status{Klare: len(b.koer[ko]), Ubekreftede: 2, Konsumenter: 1}, nil
}

func (b *minne) Adresse() string             { return "127.0.0.1:1" }
func (b *minne) Brudd(context.Context) error { return nil }
func (b *minne) Close() error                { return nil }

func (b *minne) feil(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nekt = err
}

// ta empties a queue.
func (b *minne) ta(ko string) []broker.Melding {
	b.mu.Lock()
	defer b.mu.Unlock()
	ut := b.koer[ko]
	b.koer[ko] = []broker.Melding{}
	return ut
}

func (b *minne) antall(ko string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.koer[ko])
}

// venter gives the first message of a queue when there is one.
func (r *rigg) venter(ko string) broker.Melding {
	r.t.Helper()
	for {
		if m := r.b.ta(ko); len(m) > 0 {
			return m[0]
		}
		select {
		case <-r.b.lagt:
		case <-time.After(10 * time.Second):
			r.t.Fatal("ingenting ble lagt på køen")
		}
	}
}
