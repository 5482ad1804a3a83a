package bench

import (
	"context"
	"fmt"
	"testing"
	"time"

	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

// BenchmarkKo is one accept (ports.Store.Create, 64-byte parts) and one claim, beside so many undelivered reports with all their rows,
// against the same beside 10³. Both databases are open at once and take turns.
func BenchmarkKo(b *testing.B) {
	n := 20_000
	if full() {
		n = 1_000_000
	}
	for _, navn := range []string{"sqlite", "postgres"} {
		b.Run(fmt.Sprintf("%s/%d", navn, n), func(b *testing.B) {
			k := nyKo(b, baser[navn], 1_000, n)
			k.mal(b, 50) // warm
			k.aksept, k.claim = [2][]time.Duration{}, [2][]time.Duration{}
			for b.Loop() {
				k.mal(b, 500)
			}
			b.ReportMetric(0, "ns/op")
			for i, hvor := range []string{"faa", "mange"} {
				b.ReportMetric(ms(median(k.aksept[i])), hvor+"-aksept-ms")
				b.ReportMetric(ms(median(k.claim[i])), hvor+"-claim-ms")
			}
			b.ReportMetric(float64(median(k.aksept[1])+median(k.claim[1]))/float64(median(k.aksept[0])+median(k.claim[0])), "x-golv")
		})
	}
}

type ko struct {
	baser         [2]base
	aksept, claim [2][]time.Duration
}

func nyKo(t testing.TB, apne func(testing.TB) base, faa, mange int) *ko {
	t.Helper()
	k := &ko{baser: [2]base{apne(t), apne(t)}}
	fyll(t, k.baser[0], faa)
	fyll(t, k.baser[1], mange)
	return k
}

func liten(t testing.TB) func(b base) (melding.ID, error) {
	n := contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.Asice, o.PDF = contracts.Tilfeldig(64), contracts.Tilfeldig(64) })
	return func(b base) (melding.ID, error) { return b.lager.Create(context.Background(), n) }
}

func (k *ko) mal(t testing.TB, runder int) {
	t.Helper()
	for range runder {
		for i, b := range k.baser {
			aksepter := liten(t)
			k.aksept[i] = append(k.aksept[i], ta(func() {
				_, err := aksepter(b)
				ma(t, err)
			}))
			k.claim[i] = append(k.claim[i], ta(func() {
				leier, err := b.lager.Claim(context.Background(), levering.KoSend, 1, contracts.Start.Add(time.Hour), time.Minute)
				ma(t, err)
				if len(leier) != 1 {
					t.Fatal("ingenting å gjøre")
				}
			}))
		}
	}
}

// fyll makes n undelivered reports, copied from one that Create made, with their history, parts and owed work.
func fyll(t testing.TB, b base, n int) {
	t.Helper()
	id, err := liten(t)(b)
	ma(t, err)
	nyID, nySum := "printf('%08d-0000-7000-8000-000000000000', tall.n)", "randomblob(32)"
	if b.pg {
		nyID, nySum = "lpad(tall.n::text, 8, '0') || '-0000-7000-8000-000000000000'", "sha256((random()::text || tall.n)::bytea)"
	} else {
		b.exec(t, "PRAGMA synchronous = OFF") // this connection's, while it fills
		b.exec(t, "PRAGMA foreign_keys = 0")
	}
	const side = 50_000
	for fra := 1; fra <= n; fra += side {
		til := min(n, fra+side-1)
		for _, tabell := range []string{"melding", "hendelse", "del", "oppdrag"} {
			b.exec(t, kopisetning(t, b, tabell, string(id), nyID, nySum, fra, til))
		}
	}
	var finnes int
	ma(t, b.raa.QueryRow("SELECT count(*) FROM melding WHERE tilstand <> 'LEVERT'").Scan(&finnes))
	if finnes != n+1 {
		t.Fatalf("%d uleverte, ventet %d", finnes, n+1)
	}
	if b.pg {
		b.exec(t, "VACUUM ANALYZE") // as autovacuum would have
		return
	}
	b.exec(t, "PRAGMA wal_checkpoint(TRUNCATE)")
	b.exec(t, "PRAGMA synchronous = FULL")
}

func kopisetning(t testing.TB, b base, tabell, id, nyID, nySum string, fra, til int) string {
	t.Helper()
	rr, err := b.raa.Query("SELECT * FROM " + tabell + " LIMIT 0")
	ma(t, err)
	alle, err := rr.Columns()
	ma(t, err)
	ma(t, rr.Err())
	ma(t, rr.Close())
	inn, ut := "", ""
	for _, k := range alle {
		verdi := "x." + k
		switch {
		case k == "seq":
			continue
		case k == "melding", k == "id" && tabell == "melding":
			verdi = nyID
		case k == "id":
			verdi = "x.id || '-' || tall.n"
		case k == "sha_asice", k == "sha_pdf":
			verdi = nySum
		}
		inn, ut = inn+", "+k, ut+", "+verdi
	}
	hvor := "melding"
	if tabell == "melding" {
		hvor = "id"
	}
	return fmt.Sprintf("WITH RECURSIVE tall(n) AS (SELECT %d UNION ALL SELECT n + 1 FROM tall WHERE n < %d) INSERT INTO %s (%s) SELECT %s FROM tall, %s x WHERE x.%s = '%s'",
		fra, til, tabell, inn[2:], ut[2:], tabell, hvor, id)
}
