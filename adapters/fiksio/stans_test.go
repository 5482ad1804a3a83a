package fiksio_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/adapters/fiksio"
	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// stans runs Receive until take is under way, stops it, and returns when it has returned.
func (r *rigg) stans(tr *fiksio.Transport, take func(context.Context) error) {
	r.t.Helper()
	ctx, stans := context.WithCancel(r.t.Context())
	inne := make(chan struct{}, 1)
	var ferdig sync.WaitGroup
	ferdig.Go(func() {
		_ = tr.Receive(ctx, func(ctx context.Context, _ melding.Svar) error {
			inne <- struct{}{}
			<-ctx.Done()
			return take(ctx)
		})
	})
	r.svar(r.t, contracts.Ankommet{Ref: refID, Melding: rapport}, protokoll.Mottatt, nil)
	simtest.Vent(r.t, inne, "take")
	stans()
	ferdig.Wait()
	r.is.True(!tr.Tilkoblet())
}

func TestWhatWasStoredInTheLastMomentDoesNotComeAgain(t *testing.T) {
	r := nyRigg(t, valg{})
	r.stans(r.transport(), func(context.Context) error { return nil })
	simtest.Til(t, "køen er tom", func() bool { return r.ko() == broker.Status{} })
}

func TestWhatWasNotStoredWhenThePortalStoppedComesAgain(t *testing.T) {
	r := nyRigg(t, valg{})
	tr := r.transport()
	r.stans(tr, context.Context.Err)
	simtest.Til(t, "svaret er på køen", func() bool { return r.ko() == broker.Status{Klare: 1} })
	r.is.Equal(simtest.Vent(t, r.motta(tr, nil), "svaret").Korrelasjon, rapport)
}

func TestNothingRunsAfterReceiveHasReturned(t *testing.T) {
	r := nyRigg(t, valg{})
	k := memory.NyKlokke(contracts.Start)
	var ferdig atomic.Bool
	horer := make(chan struct{}, 1)
	ctx, stans := context.WithCancel(t.Context())
	slutt := make(chan error, 1)
	tr := r.transport(func(c *fiksio.Config) {
		c.Clock = k
		c.Lytter = func(ctx context.Context, _, _ time.Time) {
			horer <- struct{}{}
			<-ctx.Done()
			for range 10_000 {
				runtime.Gosched() // work of the last moment
			}
			ferdig.Store(true)
		}
	})
	go func() { slutt <- tr.Receive(ctx, func(context.Context, melding.Svar) error { return nil }) }()
	simtest.Til(t, "tilkoblet", tr.Tilkoblet)
	r.is.NoErr(k.Vent(t.Context(), 1))
	k.Flytt(30 * time.Second)
	simtest.Vent(t, horer, "Lytter")
	stans()
	simtest.Vent(t, slutt, "at Receive gir seg")
	r.is.True(ferdig.Load())
}

func TestABreakIsSeenAlsoWhenEveryPlaceIsTaken(t *testing.T) {
	r := nyRigg(t, valg{})
	tr := r.transport(func(c *fiksio.Config) { c.Prefetch = 1 })
	inne, slipp := make(chan struct{}, 10), make(chan struct{})
	r.motta(tr, func(context.Context, melding.Svar) error {
		inne <- struct{}{}
		<-slipp // a store that hangs
		return nil
	})
	t.Cleanup(func() { close(slipp) }) // before Receive is waited for
	r.svar(t, contracts.Ankommet{Ref: refID, Melding: rapport}, protokoll.Mottatt, nil)
	simtest.Vent(t, inne, "take")
	r.brudd(t)
	simtest.Til(t, "frakoblet", func() bool { return !tr.Tilkoblet() })
	r.mend(t)
	simtest.Til(t, "tilkoblet igjen", tr.Tilkoblet)
}

func TestAListenerThatHangsHoldsNoAnswerBack(t *testing.T) {
	r := nyRigg(t, valg{})
	k := memory.NyKlokke(contracts.Start)
	var horte atomic.Int32
	svar := r.motta(r.transport(func(c *fiksio.Config) {
		c.Clock = k
		c.Lytter = func(ctx context.Context, _, _ time.Time) { horte.Add(1); <-ctx.Done() }
	}), nil)
	for range 2 {
		r.is.NoErr(k.Vent(t.Context(), 1))
		k.Flytt(30 * time.Second)
	}
	r.svar(t, contracts.Ankommet{Ref: refID, Melding: rapport}, protokoll.Mottatt, nil)
	simtest.Vent(t, svar, "svaret")
	r.is.Equal(horte.Load(), int32(1)) // one at a time
}

// A broker that takes the connection, or even the TLS, and then says nothing.
func TestReceiveEndsAlsoWhenTheBrokerIsSilent(t *testing.T) {
	r := nyRigg(t, valg{})
	sert := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{r.n.tls.Cert.Raw}, PrivateKey: r.n.tls.Nokkel}}}
	for navn, taImot := range map[string]func(net.Conn) error{
		"before TLS": func(net.Conn) error { return nil },
		"after TLS":  func(c net.Conn) error { return tls.Server(c, sert).Handshake() },
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			is.NoErr(err)
			t.Cleanup(func() { _ = l.Close() })
			inne := make(chan error, 1)
			go func() {
				c, err := l.Accept()
				if err == nil {
					t.Cleanup(func() { _ = c.Close() })
					err = taImot(c)
				}
				inne <- err
			}()
			ctx, stans := context.WithCancel(t.Context())
			slutt := make(chan error, 1)
			tr := r.transport(func(c *fiksio.Config) { c.AMQP = l.Addr().String() })
			go func() {
				slutt <- tr.Receive(ctx, func(context.Context, melding.Svar) error { return nil })
			}()
			is.NoErr(simtest.Vent(t, inne, "en tilkobling"))
			stans()
			is.True(errors.Is(simtest.Vent(t, slutt, "at Receive gir seg"), context.Canceled))
		})
	}
}
