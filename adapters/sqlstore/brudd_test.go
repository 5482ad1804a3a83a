package sqlstore_test

import (
	"errors"
	"math/rand/v2"
	"slices"
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

// The query of Breaches says of every report what the domain's own judge says, whatever its life and whatever work was lost.
func TestBruddErDetKontrollerSier(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is, r := is.New(t), ny(t)
		l := r.lager()
		slump := rand.New(rand.NewPCG(1, 2))
		for range 120 {
			id := contracts.Lagre(t, l, contracts.NyMelding(t))
			na := contracts.Start
			for range slump.IntN(5) {
				na = na.Add(20 * time.Hour)
				etSteg(t, l, id, slump.IntN(7), na)
			}
			for _, ko := range levering.Koene() {
				if slump.IntN(3) == 0 {
					l.Fjern(t, id, ko)
				}
			}
		}
		var ventet []melding.ID
		rader, err := r.List(t.Context(), ports.Filter{}, "", 1000)
		is.NoErr(err)
		for _, rad := range rader {
			if err := levering.Kontroller(contracts.Les(t, l, rad.ID)); errors.Is(err, levering.ErrIkkeSkyldig) {
				ventet = append(ventet, rad.ID)
			} else {
				is.NoErr(err)
			}
		}
		funnet, err := r.Breaches(t.Context(), 1000)
		is.NoErr(err)
		slices.Sort(funnet)
		is.Equal(funnet, ventet)
		is.True(len(ventet) > 20 && len(ventet) < 100) // both kinds are here
	})
}

// etSteg does one thing to a report, if the domain lets it.
func etSteg(t *testing.T, l contracts.Lager, id melding.ID, hva int, na time.Time) {
	t.Helper()
	konto := kommune.Mottakerkonto{Kanal: kommune.FiksIO, KontoAktiv: true}
	_, err := l.Store.Update(t.Context(), id, func(u ports.Utgave) (ports.Endring, error) {
		eget := func(ko levering.Ko) levering.Oppdrag {
			for _, o := range u.Owed {
				if o.Ko == ko {
					return o
				}
			}
			return levering.Oppdrag{}
		}
		brev := u.Melding.ApneForsok(melding.Brevforsok)
		switch {
		case hva == 0:
			return levering.BegynnSending(u, eget(levering.KoSend), konto, levering.NokkelGyldig, contracts.Policy, na)
		case hva == 1:
			return levering.FristUtlopt(u, eget(levering.KoFrist), contracts.Policy, u.Melding.Fakta.Frist)
		case hva == 2:
			return levering.BegynnBrev(u, eget(levering.KoBrev), contracts.Policy, na)
		case hva == 3 && len(brev) > 0:
			return levering.BrevOvertatt(u, brev[0].ID, contracts.Policy, na)
		case hva == 4 && len(brev) > 0:
			return levering.BrevNektet(u, brev[0].ID, contracts.Policy, na)
		case hva == 5:
			s := melding.Svar{ID: contracts.UUID(), Meldingstype: protokoll.Mottatt, AvsenderKonto: u.Melding.Fakta.KontoID, Mottatt: na}
			return levering.BehandleSvar(u, levering.SvarOppdrag(s), contracts.Policy, na)
		}
		return ports.Endring{Saker: []levering.Sak{{ID: levering.SakID(string(id) + "/prove"), Melding: id, Art: levering.SakUkjentSvar, Apnet: na, Frist: na}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
