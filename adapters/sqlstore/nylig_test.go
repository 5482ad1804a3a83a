package sqlstore_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// Two processes write the same reports in turn, and each keeps what it wrote last. Whatever one writes, the other judges by it, although
// what it has kept is from before.
func TestEnProsessSerHvaEnAnnenSkrev(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is, r := is.New(t), ny(t)
		o := contracts.OppsettFor("0301", "01")
		is.NoErr(r.Apply(t.Context(), o))
		to := []*rigg{r, r.igjen(t)}
		terning := rand.New(rand.NewPCG(4, 7))
		for range 60 {
			n := contracts.Straks(contracts.NyMelding(t, func(x *contracts.Oppskrift) { x.Til = o.Mottakere[0].Bydel.RessursID }))
			id := contracts.Lagre(t, to[terning.IntN(2)].lager(), n)
			fasit := contracts.Les(t, r.lager(), id)
			for i := range 8 {
				hvem, hva := terning.IntN(2), trekk[terning.IntN(len(trekk))]
				var sett, fikk ports.Utgave
				skriv := func(u ports.Utgave) (ports.Endring, error) { sett = u; return hva.endring(u, i), nil }
				var err error
				switch hva.navn {
				case "svar":
					svar := levering.SvarOppdrag(melding.Svar{ID: contracts.UUID(), Meldingstype: protokoll.Mottatt, Korrelasjon: string(id), Mottatt: contracts.Start})
					fikk, _, err = to[hvem].Settle(t.Context(), id, svar, func(u ports.Utgave) (ports.Endring, error) {
						e, err := skriv(u)
						e.Ferdig = append(e.Ferdig, svar.ID)
						return e, err
					})
				case "send":
					var b ports.Begynt
					b, err = to[hvem].Begin(t.Context(), id, contracts.Start, func(g ports.Sendegrunnlag) (ports.Endring, error) { return skriv(g.Utgave) })
					fikk = b.Utgave
				default:
					fikk, err = to[hvem].Update(t.Context(), id, skriv)
				}
				t.Log(hvem, hva.navn)
				is.NoErr(err)
				contracts.LikUtgave(t, sett, fasit)
				fasit = contracts.Les(t, r.lager(), id)
				contracts.LikUtgave(t, fikk, fasit)
			}
		}
	})
}

// trekk is what a process may do with a report, in step i.
var trekk = []struct {
	navn    string
	endring func(u ports.Utgave, i int) ports.Endring
}{
	{"notat", notatI},
	{"notat", notatI},
	{"svar", notatI},
	{"svar", notatI},
	{"send", func(ports.Utgave, int) ports.Endring { return ports.Endring{} }},
	{"send", notatI},
	{"ser bare", func(ports.Utgave, int) ports.Endring { return ports.Endring{} }},
	{"annet arbeid", func(u ports.Utgave, i int) ports.Endring {
		return ports.Endring{Nye: []levering.Oppdrag{levering.NyttOppdrag(u.Melding.Fakta.ID, levering.KoBrevvakt, "", 10+i, contracts.Start)},
			Ferdig: ikkeFrist(u)}
	}},
	{"fristen gjort om", func(u ports.Utgave, i int) ports.Endring {
		for _, o := range u.Owed {
			if o.Ko == levering.KoFrist {
				o.Forfall = o.Forfall.Add(time.Hour)
				return ports.Endring{Ferdig: []levering.OppdragID{o.ID}, Nye: []levering.Oppdrag{o}}
			}
		}
		return ports.Endring{}
	}},
	{"mindre arbeid", func(u ports.Utgave, _ int) ports.Endring { return ports.Endring{Ferdig: ikkeFrist(u)} }},
}

func notatI(u ports.Utgave, i int) ports.Endring {
	return ports.Endring{Hendelser: []melding.Hendelse{{Tidspunkt: contracts.Start, Art: melding.Merknad, Kode: melding.Notat,
		Aktor: melding.AktorOperator("test"), Grunn: strconv.Itoa(i)}}}
}

