package sqlstore_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// Several stores on one database, as several processes have them: what the contracts ask of one must hold between them.

func TestFlereKlaimerAldriSammeMelding(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is, r := is.New(t), ny(t)
		const meldinger = 12
		na := contracts.Start.Add(72 * time.Hour)
		holder := map[melding.ID]*atomic.Int32{}
		fatt := map[melding.ID]*atomic.Int32{}
		for range meldinger {
			id := contracts.Lagre(t, r.lager(), contracts.NyMelding(t))
			holder[id], fatt[id] = new(atomic.Int32), new(atomic.Int32)
		}
		var wg sync.WaitGroup
		for i := range 6 {
			s := r.igjen(t)
			wg.Go(func() {
				for j := range 25 {
					ko := []levering.Ko{levering.KoSend, levering.KoFrist}[(i+j)%2]
					leier, err := s.Claim(t.Context(), ko, 3, na, time.Minute)
					if err != nil {
						t.Errorf("Claim: %v", err)
					}
					for _, x := range leier {
						fatt[x.Oppdrag.Melding].Add(1)
						if n := holder[x.Oppdrag.Melding].Add(1); n != 1 {
							t.Errorf("%d holder melding %s", n, x.Oppdrag.Melding)
						}
					}
					for _, x := range leier {
						holder[x.Oppdrag.Melding].Add(-1)
						if err := s.Release(t.Context(), x, na, "igjen"); err != nil {
							t.Errorf("Release: %v", err)
						}
					}
				}
			})
		}
		wg.Wait()
		for _, n := range fatt {
			is.True(n.Load() > 0)
		}
	})
}

func TestFlereOppdatererEtterHverandre(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is, r := is.New(t), ny(t)
		id := contracts.Lagre(t, r.lager(), contracts.NyMelding(t))
		const hver = 15
		var wg sync.WaitGroup
		for range 3 {
			s := r.igjen(t)
			wg.Go(func() {
				for range hver {
					if _, err := s.Update(t.Context(), id, func(u ports.Utgave) (ports.Endring, error) {
						return ports.Endring{Hendelser: []melding.Hendelse{{Tidspunkt: contracts.Start, Art: melding.Merknad, Kode: melding.Notat,
							Grunn: strconv.Itoa(u.Melding.Antall(melding.Notat))}}}, nil
					}); err != nil {
						t.Errorf("Update: %v", err)
					}
				}
			})
		}
		wg.Wait()
		u := contracts.Les(t, r.lager(), id)
		is.NoErr(u.Melding.Kontroller())
		is.Equal(len(u.Melding.Historikk), 1+3*hver)
		for i, h := range u.Melding.Historikk[1:] {
			is.Equal(h.Grunn, strconv.Itoa(i))
		}
	})
}

// An Update and an answer about the same report, queued at the same time, do not wait for each other for ever.
func TestSvarKommerInnMensMeldingenEndres(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is, r := is.New(t), ny(t)
		n := contracts.NyMelding(t)
		id := contracts.Lagre(t, r.lager(), n)
		var wg sync.WaitGroup
		for i := range 4 {
			s := r.igjen(t)
			wg.Go(func() {
				for j := range 10 {
					svar := melding.Svar{ID: strconv.Itoa(i) + "-" + strconv.Itoa(j), Meldingstype: []string{protokoll.Feilet, "ukjent"}[j%2],
						Forbigaende: true, AvsenderKonto: n.Fakta.KontoID, Mottatt: contracts.Start}
					if _, err := s.Add(t.Context(), levering.SvarOppdrag(svar)); err != nil {
						t.Errorf("Add: %v", err)
					}
					leier, err := s.Claim(t.Context(), levering.KoSvar, 2, contracts.Start, time.Minute)
					if err != nil {
						t.Errorf("Claim: %v", err)
					}
					for _, x := range leier {
						if _, err := s.Update(t.Context(), id, func(u ports.Utgave) (ports.Endring, error) {
							return levering.BehandleSvar(u, x.Oppdrag, contracts.Policy, contracts.Start)
						}); err != nil {
							t.Errorf("Update: %v", err)
						}
					}
				}
			})
		}
		wg.Wait()
		rest, err := r.Claim(t.Context(), levering.KoSvar, 100, contracts.Start, time.Minute)
		is.NoErr(err)
		for _, x := range rest {
			contracts.Endre(t, r.lager(), id, func(u ports.Utgave) (ports.Endring, error) {
				return levering.BehandleSvar(u, x.Oppdrag, contracts.Policy, contracts.Start)
			})
		}
		m := contracts.Les(t, r.lager(), id).Melding
		is.Equal(m.Antall(melding.MidlertidigFeil)+m.Antall(melding.UkjentSvar), 2*levering.MaksUbrukteSvar) // 40: each judged once, none lost
	})
}

