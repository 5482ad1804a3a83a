package sqlstore_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

func hverBench(b *testing.B, fn func(b *testing.B, r *rigg)) {
	b.Run("sqlite", func(b *testing.B) { fn(b, iSqlite(b)) })
	b.Run("postgres", func(b *testing.B) { fn(b, iPostgres(b)) })
}

// An accept is one transaction with everything in it; beside it the same 50 KB as one row by the raw driver.
func BenchmarkCreate50KB(b *testing.B) {
	hverBench(b, func(b *testing.B, r *rigg) {
		b.Run("alt", func(b *testing.B) {
			for b.Loop() {
				n := contracts.NyMelding(b, func(o *contracts.Oppskrift) {
					o.Asice, o.PDF = contracts.Tilfeldig(25_000), contracts.Tilfeldig(25_000)
				})
				contracts.Lagre(b, r.lager(), n)
			}
		})
		b.Run("raa", func(b *testing.B) {
			r.exec(b, "CREATE TABLE raa (id TEXT PRIMARY KEY, b "+map[bool]string{true: "BLOB", false: "BYTEA"}[r.param("?") == "?"]+")")
			q := r.param("INSERT INTO raa VALUES (?1, ?2)")
			for b.Loop() {
				if _, err := r.raa.Exec(q, contracts.UUID(), contracts.Tilfeldig(50_000)); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

// Claim and Release of ten, with so many due in the queue.
func BenchmarkClaim(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			hverBench(b, func(b *testing.B, r *rigg) {
				fyll(b, r, n)
				b.ResetTimer()
				for b.Loop() {
					leier, err := r.Claim(b.Context(), levering.KoSend, 10, contracts.Start.Add(time.Hour), time.Minute)
					if err != nil || len(leier) != 10 {
						b.Fatal(len(leier), err)
					}
					for _, l := range leier {
						if err := r.Release(b.Context(), l, contracts.Start, "x"); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		})
	}
}

// Breaches and an idle Claim beside so many delivered reports.
func BenchmarkSveip(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			hverBench(b, func(b *testing.B, r *rigg) {
				fyllLeverte(b, r, n)
				contracts.Lagre(b, r.lager(), contracts.NyMelding(b))
				b.ResetTimer()
				for b.Loop() {
					if funnet, err := r.Breaches(b.Context(), 10); err != nil || len(funnet) != 0 {
						b.Fatal(funnet, err)
					}
					if leier, err := r.Claim(b.Context(), levering.KoBrev, 10, contracts.Start, time.Minute); err != nil || len(leier) != 0 {
						b.Fatal(leier, err)
					}
				}
			})
		})
	}
}

// fyll makes n accepted reports with a due send and a frist each, copied from one that Create made.
func fyll(t testing.TB, r *rigg, n int) {
	t.Helper()
	kopier(t, r, contracts.Lagre(t, r.lager(), contracts.NyMelding(t)), n)
}

// fyllLeverte makes n delivered ones, with their erasure owed.
func fyllLeverte(t testing.TB, r *rigg, n int) {
	t.Helper()
	id := contracts.Lagre(t, r.lager(), contracts.NyMelding(t))
	contracts.Lever(t, r.lager(), id, contracts.Start)
	kopier(t, r, id, n)
}

func kopier(t testing.TB, r *rigg, id melding.ID, n int) {
	t.Helper()
	tall := fmt.Sprintf("WITH RECURSIVE tall(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM tall WHERE n < %d) ", n)
	ny := func(tabell, utenom string) {
		kolonner := kolonner(t, r.raa, tabell, utenom)
		inn, ut := "", ""
		for _, k := range kolonner {
			verdi := "x." + k
			switch {
			case k == "id" && tabell == "oppdrag":
				verdi = "x.id || tall.n"
			case k == "id", k == "melding":
				verdi = "'kopi-' || tall.n"
			case k == "fra_fiks_org_id":
				verdi = "x.fra_fiks_org_id || tall.n"
			}
			inn, ut = inn+", "+k, ut+", "+verdi
		}
		hvor := "x.id = '" + string(id) + "'"
		if tabell == "oppdrag" {
			hvor = "x.melding = '" + string(id) + "'"
		}
		r.exec(t, "INSERT INTO "+tabell+" ("+inn[2:]+") "+tall+"SELECT "+ut[2:]+" FROM tall, "+tabell+" x WHERE "+hvor)
	}
	ny("melding", "")
	ny("oppdrag", "seq")
}

func kolonner(t testing.TB, db *sql.DB, tabell, utenom string) (ut []string) {
	t.Helper()
	rader, err := db.Query("SELECT * FROM " + tabell + " LIMIT 0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rader.Close() }()
	alle, err := rader.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range alle {
		if k != utenom {
			ut = append(ut, k)
		}
	}
	return ut
}

// The benchmarks' copies are reports like any other, and a long queue is claimed in order with nobody twice.
func TestLangKo(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		r := ny(t)
		fyll(t, r, 300)
		sett := map[melding.ID]bool{}
		for {
			leier, err := r.Claim(t.Context(), levering.KoSend, 7, contracts.Start, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if len(leier) == 0 {
				break
			}
			for _, l := range leier {
				if sett[l.Oppdrag.Melding] {
					t.Fatalf("%s to ganger", l.Oppdrag.Melding)
				}
				sett[l.Oppdrag.Melding] = true
			}
		}
		if len(sett) != 301 {
			t.Fatalf("%d av 301", len(sett))
		}
	})
}
