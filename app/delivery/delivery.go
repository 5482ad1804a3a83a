// Package delivery carries out what is owed: one function a queue. Each reads the world, lets a rule in domain/levering decide
// inside Store.Update, and does its I/O between two such commits: intent before effect, outcome after.
//
// A function returns nil when the item is settled, *Senere when it belongs to a later time, and any other error when the outcome is
// unknown and the item must come again. Correctness never rests on the lease: the rules look at the history and the attempt id.
package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Senere gives an item back for a known time. It is no failure.
type Senere struct {
	Til   time.Time
	Arsak string
}

func (s *Senere) Error() string { return "senere: " + s.Arsak }

// Config is what a Service needs. Logg and the funcs at the end may be nil.
type Config struct {
	Store     ports.Store
	Dispatch  ports.Dispatch
	Vault     ports.Vault
	Work      ports.Work
	Ledger    ports.Ledger
	Directory ports.Directory
	Certs     ports.Certificates
	Overview  ports.Overview
	Transport ports.Transport
	Printer   ports.Printer
	Clock     ports.Clock
	Policy    levering.Policy
	Catalogue ports.Catalogue     // nil = certificates come with the set-up only
	Retur     kommune.Postadresse // the return address on every letter
	Logg      *slog.Logger
	// Tell hears of every event written, for metrics.
	Tell func(melding.Kode)
	// Gjentatt hears of every duplicate on the wire, for metrics: an answer delivered again (KoSvar), or a send whose outcome was
	// unknown and that is done again (KoSend). History notes the second once an attempt, however many tries there are.
	Gjentatt func(levering.Ko)
	// BareTalt hears of every answer that left no row in a history and no case of its own, for metrics: its sender has made as many as anybody may.
	BareTalt func()
	// Vekk is called after a commit that owes work now, with the queues it lies in.
	Vekk func(...levering.Ko)
	// Vakt says why nothing may be decided now (a clock that cannot be trusted); nil = nothing ever.
	Vakt func(context.Context) error
}

// Service is the use case. Safe for concurrent use.
type Service struct {
	Config
	brev  brevvarsler
	sagt  sync.Map // ids of cases that this process has logged
	slitt sync.Map // ids of work that failed when this process last tried it, from the fifth try on
}

// New fills in what may be missing.
func New(c Config) *Service {
	if c.Logg == nil {
		c.Logg = slog.New(slog.DiscardHandler)
	}
	if c.Tell == nil {
		c.Tell = func(melding.Kode) {}
	}
	if c.Gjentatt == nil {
		c.Gjentatt = func(levering.Ko) {}
	}
	if c.BareTalt == nil {
		c.BareTalt = func() {}
	}
	if c.Vekk == nil {
		c.Vekk = func(...levering.Ko) {}
	}
	if c.Vakt == nil {
		c.Vakt = func(context.Context) error { return nil }
	}
	return &Service{Config: c}
}

// Utfor does one claimed item.
func (s *Service) Utfor(ctx context.Context, l ports.Lease) error {
	err := errIkkeFerdig // what a panic leaves
	defer func() { s.seEtterSlit(ctx, l, err) }()
	err = s.gjor(ctx, l)
	return err
}

func (s *Service) gjor(ctx context.Context, l ports.Lease) error {
	switch l.Oppdrag.Ko {
	case levering.KoSend:
		return s.send(ctx, l)
	case levering.KoSvar:
		return s.svar(ctx, l)
	case levering.KoFrist:
		return s.frist(ctx, l)
	case levering.KoBrev:
		return s.brevet(ctx, l)
	case levering.KoBrevstatus:
		return s.brevstatus(ctx, l)
	case levering.KoBrevvakt:
		return s.brevvakt(ctx, l)
	case levering.KoAvbestill:
		return s.avbestill(ctx, l)
	case levering.KoSlett:
		return s.regel(ctx, l, levering.Slett)
	}
	return fmt.Errorf("oppdrag %s: ukjent kø", l.Oppdrag.ID)
}

