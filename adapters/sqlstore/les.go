package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Get reads one report on one snapshot.
func (s *Store) Get(ctx context.Context, id melding.ID) (u ports.Utgave, err error) {
	l, ss := s.lesning(id, "")
	if err := s.lesAlt(ctx, "melding "+string(id), ss); err != nil {
		return u, err
	}
	return l.utgave()
}

// lesAlt asks all of ss on one snapshot.
func (s *Store) lesAlt(ctx context.Context, hva string, ss []Setning) error {
	if s.d.Todelt != nil {
		return s.feil(hva, s.d.Todelt(ctx, s.les.DB, ss, nil))
	}
	return s.iLes(ctx, hva, func(tx bun.Tx) error {
		for _, x := range ss {
			if err := s.lesRader(ctx, tx.Tx, x); err != nil {
				return s.feil(hva, err)
			}
		}
		return nil
	})
}

// utgave reads a report inside a transaction.
func (s *Store) utgave(ctx context.Context, tx bun.Tx, id melding.ID) (ports.Utgave, *meldingRad, error) {
	l, ss := s.lesning(id, "")
	for _, x := range ss {
		if err := s.lesRader(ctx, tx.Tx, x); err != nil {
			return ports.Utgave{}, nil, s.feil("melding "+string(id), err)
		}
	}
	u, err := l.utgave()
	return u, &l.rad, err
}

func (s *Store) lesRader(ctx context.Context, tx *sql.Tx, x Setning) (err error) {
	rr, err := tx.QueryContext(ctx, x.SQL, s.d.blobargs(x.Args...)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rr.Close()) }()
	for rr.Next() {
		if err := x.Rad(rr.Scan); err != nil {
			return err
		}
	}
	return rr.Err()
}

// lest is the rows of one report.
type lest struct {
	id     melding.ID
	fantes bool
	rad    meldingRad
	hh     []hendelseRad
	oo     []oppdragRad
	ss     []sakRad
}

// lesning is the questions that fill a lest, in this order; las is the dialect's lock or "". The lock comes first: what the next
// statement of the same transaction reads is what the previous holder committed.
func (s *Store) lesning(id melding.ID, las string) (*lest, []Setning) {
	if las != "" {
		las = " FOR " + las
	}
	l := &lest{id: id}
	sporring := func(kolonner, tabell, hvor string, rad func(func(...any) error) error) Setning {
		x := s.setning("SELECT "+kolonner+" FROM "+tabell+" WHERE "+hvor, string(id))
		x.Rad = rad
		return x
	}
	return l, []Setning{
		sporring(meldingKolonner, "melding", "id = ?1"+las, func(skann func(...any) error) error {
			l.fantes = true
			return skann(l.rad.felt()...)
		}),
		sporring(hendelseKolonner, "hendelse", "melding = ?1 ORDER BY sekvens", func(skann func(...any) error) error {
			l.hh = append(l.hh, hendelseRad{})
			return skann(l.hh[len(l.hh)-1].felt()...)
		}),
		sporring(oppdragKolonner+", innhold", "oppdrag", "melding = ?1 ORDER BY seq", func(skann func(...any) error) error {
			l.oo = append(l.oo, oppdragRad{})
			return skann(l.oo[len(l.oo)-1].felt()...)
		}),
		sporring(sakKolonner, "sak", "melding = ?1 ORDER BY seq", func(skann func(...any) error) error {
			l.ss = append(l.ss, sakRad{})
			return skann(l.ss[len(l.ss)-1].felt()...)
		}),
	}
}

func (l *lest) utgave() (ports.Utgave, error) {
	if !l.fantes {
		return ports.Utgave{}, fmt.Errorf("melding %s: %w", l.id, ports.ErrNotFound)
	}
	f, err := l.rad.fakta()
	if err != nil {
		return ports.Utgave{}, err
	}
	u := ports.Utgave{Melding: melding.Melding{Fakta: f}, Slettet: l.rad.Slettet}
	for _, h := range l.hh {
		u.Melding.Historikk = append(u.Melding.Historikk, h.hendelse())
	}
	for i := range l.oo {
		o, err := l.oo[i].oppdrag()
		if err != nil {
			return ports.Utgave{}, err
		}
		u.Owed = append(u.Owed, o)
	}
	for _, x := range l.ss {
		u.Saker = append(u.Saker, x.sak())
	}
	return u, nil
}
