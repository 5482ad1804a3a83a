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
	if medTLS {
		k := &sertifikater{sert: s.cfg.TLSSert, nokkel: s.cfg.TLSNokkel}
		if err := k.les(); err != nil {
			return errors.Join(fmt.Errorf("%w: %w", ErrConfig, err), l.Close())
		}
		go k.folg(ctx)
		l = tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return k.na.Load(), nil }})
	}
	return s.ServeOn(ctx, l)
}

// ServeOn is Serve on a listener that exists.
func (s *System) ServeOn(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: s.Handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	s.logg.InfoContext(ctx, "portalen lytter", "adresse", l.Addr().String())
	arbeid, avbryt := context.WithCancel(ctx)
	defer avbryt()
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
		slutt, ferdig := context.WithTimeout(context.WithoutCancel(ctx), Opplasting)
		defer ferdig()
		if srv.Shutdown(slutt) != nil {
			_ = srv.Close()
		}
	})
	err := srv.Serve(l)
	avbryt()
	wg.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, runFeil)
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
