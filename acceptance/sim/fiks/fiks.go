// Package fiks puts the platform's side of Fiks IO together: the platform, a broker, the API and the admin page on one address, and case
// systems' clients on their accounts. fikssim (the program) and acceptance/world (the tests and the demo) are made of it.
//
// Call Start, then Koble for each account that somebody consumes, and Lukk at the end.
package fiks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/fagklient"
	"portal.example/bekymringsmelding/acceptance/sim/loopback"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/acceptance/sim/plattform/side"
	"portal.example/bekymringsmelding/domain/melding"
)

// Valg is what Start needs. Funcs may be nil, all but Broker.
type Valg struct {
	Plattform plattform.Config
	Broker    func(broker.Tilgang) (broker.Broker, error) // asks the platform who may log in
	Kontoer   []plattform.Konto
	Lytt      net.Listener                                 // where the API and the admin page are served, over HTTP
	Karakter  func(kontoID string) string                  // of an account's case system, for the admin page; "" = none
	Avsender  string                                       // the account that the admin page sends made-up reports from; "" = it sends none
	Versjon   func(kontoID string) melding.Versjon         // what an account reads, for these reports; nil = V2
	Rundt     func(f *Fiks, alt http.Handler) http.Handler // may stand before all that is served
}

// Fiks is what runs.
type Fiks struct {
	Plattform *plattform.Plattform
	Broker    broker.Broker
	API       string // http://host:port

	tjener *http.Server
	arbeid context.Context // ends when Lukk is called
	stans  context.CancelFunc
	venter sync.WaitGroup
	ferdig chan error
}

// slutt is how long calls under way get when everything stops. net/http gives a connection that has said nothing yet five seconds of it.
const slutt = 10 * time.Second

// Start starts everything, or leaves nothing open, Lytt neither.
func Start(ctx context.Context, v Valg) (f *Fiks, err error) {
	f = &Fiks{API: "http://" + v.Lytt.Addr().String(), ferdig: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Lukk())
			_ = v.Lytt.Close() // where no server had it yet
		}
	}()
	f.arbeid, f.stans = context.WithCancel(context.WithoutCancel(ctx))
	if f.Plattform, err = plattform.Ny(v.Plattform); err != nil {
		return f, err
	}
	b, err := v.Broker(f.Plattform)
	if err != nil { // what b is then is nothing to close
		return f, fmt.Errorf("megler: %w", err)
	}
	f.Broker = b
	f.Plattform.Bruk(f.Broker)
	f.venter.Go(func() {
		if err := f.Plattform.Run(f.arbeid); f.arbeid.Err() == nil {
			f.meld(fmt.Errorf("megleren ga opp: %w", err))
		}
	})
	for _, k := range v.Kontoer {
		if err := f.Plattform.Registrer(ctx, k); err != nil {
			return f, err
		}
	}
	h, err := f.handler(v)
	if err != nil {
		return f, err
	}
	f.tjener = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	f.venter.Go(func() {
		if err := f.tjener.Serve(v.Lytt); !errors.Is(err, http.ErrServerClosed) {
			f.meld(err)
		}
	})
	return f, nil
}

func (f *Fiks) handler(v Valg) (http.Handler, error) {
	admin, err := side.Ny(side.Config{Plattform: f.Plattform, Fagsystem: v.Karakter, Avsender: v.Avsender, Versjon: v.Versjon})
	if err != nil {
		return nil, err
	}
	brudd := http.NewCrossOriginProtection().Handler(http.HandlerFunc(f.brudd))
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/fiks-io/") || strings.HasPrefix(r.URL.Path, "/dokumentlager/"):
			f.Plattform.ServeHTTP(w, r)
		case r.Method == http.MethodPost && r.URL.Path == "/brudd":
			brudd.ServeHTTP(w, r)
		default:
			admin.ServeHTTP(w, r)
		}
	})
	if v.Rundt != nil {
		h = v.Rundt(f, h)
	}
	return h, nil
}

// brudd is what a test of a client's reconnecting wants: it closes every AMQP connection, as a restart of the broker does.
func (f *Fiks) brudd(w http.ResponseWriter, r *http.Request) {
	if !loopback.Vert(r.Host) {
		http.Error(w, "bare på denne maskinen", http.StatusMisdirectedRequest)
		return
	}
	if err := f.Broker.Brudd(r.Context()); err != nil {
		http.Error(w, "forbindelsene ble ikke brutt", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// Koble lets a case system's client consume until everything stops. Where it connects and calls is filled in.
func (f *Fiks) Koble(c fagklient.Config) error {
	c.AMQP, c.API = f.Broker.Adresse(), f.API
	k, err := fagklient.Ny(c)
	if err != nil {
		return err
	}
	f.venter.Go(func() { _ = k.Run(f.arbeid) }) // returns nil, when arbeid ends
	return nil
}

// Ferdig gives an error when a part gave up by itself.
func (f *Fiks) Ferdig() <-chan error { return f.ferdig }

func (f *Fiks) meld(err error) {
	select {
	case f.ferdig <- err:
	default: // somebody was first
	}
}

// Lukk stops everything and waits: calls under way get their time, then clients and platform end, and the broker last.
func (f *Fiks) Lukk() (err error) {
	if f.tjener != nil {
		ctx, avbryt := context.WithTimeout(context.WithoutCancel(f.arbeid), slutt)
		defer avbryt()
		if e := f.tjener.Shutdown(ctx); e != nil {
			err = errors.Join(e, f.tjener.Close())
		}
	}
	f.stans()
	f.venter.Wait()
	if f.Broker != nil {
		err = errors.Join(err, f.Broker.Close())
	}
	return err
}