// Two processes that start on a new database at the same time, and one that was killed after the schema and before the note of it.
func TestMigrering(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is, r := is.New(t), ny(t)
		id := contracts.Lagre(t, r.lager(), contracts.NyMelding(t))
		r.exec(t, "DELETE FROM migrasjon")
		samtidig := make(chan *rigg, 3)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { samtidig <- r.igjen(t) })
		}
		wg.Wait()
		for range 3 {
			contracts.Les(t, (<-samtidig).lager(), id)
		}
		var n int
		is.NoErr(r.raa.QueryRow("SELECT count(DISTINCT name) - count(*) FROM migrasjon").Scan(&n))
		is.Equal(n, 0) // each is noted once
	})
}

func TestIngenTingAKlaimeSkriverIngenting(t *testing.T) {
	is, r := is.New(t), iPostgres(t)
	contracts.Lagre(t, r.lager(), contracts.NyMelding(t))
	var for_, etter int64
	is.NoErr(r.raa.QueryRow("SELECT txid_snapshot_xmax(txid_current_snapshot())").Scan(&for_))
	for range 20 {
		leier, err := r.Claim(t.Context(), levering.KoFrist, 5, contracts.Start, time.Minute)
		is.NoErr(err)
		is.Equal(len(leier), 0)
	}
	is.NoErr(r.raa.QueryRow("SELECT txid_snapshot_xmax(txid_current_snapshot())").Scan(&etter))
	is.True(etter-for_ < 20) // no transaction of ours got a number (autovacuum may take a few)
}

// A right withdrawn, a bydel closed or a key revoked by one process counts at once in the others, also when it is done by hand.
func TestFlereSerEndringenMedEnGang(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is, r := is.New(t), ny(t)
		andre := r.igjen(t)
		o := contracts.OppsettFor("0301", "01")
		eier := kommune.MottakerEier(o.Mottakere[0].Bydel.RessursID)
		c := contracts.NyttSertifikat(t)
		is.NoErr(r.Apply(t.Context(), o))
		is.NoErr(r.Announce(t.Context(), eier, c, contracts.Start))
		spor := func() ports.Grunnlag {
			g, err := andre.Grunnlag(t.Context(), ports.Sporsmal{Integrasjon: o.Integrasjoner[0].ID, Fra: o.Organisasjoner[0].FiksOrgID, Kommune: "0301", Bydel: "01", Na: contracts.Start})
			is.NoErr(err)
			return g
		}
		id := contracts.Lagre(t, r.lager(), contracts.NyMelding(t, func(x *contracts.Oppskrift) { x.Til = o.Mottakere[0].Bydel.RessursID }))
		sending := func() ports.Sendegrunnlag {
			g, err := contracts.Sendegrunnlag(t.Context(), andre.lager(), id, contracts.Start)
			is.NoErr(err)
			return g
		}
		for range 20 {
			is.True(spor().KanSende)
			is.NoErr(r.Apply(t.Context(), ports.Oppsett{Integrasjoner: o.Integrasjoner}))
			is.True(!spor().KanSende)
			is.NoErr(r.Apply(t.Context(), o))
		}
		is.Equal(len(spor().TilMottaker), 1)
		is.Equal(len(sending().Godtatt), 1)
		is.NoErr(r.Revoke(t.Context(), c, contracts.Start, "på avveie"))
		is.Equal(len(spor().TilMottaker), 0)
		is.Equal(len(sending().Godtatt), 0)
		for _, x := range []struct {
			sql    string
			virket func(ports.Grunnlag) bool
		}{
			{"UPDATE mottaker SET konto_id = 'ny'", func(g ports.Grunnlag) bool { return g.Mottaker.KontoID == "ny" && sending().Konto.KontoID == "ny" }},
			{"UPDATE organisasjon SET navn = 'Ny'", func(g ports.Grunnlag) bool { return g.Organisasjon.Navn == "Ny" }},
			{"UPDATE sertifikat SET trukket = NULL", func(g ports.Grunnlag) bool { return len(g.TilMottaker) == 1 }},
			{"DELETE FROM tilgang", func(g ports.Grunnlag) bool { return !g.KanSende }},
			{"UPDATE mottaker SET aktiv = FALSE", func(g ports.Grunnlag) bool { return g.Mottaker == nil }},
		} {
			is.True(!x.virket(spor()))
			r.exec(t, x.sql)
			is.True(x.virket(spor())) // changed by hand
		}
	})
}
