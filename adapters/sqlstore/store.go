// Package sqlstore keeps reports, owed work, cases, certificates and the directory in one SQL database, with the same bun code over
// SQLite and PostgreSQL. Open one with adapters/sqlite or adapters/postgres; they hold what differs (a Dialekt) and the migrations.
//
// One Store implements every port that is about stored things: Store, Dispatch, Vault, Work, Ledger, Certificates, Directory, Registry,
// Access and Overview. Each method is one transaction, and what it returns nil for is on disk. Sealed parts go past bun, straight to the
// driver: bun writes arguments into the statement's text, where 5 MiB becomes 10 MB of hex.
//
// No query hook is installed and no error keeps a driver's text, since both may hold arguments: see feil.go.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"
	"golang.org/x/sync/semaphore"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

// Sealed parts are in memory while they are written: so much in all, whatever the load, and so many accepts at once, so that there
// are connections left for everything else.
const (
	maksInnhold   = 16 << 20
	maksOpprett   = 8
	minsteInnhold = maksInnhold / maksOpprett
)

// Store is the open database. Make it with sqlite.Open or postgres.Open.
type Store struct {
	les   *bun.DB
	skriv *bun.DB // nil = opened for reading only
	d     Dialekt
	minne *semaphore.Weighted

	lesSetninger, skrivSetninger forberedte
	grunnlag                     buffer[grunnlagsnokkel, *lestGrunnlag]
	mottakere                    buffer[kommune.RessursID, *lestMottaker]
	nylige                       nylige
}

var (
	_ ports.Store        = (*Store)(nil)
	_ ports.Dispatch     = (*Store)(nil)
	_ ports.Vault        = (*Store)(nil)
	_ ports.Work         = (*Store)(nil)
	_ ports.Ledger       = (*Store)(nil)
	_ ports.Certificates = (*Store)(nil)
	_ ports.Directory    = (*Store)(nil)
	_ ports.Registry     = (*Store)(nil)
	_ ports.Access       = (*Store)(nil)
	_ ports.Overview     = (*Store)(nil)
)

// New is for adapters/sqlite and adapters/postgres. les and skriv may be the same handle; skriv nil refuses every write.
func New(les, skriv *bun.DB, d Dialekt) *Store {
	return &Store{les: les, skriv: skriv, d: d, minne: semaphore.NewWeighted(maksInnhold)}
}

// Close waits for what is under way and closes every connection.
func (s *Store) Close() error {
	var err error
	if s.skriv != nil && s.skriv != s.les {
		err = s.skriv.Close()
	}
	err = errors.Join(err, s.les.Close())
	if s.d.Lukk != nil {
		err = errors.Join(err, s.d.Lukk())
	}
	return err
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var en int
	return s.feil("ping", s.les.NewRaw("SELECT 1").Scan(ctx, &en))
}

// Vedlikehold makes erased content unreadable in the files (D18); run it after each erase sweep. A crash here leaves the erased
// bytes in the log or in dead rows until the next run: they are no longer reachable through any port.
func (s *Store) Vedlikehold(ctx context.Context) error {
	if s.skriv == nil {
		return errLesbar
	}
	return s.feil("vedlikehold", s.d.Vedlikehold(ctx, s.skriv))
}

// LedigPlass is the free space in bytes where the database lies, -1 when it cannot be known from here (D20).
func (s *Store) LedigPlass(ctx context.Context) (int64, error) {
	n, err := s.d.LedigPlass(ctx)
	return n, s.feil("ledig plass", err)
}

var errLesbar = fmt.Errorf("databasen er åpnet for lesing: %w", ports.ErrRefused)

// iSkriv runs fn in one write transaction. fn's error is returned as it is; the commit's own error means that the outcome is
// unknown, and says so.
func (s *Store) iSkriv(ctx context.Context, hva string, fn func(tx bun.Tx) error) error {
	if s.skriv == nil {
		return errLesbar
	}
	tx, err := s.skriv.BeginTx(ctx, nil)
	if err != nil {
		return s.feil(hva, err)
	}
	defer func() { _ = tx.Rollback() }() // nothing after a commit
	if err := fn(tx); err != nil {
		return err
	}
	return s.feil(hva+", commit", s.commit(tx))
}

func (s *Store) commit(tx interface{ Commit() error }) error {
	err := tx.Commit()
	if s.d.Skrev != nil {
		s.d.Skrev()
	}
	return err
}

// iLes runs fn on one consistent snapshot.
func (s *Store) iLes(ctx context.Context, hva string, fn func(tx bun.Tx) error) error {
	tx, err := s.les.BeginTx(ctx, s.d.LesTx)
	if err != nil {
		return s.feil(hva, err)
	}
	defer func() { _ = tx.Rollback() }()
	return fn(tx)
}

// alene keeps every other writer away from a small table until the commit; readers go on.
func (s *Store) alene(ctx context.Context, tx bun.Tx, tabell string) error {
	if !s.d.Samtidig {
		return nil
	}
	_, err := tx.NewRaw("LOCK TABLE ? IN SHARE ROW EXCLUSIVE MODE", bun.Ident(tabell)).Exec(ctx)
	return s.feil(tabell, err)
}

// endret says how many rows a statement touched; both drivers always know.
func endret(r sql.Result) int64 {
	n, _ := r.RowsAffected()
	return n
}
