package sqlstore_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/contracts"
)

// A sender may put anything in an Idempotency-Key, so nobody who reads the tables finds one.
func TestNokkelenStaarIngenSteder(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is, r := is.New(t), ny(t)
		const hemmelig = "Kari Nordmann 2026"
		contracts.Lagre(t, r.lager(), contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.Nokkel = hemmelig }))
		rader := 0
		for _, tabell := range []string{"melding", "hendelse", "del", "oppdrag", "oppdrag_sett", "sak", "referanse", "merke", "idempotensnokkel"} {
			rr, err := r.raa.Query("SELECT * FROM " + tabell)
			is.NoErr(err)
			navn, err := rr.Columns()
			is.NoErr(err)
			for rr.Next() {
				rader++
				verdier, pekere := make([]any, len(navn)), make([]any, len(navn))
				for i := range verdier {
					pekere[i] = &verdier[i]
				}
				is.NoErr(rr.Scan(pekere...))
				for i, v := range verdier {
					if b, ok := v.([]byte); ok {
						v = string(b)
					}
					if strings.Contains(fmt.Sprint(v), hemmelig) {
						t.Errorf("nøkkelen står i %s.%s", tabell, navn[i])
					}
				}
			}
			is.NoErr(rr.Err())
			is.NoErr(rr.Close())
		}
		is.True(rader >= 7) // the test looked at something
	})
}
