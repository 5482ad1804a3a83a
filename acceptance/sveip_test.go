package acceptance_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/memory/feil"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/ports"
)

// feillager is a store whose writes go through a Feil.
type feillager struct {
	ports.Store
	ports.Dispatch
	ports.Vault
	ports.Work
	ports.Ledger
	ports.Certificates
	ports.Directory
	ports.Registry
	ports.Access
	ports.Overview
	stell
}

type stell interface {
	Vedlikehold(context.Context) error
	LedigPlass(context.Context) (int64, error)
	Close() error
}

// verden is the scenario's world on a store, with every writing call of every port going through fe.
func (s scenario) verden(lager func(testing.TB) compose.Lager, fe *feil.Feil) world.Valg {
	v := s.valg
	v.Lager, v.Ta = lager, fe.Take
	v.Rundt = func(l *compose.Lager, t *ports.Transport, p *ports.Printer) {
		x := *l
		*l = feillager{fe.Store(x), fe.Dispatch(x), x, fe.Work(x), fe.Ledger(x), fe.Certificates(x), x, fe.Registry(x), x, x, x}
		*t, *p = fe.Transport(*t), fe.Printer(*p)
	}
	return v
}

// sveip lives s with the n-th writing call after set-up failing; n 0 = none. It gives the calls there were, and what is wrong at rest.
func (s scenario) sveip(t *testing.T, lager func(testing.TB) compose.Lager, http bool, n int, utfor bool) ([]feil.Kall, string) {
	t.Helper()
	fe := feil.Ny(nil)
	v := s.verden(func(t testing.TB) compose.Lager { return &hurtiglager{Lager: lager(t)} }, fe)
	v.UtenHTTP, v.Brev = !http, filepath.Join(minne(t), "brev")
	l := nyttLiv(t, v, false)
	start := len(fe.Kall())
	if n > 0 {
		fe.Sett(feil.Nte(start+n, utfor, fmt.Errorf("satt inn av prøven: %w", ports.ErrUnavailable)))
	}
	s.driv(l)
	l.hvil()
	for _, p := range l.poster {
		for _, err := range p.feil {
			if f := (*world.Feil)(nil); http && (!errors.As(err, &f) || f.Status != 503 || f.Header.Get("Retry-After") == "") {
				l.gale = append(l.gale, "en lagring med ukjent utfall ble svart: "+err.Error()) // a sender takes 4xx for a final no
			}
		}
	}
	return fe.Kall()[start:], s.domme(l)
}

func navnPa(k feil.Kall) string {
	if k.Metode == "Claim" {
		return k.Port + ".Claim(" + k.ID + ")" // a queue
	}
	return k.Port + "." + k.Metode
}

// utvalg says which calls are made to fail: all of them, but for lives of more than 100, where hours of the same retries are sampled.
// There the first 30 and the last 15 are taken, and between them each call that follows three others as no call did before it: what is
// left out is the same call in the same company, later. SVEIP=full takes them all.
func utvalg(kall []feil.Kall) (ut []int) {
	sett := map[string]bool{}
	for i := range kall {
		var sti []string
		for _, k := range kall[max(0, i-3) : i+1] {
			sti = append(sti, navnPa(k))
		}
		nokkel := strings.Join(sti, " ")
		if len(kall) <= 100 || i < 30 || i >= len(kall)-15 || !sett[nokkel] || os.Getenv("SVEIP") == "full" {
			ut = append(ut, i+1)
		}
		sett[nokkel] = true
	}
	return ut
}

// TestEveryWriteMayFailBothWays is the first form of the proof: every call that writes, in every scenario, fails once as failed and not
// stored, and once as failed but stored; the world driven on comes to rest where its dom says.
func TestEveryWriteMayFailBothWays(t *testing.T) {
	if testing.Short() {
		t.Skip("kort kjøring")
	}
	for _, navn := range []string{"memory", "sqlite"} {
		t.Run(navn, func(t *testing.T) {
			var kall, provd atomic.Int64
			t.Run("alle", func(t *testing.T) { // ends when every scenario has
				for _, s := range scenarier() {
					for _, http := range []bool{false, true} {
						if s.stille || http && (!s.http || navn != "memory") { // TestScenarier has shown that the silent write nothing
							continue
						}
						t.Run(map[bool]string{false: s.navn, true: s.navn + ", over HTTP"}[http], func(t *testing.T) {
							t.Parallel()
							k, p := s.sveipAlle(t, lagre[navn], http)
							kall.Add(int64(k))
							provd.Add(int64(p))
						})
					}
				}
			})
			t.Logf("%d skrivende kall, %d av dem feilet på to måter", kall.Load(), provd.Load())
		})
	}
}

func (s scenario) sveipAlle(t *testing.T, lager func(testing.TB) compose.Lager, http bool) (int, int) {
	t.Helper()
	rent, gal := s.sveip(t, lager, http, 0, true)
	if gal != "" {
		t.Fatal("uten feil: ", gal)
	}
	valgt := utvalg(rent)
	for _, n := range valgt {
		for _, utfor := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %s %s", n, navnPa(rent[n-1]), map[bool]string{false: "ikke gjort", true: "gjort"}[utfor]), func(t *testing.T) {
				kall, gal := s.sveip(t, lager, http, n, utfor)
				if gal != "" {
					t.Error(gal)
				}
				if len(kall) < n || navnPa(kall[n-1]) != navnPa(rent[n-1]) {
					t.Error("kallene kom ikke i samme rekkefølge som i den rene kjøringen")
				}
			})
		}
	}
	return len(rent), len(valgt)
}
