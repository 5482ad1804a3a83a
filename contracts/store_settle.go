package contracts

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

var errMitt = errors.New("min egen")

// oppgjor is rik that settles o.
func oppgjor(id melding.ID, o levering.Oppdrag, merke string) func(ports.Utgave) (ports.Endring, error) {
	return func(ports.Utgave) (ports.Endring, error) {
		e := rik(id, merke)
		e.Ferdig = []levering.OppdragID{o.ID}
		return e, nil
	}
}

// testSettle is an answer that is judged in the commit that stores it.
func testSettle(t *testing.T, open func(t *testing.T) Lager) {
	// nytt fails unless the answer is as if nobody had heard of it.
	nytt := func(t *testing.T, l Lager, id melding.ID, o levering.Oppdrag, hva string) {
		t.Helper()
		if spor(t, l, id, "1") != 0 || leggTil(t, l, o) != 1 {
			t.Fatalf("%s etterlot noe", hva)
		}
	}
	igjen := func(t *testing.T, l Lager, id melding.ID, o levering.Oppdrag) {
		t.Helper()
		is, forst := is.New(t), Les(t, l, id)
		u, ny, err := l.Store.Settle(t.Context(), id, o, oppgjor(id, o, "2"))
		is.NoErr(err)
		is.True(!ny)
		LikUtgave(t, u, forst)
		LikUtgave(t, Les(t, l, id), forst)
		is.Equal(spor(t, l, id, "2"), 0)
	}

	t.Run("S12 an answer is in the history for good, and is nobody's work", func(t *testing.T) {
		is, l := is.New(t), open(t)
		id, o := Lagre(t, l, NyMelding(t)), levering.SvarOppdrag(etSvar(Start))
		u, ny, err := l.Store.Settle(t.Context(), id, o, oppgjor(id, o, "1"))
		is.NoErr(err)
		is.True(ny)
		LikUtgave(t, Les(t, l, id), u)
		l = l.pany(t)
		is.Equal(spor(t, l, id, "1"), 5)
		is.Equal(len(klaim(t, l, levering.KoSvar, 9, Start)), 0)
		is.Equal(leggTil(t, l, o), 0) // the broker brings it again
		is.Equal(len(klaim(t, l, levering.KoSvar, 9, Start)), 0)
		igjen(t, l, id, o)
	})

	t.Run("S12 what is queued stays queued", func(t *testing.T) {
		is, l := is.New(t), open(t)
		id, o := Lagre(t, l, NyMelding(t)), levering.SvarOppdrag(etSvar(Start))
		leggTil(t, l, o)
		igjen(t, l, id, o)
		is.Equal(klaimEn(t, l, levering.KoSvar, Start).Oppdrag.ID, o.ID)
	})

	t.Run("S12 what fails is not remembered", func(t *testing.T) {
		is, l := is.New(t), open(t)
		id, ukjent := Lagre(t, l, NyMelding(t)), MeldingID(Start)
		for _, x := range []struct {
			hva  string
			id   melding.ID
			feil error
			fn   func(levering.Oppdrag) func(ports.Utgave) (ports.Endring, error)
		}{
			{"en ukjent melding", ukjent, ports.ErrNotFound, func(o levering.Oppdrag) func(ports.Utgave) (ports.Endring, error) { return oppgjor(ukjent, o, "1") }},
			{"en feil", id, errMitt, func(levering.Oppdrag) func(ports.Utgave) (ports.Endring, error) {
				return func(ports.Utgave) (ports.Endring, error) { return ports.Endring{}, errMitt }
			}},
			{"et svar som ikke gjøres opp", id, ports.ErrRefused, func(levering.Oppdrag) func(ports.Utgave) (ports.Endring, error) {
				return func(ports.Utgave) (ports.Endring, error) { return rik(id, "1"), nil }
			}},
			{"et svar som ikke endrer noe", id, ports.ErrRefused, func(levering.Oppdrag) func(ports.Utgave) (ports.Endring, error) {
				return func(ports.Utgave) (ports.Endring, error) { return ports.Endring{}, nil }
			}},
			{"det som Anvend nekter", id, ports.ErrRefused, func(o levering.Oppdrag) func(ports.Utgave) (ports.Endring, error) {
				return func(u ports.Utgave) (ports.Endring, error) {
					e, err := oppgjor(id, o, "1")(u)
					e.Slett = true // with work and an open case
					return e, err
				}
			}},
		} {
			o := levering.SvarOppdrag(etSvar(Start))
			_, ny, err := l.Store.Settle(t.Context(), x.id, o, x.fn(o))
			if !errors.Is(err, x.feil) || ny {
				t.Fatalf("%s: %v, ny %v", x.hva, err, ny)
			}
			nytt(t, l, id, o, x.hva)
		}
		is.Equal(len(klaim(t, l, levering.KoSvar, 9, Start)), 5) // every one of them is somebody's work
	})

	t.Run("S12 of many that bring it, one is first", func(t *testing.T) {
		is, l := is.New(t), open(t)
		id := Lagre(t, l, NyMelding(t))
		for range 5 {
			o := levering.SvarOppdrag(etSvar(Start))
			var nye, koet atomic.Int64
			samtidig(8, func(i int) {
				if i%4 == 3 {
					n, err := l.Work.Add(t.Context(), o)
					if err != nil {
						t.Error(err)
					}
					koet.Add(int64(n))
					return
				}
				_, ny, err := l.Store.Settle(t.Context(), id, o, func(u ports.Utgave) (ports.Endring, error) {
					return ports.Endring{Hendelser: []melding.Hendelse{notat(string(o.ID), Start)}, Ferdig: []levering.OppdragID{o.ID}}, nil
				})
				if err != nil {
					t.Error(err)
				}
				if ny {
					nye.Add(1)
				}
			})
			is.Equal(nye.Load()+koet.Load(), int64(1))
			rader := 0
			for _, h := range Les(t, l, id).Melding.Historikk {
				if h.Grunn == string(o.ID) {
					rader++
				}
			}
			is.Equal(int64(rader), nye.Load())
			is.Equal(int64(len(klaim(t, l, levering.KoSvar, 9, Start))), koet.Load())
		}
	})
}
