package compose

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Opplasting is how long calls under way may take after the process was asked to stop.
const Opplasting = 30 * time.Second

// Serve listens as the Config says and runs the roles until ctx ends.
func (s *System) Serve(ctx context.Context) error {
	l, medTLS, err := s.cfg.Lytt(ctx)
	if err != nil {
		return err
	}
	var konf *tls.Config
	if medTLS {
		k := &sertifikater{sert: s.cfg.TLSSert, nokkel: s.cfg.TLSNokkel}
		if err := k.les(); err != nil {
			return errors.Join(fmt.Errorf("%w: %w", ErrConfig, err), l.Close())
		}
		go k.folg(ctx)
		konf = &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return k.na.Load(), nil }}
	}
	return s.serve(ctx, l, konf)
}

// ServeOn is Serve on a listener that exists, without TLS.
func (s *System) ServeOn(ctx context.Context, l net.Listener) error { return s.serve(ctx, l, nil) }

// serve stops in three steps: /readyz says no while calls are still taken in, so that a load balancer sees it and sends new ones
// elsewhere; then nothing new is taken in and calls under way get their time; then they are cut. Workers stop at the first step.
func (s *System) serve(ctx context.Context, l net.Listener, konf *tls.Config) error {
	g := nyeGrenser(s.cfg.Forbindelser)
	srv := g.server(s.avskjed(s.Handler))
	s.logg.InfoContext(ctx, "portalen lytter", "adresse", l.Addr().String())
	l = g.lytter(l)
	if konf != nil {
		l = tls.NewListener(l, konf)
	}
	arbeid, avbryt := context.WithCancel(ctx)
	defer avbryt()
	ferdig := make(chan struct{}) // closed when nothing more is served
	var wg sync.WaitGroup
	var runFeil error
	wg.Go(func() {
		runFeil = s.Run(arbeid)
		if runFeil != nil {
			s.logg.ErrorContext(ctx, "arbeidet stanset", "feil", runFeil.Error())
			avbryt() // a portal that takes in and delivers nothing must not look well
		}
	})
	wg.Go(func() {
		<-arbeid.Done()
		s.Stopper()
		s.trappNed(ferdig)
		slutt, avslutt := context.WithTimeout(context.WithoutCancel(ctx), Opplasting)
		defer avslutt()
		if srv.Shutdown(slutt) != nil {
			_ = srv.Close()
		}
	})
	err := srv.Serve(l)
	close(ferdig)
	avbryt()
	wg.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, runFeil)
}

// trappNed waits for the configured time, or until nothing is served any more.
func (s *System) trappNed(ferdig <-chan struct{}) {
	if s.cfg.Nedtrapping <= 0 {
		return
	}
	nok, stopp := s.clock.At(s.clock.Now().Add(s.cfg.Nedtrapping))
	defer stopp()
	select {
	case <-nok:
	case <-ferdig:
	}
}

// avskjed asks clients to come back on another connection once the process is stopping.
func (s *System) avskjed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.stopper.Load() {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}

// sertifikater is the TLS certificate, read again at SIGHUP. A file that cannot be read then leaves the old one in use.
type sertifikater struct {
	sert, nokkel string
	na           atomic.Pointer[tls.Certificate]
}

func (s *sertifikater) les() error {
	c, err := tls.LoadX509KeyPair(s.sert, s.nokkel)
	if err == nil {
		s.na.Store(&c)
	}
	return err
}

func (s *sertifikater) folg(ctx context.Context) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			_ = s.les()
		}
	}
}
