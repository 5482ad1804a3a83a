package acceptance_test

import (
	"context"
	"crypto/tls"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/postgres/pgtest"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

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
// killed, while reports come in; afterwards each is in LEVERT once, and what went over the wire twice, counted at the platform, at the case
// system and on the line itself, is in the portal's metrics.
func TestRabbitMQDownUnderLoadLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kort kjøring")
	}
	t.Parallel()
	is := is.New(t)
	sett := nySettFlereGanger()
	p := nyFikshos(t, pgURL(pgtest.Database(t)), "rabbitmq", 0, sett.som)
	n := p.node
	p.fiks.Plattform.VedSend(sett.vedSend)
	s, err := n.CA.Utsted(sim.Bestilling{Navn: "localhost", Formal: sim.TLS, Bits: 2048})
	is.NoErr(err)
	linja := avlytt(t, n.Adresse(), &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{s.Cert.Raw}, PrivateKey: s.Nokkel}}}, n.TLS)
	p.amqp = linja.adr
	adr := ledigAdresse(t)
	p.startPortal(adr)
	a := p.avsender(adr)

	d := &ledningstest{drapstest: drapstest{t: t, godtatt: map[melding.ID]bool{}}, p: p.prosesser, adr: adr}
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
	// Before the broker goes it does not hear what the portal has taken: there is always something that comes again.
	utenKvittering := func(ta func() error) {
		linja.slukNoen(t)
		is.NoErr(ta())
		linja.sluk.Store(false)
	}
	<-time.After(2 * time.Second)
	utenKvittering(func() error { return n.Stopp(t.Context()) })
	for0 := d.antall()
	<-time.After(stans(t))
	is.True(d.antall() > for0) // accepting goes on
	is.NoErr(n.Igjen(t.Context()))
	<-time.After(2 * time.Second)
	utenKvittering(n.Drep)
	<-time.After(time.Second)
	is.NoErr(n.Igjen(t.Context()))
	<-time.After(time.Second)
	stopp()
	wg.Wait()
	antall := d.antall()
	d.alleLevert(a)
	is.Equal(maling(t, adr, "portal_uten_arbeid"), 0)
	is.Equal(hendelser(t, adr, melding.BrevPostlagt), 0) // the frist is far off: all of it went the digital way

	simtest.Til(t, "køene er tomme, og alt er bekreftet", func() bool {
		for _, konto := range []kommune.KontoID{world.Portalkonto, kommune.KontoID(p.d.Finn("4601", "01").KontoID)} {
			st, err := n.Status(t.Context(), protokoll.Konavn(konto))
			if err != nil || st.Klare+st.Ubekreftede > 0 {
				return false
			}
		}
		_, ferdig := linja.tell()
		return ferdig
	})
	w, _ := linja.tell()
	postet, framme := sett.sendtIgjen()
	t.Logf("%d meldinger godtatt, %d av dem sett mer enn én gang av fagsystemet; på ledningen %+v, %d sendinger gjentatt, %d av dem kom fram", antall, sett.dubletter(t), w, postet, framme)
	is.True(framme >= 3)
	is.True(postet >= framme)
	is.Equal(maling(t, adr, "portal_sending_gjentatt_total"), postet)
	w.synes(t, adr)
}

// settFlereGanger is a well-behaved case system that counts how often it is handed each report.
type settFlereGanger struct {
	mu     sync.Mutex
	ganger map[melding.ID]int
	forsok map[melding.ID]map[string]bool // platform ids: more than one means sent more than once
	klient map[melding.ID]string
	brudd  []melding.ID
	postet map[string]int  // by klientMeldingId, what the portal handed to the send API, also what was never queued
	tause  map[string]bool // sends whose 202 was lost; the case system says nothing before it has seen the report again
}

func nySettFlereGanger() *settFlereGanger {
	return &settFlereGanger{forsok: map[melding.ID]map[string]bool{}, ganger: map[melding.ID]int{}, klient: map[melding.ID]string{},
		postet: map[string]int{}, tause: map[string]bool{}}
}

// vedSend is at the platform: it loses the answer to the first three sends.
func (s *settFlereGanger) vedSend(m plattform.Sendt) (v plattform.Virkning) {
	if m.Fra != string(world.Portalkonto) {
		return v
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := m.Headere[protokoll.HeaderKlientMelding]
	s.postet[id]++
	if s.postet[id] == 1 && len(s.tause) < 3 {
		s.tause[id], v.MistSvar = true, true
	}
	return v
}

// som makes it every receiver.
func (s *settFlereGanger) som(*world.Mottakerdata) func(sim.Mottatt) []sim.Svar { return s.behandle }

func (s *settFlereGanger) behandle(m sim.Mottatt) []sim.Svar {
	id := melding.ID(m.Headere[protokoll.HeaderEgendefinert+protokoll.HeaderBekymring])
	forsok := m.Headere[protokoll.HeaderEgendefinert+protokoll.HeaderKlientMelding]
	s.mu.Lock()
	defer s.mu.Unlock()
	if gammel, ok := s.klient[id]; ok && gammel != forsok {
		s.brudd = append(s.brudd, id)
	}
	s.klient[id] = forsok
	s.ganger[id]++
	if s.forsok[id] == nil {
		s.forsok[id] = map[string]bool{}
	}
	s.forsok[id][m.MeldingID] = true
	if s.tause[forsok] && len(s.forsok[id]) == 1 {
		return nil
	}
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

// sendtIgjen counts the sends beyond the first of each attempt: as the platform was handed them, and of these the ones that reached the
// case system.
func (s *settFlereGanger) sendtIgjen() (postet, kommetFram int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.postet {
		postet += n - 1
	}
	for _, f := range s.forsok {
		kommetFram += len(f) - 1
	}
	return postet, kommetFram
}

// antall is how many reports have been seen.
func (s *settFlereGanger) antall() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ganger)
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
