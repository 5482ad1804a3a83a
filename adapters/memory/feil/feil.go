// Package feil makes the writes of any implementation of the ports fail, before or after their effect.
//
// A Feil is asked before each writing call, through whichever wrapper it comes, and remembers it. A sweep records the calls of one
// clean run and then fails them one by one, each way:
//
//	f := feil.Ny(nil)
//	kjor(f.Store(lager), f.Work(lager), …)
//	for _, k := range f.Kall() {
//		for _, utfor := range []bool{false, true} {
//			kjor(… with feil.Ny(feil.Nte(k.Nr, utfor, err)) …)
//		}
//	}
package feil

import (
	"slices"
	"sync"

	"portal.example/bekymringsmelding/ports"
)

// Kall is one writing call.
type Kall struct {
	Nr     int // runs from 1 over all ports
	Port   string
	Metode string
	ID     string // of what it is about, never content
}

// Krok decides how a call goes: (true, nil) normally; (false, err) failed, and nothing was done; (true, err) failed, but it was done.
// (false, nil) would be a lie no store tells: it is (false, ports.ErrUnavailable).
type Krok func(Kall) (utfor bool, err error)

// Nte fails call number nr and no other.
func Nte(nr int, utfor bool, err error) Krok {
	return func(k Kall) (bool, error) {
		if k.Nr == nr {
			return utfor, err
		}
		return true, nil
	}
}

// Feil is one hook over any number of wrapped ports.
type Feil struct {
	mu   sync.Mutex
	krok Krok
	kall []Kall
}

// Ny asks krok about every writing call; nil = everything goes normally, and is only remembered.
func Ny(krok Krok) *Feil { return &Feil{krok: krok} }

// Sett replaces the hook. Numbers run on.
func (f *Feil) Sett(krok Krok) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.krok = krok
}

// Kall lists every writing call so far, in order.
func (f *Feil) Kall() []Kall {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.kall)
}

// gjor runs one writing call as the hook says. The hook runs outside the lock: it may look at the Feil.
func (f *Feil) gjor(port, metode, id string, fn func() error) error {
	f.mu.Lock()
	k := Kall{Nr: len(f.kall) + 1, Port: port, Metode: metode, ID: id}
	f.kall = append(f.kall, k)
	krok := f.krok
	f.mu.Unlock()
	utfor, err := true, error(nil)
	if krok != nil {
		utfor, err = krok(k)
	}
	if !utfor {
		if err == nil {
			err = ports.ErrUnavailable
		}
		return err
	}
	if e := fn(); e != nil {
		return e
	}
	return err
}
