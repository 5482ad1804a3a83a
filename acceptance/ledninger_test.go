package acceptance_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/rabbit"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit/rabbittest"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/postgres/pgtest"
	"portal.example/bekymringsmelding/domain/melding"
)

// TestWhicheverProcessIsKilledNothingIsLost has the portal and the simulated Fiks IO as processes of their own, and kills now the one
// and now the other with signal 9 while reports are uploaded. With RabbitMQ the broker is a third process, and dies with the platform; by
// itself it is killed below. What only the platform held is gone with it; the frist brings a letter.
func TestWhicheverProcessIsKilledNothingIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("kort kjøring")
	}
	for _, x := range []struct{ lager, megler string }{{"sqlite", "innebygd"}, {"postgres", "innebygd"}, {"sqlite", "rabbitmq"}} {
		lager, megler := x.lager, x.megler
		t.Run(lager+" "+megler, func(t *testing.T) {
			t.Parallel()
			ganger := drap(t) / 2
			if megler == "rabbitmq" {
				rabbittest.Startet(t, rabbit.Finnes())
				ganger = max(3, ganger/3) // the node takes ten seconds to start
			}
			url := "sqlite:" + filepath.Join(t.TempDir(), "portal.db")
			if lager == "postgres" {
				url = pgURL(pgtest.Database(t))
			}
			p := nyeProsesser(t, url, megler, 20)
			d := &ledningstest{drapstest: drapstest{t: t, godtatt: map[melding.ID]bool{}}, p: p, adr: ledigAdresse(t)}
			d.portal = p.startPortal(d.adr)
			r := rand.New(rand.NewPCG(2026, uint64(len(lager))))
			for n := range ganger {
				d.runde(time.Duration(50+r.IntN(300))*time.Millisecond, n%3 == 2)
			}
			if len(d.godtatt) < ganger {
				t.Fatalf("bare %d meldinger ble godtatt; prøven er for svak", len(d.godtatt))
			}
			d.alleLevert(p.avsender(d.adr))
			is.New(t).Equal(maling(t, d.adr, "portal_uten_arbeid"), 0)
		})
	}
}

type ledningstest struct {
	drapstest
	p      *prosesser
	portal *exec.Cmd
	adr    string
}

// runde uploads for a while, kills one process, and starts it again.
func (d *ledningstest) runde(etter time.Duration, sim bool) {
	d.t.Helper()
	ctx, stopp := context.WithCancel(context.Background())
	a := d.p.avsender(d.adr)
	var wg sync.WaitGroup
	for _, m := range mottakere {
		wg.Go(func() { d.last(ctx, a, m) })
	}
	<-time.After(etter)
	if sim {
		drepProsess(d.t, d.p.simProsess)
	} else {
		drepProsess(d.t, d.portal)
	}
	stopp()
	wg.Wait()
	if sim {
		d.p.startSim()
	} else {
		d.portal = d.p.startPortal(d.adr)
	}
}

// last uploads reports to one receiver until ctx ends, and remembers those that got a 201.
func (d *ledningstest) last(ctx context.Context, a *world.Avsender, m world.Sending) {
	n, err := a.HentNokler(ctx, m.Kommune, m.Bydel)
	for err == nil && ctx.Err() == nil {
		var s world.Sending
		if s, err = world.Eksempel(context.Background(), a, n, m, "Prøve", "Prøve"); err != nil {
			return
		}
		id, perr := a.Post(context.WithoutCancel(ctx), s)
		if perr == nil {
			d.mu.Lock()
			d.godtatt[id] = true
			d.mu.Unlock()
			continue
		}
		var f *world.Feil
		if errors.As(perr, &f) && f.Status < 500 && f.Status != 429 {
			d.t.Errorf("avvist: %v", f)
		}
		if !errors.As(perr, &f) {
			return // the portal, or the issuer, is gone
		}
	}
}

// TestTwoPortalsShareTheWork has two portals on one PostgreSQL, and wants a fair share of each.
func TestTwoPortalsShareTheWork(t *testing.T) {
	if testing.Short() {
		t.Skip("kort kjøring")
	}
	t.Parallel()
	const antall = 1000
	is := is.New(t)
	p := nyeProsesser(t, pgURL(pgtest.Database(t)), "innebygd", 600)
	adr := []string{ledigAdresse(t), ledigAdresse(t)}
	for _, a := range adr {
		p.startPortal(a)
	}
	avsendere := []*world.Avsender{p.avsender(adr[0]), p.avsender(adr[1])}
	ctx := t.Context()
	n, err := avsendere[0].HentNokler(ctx, "4601", "01")
	is.NoErr(err)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range antall / 4 {
				s, err := world.Eksempel(ctx, avsendere[i%2], n, world.Sending{Kommune: "4601", Bydel: "01", Slag: melding.Offentlig, Versjon: melding.V2}, "Prøve", "Prøve")
				if err == nil {
					_, err = avsendere[i%2].Post(ctx, s)
				}
				if err != nil {
					t.Errorf("innsending: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	levert := func(a string) int { return hendelser(t, a, melding.BekreftetMottatt) }
	simtest.Til(t, "alle er levert", func() bool { return levert(adr[0])+levert(adr[1]) >= antall })
	for _, a := range adr {
		sendt, lev := hendelser(t, a, melding.SendtFagsystem)+hendelser(t, a, melding.SendtBevist), levert(a)
		t.Logf("%s: %d sendt, %d levert", a, sendt, lev)
		is.True(sendt >= antall/5)
		is.True(lev >= antall/5)
	}
	is.Equal(levert(adr[0])+levert(adr[1]), antall) // each of them once
}
