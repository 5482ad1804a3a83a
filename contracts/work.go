package contracts

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// TestWork is the contract of ports.Work. Every instant is passed in, so nothing waits.
func TestWork(t *testing.T, open func(t *testing.T) Lager) {
	t.Run("Add", func(t *testing.T) { testAdd(t, open) })
	t.Run("Pending", func(t *testing.T) { testPending(t, open) })
	t.Run("Claim", func(t *testing.T) { testClaim(t, open) })
	t.Run("Lease", func(t *testing.T) { testLease(t, open) })
	t.Run("Born", func(t *testing.T) { testBorn(t, open) })
	t.Run("Model", func(t *testing.T) { testWorkModel(t, open) })
}

// klaim is Claim that must succeed.
func klaim(t testing.TB, l Lager, ko levering.Ko, max int, na time.Time) []ports.Lease {
	t.Helper()
	leier, err := l.Work.Claim(t.Context(), ko, max, na, time.Minute)
	if err != nil {
		t.Fatalf("Claim %s: %v", ko, err)
	}
	return leier
}

// klaimEn is klaim of one item that must be there.
func klaimEn(t testing.TB, l Lager, ko levering.Ko, na time.Time) ports.Lease {
	t.Helper()
	leier := klaim(t, l, ko, 1, na)
	if len(leier) != 1 {
		t.Fatalf("Claim %s: %d leier, ventet én", ko, len(leier))
	}
	return leier[0]
}

func etSvar(mottatt time.Time) melding.Svar {
	return melding.Svar{ID: UUID(), Meldingstype: protokoll.Feilet, SvarTil: UUID(), Korrelasjon: UUID(), AvsenderKonto: "konto",
		Mottatt: mottatt, Innhold: Forseglet(Tilfeldig(2000)), Lesbarhet: melding.ArsakSvarUleselig, Forbigaende: true, Aktor: "operator:x"}
}

// leggTil is Add that must succeed, and gives how many were new.
func leggTil(t testing.TB, l Lager, o ...levering.Oppdrag) int {
	t.Helper()
	nye, err := l.Work.Add(t.Context(), o...)
	if err != nil {
		t.Fatalf("Add: %v", err)
	}
	return nye
}

func testAdd(t *testing.T, open func(t *testing.T) Lager) {
	t.Run("W1 an answer from the wire is durable", func(t *testing.T) {
		is, l := is.New(t), open(t)
		svar := levering.SvarOppdrag(etSvar(Start))
		tomt := levering.SvarOppdrag(melding.Svar{ID: UUID(), Meldingstype: protokoll.Mottatt, Mottatt: Start.Add(time.Second)})
		jobb := levering.BrevstatusOppdrag(levering.Jobb{ID: melding.ForsokID(UUID()), Status: levering.BrevAvvist, Tid: Start, Arsak: "A1"}, Start)
		is.Equal(leggTil(t, l, svar, tomt, jobb), 3)
		is.Equal(leggTil(t, l), 0)
		l = l.pany(t)
		leier := klaim(t, l, levering.KoSvar, 5, Start.Add(time.Hour))
		is.Equal(len(leier), 2)
		Lik(t, leier[0].Oppdrag, svar) // with its body
		Lik(t, leier[1].Oppdrag, tomt)
		leier = klaim(t, l, levering.KoBrevstatus, 5, Start)
		is.Equal(len(leier), 1)
		Lik(t, leier[0].Oppdrag, jobb)
	})

	t.Run("W2 the same id twice is one item", func(t *testing.T) {
		is, l := is.New(t), open(t)
		o := levering.SvarOppdrag(etSvar(Start))
		is.Equal(leggTil(t, l, o, o), 1) // and the caller is told which were new
		is.Equal(leggTil(t, l, o), 0)
		samtidig(4, func(int) {
			if nye, err := l.Work.Add(t.Context(), o); nye != 0 || err != nil {
				t.Errorf("Add: %d nye, %v", nye, err)
			}
		})
		leier := klaim(t, l, levering.KoSvar, 9, Start)
		is.Equal(len(leier), 1)
		is.Equal(leggTil(t, l, o), 0) // while it is leased
		is.Equal(len(klaim(t, l, levering.KoSvar, 9, Start)), 0)
		is.NoErr(l.Work.Done(t.Context(), leier[0]))
		is.Equal(leggTil(t, l, o), 0) // after it was settled
		l = l.pany(t)
		is.Equal(leggTil(t, l, o, levering.SvarOppdrag(etSvar(Start.Add(2*time.Hour)))), 1) // beside one that is new
		is.Equal(len(klaim(t, l, levering.KoSvar, 9, Start.Add(time.Hour))), 0)
	})

	t.Run("W2 of callers with the same new id one is told it is new", func(t *testing.T) {
		is, l := is.New(t), open(t)
		o := levering.SvarOppdrag(etSvar(Start))
		var nye atomic.Int32
		samtidig(4, func(int) {
			n, err := l.Work.Add(t.Context(), o)
			if err != nil {
				t.Errorf("Add: %v", err)
			}
			nye.Add(int32(n))
		})
		is.Equal(nye.Load(), int32(1))
	})

	t.Run("W2 also when a report settled it", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t)
		id := Lagre(t, l, n)
		s := etSvar(Start)
		s.AvsenderKonto, s.Forbigaende = n.Fakta.KontoID, false
		o := levering.SvarOppdrag(s)
		leggTil(t, l, o)
		leie := klaimEn(t, l, levering.KoSvar, Start)
		u := Endre(t, l, id, func(u ports.Utgave) (ports.Endring, error) {
			return levering.BehandleSvar(u, leie.Oppdrag, Policy, Start)
		})
		is.Equal(u.Melding.Tilstand(), melding.AVVIST_FAGSYSTEM)
		harBytes(t, l, id, melding.DelSvar(1), bytesAv(t, s.Innhold))
		is.Equal(leggTil(t, l, o), 0)
		is.Equal(len(klaim(t, l, levering.KoSvar, 9, Start.Add(time.Hour))), 0)
		is.NoErr(l.Work.Release(t.Context(), leie, Start, "x")) // gone: no call was needed
		is.Equal(len(klaim(t, l, levering.KoSvar, 9, Start.Add(time.Hour))), 0)
	})
}

