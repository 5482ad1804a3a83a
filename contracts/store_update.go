package contracts

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// rik is an Endring with something of everything, told apart by merke.
func rik(id melding.ID, merke string) ports.Endring {
	n, _ := strconv.Atoi(merke)
	return ports.Endring{
		Hendelser:  []melding.Hendelse{notat(merke, Start)},
		Nye:        []levering.Oppdrag{levering.NyttOppdrag(id, levering.KoBrevvakt, "", 100+n, Start.Add(time.Hour))},
		Saker:      []levering.Sak{apenSak(id, merke, Start)},
		Referanser: []string{"ref-" + string(id) + "-" + merke},
		Deler:      map[melding.Del]melding.Forseglet{melding.DelSvar(100 + n): Forseglet([]byte("svar" + merke))},
	}
}

// spor counts what is left of rik in a store; one = each of its five traces.
func spor(t testing.TB, l Lager, id melding.ID, merke string) (n int) {
	t.Helper()
	u := Les(t, l, id)
	m, _ := strconv.Atoi(merke)
	for _, h := range u.Melding.Historikk {
		if h.Grunn == merke {
			n++
		}
	}
	if u.Skylder(levering.NyttOppdrag(id, levering.KoBrevvakt, "", 100+m, Start).ID) {
		n++
	}
	for _, s := range u.Saker {
		if s.ID == apenSak(id, merke, Start).ID {
			n++
		}
	}
	if _, err := l.Store.FindRef(t.Context(), "ref-"+string(id)+"-"+merke); err == nil {
		n++
	}
	if _, err := l.Vault.Open(t.Context(), id, melding.DelSvar(100+m)); err == nil {
		n++
	}
	return n
}

