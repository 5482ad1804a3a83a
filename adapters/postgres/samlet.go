package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"portal.example/bekymringsmelding/adapters/sqlstore"
)

var errIkkeCommit = errors.New("transaksjonen ble ikke avsluttet med COMMIT")

const (
	begynn = "BEGIN"
	lesing = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	slutt  = "COMMIT"
)

// samlet sends a whole transaction at once, BEGIN and COMMIT included, and waits for every answer: the server runs nothing after a
// statement that fails, and nil is given only after it has said COMMIT. A connection that breaks before that leaves the outcome
// unknown: the server has all it needs to commit.
func samlet(ctx context.Context, db *sql.DB, ss []sqlstore.Setning) error {
	return paaEn(ctx, db, func(c *pgx.Conn) error { return send(ctx, c, begynn, ss, slutt) })
}

// todelt sends the first half of a transaction at once, and the second when fn has seen the first. A crash or a break before COMMIT is
// sent leaves nothing; after it the outcome is unknown, as above.
func todelt(ctx context.Context, db *sql.DB, ss []sqlstore.Setning, fn func() ([]sqlstore.Setning, error)) error {
	return paaEn(ctx, db, func(c *pgx.Conn) error {
		if fn == nil {
			return send(ctx, c, lesing, ss, slutt)
		}
		if err := send(ctx, c, begynn, ss, ""); err != nil {
			return err
		}
		skriv, err := fn()
		if err != nil || len(skriv) == 0 {
			_, _ = c.Exec(ctx, "ROLLBACK") // or the pool drops the connection
			return err
		}
		return send(ctx, c, "", skriv, slutt)
	})
}

// paaEn runs fn on one connection, which goes back to the pool; one that is broken or in a transaction is dropped there.
func paaEn(ctx context.Context, db *sql.DB, fn func(*pgx.Conn) error) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	return c.Raw(func(driver any) error {
		pc, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("driveren er %T", driver)
		}
		err := fn(pc.Conn())
		if err != nil && !pc.Conn().IsClosed() && pc.Conn().PgConn().TxStatus() != 'I' {
			_, _ = pc.Conn().Exec(context.WithoutCancel(ctx), "ROLLBACK") // or the pool drops the connection
		}
		return err
	})
}

// send is one round trip; forst and sist may be "".
func send(ctx context.Context, c *pgx.Conn, forst string, ss []sqlstore.Setning, sist string) error {
	b := &pgx.Batch{}
	ko := func(q string, args ...any) error {
		// Planned once a connection; a round trip the first time.
		_, err := c.Prepare(ctx, q, q)
		b.Queue(q, args...)
		return err
	}
	var err error
	if forst != "" {
		err = ko(forst)
	}
	for _, s := range ss {
		err = errors.Join(err, ko(s.SQL, s.Args...))
	}
	if sist != "" {
		err = errors.Join(err, ko(sist))
	}
	if err != nil {
		return err
	}
	svar := c.SendBatch(ctx, b)
	err = les(svar, forst, ss, sist)
	if lukk := svar.Close(); err == nil {
		err = lukk
	}
	return err
}

func les(svar pgx.BatchResults, forst string, ss []sqlstore.Setning, sist string) error {
	if forst != "" {
		if _, err := svar.Exec(); err != nil {
			return err
		}
	}
	for _, s := range ss {
		if err := lesEn(svar, s); err != nil {
			return err
		}
	}
	if sist == "" {
		return nil
	}
	t, err := svar.Exec()
	if err == nil && t.String() != slutt {
		return errIkkeCommit // it says ROLLBACK when something before it failed
	}
	return err
}

func lesEn(svar pgx.BatchResults, s sqlstore.Setning) error {
	if s.Rad == nil {
		_, err := svar.Exec()
		return err
	}
	rr, err := svar.Query()
	if err != nil {
		return err
	}
	defer rr.Close()
	for rr.Next() {
		if err := s.Rad(rr.Scan); err != nil {
			return err
		}
	}
	return rr.Err()
}
