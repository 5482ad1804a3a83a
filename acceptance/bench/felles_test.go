package bench

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver named "pgx"

	"portal.example/bekymringsmelding/adapters/postgres"
	"portal.example/bekymringsmelding/adapters/postgres/pgtest"
	"portal.example/bekymringsmelding/adapters/sqlite"
	"portal.example/bekymringsmelding/cmd/compose"
)

// TestMain lets this binary also be the portal whose memory is measured: see opplasting_test.go.
func TestMain(m *testing.M) {
	if mappe := os.Getenv(barnMappe); mappe != "" {
		os.Exit(barn(mappe))
	}
	os.Exit(m.Run())
}

func full() bool { return os.Getenv("BENK") == "full" }

// TestKort runs each measurement with next to no work, so that CI knows that they run. It says nothing about speed.
func TestKort(t *testing.T) {
	t.Run("forsegling", func(t *testing.T) { nyForsegling(t, 2048, 50_000).mal(t, 1) })
	for navn, apne := range baser {
		t.Run("inntak/"+navn, func(t *testing.T) { nyttInntak(t, apne).mal(t, 2, 2, 2) })
		t.Run("ko/"+navn, func(t *testing.T) { nyKo(t, apne, 10, 100).mal(t, 2) })
	}
	t.Run("opplasting", func(t *testing.T) { lastOpp(t, 4, 5<<20) })
}

// base is one database: as a store, and by the raw driver at the same sync level.
type base struct {
	lager compose.Lager
	raa   *sql.DB
	pg    bool
}

var baser = map[string]func(testing.TB) base{"sqlite": iSqlite, "postgres": iPostgres, "postgres-disk": paPostgres}

// iSqlite lies on a real disk (TMPDIR, not /dev/shm) and syncs every commit.
func iSqlite(t testing.TB) base {
	t.Helper()
	fil := filepath.Join(t.TempDir(), "portal.db")
	l, err := sqlite.Open(context.Background(), sqlite.Config{Path: fil, Arbeider: true})
	ma(t, err)
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {"busy_timeout(5000)", "foreign_keys(1)", "temp_store(MEMORY)", "journal_mode(WAL)",
		"synchronous(FULL)", "secure_delete(1)"}}
	raa, err := sql.Open("sqlite", "file:"+fil+"?"+q.Encode())
	ma(t, err)
	raa.SetMaxOpenConns(1) // as the store: one writer
	return lukkes(t, base{lager: l, raa: raa})
}

// iPostgres is pgtest's server in memory, fsync off, for the store and for the floor alike; paPostgres is the one on a real disk
// that syncs every commit.
func iPostgres(t testing.TB) base { return postgresI(t, pgtest.Database(t), true) }

func paPostgres(t testing.TB) base { return postgresI(t, pgtest.Varig(t), false) }

func postgresI(t testing.TB, dsn string, dev bool) base {
	t.Helper()
	l, err := postgres.Open(context.Background(), postgres.Config{DSN: dsn, Dev: dev})
	ma(t, err)
	raa, err := sql.Open("pgx", dsn)
	ma(t, err)
	raa.SetMaxOpenConns(16)
	raa.SetMaxIdleConns(16)
	return lukkes(t, base{lager: l, raa: raa, pg: true})
}

func lukkes(t testing.TB, b base) base {
	t.Cleanup(func() {
		if err := b.raa.Close(); err != nil {
			t.Error(err)
		}
		if err := b.lager.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// q writes ?1 as $1 where the driver wants it.
func (b base) q(s string) string {
	if b.pg {
		return strings.ReplaceAll(s, "?", "$")
	}
	return s
}

func (b base) exec(t testing.TB, s string, args ...any) {
	t.Helper()
	_, err := b.raa.Exec(b.q(s), args...)
	ma(t, err)
}

func ma(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ta(fn func()) time.Duration {
	fra := time.Now()
	fn()
	return time.Since(fra)
}

func median(d []time.Duration) time.Duration {
	s := slices.Clone(d)
	slices.Sort(s)
	return s[len(s)/2]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
