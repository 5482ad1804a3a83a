package world

import (
	"context"
	"time"

	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/levering"
)

// Pump does everything that is due now, and what follows from it, until the world is at rest. A failure of one round is the faults'
// business: what is owed comes again.
func (v *Verden) Pump() {
	v.T.Helper()
	ctx := context.Background()
	for range 1000 {
		n, _ := v.Nett.Lever(ctx, v.ta(v.portal().Levering.TaImot))
		_ = v.portal().Levering.HentBrevstatus(ctx)
		for range 1 + len(v.Andre) {
			m, _ := v.portal().Outbox.Pump(ctx)
			n += m
		}
		if n == 0 {
			return
		}
	}
	v.T.Fatal("verden kommer ikke til ro")
}

// portal gives the portals in turn.
func (v *Verden) portal() *compose.System {
	v.runder++
	if i := v.runder % (1 + len(v.Andre)); i > 0 {
		return v.Andre[i-1]
	}
	return v.System
}

// Fram moves time on, stopping at everything that is due on the way.
func (v *Verden) Fram(d time.Duration) { v.T.Helper(); v.Til(v.Klokke.Now().Add(d)) }

// Til is Fram to an instant.
func (v *Verden) Til(t time.Time) {
	v.T.Helper()
	v.Pump()
	for v.Klokke.Now().Before(t) {
		neste := v.Klokke.Now().Add(v.Steg)
		if n := v.Neste(); !n.IsZero() && n.Before(neste) && n.After(v.Klokke.Now()) {
			neste = n
		}
		if neste.After(t) {
			neste = t
		}
		v.Klokke.Sett(neste)
		v.Pump()
	}
}

// Neste is when the next thing is due; zero = nothing.
func (v *Verden) Neste() (t time.Time) {
	for _, ko := range levering.Koene() {
		n, err := v.Lager.Next(context.Background(), ko)
		if err == nil && !n.IsZero() && n.After(v.Klokke.Now()) && (t.IsZero() || n.Before(t)) {
			t = n
		}
	}
	if n := v.Nett.Neste(); !n.IsZero() && n.After(v.Klokke.Now()) && (t.IsZero() || n.Before(t)) {
		t = n
	}
	return t
}