func testUpdate(t *testing.T, open func(t *testing.T) Lager) {
	t.Run("unknown ids", func(t *testing.T) {
		is, l := is.New(t), open(t)
		_, err := l.Store.Get(t.Context(), MeldingID(Start))
		is.True(errors.Is(err, ports.ErrNotFound))
		_, err = l.Store.Update(t.Context(), MeldingID(Start), func(ports.Utgave) (ports.Endring, error) { return ports.Endring{}, nil })
		is.True(errors.Is(err, ports.ErrNotFound))
		_, err = l.Store.FindRef(t.Context(), "ukjent")
		is.True(errors.Is(err, ports.ErrNotFound))
	})

	t.Run("S5 everything of one Endring is there at once and for good", func(t *testing.T) {
		is, l := is.New(t), open(t)
		id := Lagre(t, l, NyMelding(t))
		send := eget(Les(t, l, id), levering.KoSend).ID
		u := Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) {
			e := rik(id, "1")
			e.Ferdig = []levering.OppdragID{send, "finnes-ikke"} // already gone is not an error
			return e, nil
		})
		is.Equal(spor(t, l, id, "1"), 5)
		is.True(!u.Skylder(send))
		LikUtgave(t, Les(t, l, id), u) // the returned Utgave is the one committed
		lukket := u.Saker[0]
		lukket.Lukket, lukket.LukketAv, lukket.Grunn = Start.Add(time.Hour), "operator:x", "sett på"
		u = Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) {
			return ports.Endring{Saker: []levering.Sak{lukket}, Referanser: []string{"ref-" + string(id) + "-1"}}, nil
		})
		is.Equal(len(u.Saker), 1) // closed, not doubled, and still told
		is.True(!u.Saker[0].Apen())
		l = l.pany(t)
		LikUtgave(t, Les(t, l, id), u)
		is.Equal(spor(t, l, id, "1"), 5)
		funnet, err := l.Store.FindRef(t.Context(), "ref-"+string(id)+"-1")
		is.NoErr(err)
		is.Equal(funnet, id)
	})

	t.Run("S5 a cancelled commit is all or nothing", func(t *testing.T) {
		is, l := is.New(t), open(t)
		id := Lagre(t, l, NyMelding(t))
		for i := range 20 {
			merke := strconv.Itoa(i + 1)
			ctx, avbryt := context.WithCancel(bakgrunn())
			_, err := l.Store.Update(ctx, id, func(ports.Utgave) (ports.Endring, error) {
				go avbryt()
				return rik(id, merke), nil
			})
			avbryt()
			n := spor(t, l, id, merke)
			is.True(n == 5 || n == 0 && err != nil)
		}
	})

	t.Run("S5 no reader sees half", func(t *testing.T) {
		l := open(t)
		id := Lagre(t, l, NyMelding(t))
		const runder = 25
		ferdig := make(chan struct{})
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for stopp := false; !stopp; {
					select {
					case <-ferdig:
						stopp = true
					default:
					}
					u, err := l.Store.Get(t.Context(), id)
					if n := len(u.Melding.Historikk) - 1; err != nil || len(u.Owed)-2 != n || len(u.Saker) != n {
						t.Errorf("%d hendelser, %d oppdrag, %d saker, %v", n, len(u.Owed)-2, len(u.Saker), err)
						return
					}
				}
			})
		}
		for i := range runder {
			Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) { return rik(id, strconv.Itoa(i+1)), nil })
		}
		close(ferdig)
		wg.Wait()
	})

	t.Run("S6 racing Updates behave as if in sequence", func(t *testing.T) {
		is, l := is.New(t), open(t)
		id := Lagre(t, l, NyMelding(t))
		const arbeidere, hver = 6, 6
		samtidig(arbeidere, func(int) {
			for range hver {
				if _, err := l.Store.Update(t.Context(), id, func(u ports.Utgave) (ports.Endring, error) {
					n := u.Melding.Antall(melding.Notat)
					for range 50 {
						runtime.Gosched() // let the others read what this one has read
					}
					return ports.Endring{Hendelser: []melding.Hendelse{notat(strconv.Itoa(n), Start.Add(time.Duration(n)*time.Second))},
						Nye: []levering.Oppdrag{levering.NyttOppdrag(id, levering.KoBrevvakt, "", n+1, Start)}}, nil
				}); err != nil {
					t.Errorf("Update: %v", err)
				}
			}
		})
		u := Les(t, l, id)
		is.NoErr(u.Melding.Kontroller())
		is.Equal(len(u.Melding.Historikk), 1+arbeidere*hver)
		for i, h := range u.Melding.Historikk[1:] {
			is.Equal(h.Grunn, strconv.Itoa(i)) // each saw all before it
		}
		is.Equal(len(u.Owed), 2+arbeidere*hver)
	})

	t.Run("S6 only one of many can begin an attempt or deliver", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t)
		id := Lagre(t, l, n)
		konto := kommune.Mottakerkonto{Kanal: n.Fakta.Kanal, KontoID: n.Fakta.KontoID, KontoAktiv: true}
		samtidig(6, func(i int) {
			var err error
			if i%2 == 0 {
				_, err = l.Store.Update(t.Context(), id, func(u ports.Utgave) (ports.Endring, error) {
					if u.Melding.Har(melding.SendingBegynt) {
						return ports.Endring{}, nil
					}
					return levering.BegynnSending(u, eget(u, levering.KoSend), konto, levering.NokkelGyldig, Policy, Start)
				})
			} else {
				Lever(t, l, id, Start)
			}
			if err != nil {
				t.Errorf("Update: %v", err)
			}
		})
		m := Les(t, l, id).Melding
		is.NoErr(m.Kontroller())
		is.Equal(m.Antall(melding.BekreftetMottatt), 1)
		is.True(m.Antall(melding.SendingBegynt) <= 1)
		is.Equal(m.Antall(melding.SvarGjentatt), 2)
	})

	t.Run("S7 an error from fn is returned as it is", func(t *testing.T) {
		is, l := is.New(t), open(t)
		id := Lagre(t, l, NyMelding(t))
		for i, feil := range []error{errors.New("min egen"), ports.ErrConflict, context.Canceled} {
			merke := strconv.Itoa(i + 1)
			_, err := l.Store.Update(t.Context(), id, func(ports.Utgave) (ports.Endring, error) { return rik(id, merke), feil })
			is.True(err == feil) // the very value: callers compare
			is.Equal(spor(t, l, id, merke), 0)
		}
	})

	t.Run("S9 sequence is gapless and time never runs backwards", func(t *testing.T) {
		is, l := is.New(t), open(t)
		id := Lagre(t, l, NyMelding(t))
		oslo := time.FixedZone("CET", 3600)
		u := Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) {
			h := notat("a", Start.Add(time.Minute+1234*time.Nanosecond).In(oslo))
			h.Sekvens = 77 // the store's own business
			return ports.Endring{Hendelser: []melding.Hendelse{h, notat("b", Start.Add(-time.Hour))}}, nil
		})
		u2 := Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) {
			return ports.Endring{Hendelser: []melding.Hendelse{notat("c", Start)}}, nil
		})
		LikUtgave(t, Les(t, l, id), u2) // also: UTC, whole µs
		is.NoErr(u2.Melding.Kontroller())
		is.Equal(len(u.Melding.Historikk), 3)
		is.Equal(len(u2.Melding.Historikk), 4)
		is.Equal(u2.Melding.Historikk[3].Tidspunkt, Start.Add(time.Minute+time.Microsecond))
	})

	t.Run("an Endring that is Tom writes nothing", func(t *testing.T) {
		is, l := is.New(t), open(t)
		id := Lagre(t, l, NyMelding(t))
		tidligere := Les(t, l, id)
		u := Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) { return ports.Endring{}, nil })
		LikUtgave(t, u, tidligere)
		LikUtgave(t, Les(t, l, id), tidligere)
		is.Equal(len(tidligere.Owed), 2)
	})

	t.Run("what the caller holds is its own", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t)
		id := Lagre(t, l, n)
		n.Hendelser[0].Grunn, n.Oppdrag[0].Ko = "endret", "annen"
		n.Fakta.Deler[melding.DelPDF] = melding.Delfakta{}
		u := Les(t, l, id)
		u.Melding.Historikk[0].Grunn, u.Owed[0].Ko = "endret", "annen"
		u.Melding.Fakta.Deler[melding.DelPDF] = melding.Delfakta{}
		delete(u.Melding.Fakta.Deler, melding.DelAsice)
		u = Les(t, l, id)
		is.Equal(u.Melding.Historikk[0].Grunn, "")
		is.Equal(len(u.Melding.Fakta.Deler), 2)
		is.True(u.Melding.Fakta.Deler[melding.DelPDF].Storrelse > 0)
		is.True(eget(u, levering.KoSend).ID != "")
	})

	t.Run("Refuse", func(t *testing.T) { testRefuse(t, open) })
}
