package sqlstore_test

import (
	"strings"
	"testing"

	"portal.example/bekymringsmelding/adapters/sqlstore"
)

// The sweep goes through indexes alone. SQLite has no statistics here, as in a running portal, so the plan is the same for ever.
func TestSveipenLeserBareIndekser(t *testing.T) {
	r := iSqlite(t)
	rader, err := r.raa.Query("EXPLAIN QUERY PLAN " + sqlstore.Bruddsporring())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rader.Close() }()
	var plan []string
	for rader.Next() {
		var id, over, intet int
		var linje string
		if err := rader.Scan(&id, &over, &intet, &linje); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, linje)
	}
	alt := strings.Join(plan, "\n")
	for _, l := range []string{"SCAN m USING INDEX melding_ulevert", "oppdrag_melding (melding=?)", "sak_melding (melding=?)"} {
		if !strings.Contains(alt, l) {
			t.Errorf("planen mangler %q:\n%s", l, alt)
		}
	}
	for _, l := range plan {
		if l == "SCAN m" || l == "SCAN o" || l == "SCAN s" {
			t.Errorf("planen leser hele tabellen: %s\n%s", l, alt)
		}
	}
}
