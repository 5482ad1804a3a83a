package sqlstore_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/sqlstore"
	"portal.example/bekymringsmelding/contracts"
)

// The sweep goes through indexes alone. SQLite has no statistics here, as in a running portal, so the plan is the same for ever.
func TestSveipenLeserBareIndekser(t *testing.T) {
	plan := planen(t, sqlstore.Bruddsporring())
	krevLinjer(t, plan, "SCAN m USING INDEX melding_ulevert", "oppdrag_melding (melding=?)", "sak_melding (melding=?)")
	for _, l := range plan {
		if l == "SCAN m" || l == "SCAN o" || l == "SCAN s" {
			t.Errorf("planen leser hele tabellen: %s\n%s", l, strings.Join(plan, "\n"))
		}
	}
}

// A sender that sends a thousand reports to one receiver in a minute pays for none of them when it sends the next.
func TestLetingenEtterDubletterLeserBareDeSomLigner(t *testing.T) {
	krevLinjer(t, planen(t, regexp.MustCompile(`\?\d`).ReplaceAllString(sqlstore.LikSporring, "0")),
		"melding_lik (fra_fiks_org_id=? AND slag=? AND str_asice=? AND str_pdf=? AND innsendt>?)")
}

func krevLinjer(t *testing.T, plan []string, linjer ...string) {
	t.Helper()
	alt := strings.Join(plan, "\n")
	for _, l := range linjer {
		if !strings.Contains(alt, l) {
			t.Errorf("planen mangler %q:\n%s", l, alt)
		}
	}
}

// planen is how SQLite means to answer q.
func planen(t *testing.T, q string) (plan []string) {
	t.Helper()
	rader, err := iSqlite(t).raa.Query("EXPLAIN QUERY PLAN " + q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rader.Close() }()
	for rader.Next() {
		var id, over, intet int
		var linje string
		if err := rader.Scan(&id, &over, &intet, &linje); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, linje)
	}
	if err := rader.Err(); err != nil {
		t.Fatal(err)
	}
	return plan
}

// A connection that was opened while the tables were empty, and has its plans from then, reads no more than it must when they are full.
func TestPlanerFraTommeTabellerLeserBareIndekser(t *testing.T) {
	is, r := is.New(t), iPostgres(t)
	c, err := r.Forbindelse(t.Context())
	is.NoErr(err)
	defer func() { _ = c.Close() }()
	gjor := func(q string) (linjer []string) {
		t.Helper()
		rader, err := c.QueryContext(t.Context(), q)
		is.NoErr(err)
		defer func() { _ = rader.Close() }()
		for rader.Next() {
			var l string
			is.NoErr(rader.Scan(&l))
			linjer = append(linjer, l)
		}
		is.NoErr(rader.Err())
		return linjer
	}
	for _, x := range []struct{ navn, q, args string }{
		{"krav", sqlstore.KravMedMelding, "('send', 9000000000000000, 8)"},
		{"urort", "SELECT " + sqlstore.Urort, "('x', 1, 1, 'a', 2, 'y', 1, 'z', 1)"},
	} {
		gjor("SET plan_cache_mode = force_generic_plan")
		gjor("VACUUM ANALYZE oppdrag, melding, hendelse, sak") // and the planner knows that they are empty
		gjor("PREPARE " + x.navn + " AS " + strings.ReplaceAll(x.q, "?", "$"))
		for range 2 { // the plan is the same when there is something there
			plan := strings.Join(gjor("EXPLAIN EXECUTE "+x.navn+x.args), "\n")
			for _, ord := range []string{"Seq Scan", "Sort", "Bitmap"} {
				if strings.Contains(plan, ord) {
					t.Errorf("%s leser mer enn det må:\n%s", x.navn, plan)
				}
			}
			contracts.Lagre(t, r.lager(), contracts.NyMelding(t))
		}
	}
}
