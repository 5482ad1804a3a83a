// Package contracts says what every adapter must satisfy: one suite a port, called by the adapter's own test.
//
// A suite takes a factory for an empty instance and opens a new one for each subtest. A subtest whose name begins with a mark such
// as S1 proves the promise of that mark in ports; merker_test.go compares the two lists. New semantics come here first, and never
// in one adapter's test. Nothing sleeps: instants are passed in, and waiting is for a channel with a deadline that only a failure meets.
//
// The suites are ordinary code, so that tests anywhere can also use the builders: NyMelding, Lever, Slett, Tilfeldig, NyttSertifikat.
package contracts

import (
	"context"
	"sync"
	"testing"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Lager is one empty store through all its ports, with hands on what lies behind them. The factory registers its own clean-up.
type Lager struct {
	Store        ports.Store
	Dispatch     ports.Dispatch
	Vault        ports.Vault
	Work         ports.Work
	Ledger       ports.Ledger
	Certificates ports.Certificates
	Directory    ports.Directory
	Registry     ports.Registry
	Access       ports.Access
	Overview     ports.Overview

	// Reopen closes the store as hard as it can and opens it again on the same data; nil = it cannot.
	Reopen func(t *testing.T) Lager
	// Korruper changes one stored byte of a part behind the adapter's back.
	Korruper func(t *testing.T, id melding.ID, del melding.Del)
	// Fjern removes owed work of a report behind the adapter's back ("" = every queue): the breach that no port lets anybody make.
	Fjern func(t *testing.T, id melding.ID, ko levering.Ko)
}

// pany gives the same data read anew, or l itself when the store cannot be reopened.
func (l Lager) pany(t *testing.T) Lager {
	t.Helper()
	if l.Reopen == nil {
		t.Log("kan ikke åpnes på nytt: det varige er ikke prøvd her")
		return l
	}
	return l.Reopen(t)
}

// frist is how long a suite waits for what should come at once. Only a failure ever waits this long.
const frist = 30 * time.Second

// ventPa receives from c, or fails.
func ventPa[T any](t *testing.T, c <-chan T, hva string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(frist):
		t.Fatalf("ventet forgjeves på %s", hva)
	}
	panic("nås ikke")
}

// samtidig runs fn n times at once and waits for all.
func samtidig(n int, fn func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	wg.Wait()
}

// bakgrunn outlives the test's own context, for reading back after something was cancelled.
func bakgrunn() context.Context { return context.Background() }
