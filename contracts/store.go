package contracts

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// TestStore is the contract of ports.Store.
func TestStore(t *testing.T, open func(t *testing.T) Lager) {
	t.Run("Create", func(t *testing.T) { testCreate(t, open) })
	t.Run("Update", func(t *testing.T) { testUpdate(t, open) })
	t.Run("Settle", func(t *testing.T) { testSettle(t, open) })
	t.Run("Sweep", func(t *testing.T) { testSweep(t, open) })
	t.Run("Dispatch", func(t *testing.T) { testDispatch(t, open) })
}

// erHel fails unless all of n is there.
func erHel(t testing.TB, l Lager, n ports.Ny) {
	t.Helper()
	m := melding.Melding{Fakta: n.Fakta}.Med(n.Hendelser...)
	LikUtgave(t, Les(t, l, n.Fakta.ID), ports.Utgave{Melding: m, Owed: n.Oppdrag, Saker: n.Saker})
	for del, f := range n.Deler {
		harBytes(t, l, n.Fakta.ID, del, bytesAv(t, f))
	}
}

func antall(t testing.TB, l Lager, f ports.Filter) int {
	t.Helper()
	n, err := l.Overview.Count(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func testCreate(t *testing.T, open func(t *testing.T) Lager) {
	t.Run("S1 nil survives power loss", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t, func(o *Oppskrift) { o.Asice = Tilfeldig(1<<20 + 17) })
		n.Fakta.UtloptPrint, n.Fakta.MuligDublett = true, MeldingID(Start)
		n.Saker = append(n.Saker, apenSak(n.Fakta.ID, "a", Start))
		n.Hendelser = append(n.Hendelser, melding.Hendelse{Tidspunkt: Start, Art: melding.Merknad, Kode: melding.MuligDublett, Aktor: melding.AktorPortal, Referanse: "x"})
		Lagre(t, l, n)
		erHel(t, l, n)
		l = l.pany(t)
		erHel(t, l, n)
		leier, err := l.Work.Claim(t.Context(), "send", 5, Start, time.Minute)
		is.NoErr(err)
		is.Equal(len(leier), 1)
		is.Equal(leier[0].Oppdrag.Melding, n.Fakta.ID)
	})

	t.Run("S2 the same id is the same report", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t)
		Lagre(t, l, n)
		for _, m := range []ports.Ny{n, NyMelding(t, func(o *Oppskrift) { o.ID = n.Fakta.ID })} {
			id, err := l.Store.Create(t.Context(), m)
			is.True(errors.Is(err, ports.ErrExists))
			is.Equal(id, n.Fakta.ID)
		}
		erHel(t, l, n) // nothing of the second
	})

	t.Run("S2 the same parts are the same report", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t)
		Lagre(t, l, n)
		m := gjentatt(t, n)
		id, err := l.Store.Create(t.Context(), m)
		is.True(errors.Is(err, ports.ErrExists))
		is.Equal(id, n.Fakta.ID)
		_, err = l.Store.Get(t.Context(), m.Fakta.ID)
		is.True(errors.Is(err, ports.ErrNotFound)) // nothing written
		is.Equal(antall(t, l, ports.Filter{}), 1)
		Lever(t, l, n.Fakta.ID, Start.Add(time.Hour))
		id, err = l.Store.Create(t.Context(), gjentatt(t, n))
		is.True(errors.Is(err, ports.ErrExists)) // delivered, but the content is kept
		is.Equal(id, n.Fakta.ID)
	})

	t.Run("S2 any difference is another report", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t)
		Lagre(t, l, n)
		for navn, endre := range map[string]func(*Oppskrift){
			"avsender": func(o *Oppskrift) { o.Fra = kommune.FiksOrgID(UUID()) },
			"mottaker": func(o *Oppskrift) { o.Til = kommune.RessursID(UUID()) },
			"slag":     func(o *Oppskrift) { o.Slag = melding.Privat },
			"versjon":  func(o *Oppskrift) { o.Versjon = melding.V1 },
			"asice":    func(o *Oppskrift) { o.Asice = Tilfeldig(700) },
			"pdf":      func(o *Oppskrift) { o.PDF = Tilfeldig(900) },
		} {
			_, err := l.Store.Create(t.Context(), gjentatt(t, n, endre))
			if err != nil {
				t.Errorf("%s: %v", navn, err)
			}
		}
		is.Equal(antall(t, l, ports.Filter{}), 7)
	})

	t.Run("S2 two racing calls give one report", func(t *testing.T) {
		is, l := is.New(t), open(t)
		for range 5 {
			n := NyMelding(t)
			var mu sync.Mutex
			var vant melding.ID
			var fikk []melding.ID
			samtidig(6, func(int) {
				m := gjentatt(t, n)
				id, err := l.Store.Create(t.Context(), m)
				mu.Lock()
				defer mu.Unlock()
				fikk = append(fikk, id)
				switch {
				case err == nil && vant == "" && id == m.Fakta.ID:
					vant = id
				case err == nil:
					t.Errorf("to ble tatt imot: %s og %s", vant, id)
				case !errors.Is(err, ports.ErrExists):
					t.Errorf("taperen fikk %v", err)
				}
			})
			is.True(vant != "")
			for _, id := range fikk {
				is.Equal(id, vant) // everybody got the first uuid
			}
			is.Equal(antall(t, l, ports.Filter{FraOrg: n.Fakta.FraFiksOrgID}), 1)
			is.Equal(len(Les(t, l, vant).Owed), 2)
		}
	})

	t.Run("S2 erased content gives a new report", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t)
		Lagre(t, l, n)
		Lever(t, l, n.Fakta.ID, Start.Add(time.Hour))
		Slett(t, l, n.Fakta.ID)
		m := gjentatt(t, n)
		Lagre(t, l, m)
		erHel(t, l, m)
		id, err := l.Store.Create(t.Context(), gjentatt(t, n))
		is.True(errors.Is(err, ports.ErrExists))
		is.Equal(id, m.Fakta.ID)
		_, err = l.Vault.Open(t.Context(), n.Fakta.ID, melding.DelPDF)
		is.True(errors.Is(err, ports.ErrErased)) // the first stays erased
	})

	t.Run("S3 an Idempotency-Key belongs to its first bytes", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t, func(o *Oppskrift) { o.Nokkel = "n-1" })
		Lagre(t, l, n)
		m := NyMelding(t, func(o *Oppskrift) { o.Nokkel, o.Fra, o.Til = "n-1", n.Fakta.FraFiksOrgID, n.Fakta.RessursID })
		id, err := l.Store.Create(t.Context(), m)
		is.True(errors.Is(err, ports.ErrConflict))
		is.Equal(id, n.Fakta.ID)
		_, err = l.Store.Get(t.Context(), m.Fakta.ID)
		is.True(errors.Is(err, ports.ErrNotFound))
		id, err = l.Store.Create(t.Context(), gjentatt(t, n, func(o *Oppskrift) { o.Nokkel = "n-1" }))
		is.True(errors.Is(err, ports.ErrExists)) // the same bytes: a plain repeat
		is.Equal(id, n.Fakta.ID)
		id, err = l.Store.Create(t.Context(), gjentatt(t, n, func(o *Oppskrift) { o.Nokkel = "n-2" }))
		is.True(errors.Is(err, ports.ErrExists)) // bytes decide before a new key
		is.Equal(id, n.Fakta.ID)
		Lagre(t, l, NyMelding(t, func(o *Oppskrift) { o.Nokkel = "n-1" }))                              // another sender
		Lagre(t, l, NyMelding(t, func(o *Oppskrift) { o.Fra = n.Fakta.FraFiksOrgID }))                  // no key
		Lagre(t, l, NyMelding(t, func(o *Oppskrift) { o.Fra = n.Fakta.FraFiksOrgID }))                  // no key is not a key
		Lagre(t, l, NyMelding(t, func(o *Oppskrift) { o.Fra, o.Nokkel = n.Fakta.FraFiksOrgID, "n-3" })) // another key
		is.Equal(antall(t, l, ports.Filter{FraOrg: n.Fakta.FraFiksOrgID}), 4)
	})

	t.Run("S3 a key that came with a repeat belongs to the repeated report", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t)
		Lagre(t, l, n)
		med := func(n ports.Ny, nokkel string) ports.Ny { n.Nokkel = nokkel; return n }
		for _, nokkel := range []string{"n-1", "n-2", "n-1"} { // a sender may make a new key for each try
			id, err := l.Store.Create(t.Context(), med(gjentatt(t, n), nokkel))
			is.True(errors.Is(err, ports.ErrExists))
			is.Equal(id, n.Fakta.ID)
		}
		l = l.pany(t)
		for _, nokkel := range []string{"n-1", "n-2"} {
			annen := NyMelding(t, func(o *Oppskrift) { o.Nokkel, o.Fra, o.Til = nokkel, n.Fakta.FraFiksOrgID, n.Fakta.RessursID })
			id, err := l.Store.Create(t.Context(), annen)
			is.True(errors.Is(err, ports.ErrConflict))
			is.Equal(id, n.Fakta.ID)
		}
		Lever(t, l, n.Fakta.ID, Start.Add(time.Hour))
		Slett(t, l, n.Fakta.ID)
		id, err := l.Store.Create(t.Context(), med(gjentatt(t, n), "n-2"))
		is.True(errors.Is(err, ports.ErrExists)) // the key outlives the content
		is.Equal(id, n.Fakta.ID)
		Lagre(t, l, NyMelding(t, func(o *Oppskrift) { o.Nokkel = "n-1" })) // another sender
		is.Equal(antall(t, l, ports.Filter{}), 2)
	})

	t.Run("S3 a repeat and other bytes racing for one key do not share it", func(t *testing.T) {
		is, l := is.New(t), open(t)
		for range 5 {
			n := NyMelding(t)
			Lagre(t, l, n)
			annen := NyMelding(t, func(o *Oppskrift) { o.Nokkel, o.Fra, o.Til = "n", n.Fakta.FraFiksOrgID, n.Fakta.RessursID })
			igjen := gjentatt(t, n, func(o *Oppskrift) { o.Nokkel = "n" })
			var ids [2]melding.ID
			var errs [2]error
			samtidig(2, func(i int) { ids[i], errs[i] = l.Store.Create(t.Context(), []ports.Ny{annen, igjen}[i]) })
			if errs[0] == nil { // the other bytes took the key first
				is.True(errors.Is(errs[1], ports.ErrConflict))
				is.Equal(ids, [2]melding.ID{annen.Fakta.ID, annen.Fakta.ID})
				continue
			}
			is.True(errors.Is(errs[0], ports.ErrConflict))
			is.True(errors.Is(errs[1], ports.ErrExists))
			is.Equal(ids, [2]melding.ID{n.Fakta.ID, n.Fakta.ID})
		}
	})

	t.Run("S3 racing calls with one key give one report", func(t *testing.T) {
		is, l := is.New(t), open(t)
		fra := kommune.FiksOrgID(UUID())
		var mu sync.Mutex
		vant := map[melding.ID]bool{}
		svar := map[melding.ID]bool{}
		samtidig(6, func(int) {
			id, err := l.Store.Create(t.Context(), NyMelding(t, func(o *Oppskrift) { o.Fra, o.Nokkel = fra, "n" }))
			mu.Lock()
			defer mu.Unlock()
			svar[id] = true
			if err == nil {
				vant[id] = true
			} else if !errors.Is(err, ports.ErrConflict) {
				t.Errorf("taperen fikk %v", err)
			}
		})
		is.Equal(len(vant), 1)
		is.Equal(len(svar), 1)
		is.Equal(antall(t, l, ports.Filter{FraOrg: fra}), 1)
	})

	t.Run("S4 an unknown outcome is all or nothing, and repeated safely", func(t *testing.T) {
		is, l := is.New(t), open(t)
		for i := range 20 {
			n := NyMelding(t)
			ctx, avbryt := context.WithCancel(bakgrunn())
			if i == 0 {
				avbryt()
			} else {
				go avbryt()
			}
			_, err := l.Store.Create(ctx, n)
			avbryt()
			for _, sikker := range []error{ports.ErrExists, ports.ErrConflict, ports.ErrRefused, ports.ErrNotFound} {
				is.True(!errors.Is(err, sikker))
			}
			if _, gerr := l.Store.Get(t.Context(), n.Fakta.ID); gerr == nil {
				erHel(t, l, n)
			} else {
				is.True(errors.Is(gerr, ports.ErrNotFound))
				is.True(err != nil) // nil is never lost
			}
			id, err := l.Store.Create(t.Context(), n)
			is.True(err == nil || errors.Is(err, ports.ErrExists))
			is.Equal(id, n.Fakta.ID)
			erHel(t, l, n)
		}
		is.Equal(antall(t, l, ports.Filter{}), 20)
	})
}

// gjentatt is n sent again: the same parts, sender and receiver under a new id, and no key.
func gjentatt(t testing.TB, n ports.Ny, valg ...func(*Oppskrift)) ports.Ny {
	t.Helper()
	f := n.Fakta
	return NyMelding(t, append([]func(*Oppskrift){func(o *Oppskrift) {
		o.Slag, o.Versjon, o.Fra, o.Til, o.Innsendt = f.Slag, f.Versjon, f.FraFiksOrgID, f.RessursID, f.Innsendt
		o.Asice, o.PDF = bytesAv(t, n.Deler[melding.DelAsice]), bytesAv(t, n.Deler[melding.DelPDF])
	}}, valg...)...)
}
