package sqlstore

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// lestMottaker is a receiver and its certificates before they are judged at an instant. Nobody changes it.
type lestMottaker struct {
	nr           int64
	konto        kommune.Mottakerkonto
	sertifikater []lestSertifikat
}

// Sendegrunnlag: see ports.Dispatch. Usually the report's own rows and the directory's number, on one snapshot.
func (s *Store) Sendegrunnlag(ctx context.Context, id melding.ID, now time.Time) (ports.Sendegrunnlag, error) {
	var nr int64
	l, ss := s.lesning(id, "")
	ss = append(ss, Setning{SQL: nrSporring, Rad: func(skann func(...any) error) error { return skann(&nr) }})
	if err := s.lesAlt(ctx, "melding "+string(id), ss); err != nil {
		return ports.Sendegrunnlag{}, err
	}
	u, err := l.utgave()
	if err != nil {
		return ports.Sendegrunnlag{}, err
	}
	r := u.Melding.Fakta.RessursID
	m := s.mottakere.hent(r)
	if m == nil || m.nr != nr {
		if m, err = s.lesMottaker(ctx, r); err != nil {
			return ports.Sendegrunnlag{}, err
		}
		s.mottakere.behold(m.nr, r, m)
	}
	return ports.Sendegrunnlag{Utgave: u, Konto: egen(m.konto), Godtatt: godtatte(m.sertifikater, now)}, nil
}

// lesMottaker reads a receiver and its number on one snapshot.
func (s *Store) lesMottaker(ctx context.Context, r kommune.RessursID) (*lestMottaker, error) {
	m := &lestMottaker{}
	hva := "mottaker " + string(r)
	err := s.iLes(ctx, hva, func(tx bun.Tx) error {
		if err := tx.NewRaw(nrSporring).Scan(ctx, &m.nr); err != nil {
			return s.feil(hva, err)
		}
		var rad mottakerRad
		if err := tx.NewSelect().Model(&rad).Where("mo.ressurs_id = ?", r).Scan(ctx); err != nil {
			return s.feil(hva, err)
		}
		var err error
		if m.konto, err = rad.konto(); err != nil {
			return err
		}
		m.sertifikater, err = s.lesSertifikater(ctx, tx, kommune.MottakerEier(r))
		return err
	})
	return m, err
}
