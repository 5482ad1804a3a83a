package sqlstore_test

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/melding"
)

// The database itself refuses to change what has happened, whoever asks.
func TestHistorikkOgFaktaEndresAldri(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is, r := is.New(t), ny(t)
		n := contracts.NyMelding(t)
		contracts.Lagre(t, r.lager(), n)
		for _, q := range []string{
			"UPDATE hendelse SET grunn = 'x'",
			"UPDATE hendelse SET sekvens = sekvens",
			"DELETE FROM hendelse",
			"DELETE FROM melding",
			"UPDATE melding SET frist = frist + 1",
			"UPDATE melding SET deler = '{}'",
			"UPDATE melding SET sha_pdf = NULL",
		} {
			_, err := r.raa.Exec(q)
			if err == nil {
				t.Errorf("%s gikk igjennom", q)
			}
		}
		contracts.LikUtgave(t, contracts.Les(t, r.lager(), n.Fakta.ID), ny1(n))
		_, err := r.raa.Exec("UPDATE melding SET endret = endret") // the derived row is free
		is.NoErr(err)
	})
}

func TestPostgresTommesIkke(t *testing.T) {
	r := iPostgres(t)
	for _, tabell := range []string{"hendelse", "melding"} {
		if _, err := r.raa.Exec("TRUNCATE " + tabell + " CASCADE"); err == nil {
			t.Errorf("%s lot seg tømme", tabell)
		}
	}
}

// What verify finds: each kind of damage, once, and nothing on a sound store.
func TestKontrollerFinnerSkade(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is, r := is.New(t), ny(t)
		l := r.lager()
		kontroll := func() map[melding.ID][]string {
			funn := map[melding.ID][]string{}
			is.NoErr(r.Kontroller(t.Context(), func(id melding.ID, p string) { funn[id] = append(funn[id], p) }))
			return funn
		}
		slettet := contracts.Lagre(t, l, contracts.NyMelding(t))
		contracts.Lever(t, l, slettet, contracts.Start)
		contracts.Slett(t, l, slettet)
		var ider []melding.ID
		for range 7 {
			ider = append(ider, contracts.Lagre(t, l, contracts.NyMelding(t)))
		}
		contracts.Brev(t, l, ider[2])
		is.Equal(len(kontroll()), 0)

		l.Korruper(t, ider[0], melding.DelPDF)
		r.exec(t, "UPDATE melding SET tilstand = 'LEVERT' WHERE id = ?1", string(ider[1]))
		r.exec(t, "DELETE FROM apent_forsok WHERE melding = ?1", string(ider[2]))
		r.exec(t, "DELETE FROM del WHERE melding = ?1 AND del = 'asice'", string(ider[3]))
		r.exec(t, "UPDATE del SET innhold = NULL WHERE melding = ?1 AND del = 'asice'", string(ider[4]))
		l.Fjern(t, ider[5], "frist")
		r.exec(t, "UPDATE del SET innhold = sha256 WHERE melding = ?1 AND del = 'asice'", string(slettet))
		funn := kontroll()
		t.Log(funn)
		is.Equal(len(funn), 7)
		for id, p := range funn {
			is.Equal(len(p), 1)
			is.True(id != ider[6])
		}
	})
}

// Both the row and its own sum changed: the sum among the facts still tells.
func TestSummenIFaktaGjelder(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is, r := is.New(t), ny(t)
		n := contracts.NyMelding(t)
		id := contracts.Lagre(t, r.lager(), n)
		m := contracts.Lagre(t, r.lager(), contracts.NyMelding(t))
		r.exec(t, "DELETE FROM del WHERE melding = ?1", string(id))
		r.exec(t, "INSERT INTO del (melding, del, storrelse, sha256, forsegling, innhold) SELECT ?1, del, storrelse, sha256, forsegling, innhold FROM del WHERE melding = ?2",
			string(id), string(m))
		_, err := r.Open(t.Context(), id, melding.DelPDF)
		is.True(err != nil)
	})
}

func TestDatabasensKlokke(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is, r := is.New(t), ny(t)
		na, err := r.Now(t.Context())
		is.NoErr(err)
		is.True(time.Since(na).Abs() < 5*time.Second)
		is.Equal(na.Location(), time.UTC)
	})
}
