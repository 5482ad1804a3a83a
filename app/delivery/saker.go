package delivery

import (
	"context"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

// LukkSak closes a case of no report. What it was about stays in front of why it was closed.
func (s *Service) LukkSak(ctx context.Context, id levering.SakID, hvem, grunn string) error {
	if err := levering.KontrollerOperator(hvem, grunn); err != nil {
		return err
	}
	apne, err := s.Overview.Cases(ctx, true, 1000)
	if err != nil {
		return err
	}
	for _, sak := range apne {
		if sak.ID == id && sak.Grunn != "" {
			grunn = sak.Grunn + "; " + grunn
		}
	}
	return s.Ledger.CloseCase(ctx, id, melding.AktorOperator(hvem), grunn, s.Clock.Now())
}
