package contracts

import (
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

// TestLedger is the contract of ports.Ledger.
func TestLedger(t *testing.T, open func(t *testing.T) Lager) {
	saker := func(t *testing.T, l Lager, apne bool) []levering.Sak {
		t.Helper()
		s, err := l.Overview.Cases(t.Context(), apne, 100)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ny := func() levering.Sak {
		return levering.Sak{ID: levering.SakID("ledger/svar-uten-melding/" + UUID()), Art: levering.SakSvarUtenMelding, Kritisk: true,
			Apnet: Start, Frist: Start.Add(24 * time.Hour), Grunn: "svar x"}
	}

	t.Run("L1 a case is opened once", func(t *testing.T) {
		is, l := is.New(t), open(t)
		s := ny()
		is.NoErr(l.Ledger.OpenCase(t.Context(), s))
		igjen := s
		igjen.Apnet = Start.Add(time.Hour)
		samtidig(4, func(int) {
			if err := l.Ledger.OpenCase(t.Context(), igjen); err != nil {
				t.Errorf("OpenCase: %v", err)
			}
		})
		Lik(t, saker(t, l, true), []levering.Sak{s}) // the first stays
		l = l.pany(t)
		Lik(t, saker(t, l, true), []levering.Sak{s})
	})

	t.Run("L1 also after it was closed", func(t *testing.T) {
		is, l := is.New(t), open(t)
		s := ny()
		is.NoErr(l.Ledger.OpenCase(t.Context(), s))
		is.True(errors.Is(l.Ledger.CloseCase(t.Context(), "finnes ikke", "x", "y", Start), ports.ErrNotFound))
		is.NoErr(l.Ledger.CloseCase(t.Context(), s.ID, "operator:a", "sett på", Start.Add(time.Hour)))
		is.NoErr(l.Ledger.CloseCase(t.Context(), s.ID, "operator:b", "for sent", Start.Add(2*time.Hour))) // keeps the first
		is.NoErr(l.Ledger.OpenCase(t.Context(), s))
		is.Equal(len(saker(t, l, true)), 0)
		alle := saker(t, l, false)
		is.Equal(len(alle), 1)
		is.Equal(alle[0].LukketAv, "operator:a")
		is.True(alle[0].Lukket.Equal(Start.Add(time.Hour)))
		is.Equal(alle[0].ID, s.ID)
	})

	t.Run("L3 a case is found by its id, open and closed", func(t *testing.T) {
		is, l := is.New(t), open(t)
		mangler := func(l Lager, id levering.SakID) {
			t.Helper()
			_, err := l.Ledger.Case(t.Context(), id)
			is.True(errors.Is(err, ports.ErrNotFound))
		}
		a, b := ny(), ny()
		mangler(l, a.ID)
		is.NoErr(l.Ledger.OpenCase(t.Context(), a))
		is.NoErr(l.Ledger.OpenCase(t.Context(), b))
		is.NoErr(l.Ledger.CloseCase(t.Context(), b.ID, "operator:a", "sett på", Start.Add(time.Hour)))
		id := Lagre(t, l, NyMelding(t))
		Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) {
			return ports.Endring{Saker: []levering.Sak{apenSak(id, "x", Start)}}, nil
		})
		b.Lukket, b.LukketAv, b.Grunn = Start.Add(time.Hour), "operator:a", "sett på"
		for range 2 {
			for _, s := range []levering.Sak{a, b} {
				fikk, err := l.Ledger.Case(t.Context(), s.ID)
				is.NoErr(err)
				Lik(t, fikk, s)
			}
			mangler(l, apenSak(id, "x", Start).ID) // a report's own is read with the report
			l = l.pany(t)
		}
	})

	t.Run("L2 a mark is durable", func(t *testing.T) {
		is, l := is.New(t), open(t)
		v, err := l.Ledger.Mark(t.Context(), "markør")
		is.NoErr(err)
		is.Equal(v, "") // never set
		is.NoErr(l.Ledger.SetMark(t.Context(), "markør", "1"))
		is.NoErr(l.Ledger.SetMark(t.Context(), "markør", "2"))
		is.NoErr(l.Ledger.SetMark(t.Context(), "en annen", "3"))
		l = l.pany(t)
		v, err = l.Ledger.Mark(t.Context(), "markør")
		is.NoErr(err)
		is.Equal(v, "2")
		is.NoErr(l.Ledger.SetMark(t.Context(), "markør", ""))
		v, err = l.Ledger.Mark(t.Context(), "markør")
		is.NoErr(err)
		is.Equal(v, "")
	})

	t.Run("L4 marks are found by how their names begin", func(t *testing.T) {
		is, l := is.New(t), open(t)
		vil := map[string]string{"a%_/å/1": "1", "a%_/å/2": "2", "a%_/å/": "3"}
		for navn, verdi := range vil {
			is.NoErr(l.Ledger.SetMark(t.Context(), navn, verdi))
		}
		for _, navn := range []string{"a%_/å", "axx/å/1", "A%_/Å/1", "xa%_/å/1", "a%_/ø/1"} { // near, and not it
			is.NoErr(l.Ledger.SetMark(t.Context(), navn, "4"))
		}
		is.NoErr(l.Ledger.SetMark(t.Context(), "a%_/å/tom", "5"))
		is.NoErr(l.Ledger.SetMark(t.Context(), "a%_/å/tom", ""))
		l = l.pany(t)
		fikk, err := l.Ledger.Marks(t.Context(), "a%_/å/")
		is.NoErr(err)
		is.Equal(fikk, vil)
		fikk, err = l.Ledger.Marks(t.Context(), "finnes ikke")
		is.NoErr(err)
		is.Equal(len(fikk), 0)
	})

	t.Run("Now is an instant in UTC", func(t *testing.T) {
		is, l := is.New(t), open(t)
		a, err := l.Ledger.Now(t.Context())
		is.NoErr(err)
		is.True(!a.IsZero())
		b, err := l.Ledger.Now(t.Context())
		is.NoErr(err)
		is.True(!b.Before(a))
		Lik(t, b, b.UTC().Truncate(time.Microsecond))
	})
}
