package compose

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"portal.example/bekymringsmelding/ports"
)

const (
	maksKlokkeavvik = 2 * time.Second
	// fullt is when the disk counts as full: nothing is claimed or sent, because its outcome could not be written down.
	fullt = 4 << 20
)

var (
	errKlokke = errors.New("klokka går mer enn 2 s feil mot lageret")
	errFullt  = errors.New("disken er full")
)

// vakt says whether this process may claim work and is ready (D20). It looks at most once a second.
type vakt struct {
	lager   Lager
	clock   ports.Clock
	utenTid bool

	mu   sync.Mutex
	sist time.Time
	feil error
}

func (v *vakt) Sjekk(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	na := v.clock.Now()
	if !v.sist.IsZero() && na.Sub(v.sist) < time.Second && !na.Before(v.sist) {
		return v.feil
	}
	v.sist, v.feil = na, v.se(ctx)
	return v.feil
}

func (v *vakt) se(ctx context.Context) error {
	if ledig, err := v.lager.LedigPlass(ctx); err == nil && ledig >= 0 && ledig < fullt {
		return errFullt
	}
	if v.utenTid {
		return nil
	}
	for range 2 { // a slow answer is not a wrong clock: only a difference outside the time the question took counts, twice
		for0 := v.clock.Now()
		der, err := v.lager.Now(ctx)
		if err != nil {
			return fmt.Errorf("lageret svarer ikke: %w", err)
		}
		etter := v.clock.Now()
		if !der.Before(for0.Add(-maksKlokkeavvik)) && !der.After(etter.Add(maksKlokkeavvik)) {
			return nil
		}
	}
	return errKlokke
}
