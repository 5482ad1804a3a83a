package sqlstore_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"portal.example/bekymringsmelding/adapters/postgres"
	"portal.example/bekymringsmelding/adapters/postgres/pgtest"
	"portal.example/bekymringsmelding/adapters/sqlite"
	"portal.example/bekymringsmelding/adapters/sqlstore"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// rigg is one open store with a back door to its rows.
type rigg struct {
	*sqlstore.Store
	raa   *sql.DB
	param func(string) string
	// igjen opens the same data once more, beside the first.
	igjen func(t testing.TB) *rigg
	// krasj opens what a power loss would have left.
	krasj func(t testing.TB) *rigg
}

// hver runs fn over both databases.
func hver(t *testing.T, fn func(t *testing.T, ny func(t testing.TB) *rigg)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, iSqlite) })
	t.Run("postgres", func(t *testing.T) { fn(t, iPostgres) })
}

// mappe is a folder in memory where there is one.
func mappe(t testing.TB) string {
	t.Helper()
	dir := ""
	if i, err := os.Stat("/dev/shm"); err == nil && i.IsDir() {
		dir = "/dev/shm"
	}
	dir, err := os.MkdirTemp(dir, "sqlstore")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func iSqlite(t testing.TB) *rigg { return sqliteI(t, filepath.Join(mappe(t), "portal.db")) }

func sqliteI(t testing.TB, sti string) *rigg {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: sti})
	if err != nil {
		t.Fatal(err)
	}
	raa, err := sql.Open("sqlite", sti+"?_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	r := &rigg{Store: s, raa: raa, param: func(q string) string { return q }}
	r.igjen = func(t testing.TB) *rigg { return sqliteI(t, sti) }
	r.krasj = func(t testing.TB) *rigg {
		kopi := filepath.Join(mappe(t), "portal.db")
		for _, ende := range []string{"", "-wal"} { // the shared-memory index does not survive a power loss
			b, err := os.ReadFile(sti + ende)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(kopi+ende, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return sqliteI(t, kopi)
	}
	t.Cleanup(func() { lukk(t, r) })
	return r
}

func iPostgres(t testing.TB) *rigg { return postgresI(t, pgtest.Database(t)) }

func postgresI(t testing.TB, dsn string) *rigg {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn, Dev: true})
	if err != nil {
		t.Fatal(err)
	}
	raa, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	r := &rigg{Store: s, raa: raa, param: func(q string) string { return strings.ReplaceAll(q, "?", "$") }}
	r.igjen = func(t testing.TB) *rigg { return postgresI(t, dsn) }
	r.krasj = r.igjen
	t.Cleanup(func() { lukk(t, r) })
	return r
}

func lukk(t testing.TB, r *rigg) {
	if err := r.raa.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// exec goes past the adapter.
func (r *rigg) exec(t testing.TB, q string, args ...any) {
	t.Helper()
	if _, err := r.raa.Exec(r.param(q), args...); err != nil {
		t.Fatal(err)
	}
}

func (r *rigg) lager() contracts.Lager {
	return contracts.Lager{Store: r, Dispatch: r, Vault: r, Work: r, Ledger: r, Certificates: r, Directory: r, Registry: r, Access: r, Overview: r,
		Reopen: func(t *testing.T) contracts.Lager { return r.krasj(t).lager() },
		Korruper: func(t *testing.T, id melding.ID, del melding.Del) {
			var b []byte
			if err := r.raa.QueryRow(r.param("SELECT innhold FROM del WHERE melding = ?1 AND del = ?2"), string(id), string(del)).Scan(&b); err != nil {
				t.Fatal(err)
			}
			b[len(b)/2] ^= 1
			r.exec(t, "UPDATE del SET innhold = ?1 WHERE melding = ?2 AND del = ?3", b, string(id), string(del))
		},
		Fjern: func(t *testing.T, id melding.ID, ko levering.Ko) {
			if ko == "" {
				r.exec(t, "DELETE FROM oppdrag WHERE melding = ?1", string(id))
				return
			}
			r.exec(t, "DELETE FROM oppdrag WHERE melding = ?1 AND ko = ?2", string(id), string(ko))
		},
	}
}

// ny1 is what a report is just after Create.
func ny1(n ports.Ny) ports.Utgave {
	return ports.Utgave{Melding: melding.Melding{Fakta: n.Fakta}.Med(n.Hendelser...), Owed: n.Oppdrag, Saker: n.Saker}
}
