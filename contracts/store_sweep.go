package contracts

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// levertVedSiden is how many delivered reports lie beside the few that matter; a bench does 10^6.
const levertVedSiden = 400

func testSweep(t *testing.T, open func(t *testing.T) Lager) {
	t.Run("S10 Breaches finds all and only", func(t *testing.T) {
		is, l := is.New(t), open(t)
		samtidig(4, func(int) {
			for range levertVedSiden / 4 {
				n := NyMelding(t, func(o *Oppskrift) { o.Asice, o.PDF = Tilfeldig(16), Tilfeldig(16) })
				if _, err := l.Store.Create(t.Context(), n); err != nil {
					t.Errorf("Create: %v", err)
					return
				}
				Lever(t, l, n.Fakta.ID, Start.Add(time.Hour))
			}
		})
		rette, brutte := bruddene(t, l)
		funnet, err := l.Store.Breaches(t.Context(), 100)
		is.NoErr(err)
		slices.Sort(funnet)
		slices.Sort(brutte)
		is.Equal(funnet, brutte)
		for _, id := range rette {
			is.NoErr(levering.Kontroller(Les(t, l, id))) // else the suite itself is wrong
		}
		for _, id := range brutte {
			is.True(errors.Is(levering.Kontroller(Les(t, l, id)), levering.ErrIkkeSkyldig))
		}
		noen, err := l.Store.Breaches(t.Context(), 2)
		is.NoErr(err)
		is.Equal(len(noen), 2)
		for _, id := range brutte {
			Endre(t, l, id, func(u ports.Utgave) (ports.Endring, error) { return levering.Reparer(u, Policy, Start.Add(time.Hour)) })
		}
		funnet, err = l.Store.Breaches(t.Context(), 100)
		is.NoErr(err)
		is.Equal(len(funnet), 0) // repaired
	})
}

// bruddene makes reports that keep and that break "always owed", one of each way.
func bruddene(t *testing.T, l Lager) (rette, brutte []melding.ID) {
	t.Helper()
	if l.Fjern == nil {
		t.Fatal("Lager.Fjern mangler: uten den kan ingen lage et brudd")
	}
	ny := func() melding.ID { return Lagre(t, l, NyMelding(t)) }
	sakOm := func(id melding.ID, art levering.Saksart) {
		s := apenSak(id, "a", Start)
		s.Art = art
		Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) { return ports.Endring{Saker: []levering.Sak{s}}, nil })
	}
	sak := func(id melding.ID) { sakOm(id, levering.SakBrevIkkePostlagt) }
	begynnSending := func(id melding.ID) {
		Endre(t, l, id, func(u ports.Utgave) (ports.Endring, error) {
			konto := kommune.Mottakerkonto{Kanal: u.Melding.Fakta.Kanal, KontoID: u.Melding.Fakta.KontoID, KontoAktiv: true}
			return levering.BegynnSending(u, eget(u, levering.KoSend), konto, levering.NokkelGyldig, Policy, Start)
		})
	}
	sendt := func(id melding.ID) { // or the passed frist would open a case
		begynnSending(id)
		Endre(t, l, id, func(u ports.Utgave) (ports.Endring, error) {
			konto := kommune.Mottakerkonto{Kanal: u.Melding.Fakta.Kanal, KontoID: u.Melding.Fakta.KontoID}
			return levering.SendingFullfort(u, eget(u, levering.KoSend), konto, "ref-"+string(id), Policy, Start)
		})
	}
	rett := func(id melding.ID) melding.ID { rette = append(rette, id); return id }
	brudd := func(id melding.ID, ko levering.Ko) {
		l.Fjern(t, id, ko)
		brutte = append(brutte, id)
	}

	rett(ny())                    // just accepted
	brudd(ny(), "")               // nothing owed at all
	brudd(ny(), levering.KoFrist) // only the send is owed

	id := ny() // a case, but no frist
	sak(id)
	brudd(id, "")

	begynnSending(rett(ny()))
	id = ny() // the send began, and nobody will end it
	begynnSending(id)
	brudd(id, levering.KoSend)

	Brev(t, l, rett(ny()))
	id = ny() // the letter is ordered, and nobody will hand it over
	sendt(id)
	Brev(t, l, id)
	brudd(id, levering.KoBrev)

	id = ny() // delivered while the letter may be on its way, and nobody asks
	Brev(t, l, id)
	Lever(t, l, id, Start.Add(50*time.Hour))
	brudd(id, "")

	id = rett(ny()) // the same, but a person looks
	Brev(t, l, id)
	Lever(t, l, id, Start.Add(50*time.Hour))
	sak(id)
	l.Fjern(t, id, "")

	id = ny() // the same, and all that is open is what a stranger has brought about
	Brev(t, l, id)
	Lever(t, l, id, Start.Add(50*time.Hour))
	sakOm(id, levering.SakAnnenKonto)
	brudd(id, "")

	id = rett(ny()) // the vendor refused: an operator decides
	u := Brev(t, l, id)
	Endre(t, l, id, func(v ports.Utgave) (ports.Endring, error) {
		return levering.BrevNektet(v, u.Melding.ApneForsok(melding.Brevforsok)[0].ID, Policy, Start.Add(49*time.Hour))
	})
	l.Fjern(t, id, "")

	id = ny() // the same, sent again, and its case closed: a stranger's does not count
	sendt(id)
	u = Brev(t, l, id)
	u = Endre(t, l, id, func(v ports.Utgave) (ports.Endring, error) {
		return levering.BrevNektet(v, u.Melding.ApneForsok(melding.Brevforsok)[0].ID, Policy, Start.Add(49*time.Hour))
	})
	sakOm(id, levering.SakAnnenKonto)
	Endre(t, l, id, func(v ports.Utgave) (ports.Endring, error) {
		return levering.Avgjor(v, levering.Avgjorelse{Valg: levering.ValgSend, Hvem: "a", Grunn: "b"}, Policy, Start.Add(50*time.Hour))
	})
	avvist, _ := u.ApenSak(levering.SakBrevAvvist)
	Endre(t, l, id, func(v ports.Utgave) (ports.Endring, error) {
		return levering.Avgjor(v, levering.Avgjorelse{Valg: levering.ValgLukk, Sak: avvist.ID, Hvem: "a", Grunn: "b"}, Policy, Start.Add(51*time.Hour))
	})
	brudd(id, "")
	return rette, brutte
}
