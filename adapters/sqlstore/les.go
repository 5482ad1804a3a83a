package sqlstore

import (
	"context"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Get reads one report on one snapshot.
func (s *Store) Get(ctx context.Context, id melding.ID) (ports.Utgave, error) {
	var u ports.Utgave
	err := s.iLes(ctx, "melding "+string(id), func(tx bun.Tx) error {
		var err error
		u, _, err = s.utgave(ctx, tx, id, "")
		return err
	})
	return u, err
}

// utgave reads a report inside a transaction; las is the dialect's lock or "". The lock comes first: what is read afterwards in the
// same transaction is what the previous holder committed.
func (s *Store) utgave(ctx context.Context, tx bun.Tx, id melding.ID, las string) (ports.Utgave, *meldingRad, error) {
	hva := "melding " + string(id)
	var r meldingRad
	q := tx.NewSelect().Model(&r).Where("m.id = ?", id)
	if las != "" {
		q = q.For(las)
	}
	if err := q.Scan(ctx); err != nil {
		return ports.Utgave{}, nil, s.feil(hva, err)
	}
	f, err := r.fakta()
	if err != nil {
		return ports.Utgave{}, nil, err
	}
	u := ports.Utgave{Melding: melding.Melding{Fakta: f}, Slettet: r.Slettet}

	var hh []hendelseRad
	if err := tx.NewSelect().Model(&hh).Where("h.melding = ?", id).Order("h.sekvens").Scan(ctx); err != nil {
		return ports.Utgave{}, nil, s.feil(hva, err)
	}
	for _, h := range hh {
		u.Melding.Historikk = append(u.Melding.Historikk, h.hendelse())
	}
	if u.Owed, err = s.skyldig(ctx, tx, id); err != nil {
		return ports.Utgave{}, nil, err
	}
	var ss []sakRad
	if err := tx.NewSelect().Model(&ss).Where("s.melding = ?", id).Order("s.seq").Scan(ctx); err != nil {
		return ports.Utgave{}, nil, s.feil(hva, err)
	}
	for _, x := range ss {
		u.Saker = append(u.Saker, x.sak())
	}
	return u, &r, nil
}

func (s *Store) skyldig(ctx context.Context, tx bun.Tx, id melding.ID) ([]levering.Oppdrag, error) {
	var oo []oppdragRad
	if err := tx.NewSelect().Model(&oo).Where("o.melding = ?", id).Order("o.seq").Scan(ctx); err != nil {
		return nil, s.feil("melding "+string(id), err)
	}
	var ut []levering.Oppdrag
	for i := range oo {
		o, err := oo[i].oppdrag()
		if err != nil {
			return nil, err
		}
		ut = append(ut, o)
	}
	return ut, nil
}
