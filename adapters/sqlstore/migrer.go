package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"
)

// Migrer brings the schema up to date. The caller holds a lock that dies with the process (bun's own is a row that a killed process
// leaves for ever). Each file is one transaction and says IF NOT EXISTS: a crash between it and the note that it is done runs it
// once more, to no effect.
func Migrer(ctx context.Context, db *bun.DB, filer fs.FS) error {
	m, err := migrator(db, filer)
	if err != nil {
		return err
	}
	if err := m.Init(ctx); err != nil {
		return fmt.Errorf("migrering: %w", err)
	}
	if _, err := m.Migrate(ctx); err != nil {
		return fmt.Errorf("migrering: %w", err)
	}
	return nil
}

// ErrSkjema says that the database is not at the version this program was built for.
var ErrSkjema = errors.New("databasen har ikke det skjemaet programmet er bygget for; kjør «portal migrate»")

// SjekkSkjema refuses a database with migrations missing, for those who only read.
func SjekkSkjema(ctx context.Context, db *bun.DB, filer fs.FS) error {
	m, err := migrator(db, filer)
	if err != nil {
		return err
	}
	alle, err := m.MigrationsWithStatus(ctx)
	if err != nil || len(alle.Unapplied()) > 0 {
		return ErrSkjema
	}
	return nil
}

func migrator(db *bun.DB, filer fs.FS) (*migrate.Migrator, error) {
	mm := migrate.NewMigrations()
	if err := mm.Discover(filer); err != nil {
		return nil, fmt.Errorf("migrering: %w", err)
	}
	return migrate.NewMigrator(db, mm, migrate.WithTableName("migrasjon"), migrate.WithLocksTableName("migrasjon_las"),
		migrate.WithMarkAppliedOnSuccess(true)), nil
}