// ikkeFrist is all the work but the one that a report is never without here.
func ikkeFrist(u ports.Utgave) (ut []levering.OppdragID) {
	for _, o := range u.Owed {
		if o.Ko != levering.KoFrist {
			ut = append(ut, o.ID)
		}
	}
	return ut
}

// A replica that took over without the last commits, or a copy put back under a running portal: what was kept is of another past.
func TestDatabasenErSattTilbake(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is := is.New(t)
		tilbake := func(r *rigg, q string) {
			if r.param("?") == "$" {
				r.exec(t, "ALTER TABLE hendelse DISABLE TRIGGER USER")
			} else {
				r.exec(t, "DROP TRIGGER hendelse_slettes_ikke")
				r.exec(t, "DROP TRIGGER hendelse_endres_ikke")
			}
			r.exec(t, q)
		}
		for _, q := range []string{"DELETE FROM hendelse WHERE sekvens = 2", "UPDATE hendelse SET tidspunkt = tidspunkt + 1 WHERE sekvens = 2"} {
			r := ny(t)
			o := contracts.OppsettFor("0301", "01")
			is.NoErr(r.Apply(t.Context(), o))
			id := contracts.Lagre(t, r.lager(), contracts.NyMelding(t, func(x *contracts.Oppskrift) { x.Til = o.Mottakere[0].Bydel.RessursID }))
			noter := func(i int) (sett ports.Utgave) {
				contracts.Endre(t, r.lager(), id, func(u ports.Utgave) (ports.Endring, error) { sett = u; return notatI(u, i), nil })
				return sett
			}
			noter(1)
			tilbake(r, q)
			fasit := contracts.Les(t, r.lager(), id)
			contracts.LikUtgave(t, noter(2), fasit)
			is.NoErr(contracts.Les(t, r.lager(), id).Melding.Kontroller())
		}
	})
}

// What the wire brings need not be text. The database keeps what is, and the next one judges by that.
func TestDetSomIkkeErTekstHuskesIkke(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		for _, tekst := range []string{"a\x00b", "a\xffb"} {
			r := ny(t)
			id := contracts.Lagre(t, r.lager(), contracts.NyMelding(t))
			var sett ports.Utgave
			for i := range 2 {
				contracts.Endre(t, r.lager(), id, func(u ports.Utgave) (ports.Endring, error) {
					sett = u
					e := notatI(u, i)
					e.Hendelser[0].Meldingstype = tekst
					return e, nil
				})
			}
			is.New(t).Equal(sett.Melding.Historikk[1], contracts.Les(t, r.lager(), id).Melding.Historikk[1])
		}
	})
}

// Whoever runs the server may have given it another isolation: what follows a lock must still be the newest.
func TestIsolasjonenErVarEgen(t *testing.T) {
	is, r := is.New(t), iPostgres(t)
	r.exec(t, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''repeatable read''', current_database()); END $$")
	for _, husker := range []bool{true, false} {
		a, annen := r.igjen(t), r.igjen(t)
		id := contracts.Lagre(t, a.lager(), contracts.NyMelding(t))
		if !husker {
			a = r.igjen(t)
		}
		tx, err := annen.raa.Begin()
		is.NoErr(err)
		_, err = tx.Exec("SELECT id FROM melding WHERE id = $1 FOR NO KEY UPDATE", string(id))
		is.NoErr(err)
		ferdig, skyldte := make(chan error), 0
		go func() {
			_, err := a.Update(t.Context(), id, func(u ports.Utgave) (ports.Endring, error) {
				skyldte = len(u.Owed)
				return notatI(u, 1), nil
			})
			ferdig <- err
		}()
		for venter := 0; venter == 0; {
			is.NoErr(r.raa.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()").Scan(&venter))
		}
		_, err = tx.Exec("DELETE FROM oppdrag WHERE melding = $1 AND ko = 'send'", string(id))
		is.NoErr(err)
		is.NoErr(tx.Commit())
		is.NoErr(<-ferdig)
		is.Equal(skyldte, 1)
	}
}
