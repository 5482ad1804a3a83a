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

// samlet sends a whole transaction at once, BEGIN and COMMIT included, and waits for every answer: the server runs nothing after a
// statement that fails, and nil is given only after it has said COMMIT. A connection that breaks before that leaves the outcome
// unknown: the server has all it needs to commit.
func samlet(ctx context.Context, db *sql.DB, ss []sqlstore.Setning) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // back to the pool, which drops one that is broken or in a transaction
	return c.Raw(func(driver any) error {
		pc, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("driveren er %T", driver)
		}
		return iEtt(ctx, pc.Conn(), ss)
	})
}

func iEtt(ctx context.Context, c *pgx.Conn, ss []sqlstore.Setning) error {
	b := &pgx.Batch{}
	b.Queue("BEGIN")
	for _, s := range ss {
		// Planned once a connection; a round trip the first time.
		if _, err := c.Prepare(ctx, s.SQL, s.SQL); err != nil {
			return err
		}
		b.Queue(s.SQL, s.Args...)
	}
	b.Queue("COMMIT")
	svar := c.SendBatch(ctx, b)
	err := les(svar, b.Len())
	if lukk := svar.Close(); err == nil {
		err = lukk
	}
	if err != nil && !c.IsClosed() {
		_, _ = c.Exec(context.WithoutCancel(ctx), "ROLLBACK") // or the pool drops the connection
	}
	return err
}

func les(svar pgx.BatchResults, antall int) error {
	for i := range antall {
		t, err := svar.Exec()
		if err != nil {
			return err
		}
		if i == antall-1 && t.String() != "COMMIT" {
			return errIkkeCommit // it says ROLLBACK when something before it failed
		}
	}
	return nil
}
