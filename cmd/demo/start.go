package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/loopback"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/fakeprint"
	"portal.example/bekymringsmelding/adapters/kalender"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/app/onboarding"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

// The demo's short policy, so that a person sees every ending within a minute, also at a weekend.
const (
	kortFrist = 60 * time.Second // 4204/00 has its own, of 20 s; 4601/02 keeps the real one
	postFrist = 2 * time.Second  // the print vendor posts after this
	fristTaus = 20 * time.Second
)

// demo is everything that runs.
type demo struct {
	f      flagg
	s      *skjerm
	d      *world.Deltakere
	mp     *sim.Maskinporten
	fiks   *world.Fiks
	system *compose.System
	policy levering.Policy // the real one; the receivers' short frister are in the set-up
	clock  ports.Clock
	adr    string
	adrTLS string
	brev   string
	ferdig chan struct{}  // closed when the portal has stopped, by itself too
	apnet  []func() error // what closes the parts, in the order they were opened
}

func start(ctx context.Context, f flagg, logg *slog.Logger, s *skjerm) (*demo, error) {
	if _, err := loopback.Adresse(f.Addr); err != nil {
		return nil, fmt.Errorf("--addr: %w", err)
	}
	d := &demo{f: f, s: s, clock: sysclock.Clock{}, ferdig: make(chan struct{}), brev: filepath.Join(f.Data, "brev")}
	s.linje("%s", s.fet("Portal for bekymringsmeldinger – demo"))
	if err := d.apne(ctx, logg); err != nil {
		return nil, errors.Join(err, d.stopp())
	}
	return d, nil
}

// apne opens one part after another, and leaves those that were opened when one cannot be.
func (d *demo) apne(ctx context.Context, logg *slog.Logger) error {
	f, s := d.f, d.s
	s.linje("Alt kjører på denne maskinen. Alle personer, nøkler og organisasjonsnummer er laget for prøver.")
	verden := filepath.Join(f.Data, "verden")
	if _, err := os.Stat(verden); err != nil {
		s.linje("%s", s.svak("Lager nøkler (RSA-3072), det tar noen sekunder …"))
	}
	var err error
	if d.d, err = world.Apne(verden, 3072, d.clock.Now); err != nil {
		return fmt.Errorf("verden rundt portalen: %w", err)
	}
	for i := range d.d.Mottakere {
		switch m := &d.d.Mottakere[i]; m.Fagsystem {
		case "stille":
			m.FristSekunder = int(fristTaus / time.Second)
		case "ingen": // the real one: a vendor's own client has time
		default:
			m.FristSekunder = int(kortFrist / time.Second)
		}
	}
	if d.mp, err = sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: d.clock.Now}); err != nil {
		return err
	}
	mpPort, err := fastPort(ctx, filepath.Join(f.Data, "maskinporten.port"))
	if err != nil {
		return err
	}
	d.mp.StartPa(mpPort)
	d.apnet = append(d.apnet, d.mp.Lukk)
	if err := world.Registrer(d.mp, d.d); err != nil {
		return err
	}
	if err := d.startFiks(ctx); err != nil {
		return err
	}
	if err := d.startPortal(ctx, logg); err != nil {
		return err
	}
	if err := d.startTLS(ctx); err != nil {
		return err
	}
	return d.ventKlar(ctx)
}

func (d *demo) startPortal(ctx context.Context, logg *slog.Logger) (err error) {
	printer, err := fakeprint.Open(fakeprint.Config{Mappe: d.brev, Klokke: d.clock, Manus: func(levering.Brev) fakeprint.Manus { return fakeprint.Poster(postFrist) }})
	if err != nil {
		return err
	}
	ar := d.clock.Now().Year()
	d.policy = levering.Standard(kalender.Norge(ar-1, ar+10))
	nokler := filepath.Join(d.f.Data, "nokler")
	if err := os.MkdirAll(nokler, 0o700); err != nil {
		return err
	}
	lager := d.f.Store
	if lager == "sqlite" {
		lager = "sqlite:" + filepath.Join(d.f.Data, "portal.db")
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", d.f.Addr)
	if err != nil {
		return fmt.Errorf("adressen %s kan ikke brukes; velg en annen med --addr: %w", d.f.Addr, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close()) // nobody serves it
		}
	}()
	d.adr = "http://" + l.Addr().String()
	d.system, err = compose.Open(ctx, compose.Config{Lager: lager, Hemmelighet: d.d.Hemmelighet, Utsteder: d.mp.Utsteder(), JWKS: d.mp.JWKURL(),
		Retur: "Portalen (test);Testveien 2;0000;Testby", Roller: []string{"web", "api", "worker"}, Rate: 100, Burst: 200, Reserve: 256 << 20,
		PrintPause: time.Second, Dev: true, Transport: "fiksio", Fiks: d.fiksConfig(),
		Nokler: nokler, NokkelHemmelighet: d.d.NokkelHemmelighet,
		Deler: compose.Deler{Printer: printer, Policy: &d.policy, Logg: logg, Clock: d.clock}})
	if err != nil {
		return err
	}
	d.apnet = append(d.apnet, d.system.Close)
	b, err := d.d.Oppsett()
	if err != nil {
		return err
	}
	fil, err := onboarding.Les(strings.NewReader(string(b)))
	if err != nil {
		return err
	}
	if _, err := d.system.Oppsett.Bruk(ctx, fil); err != nil {
		return fmt.Errorf("oppsett: %w", err)
	}
	arbeid, stans := context.WithCancel(context.WithoutCancel(ctx))
	var feil error
	go func() { defer close(d.ferdig); feil = d.system.ServeOn(arbeid, l) }()
	d.apnet = append(d.apnet, func() error {
		stans()
		select {
		case <-d.ferdig:
			return feil
		case <-time.After(compose.Opplasting + 5*time.Second):
			return errors.New("portalen stanset ikke i tide")
		}
	})
	return nil
}

// stopp closes what is open, the last first: a part is never without what it stands on.
func (d *demo) stopp() (err error) {
	for _, lukk := range slices.Backward(d.apnet) {
		err = errors.Join(err, lukk())
	}
	return err
}

// avsender is a case system of the demo's sender.
func (d *demo) avsender(a world.Avsenderdata) (*world.Avsender, error) {
	k, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: d.mp.TokenURL(), Issuer: d.mp.Utsteder(), KlientID: a.KlientID,
		Nokkel: a.Sert.Nokkel, Sertifikat: a.Sert.Cert, Clock: d.clock})
	if err != nil {
		return nil, err
	}
	return &world.Avsender{API: d.adr + "/bekymringsmelding", Data: a, Token: k.Token, Na: d.clock.Now}, nil
}
