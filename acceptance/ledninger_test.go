package acceptance_test

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit/rabbittest"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/postgres/pgtest"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
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

// stans is how long RabbitMQ is down in the middle of the load: 8 s in scripts/test, more with STANS=<duration>.
func stans(t *testing.T) time.Duration {
	if s := os.Getenv("STANS"); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	return 8 * time.Second
}

// TestRabbitMQDownUnderLoadLosesNothing has the portal as a process and RabbitMQ as another. The broker is stopped for a while, and then
// killed, while reports come in; afterwards each is in LEVERT once, and what went over the wire twice is in the metrics.
func TestRabbitMQDownUnderLoadLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kort kjøring")
	}
	t.Parallel()
	is := is.New(t)
	p := nyPortalverden(t, pgURL(pgtest.Database(t)), 300)
	mp, err := sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: sysclock.Clock{}.Now})
	is.NoErr(err)
	is.NoErr(mp.Start())
	t.Cleanup(func() { _ = mp.Lukk() })
	is.NoErr(world.Registrer(mp, p.d))
	var n *rabbittest.Node
	l, err := net.Listen("tcp", "127.0.0.1:0")
	is.NoErr(err)
	sett := &settFlereGanger{forsok: map[melding.ID]map[string]bool{}, ganger: map[melding.ID]int{}}
	fiks, err := world.StartFiks(t.Context(), world.Fiksvalg{D: p.d, MP: mp, Klokke: sysclock.Clock{}, Lytt: l, Behandle: func(m *world.Mottakerdata) func(sim.Mottatt) []sim.Svar {
		return sett.behandle
	}, Tillit: func() *tls.Config { return n.TLS }, Broker: func(tilgang broker.Tilgang, _ *tls.Config) (broker.Broker, error) {
		n = rabbittest.Start(t, tilgang)
		return lant{n}, nil
	}})
	is.NoErr(err)
	t.Cleanup(func() { _ = fiks.Lukk() })
	p.mp, p.fiks, p.amqp = strings.Trim(strings.TrimPrefix(mp.Utsteder(), "http://"), "/"), strings.TrimPrefix(fiks.API, "http://"), n.Adresse()
	p.ca = filepath.Join(p.mappe, "rabbit-ca.pem")
	is.NoErr(os.WriteFile(p.ca, n.CA.PEM(), 0o600))
	p.kjor("oppsett", filepath.Join(p.mappe, "portal.json"))
	adr := ledigAdresse(t)
	p.startPortal(adr)
	a := p.avsender(adr)

	d := &ledningstest{drapstest: drapstest{t: t, godtatt: map[melding.ID]bool{}}, p: p, adr: adr}
	ctx, stopp := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, bydel := range []string{"01", "01"} {
		wg.Go(func() {
			tikk := time.NewTicker(50 * time.Millisecond) // a load, not a race
			defer tikk.Stop()
			for ctx.Err() == nil {
				d.en(a, world.Sending{Kommune: "4601", Bydel: bydel, Slag: melding.Offentlig, Versjon: melding.V2})
				<-tikk.C
			}
		})
	}
	<-time.After(2 * time.Second)
	is.NoErr(n.Stopp(t.Context()))
	for0 := d.antall()
	<-time.After(stans(t))
	is.True(d.antall() > for0) // accepting goes on
	is.NoErr(n.Igjen(t.Context()))
	<-time.After(2 * time.Second)
	is.NoErr(n.Drep())
	<-time.After(time.Second)
	is.NoErr(n.Igjen(t.Context()))
	<-time.After(time.Second)
	stopp()
	wg.Wait()
	antall := d.antall()
	d.alleLevert(a)
	t.Logf("%d meldinger godtatt, %d av dem sett mer enn én gang av fagsystemet", antall, sett.dubletter(t))
	is.Equal(maling(t, adr, "portal_uten_arbeid"), 0)
	is.True(maling(t, adr, "portal_sending_gjentatt_total") >= sett.sendtFlereGanger()) // every send that was done twice is counted
	is.Equal(hendelser(t, adr, melding.BrevPostlagt), 0)                                // the frist is far off: all of it went the digital way
}

// settFlereGanger is a well-behaved case system that counts how often it is handed each report.
type settFlereGanger struct {
	mu     sync.Mutex
	ganger map[melding.ID]int
	forsok map[melding.ID]map[string]bool // platform ids: more than one means sent more than once
	klient map[melding.ID]string
	brudd  []melding.ID
}

func (s *settFlereGanger) behandle(m sim.Mottatt) []sim.Svar {
	id := melding.ID(m.Headere[protokoll.HeaderEgendefinert+protokoll.HeaderBekymring])
	forsok := m.Headere[protokoll.HeaderEgendefinert+protokoll.HeaderKlientMelding]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.klient == nil {
		s.klient = map[melding.ID]string{}
	}
	if gammel, ok := s.klient[id]; ok && gammel != forsok {
		s.brudd = append(s.brudd, id)
	}
	s.klient[id] = forsok
	s.ganger[id]++
	if s.forsok[id] == nil {
		s.forsok[id] = map[string]bool{}
	}
	s.forsok[id][m.MeldingID] = true
	return []sim.Svar{{Meldingstype: protokoll.Mottatt, SvarTil: m.MeldingID}}
}

// dubletter counts the reports seen more than once, which must always carry the same klientMeldingId.
func (s *settFlereGanger) dubletter(t *testing.T) (n int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.brudd) > 0 {
		t.Errorf("melding %s kom igjen med en annen klientMeldingId", s.brudd[0])
	}
	for _, g := range s.ganger {
		if g > 1 {
			n++
		}
	}
	return n
}

// sendtFlereGanger counts the sends beyond the first of each report.
func (s *settFlereGanger) sendtFlereGanger() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.forsok {
		n += len(f) - 1
	}
	return n
}

// en submits one report, again and again until it has an id: as a case system with a queue of its own does.
func (d *ledningstest) en(a *world.Avsender, m world.Sending) {
	ctx := context.Background()
	n, err := a.HentNokler(ctx, m.Kommune, m.Bydel)
	if err != nil {
		return
	}
	s, err := world.Eksempel(ctx, a, n, m, "Prøve", "Prøve")
	if err != nil {
		d.t.Error(err)
		return
	}
	if id, err := a.Post(ctx, s); err == nil {
		d.mu.Lock()
		d.godtatt[id] = true
		d.mu.Unlock()
	}
}

func (d *ledningstest) antall() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.godtatt)
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
