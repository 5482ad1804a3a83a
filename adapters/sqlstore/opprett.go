package sqlstore

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Create: see ports.Store. Everything about n is judged and read before the transaction begins, so that a slow spool file or a wrong
// sum never holds the writer.
func (s *Store) Create(ctx context.Context, n ports.Ny) (melding.ID, error) {
	f := n.Fakta
	hva := "melding " + string(f.ID)
	u := ports.Utgave{Melding: melding.Melding{Fakta: f}.Med(n.Hendelser...), Owed: n.Oppdrag, Saker: n.Saker}
	if err := levering.Kontroller(u); err != nil {
		return "", fmt.Errorf("%w: %w", err, ports.ErrRefused)
	}
	if err := egne(f.ID, n.Oppdrag, n.Saker); err != nil {
		return "", err
	}
	if len(n.Deler) != len(f.Deler) {
		return "", fmt.Errorf("%s: %d deler, fakta om %d: %w", hva, len(n.Deler), len(f.Deler), ports.ErrRefused)
	}
	select {
	case s.deler <- struct{}{}:
		defer func() { <-s.deler }()
	case <-ctx.Done():
		return "", s.feil(hva, ctx.Err())
	}
	deler, err := lesDeler(f, n.Deler)
	if err != nil {
		return "", err
	}
	rad, nokkel := nyMeldingRad(f, avled(u.Melding, false)), nyNokkelRad(n)
	fantes := false
	err = s.iSkriv(ctx, hva, func(tx bun.Tx) error {
		// The row first: its unique indexes turn a repeat away before a byte of content is written.
		if _, err := tx.NewInsert().Model(rad).Exec(ctx); err != nil {
			fantes = s.finnesFra(err)
			return s.feil(hva, err)
		}
		if nokkel != nil {
			if _, err := tx.NewInsert().Model(nokkel).Exec(ctx); err != nil {
				fantes = s.finnesFra(err)
				return s.feil(hva, err)
			}
		}
		if err := s.skrivHendelser(ctx, tx, f.ID, u.Melding.Historikk); err != nil {
			return err
		}
		for _, d := range deler {
			if err := s.skrivDel(ctx, tx, f.ID, d); err != nil {
				return err
			}
		}
		if err := s.leggInn(ctx, tx, n.Oppdrag); err != nil {
			return err
		}
		if err := s.skrivSaker(ctx, tx, n.Saker); err != nil {
			return err
		}
		return s.skrivApneForsok(ctx, tx, f.ID, nil, u.Melding)
		// A crash before the commit leaves nothing at all, one after it a report with its work: delivered, whether or not the
		// sender hears of it.
	})
	if fantes {
		return s.gjentakelse(ctx, rad, nokkel)
	}
	if err != nil {
		return "", err
	}
	return f.ID, nil
}

// egne refuses work and cases of another report: they would be judged with the wrong history.
func egne(id melding.ID, oo []levering.Oppdrag, ss []levering.Sak) error {
	for _, o := range oo {
		if o.Melding != id {
			return fmt.Errorf("melding %s: oppdrag %s er ikke dens: %w", id, o.ID, ports.ErrRefused)
		}
	}
	for _, x := range ss {
		if x.Melding != id {
			return fmt.Errorf("melding %s: sak %s er ikke dens: %w", id, x.ID, ports.ErrRefused)
		}
	}
	return nil
}
