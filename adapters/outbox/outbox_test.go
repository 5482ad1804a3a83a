package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/adapters/outbox"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

var t0 = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

type utfor func(context.Context, ports.Lease) error

func (u utfor) Utfor(ctx context.Context, l ports.Lease) error { return u(ctx, l) }

type senere time.Time

func (senere) Error() string              { return "senere" }
func (s senere) Tid() (time.Time, string) { return time.Time(s), "venter" }

type rigg struct {
	*outbox.Outbox
	lager  *memory.Lager
	klokke *memory.Klokke
	logg   *bytes.Buffer
}

func ny(u utfor) *rigg {
	k := memory.NyKlokke(t0)
	r := &rigg{lager: memory.NyttLager(k), klokke: k, logg: &bytes.Buffer{}}
	r.Outbox = outbox.New(outbox.Config{Work: r.lager, Clock: k, Leveringen: u, Policy: levering.Policy{MaksVent: 15 * time.Minute}, Logg: slog.New(slog.NewTextHandler(r.logg, nil))})
	return r
}

func legg(t *testing.T, w ports.Work, n int, nar time.Time) {
	t.Helper()
	for i := range n {
		if _, err := w.Add(context.Background(), levering.SvarOppdrag(melding.Svar{ID: fmt.Sprint("s", i), Mottatt: nar})); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatFailsComesBackLaterAndLater(t *testing.T) {
	is := is.New(t)
	var ganger []time.Duration
	var r *rigg
	r = ny(func(_ context.Context, l ports.Lease) error {
		ganger = append(ganger, r.klokke.Now().Sub(t0))
		if len(ganger) < 4 {
			return errors.New("nede")
		}
		return r.lager.Done(context.Background(), l)
	})
	legg(t, r.lager, 1, t0)
	for range 20 {
		_, err := r.Pump(t.Context())
		is.NoErr(err)
		r.klokke.Flytt(time.Second)
	}
	is.Equal(ganger, []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second}) // 1, 2, 4 s between
}

func TestWhatBelongsToALaterTimeWaits(t *testing.T) {
	is := is.New(t)
	n := 0
	r := ny(func(context.Context, ports.Lease) error { n++; return senere(t0.Add(time.Hour)) })
	legg(t, r.lager, 1, t0)
	_, _ = r.Pump(t.Context())
	r.klokke.Flytt(59 * time.Minute)
	_, _ = r.Pump(t.Context())
	is.Equal(n, 1)
	is.Equal(r.logg.String(), "") // it is no failure
	r.klokke.Flytt(time.Minute)
	_, _ = r.Pump(t.Context())
	is.Equal(n, 2)
}

func TestAPanicIsAnUnknownOutcomeAndTellsNothing(t *testing.T) {
	is := is.New(t)
	n := 0
	r := ny(func(context.Context, ports.Lease) error {
		if n++; n == 1 {
			panic("barnet heter Kari")
		}
		return nil
	})
	legg(t, r.lager, 1, t0)
	_, err := r.Pump(t.Context())
	is.NoErr(err)
	is.True(strings.Contains(r.logg.String(), "panikk"))
	is.True(!strings.Contains(r.logg.String(), "Kari"))
	r.klokke.Flytt(time.Second)
	_, _ = r.Pump(t.Context())
	is.Equal(n, 2) // and the item came again
}

func TestNothingIsClaimedWhenItMayNotBe(t *testing.T) {
	is := is.New(t)
	k := memory.NyKlokke(t0)
	lager := memory.NyttLager(k)
	kjort := false
	o := outbox.New(outbox.Config{Work: lager, Clock: k, Leveringen: utfor(func(context.Context, ports.Lease) error { kjort = true; return nil }),
		Vakt: func(context.Context) error { return errors.New("disken er full") }})
	legg(t, lager, 1, t0)
	_, err := o.Pump(t.Context())
	is.True(err != nil)
	is.True(!kjort)
}

func TestTheRouterRunsAFewAtATimeAndFinishesWhatItHasBegun(t *testing.T) {
	is := is.New(t)
	clock := sysclock.Clock{}
	lager := memory.NyttLager(clock)
	legg(t, lager, 40, clock.Now())
	var na, mest, ferdig atomic.Int64
	alle, slipp := make(chan struct{}), make(chan struct{})
	o := outbox.New(outbox.Config{Work: lager, Clock: clock, Samtidig: 3, Leveringen: utfor(func(ctx context.Context, l ports.Lease) error {
		n := na.Add(1)
		for m := mest.Load(); n > m && !mest.CompareAndSwap(m, n); m = mest.Load() {
		}
		defer na.Add(-1)
		if ferdig.Add(1) == 40 { // the last one is still at work when the process is told to stop
			close(alle)
			<-slipp
			is.NoErr(ctx.Err())
		}
		return lager.Done(context.WithoutCancel(ctx), l)
	})})
	ctx, stopp := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { is.NoErr(o.Run(ctx)) })
	<-alle
	stopp()
	close(slipp)
	wg.Wait()
	is.True(mest.Load() <= 3)
	neste, err := lager.Next(context.Background(), levering.KoSvar)
	is.NoErr(err)
	is.True(neste.IsZero()) // everything is settled, nothing is left with a lease
}

// lostLease is Work where every renewal finds the lease gone.
type lostLease struct{ ports.Work }

func (lostLease) Extend(context.Context, ports.Lease, time.Time, time.Duration) error {
	return ports.ErrConflict
}

func TestALostLeaseStopsTheHandlerBeforeItsNextEffect(t *testing.T) {
	clock := sysclock.Clock{}
	lager := memory.NyttLager(clock)
	legg(t, lager, 1, clock.Now())
	avbrutt := make(chan struct{})
	o := outbox.New(outbox.Config{Work: lostLease{lager}, Clock: clock, Leietid: 40 * time.Millisecond, Leveringen: utfor(func(ctx context.Context, _ ports.Lease) error {
		<-ctx.Done()
		close(avbrutt)
		return ctx.Err()
	})})
	ctx, stopp := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = o.Run(ctx) })
	<-avbrutt
	stopp()
	wg.Wait()
}

// asked is Work that tells which queues are asked for something to do.
type asked struct {
	ports.Work
	koer chan levering.Ko
}

func (a asked) Claim(ctx context.Context, ko levering.Ko, n int, now time.Time, lease time.Duration) ([]ports.Lease, error) {
	a.koer <- ko
	return a.Work.Claim(ctx, ko, n, now, lease)
}

func TestNewWorkWakesItsOwnQueueAndNoOther(t *testing.T) {
	is := is.New(t)
	clock := sysclock.Clock{}
	lager := memory.NyttLager(clock)
	w := asked{lager, make(chan levering.Ko, 1000)}
	ferdig := make(chan struct{})
	o := outbox.New(outbox.Config{Work: w, Clock: clock, Pause: time.Hour, Leveringen: utfor(func(ctx context.Context, l ports.Lease) error {
		defer close(ferdig)
		return lager.Done(ctx, l)
	})})
	ctx, stopp := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { is.NoErr(o.Run(ctx)) })
	for range levering.Koene() {
		<-w.koer // each looks once when it starts
	}
	legg(t, lager, 1, clock.Now())
	o.Vekk(levering.KoSvar)
	<-ferdig
	stopp()
	wg.Wait()
	close(w.koer)
	for ko := range w.koer {
		is.Equal(ko, levering.KoSvar)
	}
}