// endre is Store.Update with an alarm in the log for each case it opened and a count of each event it wrote.
func (s *Service) endre(ctx context.Context, id melding.ID, fn func(levering.Utgave, time.Time) (levering.Endring, error)) (levering.Utgave, error) {
	na := s.Clock.Now()
	var skrevet levering.Endring // of the last, that is the committed, call; read only for the log and the counters
	u, err := s.Store.Update(ctx, id, func(u levering.Utgave) (levering.Endring, error) {
		e, err := fn(u, na)
		skrevet = e
		return e, err
	})
	if err == nil {
		s.fortell(ctx, id, skrevet, na)
	}
	return u, err
}

// fortell tells of what was committed.
func (s *Service) fortell(ctx context.Context, id melding.ID, skrevet levering.Endring, na time.Time) {
	for _, h := range skrevet.Hendelser {
		s.Tell(h.Kode)
		if h.Art == melding.Overgang {
			s.Logg.InfoContext(ctx, "ny tilstand", "melding", id, "tilstand", h.Tilstand, "kode", h.Kode)
		}
	}
	for _, sak := range skrevet.Saker {
		if sak.Apen() {
			s.Logg.ErrorContext(ctx, "sak åpnet", "sak", sak.ID, "art", sak.Art, "melding", id, "kritisk", sak.Kritisk)
		}
	}
	for _, o := range skrevet.Nye {
		if o.Forfall.Before(na.Add(time.Minute)) { // what is due later is found by whoever is awake then
			s.Vekk(o.Ko)
		}
	}
}

// enkelRegel is a rule that needs nothing but the item.
type enkelRegel func(levering.Utgave, levering.Oppdrag, levering.Policy, time.Time) (levering.Endring, error)

func (s *Service) regel(ctx context.Context, l ports.Lease, r enkelRegel) error {
	_, err := s.brukRegel(ctx, l, r)
	return err
}

func (s *Service) brukRegel(ctx context.Context, l ports.Lease, r enkelRegel) (levering.Utgave, error) {
	return s.endre(ctx, l.Oppdrag.Melding, func(u levering.Utgave, na time.Time) (levering.Endring, error) {
		return r(u, l.Oppdrag, s.Policy, na)
	})
}

// frist orders the letter. An operator may hold letters back for a while (D20).
func (s *Service) frist(ctx context.Context, l ports.Lease) error {
	til, err := s.brevstopp(ctx)
	if err != nil {
		return err
	}
	na := s.Clock.Now()
	if na.Before(til) {
		// Looked at again before til: the operator may change their mind.
		return &Senere{Til: tidligst(til, na.Add(Brevpause)), Arsak: "brev er holdt tilbake av operatør"}
	}
	_, bok, err := s.hullbok(ctx)
	if err != nil {
		return err
	}
	s.varsleMangeBrev(ctx, na, 0)
	u, err := s.brukRegel(ctx, l, levering.FristUtloptMed(bok.Stille(na)))
	if err != nil {
		return err
	}
	if u.Skylder(l.Oppdrag.ID) {
		return &Senere{Til: l.Oppdrag.Forfall, Arsak: "fristen er ikke ute"}
	}
	return nil
}

// Sveip repairs what should never be wrong: reports that nobody owes anything. It returns how many it found. It also closes the cases of
// work that is no longer owed.
func (s *Service) Sveip(ctx context.Context) (int, error) {
	ids, err := s.Store.Breaches(ctx, 100)
	if err != nil {
		return 0, err
	}
	var feil error
	for _, id := range ids {
		s.Logg.ErrorContext(ctx, "melding uten planlagt arbeid", "melding", id)
		if _, err := s.endre(ctx, id, func(u levering.Utgave, na time.Time) (levering.Endring, error) {
			return levering.Reparer(u, s.Policy, na)
		}); err != nil { // one that cannot be repaired must not keep the others from it
			feil = errors.Join(feil, err)
		}
	}
	return len(ids), errors.Join(feil, s.ryddSlit(ctx))
}

// Avgjor carries out an operator's decision.
func (s *Service) Avgjor(ctx context.Context, id melding.ID, a levering.Avgjorelse) (levering.Utgave, error) {
	return s.endre(ctx, id, func(u levering.Utgave, na time.Time) (levering.Endring, error) {
		return levering.Avgjor(u, a, s.Policy, na)
	})
}

// Tid is when the item should come again, and why.
func (s *Senere) Tid() (time.Time, string) { return s.Til, s.Arsak }
