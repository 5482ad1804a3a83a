package memory

import (
	"context"
	"slices"
	"sync"
	"time"

	"portal.example/bekymringsmelding/ports"
)

// Klokke is a clock that moves only when a test moves it. Timers fire in the order of their instants, each while the clock shows it.
type Klokke struct {
	mu      sync.Mutex
	na      time.Time
	ventere []*venter     // by instant
	endret  chan struct{} // closed and replaced whenever somebody begins or stops waiting
}

type venter struct {
	tid time.Time
	c   chan time.Time
}

var _ ports.Clock = (*Klokke)(nil)

// NyKlokke stands at t.
func NyKlokke(t time.Time) *Klokke { return &Klokke{na: mikro(t), endret: make(chan struct{})} }

// Now: see ports.Clock.
func (k *Klokke) Now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.na
}

// At: see ports.Clock. stop takes the timer away; a channel that has fired keeps its instant.
func (k *Klokke) At(t time.Time) (<-chan time.Time, func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v := &venter{tid: mikro(t), c: make(chan time.Time, 1)}
	if !v.tid.After(k.na) {
		v.c <- k.na
		return v.c, func() {}
	}
	i, _ := slices.BinarySearchFunc(k.ventere, v.tid, func(x *venter, t time.Time) int {
		if x.tid.After(t) {
			return 1
		}
		return -1
	})
	k.ventere = slices.Insert(k.ventere, i, v)
	k.meld()
	return v.c, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if i := slices.Index(k.ventere, v); i >= 0 {
			k.ventere = slices.Delete(k.ventere, i, i+1)
			k.meld()
		}
	}
}

// meld tells Vent. The caller holds mu.
func (k *Klokke) meld() {
	close(k.endret)
	k.endret = make(chan struct{})
}

// Sett moves the clock to t, forwards or back. Going forwards fires what is passed.
func (k *Klokke) Sett(t time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sett(mikro(t))
}

// Flytt moves the clock by d.
func (k *Klokke) Flytt(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sett(mikro(k.na.Add(d)))
}

func (k *Klokke) sett(t time.Time) {
	for len(k.ventere) > 0 && !k.ventere[0].tid.After(t) {
		v := k.ventere[0]
		k.ventere = k.ventere[1:]
		k.na = v.tid
		v.c <- v.tid // room for one, and nobody else sends
		k.meld()
	}
	k.na = t
}

// Neste is the earliest instant somebody waits for.
func (k *Klokke) Neste() (time.Time, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.ventere) == 0 {
		return time.Time{}, false
	}
	return k.ventere[0].tid, true
}

// Vent returns when at least n timers wait: the moment a test may move time on, without sleeping.
func (k *Klokke) Vent(ctx context.Context, n int) error {
	for {
		k.mu.Lock()
		nok, endret := len(k.ventere) >= n, k.endret
		k.mu.Unlock()
		if nok {
			return nil
		}
		select {
		case <-endret:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
