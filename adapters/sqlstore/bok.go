package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

// OpenCase: see ports.Ledger. The row stays when the case is closed, so the same id never opens again [L1].
func (s *Store) OpenCase(ctx context.Context, x levering.Sak) error {
	return s.iSkriv(ctx, "sak "+string(x.ID), func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(nySakRad(x)).On("CONFLICT (id) DO NOTHING").Returning("NULL").Exec(ctx)
		return s.feil("sak "+string(x.ID), err)
	})
}

// Case: see ports.Ledger.
func (s *Store) Case(ctx context.Context, id levering.SakID) (levering.Sak, error) {
	var r sakRad
	if err := s.les.NewSelect().Model(&r).Where("s.id = ? AND s.melding IS NULL", id).Scan(ctx); err != nil {
		return levering.Sak{}, s.feil("sak "+string(id), err)
	}
	return r.sak(), nil
}

// CloseCase: see ports.Ledger. A report's case is closed through Update, which looks at what the report owes then; here it is refused.
func (s *Store) CloseCase(ctx context.Context, id levering.SakID, av, grunn string, at time.Time) error {
	hva := "sak " + string(id)
	return s.iSkriv(ctx, hva, func(tx bun.Tx) error {
		var r sakRad
		if err := tx.NewSelect().Model(&r).Where("s.id = ?", id).Scan(ctx); err != nil {
			return s.feil(hva, err)
		}
		if r.Melding != nil {
			return fmt.Errorf("%s hører til melding %s: %w", hva, *r.Melding, ports.ErrRefused)
		}
		_, err := tx.NewRaw("UPDATE sak SET lukket = ?, lukket_av = ?, grunn = ? WHERE id = ? AND lukket IS NULL",
			mikro(at), av, grunn, id).Exec(ctx)
		return s.feil(hva, err)
	})
}

// Mark: see ports.Ledger.
func (s *Store) Mark(ctx context.Context, name string) (string, error) {
	var v string
	err := s.feil("merke "+name, s.les.NewRaw("SELECT verdi FROM merke WHERE navn = ?", name).Scan(ctx, &v))
	if errors.Is(err, ports.ErrNotFound) {
		return "", nil
	}
	return v, err
}

// SetMark: see ports.Ledger.
func (s *Store) SetMark(ctx context.Context, name, value string) error {
	return s.iSkriv(ctx, "merke "+name, func(tx bun.Tx) error {
		_, err := tx.NewRaw("INSERT INTO merke (navn, verdi) VALUES (?, ?) ON CONFLICT (navn) DO UPDATE SET verdi = EXCLUDED.verdi",
			name, value).Exec(ctx)
		return s.feil("merke "+name, err)
	})
}

// Now is the database's clock (D20).
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	var us int64
	if err := s.les.NewRaw("SELECT "+s.d.Na).Scan(ctx, &us); err != nil {
		return time.Time{}, s.feil("databasens klokke", err)
	}
	return tid(us), nil
}
