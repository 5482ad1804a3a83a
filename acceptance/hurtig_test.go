package acceptance_test

import (
	"context"
	"sync"
	"time"

	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// hurtiglager remembers between two writes when each queue is due, and answers a Claim where nothing is by itself: such a Claim writes
// nothing (ports.Work), and a sweep makes millions of them. Everything that writes work goes through it.
type hurtiglager struct {
	compose.Lager
	mu    sync.Mutex
	neste map[levering.Ko]time.Time
}

func (h *hurtiglager) glem() {
	h.mu.Lock()
	h.neste = map[levering.Ko]time.Time{}
	h.mu.Unlock()
}

func (h *hurtiglager) Next(ctx context.Context, ko levering.Ko) (time.Time, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t, ok := h.neste[ko]; ok {
		return t, nil
	}
	t, err := h.Lager.Next(ctx, ko)
	if err == nil && h.neste != nil {
		h.neste[ko] = t
	}
	return t, err
}

func (h *hurtiglager) Claim(ctx context.Context, ko levering.Ko, maks int, now time.Time, lease time.Duration) ([]ports.Lease, error) {
	if t, err := h.Next(ctx, ko); err == nil && (t.IsZero() || t.After(now)) {
		return nil, nil
	}
	defer h.glem()
	return h.Lager.Claim(ctx, ko, maks, now, lease)
}

func (h *hurtiglager) Create(ctx context.Context, n ports.Ny) (melding.ID, error) {
	defer h.glem()
	return h.Lager.Create(ctx, n)
}

func (h *hurtiglager) Update(ctx context.Context, id melding.ID, fn func(ports.Utgave) (ports.Endring, error)) (ports.Utgave, error) {
	defer h.glem()
	return h.Lager.Update(ctx, id, fn)
}

func (h *hurtiglager) Settle(ctx context.Context, id melding.ID, o levering.Oppdrag, fn func(ports.Utgave) (ports.Endring, error)) (ports.Utgave, bool, error) {
	defer h.glem()
	return h.Lager.Settle(ctx, id, o, fn)
}

func (h *hurtiglager) Begin(ctx context.Context, id melding.ID, now time.Time, fn func(ports.Sendegrunnlag) (ports.Endring, error)) (ports.Begynt, error) {
	defer h.glem()
	return h.Lager.Begin(ctx, id, now, fn)
}

func (h *hurtiglager) Add(ctx context.Context, o ...levering.Oppdrag) (int, error) {
	defer h.glem()
	return h.Lager.Add(ctx, o...)
}

func (h *hurtiglager) Extend(ctx context.Context, l ports.Lease, now time.Time, lease time.Duration) error {
	defer h.glem()
	return h.Lager.Extend(ctx, l, now, lease)
}

func (h *hurtiglager) Release(ctx context.Context, l ports.Lease, due time.Time, cause string) error {
	defer h.glem()
	return h.Lager.Release(ctx, l, due, cause)
}

func (h *hurtiglager) Done(ctx context.Context, l ports.Lease) error {
	defer h.glem()
	return h.Lager.Done(ctx, l)
}
