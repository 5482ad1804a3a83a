package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

// Add: see ports.Work. An id is remembered for ever (some 60 bytes), so an answer that the broker delivers again after it was judged
// is not queued again [W2]. A crash before the commit leaves the answer unacknowledged at the broker, which has it still.
func (s *Store) Add(ctx context.Context, oo ...levering.Oppdrag) (nye int, err error) {
	oo = slices.Clone(oo)
	// Always in the same order: two callers with the same answers wait for each other and never both.
	slices.SortStableFunc(oo, func(a, b levering.Oppdrag) int { return cmp.Compare(a.ID, b.ID) })
	if s.skriv == nil {
		return 0, errLesbar
	}
	var sett []Setning
	ny := make([]*bool, len(oo))
	for i, o := range oo {
		var x Setning
		x, ny[i] = s.husk(o.ID)
		sett = append(sett, x)
	}
	err = s.iTo(ctx, "nytt arbeid", sett, func() ([]Setning, error) {
		var rr [][]any
		for i, o := range oo {
			if !*ny[i] {
				continue
			}
			kropp, err := svarkropp(o)
			if err != nil {
				return nil, err
			}
			rr = append(rr, append(nyOppdragRad(o).verdier(), kropp))
		}
		if nye = len(rr); nye == 0 {
			return nil, nil
		}
		return []Setning{s.rader("oppdrag", oppdragKolonner+", innhold", " ON CONFLICT (id) DO NOTHING", rr...)}, nil
	})
	if err != nil {
		return 0, err
	}
	return nye, nil
}

const huskSetning = "INSERT INTO oppdrag_sett (id) VALUES (?1) ON CONFLICT (id) DO NOTHING RETURNING id"

// husk remembers that an item came from the world; ny is set when it had not come before.
func (s *Store) husk(id levering.OppdragID) (x Setning, ny *bool) {
	ny = new(bool)
	x = s.setning(huskSetning, string(id))
	x.Rad = func(skann func(...any) error) error {
		*ny = true
		return skann(new(string))
	}
	return x, ny
}

// krevNytt is husk that fails when the item had come before.
func (s *Store) krevNytt(id levering.OppdragID) Setning {
	x := s.krev("EXISTS (SELECT 1 FROM ny)", "oppdraget er sett", string(id))
	x.SQL = s.d.Param("WITH ny AS ("+huskSetning+") ") + x.SQL
	return x
}

// Extend holds only while the lease lives: past Until another item of the same report may have been handed out.
func (s *Store) Extend(ctx context.Context, l ports.Lease, now time.Time, lease time.Duration) error {
	hva := "oppdrag " + string(l.Oppdrag.ID)
	return s.iSkriv(ctx, hva, func(tx bun.Tx) error {
		r, err := tx.NewRaw("UPDATE oppdrag SET klar = ? WHERE id = ? AND token = ? AND klar > ?",
			mikro(now.Add(lease)), l.Oppdrag.ID, l.Token, mikro(now)).Exec(ctx)
		if err != nil {
			return s.feil(hva, err)
		}
		if endret(r) == 0 {
			return fmt.Errorf("%s: leien er tapt: %w", hva, ports.ErrConflict)
		}
		return nil
	})
}

// Release: see ports.Work. The domain's Forfall stays as it was; only the time of the next claim moves.
func (s *Store) Release(ctx context.Context, l ports.Lease, due time.Time, cause string) error {
	hva := "oppdrag " + string(l.Oppdrag.ID)
	return s.iSkriv(ctx, hva, func(tx bun.Tx) error {
		r, err := tx.NewRaw("UPDATE oppdrag SET token = NULL, klar = ?, arsak = ? WHERE id = ? AND token = ?",
			mikro(due), cause, l.Oppdrag.ID, l.Token).Exec(ctx)
		if err != nil {
			return s.feil(hva, err)
		}
		if endret(r) > 0 {
			return nil
		}
		var andres int
		if err := tx.NewRaw("SELECT count(*) FROM oppdrag WHERE id = ? AND token IS NOT NULL", l.Oppdrag.ID).Scan(ctx, &andres); err != nil {
			return s.feil(hva, err)
		}
		if andres > 0 {
			return fmt.Errorf("%s: en annen har det nå: %w", hva, ports.ErrConflict)
		}
		return nil // settled, or given back before
	})
}

// Done: see ports.Work.
func (s *Store) Done(ctx context.Context, l ports.Lease) error {
	hva := "oppdrag " + string(l.Oppdrag.ID)
	return s.iSkriv(ctx, hva, func(tx bun.Tx) error {
		r, err := tx.NewRaw("DELETE FROM oppdrag WHERE id = ? AND token = ? AND melding IS NULL", l.Oppdrag.ID, l.Token).Exec(ctx)
		if err != nil {
			return s.feil(hva, err)
		}
		if endret(r) > 0 {
			return nil
		}
		var rr []oppdragRad
		if err := tx.NewSelect().Model(&rr).Column("melding").Where("o.id = ?", l.Oppdrag.ID).Scan(ctx); err != nil {
			return s.feil(hva, err)
		}
		switch {
		case len(rr) == 0:
			return nil
		case rr[0].Melding != nil:
			return fmt.Errorf("%s hører til melding %s: %w", hva, *rr[0].Melding, ports.ErrRefused)
		}
		return fmt.Errorf("%s: leien er tapt: %w", hva, ports.ErrConflict)
	})
}

// Next: see ports.Work.
func (s *Store) Next(ctx context.Context, ko levering.Ko) (time.Time, error) {
	var klar *int64
	r, err := s.sporRad(ctx, "SELECT min(klar) FROM oppdrag WHERE ko = ?1", string(ko))
	if err == nil {
		err = r.Scan(&klar)
	}
	return tidEller(klar), s.feil("kø "+string(ko), err)
}
