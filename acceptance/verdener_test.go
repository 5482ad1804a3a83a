package acceptance_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/adapters/postgres"
	"portal.example/bekymringsmelding/adapters/postgres/pgtest"
	"portal.example/bekymringsmelding/adapters/sqlite"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/cmd/compose"
)

// lagre are the stores that every scenario runs on.
var lagre = map[string]func(t testing.TB) compose.Lager{
	"memory":   memoryLager,
	"sqlite":   sqliteLager,
	"postgres": postgresLager,
}

// minne is a folder in memory where there is one: scenarios prove rules, not disks, and the kill test syncs.
func minne(t testing.TB) string {
	t.Helper()
	m, err := os.MkdirTemp("/dev/shm", "bm-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(m) })
	return m
}

func sqliteLager(t testing.TB) compose.Lager {
	t.Helper()
	l, err := sqlite.Open(context.Background(), sqlite.Config{Path: filepath.Join(minne(t), "portal.db"), Arbeider: true, Dev: true, Synkron: "OFF"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func postgresLager(t testing.TB) compose.Lager {
	t.Helper()
	return apnePostgres(t, pgtest.Database(t))
}

func apnePostgres(t testing.TB, dsn string) compose.Lager {
	t.Helper()
	l, err := postgres.Open(context.Background(), postgres.Config{DSN: dsn, Dev: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// iHverVerden runs fn with every store.
func iHverVerden(t *testing.T, fn func(*testing.T, func(testing.TB) compose.Lager)) {
	t.Helper()
	for navn, lager := range lagre {
		t.Run(navn, func(t *testing.T) {
			t.Parallel()
			fn(t, lager)
		})
	}
}

// toPostgres is one database opened twice, as by two processes.
func toPostgres(t testing.TB) (compose.Lager, compose.Lager) {
	t.Helper()
	dsn := pgtest.Database(t)
	return apnePostgres(t, dsn), apnePostgres(t, dsn)
}

func memoryLager(t testing.TB) compose.Lager {
	t.Helper()
	return minnelager{memory.NyttLager(sysclock.Clock{})}
}

// minnelager is memory's store with what a database needs and it does not.
type minnelager struct{ *memory.Lager }

func (minnelager) Vedlikehold(context.Context) error         { return nil }
func (minnelager) LedigPlass(context.Context) (int64, error) { return -1, nil }
func (minnelager) Close() error                              { return nil }
