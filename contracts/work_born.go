package contracts

import (
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

// fodt is the lease that the maker of o gives itself at na.
func fodt(o levering.Oppdrag, na time.Time) ports.Lease {
	return ports.Lease{Oppdrag: o, Token: UUID(), Until: na.Add(time.Minute), Attempt: 1}
}

// testBorn is work that is leased from the commit that made it.
func testBorn(t *testing.T, open func(t *testing.T) Lager) {
	// holdes is what a lease means, whoever gave it.
	holdes := func(t *testing.T, l Lager, a ports.Lease) {
		is, ko := is.New(t), a.Oppdrag.Ko
		is.Equal(len(klaim(t, l, ko, 9, a.Until.Add(-time.Microsecond))), 0)
		neste, err := l.Work.Next(t.Context(), ko)
		is.NoErr(err)
		is.Equal(neste, a.Until)
		is.NoErr(l.Work.Extend(t.Context(), a, Start.Add(30*time.Second), time.Minute))
		b := klaim(t, l, ko, 9, Start.Add(90*time.Second)) // the process died: somebody else does it
		is.Equal(len(b), 1)
		is.Equal(b[0].Attempt, 2)
		is.True(errors.Is(l.Work.Extend(t.Context(), a, Start.Add(90*time.Second), time.Minute), ports.ErrConflict))
		is.True(errors.Is(l.Work.Release(t.Context(), a, Start, "x"), ports.ErrConflict))
	}

	t.Run("S11 a report's work can be leased from the start", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := Straks(NyMelding(t))
		a := n.Leier[0]
		Lagre(t, l, n)
		l = l.pany(t)
		is.Equal(len(klaim(t, l, levering.KoFrist, 9, Start.Add(time.Hour))), 0) // not due: W5 is as ever
		holdes(t, l, a)
	})

	t.Run("S11 given back it is due as any other", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t)
		a := fodt(n.Oppdrag[0], Start)
		n.Leier = []ports.Lease{a}
		Lagre(t, l, n)
		is.NoErr(l.Work.Release(t.Context(), a, Start.Add(5*time.Second), "x"))
		b := klaim(t, l, a.Oppdrag.Ko, 1, Start.Add(5*time.Second))
		is.Equal(len(b), 1)
		is.Equal(b[0].Oppdrag, a.Oppdrag)
	})

	t.Run("S11 a repeat leases nothing", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t)
		Lagre(t, l, n)
		n.Leier = []ports.Lease{fodt(n.Oppdrag[0], Start)}
		_, err := l.Store.Create(t.Context(), n)
		is.True(errors.Is(err, ports.ErrExists))
		is.Equal(len(klaim(t, l, n.Oppdrag[0].Ko, 1, Start)), 1)
	})
}
