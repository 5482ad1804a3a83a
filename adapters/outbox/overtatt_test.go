package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/adapters/outbox"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// iGang is an Outbox at work with two places a queue, whose items end when slipp says so.
type iGang struct {
	*outbox.Outbox
	lager *memory.Lager
	inne  chan levering.OppdragID
	slipp chan struct{}
	nei   atomic.Bool // Vakt says no
	stopp func()
}

func startet(t *testing.T) *iGang {
	t.Helper()
	g := &iGang{lager: memory.NyttLager(sysclock.Clock{}), inne: make(chan levering.OppdragID, 100), slipp: make(chan struct{}, 100)}
	w := asked{g.lager, make(chan levering.Ko, 1000)}
	g.Outbox = outbox.New(outbox.Config{Work: w, Clock: sysclock.Clock{}, Samtidig: 2,
		Vakt: func(context.Context) error {
			if g.nei.Load() {
				return errors.New("disken er full")
			}
			return nil
		},
		Leveringen: utfor(func(ctx context.Context, l ports.Lease) error {
			g.inne <- l.Oppdrag.ID
			<-g.slipp
			return g.lager.Done(ctx, l)
		})})
	ctx, stopp := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = g.Run(ctx) })
	g.stopp = func() { stopp(); wg.Wait() }
	t.Cleanup(g.stopp)
	for range levering.Koene() {
		<-w.koer // each has looked once, and found nothing
	}
	return g
}

func svar(navn string) levering.Oppdrag {
	return levering.SvarOppdrag(melding.Svar{ID: navn, Mottatt: sysclock.Clock{}.Now()})
}

// hold is Hold once the queue is open: the look that found nothing may not have given its places back yet.
func (g *iGang) hold(t *testing.T, o levering.Oppdrag) ports.Lease {
	t.Helper()
	for t.Context().Err() == nil {
		if l, ok := g.Hold(t.Context(), o); ok {
			return l
		}
	}
	t.Fatal("ingen plass")
	return ports.Lease{}
}

// fodt is the send of a new report, leased to us from the commit that accepts it until til.
func (g *iGang) fodt(t *testing.T, til time.Time) ports.Lease {
	t.Helper()
	n := contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.Innsendt = sysclock.Clock{}.Now() })
	l := g.hold(t, n.Oppdrag[0])
	if !til.IsZero() {
		l.Until = til.Truncate(time.Microsecond)
	}
	n.Leier = []ports.Lease{l}
	if _, err := g.lager.Create(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestWhatIsHandedOverIsDoneWithoutAClaim(t *testing.T) {
	is, g := is.New(t), startet(t)
	l := g.fodt(t, time.Time{})
	g.Start(l)
	is.Equal(<-g.inne, l.Oppdrag.ID)
	g.slipp <- struct{}{}
	g.stopp() // waits for it
	is.Equal(len(g.slipp), 0)
}

func TestNoMoreIsTakenThanThereAreHandsFor(t *testing.T) {
	is, g := is.New(t), startet(t)
	a, b := g.hold(t, svar("a")), g.hold(t, svar("b"))
	_, ok := g.Hold(t.Context(), svar("c"))
	is.True(!ok)
	g.Drop(a)
	c := g.hold(t, svar("c"))
	g.Drop(b)
	g.Drop(c)
	for range 2 { // every place was given back
		defer g.Drop(g.hold(t, svar("d")))
	}
}

// What waits is older than what is made now, and is not passed by.
func TestWhatIsMadeNowPassesNobodyWhoWaits(t *testing.T) {
	is, g := is.New(t), startet(t)
	for i := range 4 {
		_, err := g.lager.Add(t.Context(), svar(fmt.Sprint("gammel", i)))
		is.NoErr(err)
	}
	g.Vekk(levering.KoSvar)
	<-g.inne
	<-g.inne
	_, ok := g.Hold(t.Context(), svar("ny"))
	is.True(!ok)
	g.slipp <- struct{}{}
	<-g.inne // one of those that waited
	_, ok = g.Hold(t.Context(), svar("ny"))
	is.True(!ok)
	for range 3 {
		g.slipp <- struct{}{}
	}
	<-g.inne
	g.Drop(g.hold(t, svar("ny"))) // when nobody waits any more
}

func TestNothingIsHeldWhenItMayNotBeDone(t *testing.T) {
	is, g := is.New(t), startet(t)
	g.Drop(g.hold(t, svar("a")))
	g.nei.Store(true)
	_, ok := g.Hold(t.Context(), svar("a"))
	is.True(!ok)
	g.nei.Store(false)
	sen := svar("a")
	sen.Forfall = sen.Forfall.AddDate(1, 0, 0)
	_, ok = g.Hold(t.Context(), sen) // not due
	is.True(!ok)
	g.stopp()
	_, ok = g.Hold(t.Context(), svar("a")) // nobody is left to do it
	is.True(!ok)
}

func TestAProcessThatOnlyTakesReportsInHoldsNothing(t *testing.T) {
	is := is.New(t)
	o := outbox.New(outbox.Config{Work: memory.NyttLager(sysclock.Clock{}), Clock: sysclock.Clock{}})
	_, ok := o.Hold(t.Context(), svar("a"))
	is.True(!ok)
}

// The commit took longer than the lease, and somebody else has the item.
func TestALeaseThatRanOutWhileItWasCommittedIsNotUsed(t *testing.T) {
	is, g := is.New(t), startet(t)
	l := g.fodt(t, sysclock.Clock{}.Now().Add(-time.Second))
	andres, err := g.lager.Claim(t.Context(), levering.KoSend, 1, sysclock.Clock{}.Now(), time.Minute)
	is.NoErr(err)
	is.Equal(len(andres), 1)
	g.Start(l)
	g.Drop(g.hold(t, svar("b")))
	g.stopp() // waits for whatever was started
	is.Equal(len(g.inne), 0)
}
