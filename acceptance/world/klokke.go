package world

import (
	"sync"
	"time"
)

// Klokke is a clock that a test moves. At fires when the test moves time to or past t; nothing sleeps.
type Klokke struct {
	mu     sync.Mutex
	na     time.Time
	venter map[*vekker]bool
}

type vekker struct {
	tid time.Time
	c   chan time.Time
}

// NyKlokke stands at t.
func NyKlokke(t time.Time) *Klokke {
	return &Klokke{na: t.UTC().Truncate(time.Microsecond), venter: map[*vekker]bool{}}
}

func (k *Klokke) Now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.na
}

// Sett moves to t, also backwards, and fires what is due.
func (k *Klokke) Sett(t time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.na = t.UTC().Truncate(time.Microsecond)
	for v := range k.venter {
		if !v.tid.After(k.na) {
			v.c <- k.na
			delete(k.venter, v)
		}
	}
}

func (k *Klokke) At(t time.Time) (<-chan time.Time, func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v := &vekker{tid: t, c: make(chan time.Time, 1)}
	if !t.After(k.na) {
		v.c <- k.na
		return v.c, func() {}
	}
	k.venter[v] = true
	return v.c, func() { k.mu.Lock(); delete(k.venter, v); k.mu.Unlock() }
}
