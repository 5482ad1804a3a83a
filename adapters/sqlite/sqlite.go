// Package sqlite opens a sqlstore.Store in one SQLite file (with its -wal and -shm beside it).
//
// Three ways in. The process whose workers run opens with Arbeider and holds a flock for as long as it lives: a second one is refused
// at once, and a killed one leaves nothing to clean up. Short writers (portal avgjor, oppsett) open plainly and write by BEGIN
// IMMEDIATE beside it; the worker finds what they added at its next look. Readers (portal saker, verify) open with Lesbar.
//
// There are two handles: one connection writes, several read with mode=ro. Eight writing connections with a busy timeout had a p99
// of 535 ms where one has 79 ms.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // the driver named "sqlite"

	"portal.example/bekymringsmelding/adapters/sqlstore"
)

//go:embed migrasjoner/*.sql
var migrasjoner embed.FS

func filer() fs.FS {
	f, _ := fs.Sub(migrasjoner, "migrasjoner") // the name is a constant that embed has checked
	return f
}

// Config says which file and what for.
type Config struct {
	Path     string
	Arbeider bool // the one process whose workers run; takes the flock
	Lesbar   bool // never writes; the file must be there
	Dev      bool // accepts a database that does not sync each commit
	Lesere   int  // reading connections; default 4
	// Synkron is PRAGMA synchronous; "" = FULL. Anything but FULL and EXTRA may lose accepted reports at power loss, and needs Dev.
	Synkron string
}

// ErrIBruk says that another process's workers run on the file.
var ErrIBruk = errors.New("en annen prosess arbeider på databasen")

// Open makes the file when it is missing (not with Lesbar), brings its schema up to date, and refuses a database that would not keep
// what it has accepted.
func Open(ctx context.Context, c Config) (*sqlstore.Store, error) {
	if c.Path == "" || c.Arbeider && c.Lesbar {
		return nil, errors.New("sqlite: Path må være satt, og Arbeider og Lesbar utelukker hverandre")
	}
	if c.Lesere == 0 {
		c.Lesere = 4
	}
	if c.Synkron == "" {
		c.Synkron = "FULL"
	}
	if c.Lesbar {
		return apneLesbar(ctx, c)
	}
	slipp := func() error { return nil }
	if c.Arbeider {
		var err error
		if slipp, err = prov(c.Path + ".arbeider"); err != nil {
			return nil, err
		}
	}
	s, err := apne(ctx, c, slipp)
	if err != nil {
		return nil, errors.Join(err, slipp())
	}
	return s, nil
}

func apneLesbar(ctx context.Context, c Config) (*sqlstore.Store, error) {
	if _, err := os.Stat(c.Path); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	les := handtak(c, true)
	if err := sqlstore.SjekkSkjema(ctx, les, filer()); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite %s: %w", c.Path, err), les.Close())
	}
	return sqlstore.New(les, nil, dialekt(c, nil)), nil
}

func apne(ctx context.Context, c Config, slipp func() error) (*sqlstore.Store, error) {
	if err := forbered(c.Path); err != nil {
		return nil, err
	}
	skriv := handtak(c, false)
	if err := migrer(ctx, c, skriv); err != nil {
		return nil, errors.Join(err, skriv.Close())
	}
	if err := varig(ctx, c, skriv); err != nil {
		return nil, errors.Join(err, skriv.Close())
	}
	sp := nyeSjekkpunkter(handtak(c, false))
	d := dialekt(c, func() error { return errors.Join(sp.lukk(), slipp()) })
	d.Skrev = sp.skrev
	return sqlstore.New(handtak(c, true), skriv, d), nil
}

// forbered makes the file readable for its owner only, before SQLite makes it readable for all; -wal and -shm take its mode.
func forbered(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return f.Close()
}

// migrer holds a lock of its own while the schema changes: two processes that start at once follow each other.
func migrer(ctx context.Context, c Config, skriv *bun.DB) error {
	if sqlstore.SjekkSkjema(ctx, skriv, filer()) == nil {
		return nil
	}
	slipp, err := vent(ctx, c.Path+".migrering")
	if err != nil {
		return err
	}
	err = sqlstore.Migrer(ctx, skriv, filer())
	return errors.Join(err, slipp())
}

// handtak is one pool. The pragmas are in the DSN, so that a connection the pool opens later has them too.
func handtak(c Config, lesbar bool) *bun.DB {
	q := url.Values{}
	for _, p := range []string{"busy_timeout(5000)", "foreign_keys(1)", "temp_store(MEMORY)", "trusted_schema(0)"} {
		q.Add("_pragma", p)
	}
	if lesbar {
		q.Set("mode", "ro")
		q.Add("_pragma", "query_only(1)")
	} else {
		q.Add("_pragma", "journal_mode(WAL)")
		q.Add("_pragma", "synchronous("+c.Synkron+")")
		q.Add("_pragma", "secure_delete(1)") // erased bytes are overwritten and not just forgotten (D18)
		q.Add("_pragma", fmt.Sprintf("wal_autocheckpoint(%d)", maksLogg))
		q.Set("_txlock", "immediate")
	}
	abs, err := filepath.Abs(c.Path)
	if err != nil {
		abs = c.Path
	}
	// url.URL escapes what has a meaning in a file URI; sql.Open fails for an unknown driver only.
	db, _ := sql.Open("sqlite", "file:"+(&url.URL{Path: abs}).EscapedPath()+"?"+q.Encode())
	if lesbar {
		db.SetMaxOpenConns(c.Lesere)
		db.SetMaxIdleConns(c.Lesere)
	} else {
		db.SetMaxOpenConns(1)
		db.SetMaxIdleConns(1)
	}
	return bun.NewDB(db, sqlstore.UtenNul(sqlitedialect.New()))
}

// varig asks the writer itself, since a pragma that is not understood is silently ignored.
func varig(ctx context.Context, c Config, skriv *bun.DB) error {
	var journal string
	var synk, slett int
	for _, p := range []struct {
		navn string
		til  any
	}{{"journal_mode", &journal}, {"synchronous", &synk}, {"secure_delete", &slett}} {
		if err := skriv.NewRaw("PRAGMA "+p.navn).Scan(ctx, p.til); err != nil {
			return fmt.Errorf("sqlite %s: PRAGMA %s kan ikke leses: %w", c.Path, p.navn, err)
		}
	}
	if journal != "wal" || slett != 1 || synk < 2 && !c.Dev {
		return fmt.Errorf("sqlite %s: journal_mode=%s secure_delete=%d synchronous=%d; krever wal, 1 og minst 2", c.Path, journal, slett, synk)
	}
	return nil
}
