package sqlstore

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Setning is one statement with the driver's own placeholders, and its arguments: text, integers, truth values, bytes or nil.
type Setning struct {
	SQL  string
	Args []any
	Rad  func(skann func(...any) error) error // hears of each row of the answer; nil = a statement that answers nothing
}

// setning has ?1, ?2 … for its arguments.
func (s *Store) setning(q string, args ...any) Setning {
	for i, a := range args {
		if t, ok := a.(string); ok {
			args[i] = rentTekst(t)
		}
	}
	return Setning{SQL: s.d.Param(q), Args: args}
}

// rentTekst is s as bun writes it with UtenNul: each byte that is not text replaced.
func rentTekst(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == 0 {
			return utf8.RuneError
		}
		return r
	}, s)
}

// rader is an INSERT of several rows at once, as text that is the same for as many rows of the same table, so that it can be kept
// prepared. resten follows the values.
func (s *Store) rader(tabell, kolonner, resten string, rader ...[]any) Setning {
	var q strings.Builder
	q.WriteString("INSERT INTO " + tabell + " (" + kolonner + ") VALUES ")
	var args []any
	for i, r := range rader {
		if i > 0 {
			q.WriteString(", ")
		}
		for k, v := range r {
			skille := ", "
			if k == 0 {
				skille = "("
			}
			q.WriteString(skille + "?" + strconv.Itoa(len(args)+1))
			switch t := v.(type) {
			case string:
				v = rentTekst(t)
			case []byte:
				if t == nil {
					v = nil // NULL, and not an empty value
				}
			}
			args = append(args, v)
		}
		q.WriteString(")")
	}
	q.WriteString(resten)
	return Setning{SQL: s.d.Param(q.String()), Args: args}
}

// storSamling is how many bytes of content go to the server in one piece: the driver holds a copy of all of it.
const storSamling = 1 << 20

// iEtt runs all statements in one write transaction. What it returns nil for is committed, and synced as the database syncs. An
// error leaves nothing, but for the commit's own, whose outcome is unknown.
func (s *Store) iEtt(ctx context.Context, ss []Setning) (err error) {
	if s.skriv == nil {
		return errLesbar
	}
	if s.d.Samlet != nil && innhold(ss) <= storSamling {
		return s.d.Samlet(ctx, s.skriv.DB, ss)
	}
	// Before the transaction: SQLite's one writing connection cannot prepare for somebody who waits with it in hand.
	kjor := make([]func(*sql.Tx) error, len(ss))
	for i, x := range ss {
		if kjor[i], err = s.klargjor(ctx, x); err != nil {
			return err
		}
	}
	tx, err := s.skriv.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing after a commit
	for _, fn := range kjor {
		if err := fn(tx); err != nil {
			return err
		}
	}
	return s.commit(tx)
}

// iTo runs ss in one write transaction, then what fn answers, then the commit. fn's error is given back as it is; after it, or when fn
// answers nothing, all is undone.
func (s *Store) iTo(ctx context.Context, hva string, ss []Setning, fn func() ([]Setning, error)) error {
	var avvist error
	egen := func() (ut []Setning, err error) {
		ut, avvist = fn()
		return ut, avvist
	}
	var err error
	if s.d.Todelt != nil {
		err = s.d.Todelt(ctx, s.skriv.DB, ss, egen)
	} else {
		err = s.etterTur(ctx, ss, egen)
	}
	if avvist != nil {
		return avvist
	}
	return s.feil(hva, err)
}

// etterTur is Dialekt.Todelt, one statement at a time.
func (s *Store) etterTur(ctx context.Context, ss []Setning, fn func() ([]Setning, error)) error {
	tx, err := s.skriv.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing after a commit
	for _, x := range ss {
		if err := s.lesRader(ctx, tx, x); err != nil {
			return err
		}
	}
	skriv, err := fn()
	if err != nil || len(skriv) == 0 {
		return err
	}
	for _, x := range skriv {
		if x.Rad != nil {
			err = s.lesRader(ctx, tx, x)
		} else {
			_, err = tx.ExecContext(ctx, x.SQL, s.d.blobargs(x.Args...)...)
		}
		if err != nil {
			return err
		}
	}
	return s.commit(tx)
}

func (s *Store) klargjor(ctx context.Context, x Setning) (func(*sql.Tx) error, error) {
	var f *sql.Stmt
	if s.d.Forbered {
		var err error
		if f, err = s.skrivSetninger.hent(ctx, s.skriv, x.SQL); err != nil {
			return nil, err
		}
	}
	return func(tx *sql.Tx) (err error) {
		if f != nil {
			_, err = tx.StmtContext(ctx, f).ExecContext(ctx, x.Args...)
		} else {
			_, err = tx.ExecContext(ctx, x.SQL, s.d.blobargs(x.Args...)...)
		}
		return err
	}, nil
}

func innhold(ss []Setning) (n int) {
	for _, x := range ss {
		for _, a := range x.Args {
			if b, ok := a.([]byte); ok {
				n += len(b)
			}
		}
	}
	return n
}

// sporRad asks for one row by a statement that the database has planned before. q has ?1, ?2 …
func (s *Store) sporRad(ctx context.Context, q string, args ...any) (*sql.Row, error) {
	if !s.d.Forbered {
		return s.les.DB.QueryRowContext(ctx, s.d.Param(q), s.d.blobargs(args...)...), nil
	}
	// The driver starts a goroutine for a context that can end, which costs as much as the look at an index that it could end.
	ctx = context.WithoutCancel(ctx)
	f, err := s.lesSetninger.hent(ctx, s.les, q)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return s.les.DB.QueryRowContext(ctx, q, args...), nil
	}
	return f.QueryRowContext(ctx, args...), nil
}