func testClaim(t *testing.T, open func(t *testing.T) Lager) {
	t.Run("W3 oldest due first, at most max, nothing early", func(t *testing.T) {
		is, l := is.New(t), open(t)
		var ventet []levering.OppdragID
		for _, sek := range []int{7, 3, 9, 1, 5} {
			leggTil(t, l, levering.SvarOppdrag(etSvar(Start.Add(time.Duration(sek)*time.Second))))
		}
		is.Equal(len(klaim(t, l, levering.KoSvar, 9, Start.Add(time.Second-time.Microsecond))), 0)
		is.Equal(len(klaim(t, l, levering.KoSend, 9, Start.Add(time.Hour))), 0) // another queue
		forste := klaim(t, l, levering.KoSvar, 2, Start.Add(7*time.Second))
		neste := klaim(t, l, levering.KoSvar, 9, Start.Add(7*time.Second)) // due now counts
		is.Equal(len(forste), 2)
		is.Equal(len(neste), 2)
		for _, x := range slices.Concat(forste, neste) {
			ventet = append(ventet, x.Oppdrag.ID)
			is.Equal(x.Attempt, 1)
			is.True(x.Token != "")
			is.Equal(x.Until, Start.Add(67*time.Second))
		}
		is.True(slices.IsSortedFunc(slices.Concat(forste, neste), func(a, b ports.Lease) int { return a.Oppdrag.Forfall.Compare(b.Oppdrag.Forfall) }))
		slices.Sort(ventet)
		is.Equal(len(slices.Compact(ventet)), 4)
	})

	t.Run("W4 one report is in one pair of hands, across queues", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t)
		id := Lagre(t, l, n)
		na := n.Fakta.Frist
		Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) {
			return ports.Endring{Nye: []levering.Oppdrag{levering.NyttOppdrag(id, levering.KoSend, "", 2, Start)}}, nil
		})
		send := klaim(t, l, levering.KoSend, 9, na) // two are due
		is.Equal(len(send), 1)
		is.Equal(len(klaim(t, l, levering.KoSend, 9, na)), 0)
		is.Equal(len(klaim(t, l, levering.KoFrist, 9, na)), 0)
		is.NoErr(l.Work.Release(t.Context(), send[0], na.Add(time.Hour), "prøver igjen"))
		fristen := klaim(t, l, levering.KoFrist, 9, na)
		is.Equal(len(fristen), 1)
		is.Equal(len(klaim(t, l, levering.KoSend, 9, na)), 0)
		Endre(t, l, id, func(u ports.Utgave) (ports.Endring, error) {
			return levering.FristUtlopt(u, fristen[0].Oppdrag, Policy, na)
		})
		is.Equal(len(klaim(t, l, levering.KoBrev, 9, na)), 1) // settled: the next may begin
	})

	t.Run("W4 also with many callers at once", func(t *testing.T) {
		is, l := is.New(t), open(t)
		const meldinger = 6
		na := Start.Add(72 * time.Hour)
		for range meldinger {
			Lagre(t, l, NyMelding(t))
		}
		var mu sync.Mutex
		sett := map[melding.ID]int{}
		samtidig(6, func(i int) {
			for j := range 4 {
				ko := []levering.Ko{levering.KoSend, levering.KoFrist}[(i+j)%2]
				leier, err := l.Work.Claim(t.Context(), ko, 2, na, time.Minute)
				if err != nil {
					t.Errorf("Claim: %v", err)
				}
				mu.Lock()
				for _, x := range leier {
					sett[x.Oppdrag.Melding]++
				}
				mu.Unlock()
			}
		})
		for id, n := range sett {
			if n > 1 {
				t.Errorf("melding %s ble delt ut %d ganger", id, n)
			}
		}
		is.Equal(len(sett), meldinger) // and nothing was forgotten
	})

	t.Run("W4 while callers take and give back", func(t *testing.T) {
		l := open(t)
		const meldinger = 3
		na := Start.Add(72 * time.Hour)
		holder := map[melding.ID]*atomic.Int32{}
		for range meldinger {
			holder[Lagre(t, l, NyMelding(t))] = new(atomic.Int32)
		}
		samtidig(4, func(i int) {
			for j := range 12 {
				ko := []levering.Ko{levering.KoSend, levering.KoFrist}[(i+j)%2]
				leier, err := l.Work.Claim(t.Context(), ko, 2, na, time.Minute)
				if err != nil {
					t.Errorf("Claim: %v", err)
				}
				for _, x := range leier {
					if n := holder[x.Oppdrag.Melding].Add(1); n != 1 {
						t.Errorf("%d holder melding %s", n, x.Oppdrag.Melding)
					}
				}
				for _, x := range leier {
					holder[x.Oppdrag.Melding].Add(-1)
					if err := l.Work.Release(t.Context(), x, na, "igjen"); err != nil {
						t.Errorf("Release: %v", err)
					}
				}
			}
		})
	})

	t.Run("W4 a busy report at the head of the queue hides nobody", func(t *testing.T) {
		is, l := is.New(t), open(t)
		opptatt := Lagre(t, l, NyMelding(t))
		Endre(t, l, opptatt, func(ports.Utgave) (ports.Endring, error) {
			var e ports.Endring
			for i := range 12 {
				e.Nye = append(e.Nye, levering.NyttOppdrag(opptatt, levering.KoSend, "", 2+i, Start))
			}
			return e, nil
		})
		is.Equal(len(klaim(t, l, levering.KoSend, 3, Start)), 1)
		ledig := Lagre(t, l, NyMelding(t, func(o *Oppskrift) { o.Innsendt = Start.Add(time.Second) }))
		leier := klaim(t, l, levering.KoSend, 1, Start.Add(time.Second))
		is.Equal(len(leier), 1)
		is.Equal(leier[0].Oppdrag.Melding, ledig)
	})

	t.Run("W5 the frist fires while sending retries", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t)
		Lagre(t, l, n)
		send := klaim(t, l, levering.KoSend, 1, Start)
		is.Equal(len(send), 1)
		is.Equal(len(klaim(t, l, levering.KoFrist, 1, Start)), 0) // not due
		is.NoErr(l.Work.Release(t.Context(), send[0], n.Fakta.Frist.Add(time.Minute), "ingen kontakt"))
		fristen := klaim(t, l, levering.KoFrist, 1, n.Fakta.Frist)
		is.Equal(len(fristen), 1)
		is.NoErr(l.Work.Release(t.Context(), fristen[0], n.Fakta.Frist.Add(time.Hour), "x"))
		is.Equal(len(klaim(t, l, levering.KoSend, 1, n.Fakta.Frist.Add(time.Minute))), 1) // and the other way round
	})

	t.Run("W5 older work that is not due never hides younger that is", func(t *testing.T) {
		is, l := is.New(t), open(t)
		id := Lagre(t, l, NyMelding(t))
		send := klaimEn(t, l, levering.KoSend, Start)
		is.NoErr(l.Work.Release(t.Context(), send, Start.Add(time.Hour), "x"))
		ny := levering.NyttOppdrag(id, levering.KoSend, "", 2, Start.Add(time.Minute))
		Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) { return ports.Endring{Nye: []levering.Oppdrag{ny}}, nil })
		leier := klaim(t, l, levering.KoSend, 9, Start.Add(time.Minute))
		is.Equal(len(leier), 1)
		is.Equal(leier[0].Oppdrag.ID, ny.ID)
	})

	t.Run("W6 not settled by Until is handed out again", func(t *testing.T) {
		is, l := is.New(t), open(t)
		id := Lagre(t, l, NyMelding(t))
		a := klaimEn(t, l, levering.KoSend, Start)
		is.Equal(len(klaim(t, l, levering.KoSend, 1, a.Until.Add(-time.Microsecond))), 0)
		l = l.pany(t) // a crash counts too
		b := klaim(t, l, levering.KoSend, 1, a.Until)
		is.Equal(len(b), 1)
		Lik(t, b[0].Oppdrag, a.Oppdrag)
		is.Equal(b[0].Attempt, 2)
		is.True(b[0].Token != a.Token)
		// The same as the report itself tells it: a lease changes nothing in what is owed.
		Lik(t, eget(Les(t, l, id), levering.KoSend), a.Oppdrag)
	})

	t.Run("W6 an expired lease holds back nobody of the same report", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t)
		Lagre(t, l, n)
		klaim(t, l, levering.KoSend, 1, n.Fakta.Frist)
		is.Equal(len(klaim(t, l, levering.KoFrist, 1, n.Fakta.Frist.Add(time.Minute-time.Microsecond))), 0)
		is.Equal(len(klaim(t, l, levering.KoFrist, 1, n.Fakta.Frist.Add(time.Minute))), 1)
		is.Equal(len(klaim(t, l, levering.KoSend, 1, n.Fakta.Frist.Add(time.Minute))), 0)
	})
}
