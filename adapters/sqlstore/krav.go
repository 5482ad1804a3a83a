package sqlstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// kandidat is an item that may be leased.
type kandidat struct {
	Seq     int64
	Klar    int64
	Melding *melding.ID
}

// Claim: see ports.Work. Every look goes through an index on (ko, klar), where items that are leased or backing off lie in the
// future, so the backlog costs nothing.
//
// The search asks first outside any write transaction: an idle worker takes no lock and writes nothing.
func (s *Store) Claim(ctx context.Context, ko levering.Ko, max int, now time.Time, lease time.Duration) ([]ports.Lease, error) {
	hva := "kø " + string(ko)
	if max <= 0 {
		return nil, nil
	}
	if funn, err := s.kandidater(ctx, s.les, ko, now, 1, alle); err != nil || len(funn) == 0 {
		return nil, err
	}
	var leier []ports.Lease
	err := s.iSkriv(ctx, hva, func(tx bun.Tx) error {
		funn, err := s.ledige(ctx, tx, ko, max, now)
		if err != nil || len(funn) == 0 {
			return err
		}
		leier, err = s.lei(ctx, tx, funn, now, lease)
		return err
		// A crash after the commit leaves items leased to nobody: handed out again at Until.
	})
	if err != nil {
		return nil, err
	}
	return leier, nil
}

// ledige finds what this claim may take, at most one item of a report. Where several write at once, the reports' rows are locked
// here, so that of two claims only one goes on to lease for a report [W4].
func (s *Store) ledige(ctx context.Context, tx bun.Tx, ko levering.Ko, max int, now time.Time) ([]kandidat, error) {
	if !s.d.Samtidig {
		return s.kandidater(ctx, tx, ko, now, max, alle)
	}
	med, err := s.kandidater(ctx, tx, ko, now, max, medMelding)
	if err != nil {
		return nil, err
	}
	uten, err := s.kandidater(ctx, tx, ko, now, max, utenMelding)
	if err != nil {
		return nil, err
	}
	funn := append(med, uten...)
	slices.SortFunc(funn, func(a, b kandidat) int {
		return cmp.Or(cmp.Compare(a.Klar, b.Klar), cmp.Compare(a.Seq, b.Seq))
	})
	return funn[:min(max, len(funn))], nil
}

type utvalg int

const (
	alle        utvalg = iota // no locks
	medMelding                // items of reports, whose rows are locked; those somebody holds are passed by
	utenMelding               // answers without a report; locked themselves
)

// A live lease on any item of the report bars the rest of it. As a scalar subquery, so that no planner turns it into a join over the
// whole queue.
const ingenAnnenLeie = `coalesce((SELECT max(l.klar) FROM oppdrag l WHERE l.melding = o.melding AND l.token IS NOT NULL), ?) <= ?`

// kandidater reads items due at now in order of time, one of each report, a page at a time until there are enough.
func (s *Store) kandidater(ctx context.Context, db bun.IDB, ko levering.Ko, now time.Time, antall int, v utvalg) ([]kandidat, error) {
	var ut []kandidat
	sett := map[melding.ID]bool{}
	na := mikro(now)
	var etter kandidat
	for forst := true; ; forst = false {
		q := db.NewSelect().TableExpr("oppdrag AS o").ColumnExpr("o.seq, o.klar, o.melding").
			Where("o.ko = ?", ko).Where("o.klar <= ?", na).OrderExpr("o.klar, o.seq").Limit(int64(antall))
		if !forst {
			q = q.Where("(o.klar, o.seq) > (?, ?)", etter.Klar, etter.Seq)
		}
		switch v {
		case alle:
			q = q.Where(ingenAnnenLeie, na, na)
		case medMelding:
			q = q.Join("JOIN melding AS m ON m.id = o.melding").Where(ingenAnnenLeie, na, na).For("NO KEY UPDATE OF m SKIP LOCKED")
		case utenMelding:
			q = q.Where("o.melding IS NULL").For("UPDATE OF o SKIP LOCKED")
		}
		var side []kandidat
		if err := q.Scan(ctx, &side); err != nil {
			return nil, s.feil("kø "+string(ko), err)
		}
		for _, k := range side {
			if k.Melding != nil {
				if sett[*k.Melding] {
					continue
				}
				sett[*k.Melding] = true
			}
			if ut = append(ut, k); len(ut) == antall {
				return ut, nil
			}
		}
		if len(side) < antall {
			return ut, nil
		}
		etter = side[len(side)-1]
	}
}

// lei takes the items found. It looks again for live leases: this statement's snapshot is younger than the locks, so it sees what
// another claim committed between our first look and our lock. What is not free any more is left out.
func (s *Store) lei(ctx context.Context, tx bun.Tx, funn []kandidat, now time.Time, lease time.Duration) ([]ports.Lease, error) {
	seq := make([]int64, len(funn))
	for i, k := range funn {
		seq[i] = k.Seq
	}
	token, na := rand.Text(), mikro(now)
	til := now.Add(lease)
	var rr []oppdragRad
	err := tx.NewRaw(`UPDATE oppdrag AS o SET token = ?, klar = ?, antall = antall + 1
WHERE o.seq IN (?) AND o.klar <= ? AND `+ingenAnnenLeie+` RETURNING *`, token, mikro(til), bun.List(seq), na, na, na).Scan(ctx, &rr)
	if err != nil {
		return nil, s.feil("leie", err)
	}
	slices.SortFunc(rr, func(a, b oppdragRad) int { return slices.Index(seq, a.Seq) - slices.Index(seq, b.Seq) })
	var ut []ports.Lease
	for i := range rr {
		o, err := rr[i].oppdrag()
		if err != nil {
			return nil, err
		}
		ut = append(ut, ports.Lease{Oppdrag: o, Token: token, Until: tid(mikro(til)), Attempt: rr[i].Antall})
	}
	return ut, nil
}
