package contracts

import (
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// TestOverview is the contract of ports.Overview.
func TestOverview(t *testing.T, open func(t *testing.T) Lager) {
	liste := func(t *testing.T, l Lager, f ports.Filter, etter melding.ID, max int) []ports.Rad {
		t.Helper()
		r, err := l.Overview.List(t.Context(), f, etter, max)
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		return r
	}

	t.Run("O1 pages by id, each report once", func(t *testing.T) {
		is, l := is.New(t), open(t)
		var alle []melding.ID
		for i := range 9 {
			alle = append(alle, Lagre(t, l, NyMelding(t, func(o *Oppskrift) { o.Innsendt = Start.Add(time.Duration(9-i) * time.Minute) })))
		}
		slices.Sort(alle)
		var fikk []melding.ID
		for etter := melding.ID(""); len(fikk) <= len(alle); {
			side := liste(t, l, ports.Filter{}, etter, 4)
			if len(side) == 0 {
				break
			}
			is.True(len(side) <= 4)
			for _, r := range side {
				fikk = append(fikk, r.ID)
			}
			etter = side[len(side)-1].ID
		}
		is.Equal(fikk, alle)
		is.Equal(len(liste(t, l, ports.Filter{}, alle[8], 4)), 0)
	})

	t.Run("O1 the row follows the history", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t, func(o *Oppskrift) { o.Slag, o.Versjon, o.Kilde = melding.Privat, melding.V1, melding.Skjema })
		id, f := Lagre(t, l, n), n.Fakta
		ventet := ports.Rad{ID: id, Tilstand: melding.AKSEPTERT, Slag: f.Slag, Versjon: f.Versjon, Kilde: f.Kilde, Kanal: kommune.FiksIO,
			FraOrg: f.FraFiksOrgID, RessursID: f.RessursID, Kommune: f.Kommune, Bydel: f.Bydel, Innsendt: Start, Frist: f.Frist, Endret: Start}
		Lik(t, liste(t, l, ports.Filter{}, "", 9), []ports.Rad{ventet})
		Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) {
			h := notat("x", Start.Add(time.Minute))
			h.Kanal = kommune.Print // a merknad does not move the channel
			return ports.Endring{Hendelser: []melding.Hendelse{h}}, nil
		})
		ventet.Endret = Start.Add(time.Minute)
		Lik(t, liste(t, l, ports.Filter{}, "", 9), []ports.Rad{ventet})
		u := Brev(t, l, id)
		Endre(t, l, id, func(v ports.Utgave) (ports.Endring, error) {
			return levering.BrevOvertatt(v, u.Melding.ApneForsok(melding.Brevforsok)[0].ID, Policy, f.Frist.Add(time.Hour))
		})
		ventet.Tilstand, ventet.Kanal, ventet.Endret = melding.SENDT_PRINT, kommune.Print, f.Frist.Add(time.Hour)
		Lik(t, liste(t, l, ports.Filter{}, "", 9), []ports.Rad{ventet})
		l = l.pany(t)
		Lik(t, liste(t, l, ports.Filter{}, "", 9), []ports.Rad{ventet})
		// Confirmed in the receiver's own channel after all, and erased when the time comes.
		lagret := Lagre(t, l, NyMelding(t))
		Lever(t, l, lagret, Start)
		Slett(t, l, lagret)
		r := liste(t, l, ports.Filter{Tilstand: melding.LEVERT}, "", 9)
		is.Equal(len(r), 1)
		is.True(r[0].Slettet)
		is.Equal(r[0].Kanal, kommune.FiksIO)
	})

	t.Run("O2 List and Count agree under every filter", func(t *testing.T) {
		is, l := is.New(t), open(t)
		rader := []ports.Ny{}
		for i := range 8 {
			rader = append(rader, NyMelding(t, func(o *Oppskrift) {
				o.Innsendt = Start.Add(time.Duration(i) * time.Hour)
				o.Fra, o.Til = kommune.FiksOrgID([]string{"a", "b"}[i%2]), kommune.RessursID([]string{"x", "y"}[i/2%2])
				if i >= 4 {
					o.Slag, o.Kanal = melding.Privat, kommune.Manuell
				}
			}))
			Lagre(t, l, rader[i])
		}
		Lever(t, l, rader[0].Fakta.ID, Start.Add(9*time.Hour))
		for _, x := range []struct {
			f      ports.Filter
			ventet []int
		}{
			{ports.Filter{}, []int{0, 1, 2, 3, 4, 5, 6, 7}},
			{ports.Filter{FraOrg: "a"}, []int{0, 2, 4, 6}},
			{ports.Filter{RessursID: "x"}, []int{0, 1, 4, 5}},
			{ports.Filter{Tilstand: melding.LEVERT}, []int{0}},
			{ports.Filter{Kanal: kommune.Manuell}, []int{4, 5, 6, 7}},
			{ports.Filter{Slag: melding.Offentlig}, []int{0, 1, 2, 3}},
			{ports.Filter{InnsendtFra: Start.Add(2 * time.Hour)}, []int{2, 3, 4, 5, 6, 7}},
			{ports.Filter{InnsendtTil: Start.Add(2 * time.Hour)}, []int{0, 1}},           // exclusive
			{ports.Filter{FristFra: Start.Add(50 * time.Hour)}, []int{2, 3, 4, 5, 6, 7}}, // two days after Innsendt
			{ports.Filter{FristTil: Start.Add(50 * time.Hour)}, []int{0, 1}},             // exclusive
			{ports.Filter{Tilstand: melding.AKSEPTERT, FristTil: Start.Add(50 * time.Hour)}, []int{1}},
			{ports.Filter{EndretFra: Start.Add(7 * time.Hour)}, []int{0, 7}}, // the last event, not the first
			{ports.Filter{Tilstand: melding.AKSEPTERT, EndretFra: Start.Add(6 * time.Hour)}, []int{6, 7}},
			{ports.Filter{FraOrg: "b", RessursID: "y", Slag: melding.Privat, InnsendtFra: Start, InnsendtTil: Start.Add(8 * time.Hour)}, []int{7}},
			{ports.Filter{FraOrg: "c"}, nil},
		} {
			var fikk []melding.ID
			for _, r := range liste(t, l, x.f, "", 99) {
				fikk = append(fikk, r.ID)
			}
			var ventet []melding.ID
			for _, i := range x.ventet {
				ventet = append(ventet, rader[i].Fakta.ID)
			}
			slices.Sort(ventet)
			is.Equal(fikk, ventet)
			is.Equal(antall(t, l, x.f), len(ventet))
		}
		grupper, err := l.Overview.Groups(t.Context())
		is.NoErr(err)
		talt := map[ports.Gruppe]bool{}
		for _, g := range grupper {
			talt[g] = true
		}
		is.Equal(len(grupper), 3)
		is.True(talt[ports.Gruppe{Tilstand: melding.LEVERT, Kanal: kommune.FiksIO, Antall: 1}])
		is.True(talt[ports.Gruppe{Tilstand: melding.AKSEPTERT, Kanal: kommune.FiksIO, Antall: 3}])
		is.True(talt[ports.Gruppe{Tilstand: melding.AKSEPTERT, Kanal: kommune.Manuell, Antall: 4}])
	})

	t.Run("O3 cases, open first, then newest", func(t *testing.T) {
		is, l := is.New(t), open(t)
		id := Lagre(t, l, NyMelding(t))
		nar := func(i int) time.Time { return Start.Add(time.Duration(i) * time.Minute) }
		var lukket levering.Sak
		Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) {
			lukket = apenSak(id, "lukket", nar(5))
			return ports.Endring{Saker: []levering.Sak{apenSak(id, "gammel", nar(1)), apenSak(id, "ny", nar(3)), lukket}}, nil
		})
		ledger := levering.Sak{ID: "ledger/a", Art: levering.SakSvarUtenMelding, Apnet: nar(2), Frist: nar(60), Grunn: "svar a"}
		is.NoErr(l.Ledger.OpenCase(t.Context(), ledger))
		lukket.Lukket, lukket.LukketAv, lukket.Grunn = nar(6), "operator:x", "y"
		Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) { return ports.Endring{Saker: []levering.Sak{lukket}}, nil })
		apne := []levering.Sak{apenSak(id, "ny", nar(3)), ledger, apenSak(id, "gammel", nar(1))}
		fikk, err := l.Overview.Cases(t.Context(), true, 9)
		is.NoErr(err)
		Lik(t, fikk, apne)
		fikk, err = l.Overview.Cases(t.Context(), false, 9)
		is.NoErr(err)
		Lik(t, fikk, append(apne, lukket))
		fikk, err = l.Overview.Cases(t.Context(), false, 2)
		is.NoErr(err)
		Lik(t, fikk, apne[:2])
	})

	t.Run("Oldest is the oldest not delivered", func(t *testing.T) {
		is, l := is.New(t), open(t)
		eldst := func() time.Time {
			o, err := l.Overview.Oldest(t.Context())
			is.NoErr(err)
			return o
		}
		is.True(eldst().IsZero())
		a := Lagre(t, l, NyMelding(t))
		b := Lagre(t, l, NyMelding(t, func(o *Oppskrift) { o.Innsendt = Start.Add(time.Hour) }))
		is.Equal(eldst(), Start)
		Lever(t, l, a, Start.Add(2*time.Hour))
		is.Equal(eldst(), Start.Add(time.Hour))
		Lever(t, l, b, Start.Add(2*time.Hour))
		is.True(eldst().IsZero())
	})
}
