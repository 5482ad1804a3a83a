package delivery

import (
	"context"
	"errors"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// MerkePrint is where the vendor's event cursor lies.
const MerkePrint = "print-hendelser"

// brevet hands one letter to the vendor. Whatever it was that failed, a case opens at the fifth try.
func (s *Service) brevet(ctx context.Context, l ports.Lease) error {
	return s.sliter(ctx, l, s.brevetEn(ctx, l))
}

func (s *Service) brevetEn(ctx context.Context, l ports.Lease) error {
	o := l.Oppdrag
	// State is read again here, just before the letter leaves. A crash after this commit leaves the attempt marked as perhaps
	// submitted: every later try asks the vendor first.
	u, err := s.brukRegel(ctx, l, levering.BegynnBrev)
	if err != nil || !u.Skylder(o.ID) {
		return err
	}
	if l.Attempt == 1 {
		s.varsleOmBrev(ctx, u.Melding, s.Clock.Now())
	} else {
		ferdig, err := s.spor(ctx, l)
		if ferdig || err != nil {
			return err
		}
	}
	innhold, err := s.Vault.Open(ctx, o.Melding, melding.DelPDF)
	if errors.Is(err, ports.ErrCorrupt) || errors.Is(err, ports.ErrErased) {
		return s.brevregel(ctx, o, levering.BrevNektet)
	} else if err != nil {
		return err
	}
	konto, err := s.Directory.Mottaker(ctx, u.Melding.Fakta.RessursID)
	if err != nil {
		return err
	}
	err = s.Printer.Submit(ctx, levering.Brev{ID: o.Forsok, Melding: o.Melding, Til: konto.Adresse, Retur: s.Retur, Innhold: innhold,
		SHA256: u.Melding.Fakta.Deler[melding.DelPDF].SHA256, Nokkel: u.Melding.Fakta.Deler[melding.DelPDF].Nokkelserie, Tosidig: true})
	switch {
	case err == nil:
		// A crash here leaves a job the vendor has and we do not know of: the retry asks Status and finds it.
		return s.brevregel(ctx, o, levering.BrevOvertatt)
	case errors.Is(err, ports.ErrRefused):
		return s.brevregel(ctx, o, levering.BrevNektet)
	}
	return err
}

func (s *Service) brevregel(ctx context.Context, o levering.Oppdrag, r func(levering.Utgave, melding.ForsokID, levering.Policy, time.Time) (levering.Endring, error)) error {
	_, err := s.endre(ctx, o.Melding, func(u levering.Utgave, na time.Time) (levering.Endring, error) { return r(u, o.Forsok, s.Policy, na) })
	return err
}

// spor asks the vendor about an attempt whose outcome is unknown. ferdig = nothing is to be submitted.
func (s *Service) spor(ctx context.Context, l ports.Lease) (ferdig bool, err error) {
	jobb, err := s.Printer.Status(ctx, l.Oppdrag.Forsok)
	if errors.Is(err, ports.ErrNotFound) {
		u, err := s.brukRegel(ctx, l, levering.BrevAldriOverfort)
		return err == nil && !u.Skylder(l.Oppdrag.ID), err
	}
	if err != nil {
		return false, err
	}
	return true, s.brukJobb(ctx, l.Oppdrag.Melding, jobb)
}

func (s *Service) brukJobb(ctx context.Context, id melding.ID, j levering.Jobb) error {
	_, err := s.endre(ctx, id, func(u levering.Utgave, na time.Time) (levering.Endring, error) {
		return levering.BehandleBrevstatus(u, levering.BrevstatusOppdrag(j, na), s.Policy, na)
	})
	return err
}

// sliter opens a case from the fifth unknown outcome and passes the error on; print work repeats for ever.
func (s *Service) sliter(ctx context.Context, l ports.Lease, err error) error {
	if err == nil {
		return nil
	}
	if _, uerr := s.endre(ctx, l.Oppdrag.Melding, func(u levering.Utgave, na time.Time) (levering.Endring, error) {
		return levering.BrevSliter(u, l.Oppdrag, l.Attempt, s.Policy, na)
	}); uerr != nil {
		return errors.Join(err, uerr)
	}
	return err
}

// HentBrevstatus stores what the vendor has said since last time as work, and then moves the cursor. A crash between the two
// hears the same events again; each is one item.
func (s *Service) HentBrevstatus(ctx context.Context) error {
	fra, err := s.Ledger.Mark(ctx, MerkePrint)
	if err != nil {
		return err
	}
	jobber, til, err := s.Printer.Events(ctx, fra)
	if err != nil || len(jobber) == 0 && til == fra {
		return err
	}
	na := s.Clock.Now()
	var nye []levering.Oppdrag
	for _, j := range jobber {
		nye = append(nye, levering.BrevstatusOppdrag(j, na))
	}
	if len(nye) > 0 {
		if _, err := s.Work.Add(ctx, nye...); err != nil {
			return err
		}
		s.Vekk(levering.KoBrevstatus)
	}
	return s.Ledger.SetMark(ctx, MerkePrint, til)
}

func (s *Service) brevstatus(ctx context.Context, l ports.Lease) error {
	j := l.Oppdrag.Jobb
	id, err := s.Store.FindRef(ctx, string(j.ID))
	if errors.Is(err, ports.ErrNotFound) { // the reference is committed before the vendor hears of the job: this is not ours
		return s.utenMelding(ctx, l, "print", string(j.ID), s.Clock.Now())
	} else if err != nil {
		return err
	}
	_, err = s.endre(ctx, id, func(u levering.Utgave, na time.Time) (levering.Endring, error) {
		return levering.BehandleBrevstatus(u, l.Oppdrag, s.Policy, na)
	})
	return err
}

// brevvakt asks about a letter that was never reported posted; no news is a case, never a delivery.
func (s *Service) brevvakt(ctx context.Context, l ports.Lease) error {
	if j, err := s.Printer.Status(ctx, l.Oppdrag.Forsok); err == nil && j.Status != levering.BrevMottatt {
		return s.brukJobb(ctx, l.Oppdrag.Melding, j)
	}
	u, err := s.brukRegel(ctx, l, levering.Brevvakt)
	if sak, ok := u.ApenSak(levering.SakBrevIkkePostlagt); err == nil && ok {
		s.Logg.ErrorContext(ctx, "brevet er fortsatt ikke meldt postlagt", "sak", sak.ID, "melding", l.Oppdrag.Melding, "apnet", sak.Apnet)
	}
	return err
}

func (s *Service) avbestill(ctx context.Context, l ports.Lease) error {
	stanset, err := s.Printer.Cancel(ctx, l.Oppdrag.Forsok)
	if errors.Is(err, ports.ErrNotFound) {
		u, gerr := s.Store.Get(ctx, l.Oppdrag.Melding)
		if gerr != nil {
			return gerr
		}
		for _, o := range u.Owed {
			if o.Ko == levering.KoBrev && o.Forsok == l.Oppdrag.Forsok {
				return err // it may be on its way there this moment
			}
		}
		stanset, err = true, nil
	}
	if err != nil {
		return err
	}
	_, err = s.endre(ctx, l.Oppdrag.Melding, func(u levering.Utgave, na time.Time) (levering.Endring, error) {
		return levering.AvbestillingFerdig(u, l.Oppdrag, stanset, s.Policy, na)
	})
	return err
}
