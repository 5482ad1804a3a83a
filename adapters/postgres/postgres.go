// Package postgres opens a sqlstore.Store in a PostgreSQL database (14 or newer), which several portal processes may share: leases
// and row locks keep them apart, so there is no process lock.
package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"portal.example/bekymringsmelding/adapters/sqlstore"
)

//go:embed migrasjoner/*.sql
var migrasjoner embed.FS

func filer() fs.FS {
	f, _ := fs.Sub(migrasjoner, "migrasjoner") // the name is a constant that embed has checked
	return f
}

// Config says which database and what for. It prints as [skjult].
type Config struct {
	DSN          string // a URL or key=value text, as libpq takes it
	Lesbar       bool   // never writes and never migrates
	Dev          bool   // accepts a server that does not sync each commit
	Tilkoblinger int    // at most this many; default 16
}

const skjult = "[skjult]"

func (Config) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, skjult) }
func (Config) MarshalText() ([]byte, error) { return []byte(skjult), nil }

// migreringslas is the key of the advisory lock: "bekymrin" as a number.
const migreringslas = 0x62656b796d72696e

// Open connects, brings the schema up to date, and refuses a server that would not keep what the portal has accepted.
func Open(ctx context.Context, c Config) (*sqlstore.Store, error) {
	if c.Tilkoblinger == 0 {
		c.Tilkoblinger = 16
	}
	pc, err := pgx.ParseConfig(c.DSN)
	if err != nil {
		return nil, errors.New("postgres: DSN kan ikke leses") // the error repeats the DSN, and a password may stand in it
	}
	// bun writes arguments into the statement, so preparing it would only cost a round trip.
	pc.DefaultQueryExecMode = pgx.QueryExecModeExec
	pc.RuntimeParams["timezone"] = "UTC"
	pc.RuntimeParams["application_name"] = "bekymringsmelding"
	// A process that hangs with a report's row locked must not hold it for ever; its commit then fails and it is told.
	pc.RuntimeParams["idle_in_transaction_session_timeout"] = "30s"
	pc.RuntimeParams["lock_timeout"] = "15s"
	// What follows a lock must see what its last holder committed, however the server, the database or the role is set.
	pc.RuntimeParams["default_transaction_isolation"] = "read committed"
	// Every question that has an index goes through it, in the index's order. A statement is planned once a connection, and a plan made
	// while a table was small would else read, join and sort a whole backlog for the few items that a claim takes. What has no index is
	// still read as it is; the planner then thinks it dear, and must not compile for it.
	pc.RuntimeParams["enable_seqscan"], pc.RuntimeParams["enable_bitmapscan"], pc.RuntimeParams["jit"] = "off", "off", "off"
	if c.Lesbar {
		pc.RuntimeParams["default_transaction_read_only"] = "on"
	}
	raa := stdlib.OpenDB(*pc)
	raa.SetMaxOpenConns(c.Tilkoblinger)
	raa.SetMaxIdleConns(c.Tilkoblinger)
	db := bun.NewDB(raa, sqlstore.UtenNul(pgdialect.New()))
	if err := klargjor(ctx, c, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	skriv := db
	if c.Lesbar {
		skriv = nil
	}
	return sqlstore.New(db, skriv, dialekt()), nil
}

func klargjor(ctx context.Context, c Config, db *bun.DB) error {
	if c.Lesbar {
		return sqlstore.SjekkSkjema(ctx, db, filer())
	}
	if err := varig(ctx, c, db); err != nil {
		return err
	}
	return migrer(ctx, db)
}

// migrer holds an advisory lock on a connection of its own: two replicas that start at once follow each other, and a killed one
// leaves nothing behind.
func migrer(ctx context.Context, db *bun.DB) error {
	if sqlstore.SjekkSkjema(ctx, db, filer()) == nil {
		return nil
	}
	las, err := db.DB.Conn(ctx)
	if err != nil {
		return fmt.Errorf("postgres, migreringslås: %w", utenTekst(err))
	}
	defer func() { _ = las.Close() }() // the lock is let go just before; a broken connection lets it go by itself
	// The wait for the lock may be long: another replica's migration decides.
	if _, err := las.ExecContext(ctx, "SET lock_timeout = 0"); err != nil {
		return fmt.Errorf("postgres, migreringslås: %w", utenTekst(err))
	}
	if _, err := las.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(migreringslas)); err != nil {
		return fmt.Errorf("postgres, migreringslås: %w", utenTekst(err))
	}
	err = sqlstore.Migrer(ctx, db, filer())
	_, slipp := las.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(migreringslas))
	_, tilbake := las.ExecContext(context.WithoutCancel(ctx), "RESET lock_timeout")
	return errors.Join(err, slipp, tilbake)
}

// varig asks the server itself, on the session it gives us.
func varig(ctx context.Context, c Config, db *bun.DB) error {
	for navn, godt := range map[string]string{"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on remote_apply"} {
		var v string
		if err := db.NewRaw("SELECT current_setting(?)", navn).Scan(ctx, &v); err != nil {
			return fmt.Errorf("postgres: %s kan ikke leses: %w", navn, utenTekst(err))
		}
		if !strings.Contains(" "+godt+" ", " "+v+" ") && !c.Dev {
			return fmt.Errorf("postgres: %s=%s; krever %s", navn, v, strings.ReplaceAll(godt, " ", " eller "))
		}
	}
	return nil
}

var lesTx = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
