package contracts

import (
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

func testLease(t *testing.T, open func(t *testing.T) Lager) {
	t.Run("W7 a lost lease cannot be extended", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t)
		Lagre(t, l, n)
		na := n.Fakta.Frist
		a := klaimEn(t, l, levering.KoSend, na)
		is.NoErr(l.Work.Extend(t.Context(), a, na.Add(50*time.Second), time.Minute))
		is.Equal(len(klaim(t, l, levering.KoSend, 1, na.Add(109*time.Second))), 0) // it moved
		b := klaim(t, l, levering.KoSend, 1, na.Add(110*time.Second))
		is.Equal(len(b), 1)
		is.True(errors.Is(l.Work.Extend(t.Context(), a, na.Add(111*time.Second), time.Minute), ports.ErrConflict))
		is.NoErr(l.Work.Extend(t.Context(), b[0], na.Add(111*time.Second), time.Minute))
		// Expired, and the report is in other hands through another item: extending would make two.
		klaim(t, l, levering.KoFrist, 1, na.Add(10*time.Minute))
		is.True(errors.Is(l.Work.Extend(t.Context(), b[0], na.Add(10*time.Minute), time.Minute), ports.ErrConflict))
	})

	t.Run("release gives back for a time", func(t *testing.T) {
		is, l := is.New(t), open(t)
		Lagre(t, l, NyMelding(t))
		a := klaimEn(t, l, levering.KoSend, Start)
		is.NoErr(l.Work.Release(t.Context(), a, Start.Add(5*time.Minute), "prøver igjen"))
		is.Equal(len(klaim(t, l, levering.KoSend, 1, Start.Add(5*time.Minute-1))), 0)
		b := klaim(t, l, levering.KoSend, 1, Start.Add(5*time.Minute))
		is.Equal(len(b), 1)
		is.Equal(b[0].Attempt, 2)
		is.True(errors.Is(l.Work.Release(t.Context(), a, Start, "x"), ports.ErrConflict)) // somebody else holds it
		is.Equal(len(klaim(t, l, levering.KoSend, 1, Start.Add(5*time.Minute))), 0)
		is.True(errors.Is(l.Work.Extend(t.Context(), a, Start.Add(5*time.Minute), time.Minute), ports.ErrConflict))
	})

	t.Run("W8 Done settles only what belongs to no report", func(t *testing.T) {
		is, l := is.New(t), open(t)
		id := Lagre(t, l, NyMelding(t))
		a := klaimEn(t, l, levering.KoSend, Start)
		is.True(errors.Is(l.Work.Done(t.Context(), a), ports.ErrRefused))
		is.Equal(len(Les(t, l, id).Owed), 2)
		leggTil(t, l, levering.SvarOppdrag(etSvar(Start)))
		b := klaimEn(t, l, levering.KoSvar, Start)
		is.NoErr(l.Work.Done(t.Context(), b))
		is.NoErr(l.Work.Done(t.Context(), b)) // after an unknown outcome callers repeat
		is.NoErr(l.Work.Release(t.Context(), b, Start, "x"))
		l = l.pany(t)
		is.Equal(len(klaim(t, l, levering.KoSvar, 1, Start.Add(time.Hour))), 0)
	})

	t.Run("Next tells when to look", func(t *testing.T) {
		is, l := is.New(t), open(t)
		neste := func(ko levering.Ko) time.Time {
			n, err := l.Work.Next(t.Context(), ko)
			is.NoErr(err)
			return n
		}
		is.True(neste(levering.KoSend).IsZero())
		n := NyMelding(t)
		Lagre(t, l, n)
		is.Equal(neste(levering.KoSend), Start)
		is.Equal(neste(levering.KoFrist), n.Fakta.Frist)
		a := klaimEn(t, l, levering.KoSend, Start.Add(time.Second))
		is.Equal(neste(levering.KoSend), a.Until)
		is.NoErr(l.Work.Release(t.Context(), a, Start.Add(5*time.Minute), "x"))
		is.Equal(neste(levering.KoSend), Start.Add(5*time.Minute))
		is.True(neste(levering.KoBrev).IsZero())
	})
}
