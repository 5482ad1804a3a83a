package sqlite

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/contracts"
)

func storrelse(t *testing.T, sti string) int64 {
	t.Helper()
	i, err := os.Stat(sti)
	if err != nil {
		t.Fatal(err)
	}
	return i.Size()
}

func lagreMange(t *testing.T, c contracts.Lager, antall int) {
	t.Helper()
	for range antall {
		contracts.Lagre(t, c, contracts.NyMelding(t, func(o *contracts.Oppskrift) {
			o.Asice, o.PDF = contracts.Tilfeldig(25_000), contracts.Tilfeldig(25_000)
		}))
	}
}

// Long before the writer would have to move the log itself, what it wrote is in the file.
func TestLoggenFlyttesVedSidenAvSkriveren(t *testing.T) {
	sti := filepath.Join(t.TempDir(), "portal.db")
	s := apneEn(t, Config{Path: sti})
	for_ := storrelse(t, sti)
	lagreMange(t, lager(s), skrivingerMellom)
	tikk, frist := time.NewTicker(5*time.Millisecond), time.After(30*time.Second)
	defer tikk.Stop()
	for storrelse(t, sti) < for_+skrivingerMellom*50_000/2 {
		select {
		case <-tikk.C:
		case <-frist:
			t.Fatalf("fila er fortsatt %d byte", storrelse(t, sti))
		}
	}
}

// Without help the writer moves the log itself, so that it cannot grow for ever.
func TestLoggenVokserIkke(t *testing.T) {
	is := is.New(t)
	sti := filepath.Join(t.TempDir(), "portal.db")
	db := handtak(Config{Path: sti, Synkron: "OFF"}, false)
	defer func() { is.NoErr(db.Close()) }()
	_, err := db.ExecContext(t.Context(), "CREATE TABLE t (b BLOB)")
	is.NoErr(err)
	for range 300 {
		_, err := db.ExecContext(t.Context(), "INSERT INTO t VALUES (zeroblob(40 * 4096))")
		is.NoErr(err)
	}
	is.True(storrelse(t, sti+"-wal") < 2*maksLogg*4096) // 12 000 pages were written
}
