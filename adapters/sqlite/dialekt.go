package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/uptrace/bun"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"portal.example/bekymringsmelding/adapters/sqlstore"
	"portal.example/bekymringsmelding/ports"
)

func dialekt(c Config, lukk func() error) sqlstore.Dialekt {
	return sqlstore.Dialekt{
		Forbered:    true,
		Param:       func(q string) string { return q },
		Na:          "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
		Klasse:      klasse,
		Vedlikehold: vedlikehold,
		LedigPlass:  func(context.Context) (int64, error) { return ledig(filepath.Dir(c.Path)) },
		Lukk:        lukk,
	}
}

// klasse reads SQLite's extended result code.
func klasse(err error) (sqlstore.Klasse, string) {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return sqlstore.Ukjent, ""
	}
	kode := "sqlite " + strconv.Itoa(e.Code())
	switch {
	case e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return sqlstore.Finnes, kode
	case e.Code()&0xff == sqlite3.SQLITE_CONSTRAINT, e.Code()&0xff == sqlite3.SQLITE_TOOBIG, e.Code()&0xff == sqlite3.SQLITE_MISMATCH:
		return sqlstore.Avvist, kode
	}
	return sqlstore.Ukjent, kode // SQLITE_FULL, BUSY, IOERR: it may go better later
}

// vedlikehold moves the log into the file and cuts it to nothing, so that no old frame keeps what secure_delete has overwritten in the
// file (D18). A reader that is still on an old snapshot makes it wait; ctx ends the wait, and the next sweep tries again.
func vedlikehold(ctx context.Context, skriv *bun.DB) error {
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for {
		ferdig, err := kapp(ctx, skriv)
		if err != nil || ferdig {
			return err
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return fmt.Errorf("wal_checkpoint: en leser er i veien: %w: %w", ports.ErrUnavailable, ctx.Err())
		}
	}
}

// kapp tries once, and hardly waits: while it does, nobody can write.
func kapp(ctx context.Context, skriv *bun.DB) (bool, error) {
	conn, err := skriv.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close() }() // back to the pool
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 20"); err != nil {
		return false, err
	}
	var opptatt, logg, flyttet int
	err = conn.NewRaw("PRAGMA wal_checkpoint(TRUNCATE)").Scan(ctx, &opptatt, &logg, &flyttet)
	_, igjen := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA busy_timeout = 5000")
	return err == nil && opptatt == 0, errors.Join(err, igjen)
}

// ledig is what an unprivileged process may still fill.
func ledig(mappe string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(mappe, &s); err != nil {
		return -1, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:unconvert // not an int64 on every system
}
