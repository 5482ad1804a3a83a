package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"portal.example/bekymringsmelding/adapters/fakeprint"
	"portal.example/bekymringsmelding/adapters/kalender"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/adapters/outbox"
	"portal.example/bekymringsmelding/adapters/producerapi"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/app/delivery"
	"portal.example/bekymringsmelding/app/intake"
	"portal.example/bekymringsmelding/app/onboarding"
	"portal.example/bekymringsmelding/app/overview"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// System is a composed portal. Handler serves it; Run does its work.
type System struct {
	Lager     Lager
	Inntak    *intake.Service
	Levering  *delivery.Service
	Oversikt  *overview.Service
	Oppsett   *onboarding.Service
	Outbox    *outbox.Outbox
	API       http.Handler
	Handler   http.Handler
	Policy    levering.Policy
	cfg       Config
	clock     ports.Clock
	transport ports.Transport
	malinger  *malinger
	fiks      *fiksdel // nil = another transport
	vakt      *vakt
	logg      *slog.Logger
	stopper   atomic.Bool
	slettet   atomic.Bool
	egetLager bool
}

func (*System) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, skjult) }

// Open builds everything cfg asks for and starts nothing.
func Open(ctx context.Context, cfg Config) (s *System, err error) {
	hemmelig, err := cfg.HemmeligNokkel()
	if err != nil {
		return nil, err
	}
	retur, err := cfg.retur()
	if err != nil {
		return nil, err
	}
	s = &System{cfg: cfg, clock: cfg.Deler.Clock, logg: cfg.Deler.Logg, Lager: cfg.Deler.Lager, transport: cfg.Deler.Transport}
	if s.clock == nil {
		s.clock = sysclock.Clock{}
	}
	if s.logg == nil {
		s.logg = slog.New(slog.DiscardHandler)
	}
	if s.Policy, err = policy(cfg, s.clock); err != nil {
		return nil, err
	}
	printer := cfg.Deler.Printer
	if printer == nil {
		if printer, err = apnePrint(cfg, s.clock); err != nil {
			return nil, err
		}
	}
	if s.Lager == nil {
		if s.Lager, err = ApneLager(ctx, cfg, s.arbeider()); err != nil {
			return nil, err
		}
		s.egetLager = true
	}
	s.Oversikt = &overview.Service{Store: s.Lager, Access: s.Lager, Overview: s.Lager}
	s.malinger = nyeMalinger(s.Oversikt, s.clock)
	if s.transport == nil && s.arbeider() { // a process that only takes reports in needs none of Fiks IO's secrets
		if err := s.apneTransport(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	if cfg.Deler.Rundt != nil {
		cfg.Deler.Rundt(&s.Lager, &s.transport, &printer)
	}
	s.sett(hemmelig, delivery.Config{Transport: s.transport, Printer: printer, Retur: retur})
	if err := s.http(hemmelig); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func policy(cfg Config, clock ports.Clock) (levering.Policy, error) {
	if cfg.Deler.Policy != nil {
		return *cfg.Deler.Policy, nil
	}
	ar := clock.Now().Year()
	k := kalender.Norge(ar-1, ar+10)
	if !k.Dekker(ar + 1) {
		return levering.Policy{}, fmt.Errorf("%w: kalenderen kjenner ikke helligdagene i %d", ErrConfig, ar+1)
	}
	return levering.Standard(k), nil
}

func apnePrint(cfg Config, clock ports.Clock) (ports.Printer, error) {
	mappe, ok := strings.CutPrefix(cfg.Print, "mappe:")
	switch {
	case !ok || mappe == "":
		return nil, fmt.Errorf("%w: --print er ikke oppgitt. Uten utskrift kan ingen melding gå som brev", ErrConfig)
	case !cfg.Dev:
		return nil, fmt.Errorf("%w: --print mappe: er en etterligning og finnes bare med --dev", ErrConfig)
	}
	return fakeprint.Open(fakeprint.Config{Mappe: mappe, Klokke: clock})
}

// arbeider says whether this process delivers.
func (s *System) arbeider() bool { return slices.Contains(s.cfg.Roller, "worker") }

func (s *System) apneTransport(ctx context.Context) (err error) {
	switch {
	case s.cfg.Transport == "fiksio":
		if s.fiks, err = s.apneFiks(ctx); err == nil {
			s.transport = s.fiks
		}
		return err
	case s.cfg.Transport != "memory:":
		return fmt.Errorf("%w: --transport er ikke oppgitt", ErrConfig)
	case !s.cfg.Dev:
		return fmt.Errorf("%w: --transport memory: er en etterligning og finnes bare med --dev", ErrConfig)
	}
	// Nobody is on the far side: every send is refused, and every report goes as a letter.
	s.transport = memory.NyttNett(s.clock).Transport("00000000-0000-4000-8000-000000000001")
	return nil
}

// sett composes the use cases. The outbox is woken by whoever commits new work.
func (s *System) sett(hemmelig []byte, d delivery.Config) {
	l := s.Lager
	m := s.malinger
	tell := func(k melding.Kode) {
		m.tell(k)
		if k == melding.InnholdSlettet {
			s.slettet.Store(true)
		}
	}
	s.vakt = &vakt{lager: l, clock: s.clock, utenTid: s.cfg.Deler.UtenKlokkevakt}
	s.Outbox = outbox.New(outbox.Config{Work: l, Clock: s.clock, Policy: s.Policy, Logg: s.logg, Vakt: s.vakt.Sjekk})
	d.Store, d.Dispatch, d.Vault, d.Work, d.Ledger, d.Directory, d.Certs, d.Overview = l, l, l, l, l, l, l, l
	d.Clock, d.Policy, d.Logg, d.Tell, d.Gjentatt, d.BareTalt, d.Vekk, d.Vakt = s.clock, s.Policy, s.logg, tell, m.gjentatt, m.bareTalt.Inc, s.Outbox.Vekk, s.vakt.Sjekk
	if s.fiks != nil {
		d.Catalogue = s.fiks
	}
	s.Levering = delivery.New(d)
	s.Outbox.Leveringen = s.Levering
	s.Inntak = intake.New(intake.Config{Store: l, Directory: l, Access: l, Certs: l, Inspector: inspektor{}, Clock: s.clock, Policy: s.Policy,
		NyID:  func(time.Time) melding.ID { return melding.ID(uuid.Must(uuid.NewV7()).String()) },
		Plass: l.LedigPlass, Reserve: s.cfg.Reserve, Logg: s.logg, Tell: tell, Vekk: func() { s.Outbox.Vekk(levering.KoSend) }, Handover: s.Outbox})
	s.Oppsett = &onboarding.Service{Registry: l, Access: l, Certs: l, Clock: s.clock, Hemmelighet: hemmelig, Dev: s.cfg.Dev}
	s.Handler = s.drift(m)
}

func (s *System) http(hemmelig []byte) error {
	if !slices.Contains(s.cfg.Roller, "api") {
		return nil
	}
	verifiser := maskinporten.VerifierConfig{Issuer: s.cfg.Utsteder, JWKS: s.cfg.JWKS, Clock: s.clock}
	if rotter, err := s.cfg.Fiks.rotter(); err != nil {
		return err
	} else if rotter != nil {
		verifiser.HTTP = s.cfg.Fiks.http(rotter)
	}
	tokens, err := maskinporten.NyVerifier(verifiser)
	if err != nil {
		return fmt.Errorf("%w: maskinporten: %w", ErrConfig, err)
	}
	api, err := producerapi.New(producerapi.Config{Inntak: s.Inntak, Oversikt: s.Oversikt, Katalog: s.Lager, Integrasjoner: s.Lager, Tokens: tokens,
		PassordMAC: func(p string) []byte { return onboarding.PassordMAC(hemmelig, p) }, Clock: s.clock, Logg: s.logg,
		Rate: s.cfg.Rate, Burst: s.cfg.Burst, Mappe: s.cfg.Mappe})
	if err != nil {
		return err
	}
	s.API, s.Handler = api, api.Foran(s.Handler)
	return nil
}

// Run does the work of this process until ctx ends, and returns when the work in hand is finished.
func (s *System) Run(ctx context.Context) error {
	if !s.arbeider() {
		<-ctx.Done()
		return nil
	}
	var wg sync.WaitGroup
	feil := make(chan error, 2)
	wg.Go(func() { feil <- s.Outbox.Run(ctx) })
	wg.Go(func() { feil <- s.transport.Receive(ctx, s.Levering.TaImot) })
	pause := s.cfg.PrintPause
	if pause == 0 {
		pause = 30 * time.Second
	}
	jobber := []jobb{
		{"print-hendelser", pause, s.Levering.HentBrevstatus},
		{"sveip", time.Minute, func(ctx context.Context) error { _, err := s.Levering.Sveip(ctx); return err }},
		{"nøkler", 24 * time.Hour, s.Levering.SjekkNokler},
		{"vedlikehold", time.Minute, s.vedlikehold},
	}
	if s.fiks != nil {
		jobber = append(jobber, s.fiks.jobber(s)...)
	}
	for _, j := range jobber {
		wg.Go(func() { s.gjenta(ctx, j.navn, j.hver, j.gjor) })
	}
	wg.Wait()
	close(feil)
	var err error
	for e := range feil {
		if e != nil && !errors.Is(e, context.Canceled) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// jobb is something done at intervals.
type jobb struct {
	navn string
	hver time.Duration
	gjor func(context.Context) error
}

// gjenta does one thing at once and then at intervals. A failure is logged and tried again within a minute; it stops nothing.
func (s *System) gjenta(ctx context.Context, navn string, hver time.Duration, gjor func(context.Context) error) {
	for ctx.Err() == nil {
		pause := hver
		if err := gjor(ctx); err != nil && ctx.Err() == nil {
			s.logg.WarnContext(ctx, "gikk ikke; prøves igjen", "jobb", navn, "feil", err.Error())
			pause = min(hver, time.Minute)
		}
		klar, stopp := s.clock.At(s.clock.Now().Add(pause))
		select {
		case <-ctx.Done():
			stopp()
		case <-klar:
		}
	}
}

// vedlikehold makes the database let go of erased bytes (D18) when something was erased since last time.
func (s *System) vedlikehold(ctx context.Context) error {
	if !s.slettet.Swap(false) {
		return nil
	}
	if err := s.Lager.Vedlikehold(ctx); err != nil {
		s.slettet.Store(true)
		return err
	}
	return nil
}

// Close releases the store, when it was opened here.
func (s *System) Close() error {
	if s.egetLager {
		return s.Lager.Close()
	}
	return nil
}
