// Package brokertest says what every broker of the simulated Fiks IO platform must do, as a case system sees it through an ordinary
// AMQP client. A broker's own test calls Test with a rig; new promises come here first, and never in one broker's test.
//
// The broker is started once and shared by the subtests: each has queues and connections of its own. Nothing sleeps for a fixed
// time: waiting is for a message, or for a state that is looked at until it comes, and only a failure waits to the end.
package brokertest

import (
	"context"
	"crypto/tls"
	"strings"
	"sync"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
)

// Rigg is one broker under test. Whoever makes it registers its clean-up.
type Rigg struct {
	Broker broker.Broker // empty
	TLS    *tls.Config   // what a client trusts; nil = it speaks without TLS
	// Vent returns when d has passed on the broker's clock: it moves a fake one, or really waits.
	Vent func(t *testing.T, d time.Duration)
}

// Test holds a broker to every promise. rigg is called once and starts a broker that asks tilgang.
func Test(t *testing.T, rigg func(t *testing.T, tilgang broker.Tilgang) Rigg) {
	s := &suite{tilgang: &tilgang{sperret: map[string]bool{}, lesere: map[string]string{}}, dode: dodsbo{mottakere: map[string]func(broker.Dod) error{}}}
	s.Rigg = rigg(t, s.tilgang)
	s.lesDode(t)
	for _, del := range [][]lofte{innlogging, levering, kvittering, dode, drift} {
		for _, l := range del {
			t.Run(l.navn, func(t *testing.T) { l.prov(t, s) })
		}
	}
}

// lofte is one promise, in the words of those who rely on it.
type lofte struct {
	navn string
	prov func(t *testing.T, s *suite)
}

type suite struct {
	Rigg
	tilgang *tilgang
	dode    dodsbo
}

// Users that exist. A password is what Fiks IO's clients send: the integration's own, a blank, and a token.
const (
	bruker        = "0190c0de-0000-7000-8000-00000000000a"
	passord       = "hemmelig-a eyJhbGciOiJSUzI1NiJ9.e30.c2ln"
	annenBruker   = "0190c0de-0000-7000-8000-00000000000b"
	annetPassord  = "hemmelig-b eyJhbGciOiJSUzI1NiJ9.e30.c2ln"
	tungBruker    = "0190c0de-0000-7000-8000-00000000000c"
	ukjentBruker  = "0190c0de-0000-7000-8000-00000000000d"
	sperretBruker = "0190c0de-0000-7000-8000-00000000000e"
)

var tungtPassord = "hemmelig-c " + strings.Repeat("t", 6000)

// tilgang knows the users above, and who reads which queue.
type tilgang struct {
	mu      sync.Mutex
	sperret map[string]bool
	lesere  map[string]string // by queue
}

func (a *tilgang) LoggInn(_ context.Context, hvem, med string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	fasit := map[string]string{bruker: passord, annenBruker: annetPassord, tungBruker: tungtPassord, sperretBruker: passord}
	vil, finnes := fasit[hvem]
	return finnes && vil == med && !a.sperret[hvem]
}

func (a *tilgang) KanLese(_ context.Context, hvem, ko string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lesere[ko] == hvem
}

func (a *tilgang) gi(hvem, ko string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lesere[ko] = hvem
}

func (a *tilgang) sperr(hvem string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sperret[hvem] = true
}

// dodsbo hands each dead message to the subtest whose queue it came from.
type dodsbo struct {
	mu        sync.Mutex
	mottakere map[string]func(broker.Dod) error // by queue
}

// lesDode takes dead messages for the whole run, as the platform does.
func (s *suite) lesDode(t *testing.T) {
	ctx, avbryt := context.WithCancel(context.Background())
	slutt := make(chan error, 1)
	go func() {
		slutt <- s.Broker.Dode(ctx, func(_ context.Context, d broker.Dod) error {
			s.dode.mu.Lock()
			ta := s.dode.mottakere[d.Ko]
			s.dode.mu.Unlock()
			if ta == nil {
				return nil // left by a subtest that is over
			}
			return ta(d)
		})
	}()
	t.Cleanup(func() {
		select {
		case err := <-slutt:
			t.Errorf("Dode ga seg før tiden: %v", err)
		default:
			avbryt()
			_ = simtest.Vent(t, slutt, "at Dode gir seg når konteksten er over")
		}
	})
}

// doddeFra gives what dies on a queue from now on. ta may be nil; its error is the platform failing to take a message.
func (s *suite) doddeFra(ko string, ta func(broker.Dod) error) <-chan broker.Dod {
	c := make(chan broker.Dod, 1000)
	s.dode.mu.Lock()
	defer s.dode.mu.Unlock()
	s.dode.mottakere[ko] = func(d broker.Dod) error {
		c <- d
		if ta == nil {
			return nil
		}
		return ta(d)
	}
	return c
}
