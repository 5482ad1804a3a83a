package sqlstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
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
	if noe, err := s.harForfalt(ctx, ko, now); err != nil || !noe {
		return nil, err
	}
	if s.d.Todelt != nil && s.skriv != nil {
		leier, mer, err := s.kravITo(ctx, ko, max, now, lease)
		if err != nil || !mer {
			return leier, err
		}
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

// harForfalt says whether the queue has anything that may be leased now.
func (s *Store) harForfalt(ctx context.Context, ko levering.Ko, now time.Time) (bool, error) {
	r, err := s.sporRad(ctx, "SELECT o.seq FROM oppdrag o WHERE o.ko = ?1 AND o.klar <= ?2 AND "+strings.ReplaceAll(ingenAnnenLeie, "?", "?2")+
		" ORDER BY o.klar, o.seq LIMIT 1", string(ko), mikro(now))
	var seq int64
	if err == nil {
		err = r.Scan(&seq)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, s.feil("kø "+string(ko), err)
}

// kravMedMelding finds items of reports, whose rows are locked; those somebody holds are passed by.
var kravMedMelding = "SELECT o.seq, o.klar, o.melding FROM oppdrag o JOIN melding m ON m.id = o.melding WHERE o.ko = ?1 AND o.klar <= ?2 AND " +
	strings.ReplaceAll(ingenAnnenLeie, "?", "?2") + " ORDER BY o.klar, o.seq LIMIT ?3 FOR NO KEY UPDATE OF m SKIP LOCKED"

// kravITo is Claim in two round trips. It looks at one page of the queue; mer = several of its items belong to the same reports, so there
// may be more to take, and nothing was taken.
func (s *Store) kravITo(ctx context.Context, ko levering.Ko, max int, now time.Time, lease time.Duration) (leier []ports.Lease, mer bool, err error) {
	na := mikro(now)
	var funn []kandidat
	rad := func(skann func(...any) error) error {
		funn = append(funn, kandidat{})
		k := &funn[len(funn)-1]
		return skann(&k.Seq, &k.Klar, &k.Melding)
	}
	med := s.setning(kravMedMelding, string(ko), na, int64(max))
	uten := s.setning("SELECT o.seq, o.klar, o.melding FROM oppdrag o WHERE o.ko = ?1 AND o.klar <= ?2 AND o.melding IS NULL "+
		"ORDER BY o.klar, o.seq LIMIT ?3 FOR UPDATE OF o SKIP LOCKED", string(ko), na, int64(max))
	med.Rad, uten.Rad = rad, rad
	til := now.Add(lease)
	var rr []oppdragRad
	var seq []int64
	err = s.iTo(ctx, "kø "+string(ko), []Setning{med, uten}, func() ([]Setning, error) {
		alt := len(funn)
		sorter(funn)
		funn = enAvHver(funn)
		if mer = len(funn) < alt && len(funn) < max; mer || alt == 0 {
			return nil, nil
		}
		token := rand.Text()
		args := []any{token, mikro(til), na}
		var plass []string
		for _, k := range funn[:min(max, len(funn))] {
			seq, args, plass = append(seq, k.Seq), append(args, k.Seq), append(plass, "?"+strconv.Itoa(len(args)+1))
		}
		// klar + 0: a plan made while the table was empty must not go through the queue's index instead of the rows' own.
		lei := s.setning("UPDATE oppdrag AS o SET token = ?1, klar = ?2, antall = antall + 1 WHERE o.seq IN ("+strings.Join(plass, ", ")+") AND o.klar + 0 <= ?3 AND "+
			strings.ReplaceAll(ingenAnnenLeie, "?", "?3")+" RETURNING seq, "+oppdragKolonner+", innhold", args...)
		lei.Rad = func(skann func(...any) error) error {
			rr = append(rr, oppdragRad{})
			r := &rr[len(rr)-1]
			return skann(append([]any{&r.Seq}, r.felt()...)...)
		}
		return []Setning{lei}, nil
		// A crash after the commit leaves items leased to nobody: handed out again at Until.
	})
	if err != nil || mer {
		return nil, mer, err
	}
	leier, err = tilLeier(rr, seq, til)
	return leier, false, err
}

func sorter(kk []kandidat) {
	slices.SortFunc(kk, func(a, b kandidat) int {
		return cmp.Or(cmp.Compare(a.Klar, b.Klar), cmp.Compare(a.Seq, b.Seq))
	})
}

func enAvHver(kk []kandidat) (ut []kandidat) {
	sett := map[melding.ID]bool{}
	for _, k := range kk {
		if k.Melding != nil {
			if sett[*k.Melding] {
				continue
			}
			sett[*k.Melding] = true
		}
		ut = append(ut, k)
	}
	return ut
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
	sorter(funn)
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
	return tilLeier(rr, seq, til)
}

// tilLeier gives the leases in the order asked for.
func tilLeier(rr []oppdragRad, seq []int64, til time.Time) ([]ports.Lease, error) {
	slices.SortFunc(rr, func(a, b oppdragRad) int { return slices.Index(seq, a.Seq) - slices.Index(seq, b.Seq) })
	var ut []ports.Lease
	for i := range rr {
		o, err := rr[i].oppdrag()
		if err != nil {
			return nil, err
		}
		ut = append(ut, ports.Lease{Oppdrag: o, Token: verdi(rr[i].Token), Until: tid(mikro(til)), Attempt: rr[i].Antall})
	}
	return ut, nil
}
