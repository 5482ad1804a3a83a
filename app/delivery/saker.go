package delivery

import (
	"context"
	"errors"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// LukkSak closes a case of no report. What it was about stays in front of why it was closed.
func (s *Service) LukkSak(ctx context.Context, id levering.SakID, hvem, grunn string) error {
	if err := levering.KontrollerOperator(hvem, grunn); err != nil {
		return err
	}
	na := s.Clock.Now()
	sak, err := s.Ledger.Case(ctx, id)
	if err != nil {
		return err
	}
	return s.lukkMed(ctx, sak, melding.AktorOperator(hvem), grunn, na)
}

// lukkHvisApen is for a case that somebody may have closed by hand, or that was never opened.
func (s *Service) lukkHvisApen(ctx context.Context, id levering.SakID, av, grunn string, na time.Time) error {
	sak, err := s.Ledger.Case(ctx, id)
	if errors.Is(err, ports.ErrNotFound) || err == nil && !sak.Apen() {
		return nil
	}
	if err != nil {
		return err
	}
	return s.lukkMed(ctx, sak, av, grunn, na)
}

// lukkMed keeps what the case was about in front of why it is closed.
func (s *Service) lukkMed(ctx context.Context, sak levering.Sak, av, grunn string, na time.Time) error {
	if sak.Grunn != "" {
		grunn = sak.Grunn + "; " + grunn
	}
	return s.Ledger.CloseCase(ctx, sak.ID, av, grunn, na)
}
