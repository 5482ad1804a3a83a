package acceptance_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/fakeprint"
	"portal.example/bekymringsmelding/adapters/memory/feil"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// forlop is one way a report's life can go, driven without expectations on the way: what must hold at the end is the same for all.
type forlop struct {
	navn          string
	kommune       string
	bydel         string
	verden        func(*world.Verden)
	underveis     func(*world.Verden, melding.ID) // after half the time
	slutt         melding.Tilstand                // "" = LEVERT
	apen          levering.Saksart                // the case the scenario says stays open
	etterSletting bool
}

var forlopene = []forlop{
	{navn: "bekreftet", kommune: "4601", bydel: "01"},
	{navn: "avvist, brev", kommune: "5501", bydel: "00"},
	{navn: "stille, brev på fristen", kommune: "4204", bydel: "00"},
	{navn: "bekreftet to ganger", kommune: "4601", bydel: "01", verden: func(v *world.Verden) { v.Fagsystem["4601/01"].Oppfor(sim.ToGanger) }},
	{navn: "kvittering etter at brevet er bestilt", kommune: "4601", bydel: "01", verden: func(v *world.Verden) {
		v.Manus = func(levering.Brev) fakeprint.Manus { return fakeprint.Poster(6 * time.Hour) }
		v.Fagsystem["4601/01"].Svarer(func(world.Sendt) []world.Svar {
			return []world.Svar{{Meldingstype: protokoll.Mottatt, Etter: 41 * time.Hour}}
		})
	}},
	{navn: "avvist etter levert", kommune: "4601", bydel: "01", apen: levering.SakFeiletEtterLevert, verden: func(v *world.Verden) {
		v.Fagsystem["4601/01"].Svarer(func(world.Sendt) []world.Svar {
			return []world.Svar{{Meldingstype: protokoll.Mottatt}, {Meldingstype: protokoll.Feilet, Etter: time.Hour}}
		})
	}},
	{navn: "trykkeriet avviser", kommune: "5501", bydel: "00", slutt: melding.AVVIST_PRINT, apen: levering.SakBrevAvvist, verden: func(v *world.Verden) {
		v.Manus = func(levering.Brev) fakeprint.Manus { return fakeprint.Avviser(time.Hour) }
	}},
	{navn: "operatør bestiller nytt brev", kommune: "5501", bydel: "00", verden: func(v *world.Verden) {
		n := 0
		v.Manus = func(levering.Brev) fakeprint.Manus {
			if n++; n == 1 {
				return fakeprint.Nekter()
			}
			return fakeprint.Poster(time.Hour)
		}
	}, underveis: func(v *world.Verden, id melding.ID) {
		for range 3 { // an operator who is told that it did not work tries again
			if _, err := v.System.Levering.Avgjor(context.Background(), id, levering.Avgjorelse{Valg: levering.ValgBrev, Hvem: "kari", Grunn: "prøve"}); err == nil {
				return
			}
		}
	}},
	{navn: "kanalen nede, trykkeriet nede", kommune: "4601", bydel: "01", verden: func(v *world.Verden) {
		v.Nett.Nede(true)
		v.Print.Nede(v.Klokke.Now().Add(60 * time.Hour))
	}},
	{navn: "serverfeil, så bekreftet", kommune: "4601", bydel: "01", verden: func(v *world.Verden) {
		n := 0
		v.Fagsystem["4601/01"].Svarer(func(s world.Sendt) []world.Svar {
			if n++; n == 1 {
				return []world.Svar{{Meldingstype: protokoll.Serverfeil}}
			}
			return world.Kvitterer(s)
		})
	}},
	{navn: "kontoen stengt", kommune: "4601", bydel: "01", verden: func(v *world.Verden) { v.Nett.Steng(v.KontoID("4601", "01")) }},
	{navn: "sletting", kommune: "4601", bydel: "01", etterSletting: true},
}

// feillager is a store whose writes go through a Feil.
type feillager struct {
	ports.Store
	ports.Vault
	ports.Work
	ports.Ledger
	ports.Certificates
	ports.Directory
	ports.Registry
	ports.Access
	ports.Overview
	stell
}

type stell interface {
	Vedlikehold(context.Context) error
	LedigPlass(context.Context) (int64, error)
	Close() error
}

func rundt(f *feil.Feil) func(*compose.Lager, *ports.Transport, *ports.Printer) {
	return func(l *compose.Lager, t *ports.Transport, p *ports.Printer) {
		x := *l
		*l = feillager{f.Store(x), x, f.Work(x), f.Ledger(x), f.Certificates(x), x, f.Registry(x), x, x, x}
		*t, *p = f.Transport(*t), f.Printer(*p)
	}
}

// forseglet holds one sealed report a receiver: sealing is slow, and the portal does not look inside.
var forseglet sync.Map

// kjor lives one report's life with the n-th writing call after set-up failing as krok says; n 0 = none. It gives the number of
// writing calls there were, and what is wrong at the end.
func (f forlop) kjor(t testing.TB, lager func(testing.TB) compose.Lager, brev string, n int, utfor bool) (antall int, feilet string) {
	t.Helper()
	fe := feil.Ny(nil)
	v := world.Ny(t, world.Valg{Lager: lager, UtenHTTP: true, Brev: brev, Rundt: rundt(fe)})
	v.Steg = 12 * time.Hour
	if f.verden != nil {
		f.verden(v)
	}
	mottaker := f.kommune + "/" + f.bydel
	s, ok := forseglet.Load(mottaker)
	if !ok {
		s, _ = forseglet.LoadOrStore(mottaker, v.Forsegl(f.kommune, f.bydel))
	}
	start := len(fe.Kall())
	if n > 0 {
		fe.Sett(feil.Nte(start+n, utfor, fmt.Errorf("satt inn av prøven: %w", ports.ErrUnavailable)))
	}
	id, err := v.Lever(s.(world.Sending))
	v.Fram(4 * 24 * time.Hour)
	if f.underveis != nil && id != "" {
		f.underveis(v, id)
	}
	v.Fram(4 * 24 * time.Hour)
	if f.etterSletting {
		v.Steg = 5 * 24 * time.Hour
		v.Fram(35 * 24 * time.Hour)
	}
	kall := fe.Kall()[start:]
	if n > 0 && n <= len(kall) {
		feilet = fmt.Sprintf("kall %d %s.%s utført=%v: ", n, kall[n-1].Port, kall[n-1].Metode, utfor)
	}
	if gal := f.dom(v, id, err); gal != "" {
		return len(kall), feilet + gal
	}
	return len(kall), ""
}

// dom is what must hold when the world is at rest.
func (f forlop) dom(v *world.Verden, id melding.ID, postfeil error) string {
	ctx := context.Background()
	rader, err := v.Lager.List(ctx, ports.Filter{}, "", 10)
	switch {
	case err != nil:
		return err.Error()
	case postfeil != nil && len(rader) == 0:
		return "" // nothing stored and no 201
	case len(rader) != 1:
		return fmt.Sprintf("%d meldinger lagret", len(rader))
	case postfeil == nil && rader[0].ID != id:
		return "en annen id enn den som ble svart"
	}
	u := v.Utgave(rader[0].ID)
	if err := levering.Kontroller(u); err != nil {
		return err.Error()
	}
	var stier []string
	levert := 0
	for _, h := range u.Melding.Historikk {
		if h.Art == melding.Overgang {
			stier = append(stier, string(h.Tilstand))
		}
		if h.Tilstand == melding.LEVERT {
			levert++
		}
	}
	slutt := f.slutt
	if slutt == "" {
		slutt = melding.LEVERT
	}
	if postfeil != nil && f.underveis != nil { // nobody knew its id, so nobody decided
		slutt = u.Melding.Tilstand()
	}
	if u.Melding.Tilstand() != slutt || levert > 1 || slutt == melding.LEVERT && levert != 1 {
		return "endte i " + strings.Join(stier, " ")
	}
	for _, s := range u.Saker {
		if s.Apen() && s.Art != f.apen && f.underveis == nil {
			return "åpen sak: " + string(s.Art)
		}
	}
	if _, ok := u.ApenSak(f.apen); f.apen != "" && !ok {
		return "saken " + string(f.apen) + " er ikke åpen"
	}
	if brudd, err := v.Lager.Breaches(ctx, 10); err != nil || len(brudd) > 0 {
		return fmt.Sprint("brudd på alltid skyldig: ", brudd, err)
	}
	jobber := map[melding.ForsokID]int{}
	for _, b := range v.Brev(rader[0].ID) {
		if jobber[b.Jobb]++; jobber[b.Jobb] > 1 {
			return "to brev for ett forsøk"
		}
	}
	if f.etterSletting != u.Slettet {
		return fmt.Sprintf("slettet=%v", u.Slettet)
	}
	return ""
}

// skritt is 1 but for a life with very many calls, where days of the same retries are sampled. SVEIP=full takes them all.
func skritt(n, antall int) int {
	if antall <= 100 || n < 30 || n > antall-15 || os.Getenv("SVEIP") == "full" {
		return 1
	}
	return antall / 20
}

// TestEveryWriteMayFailBothWays is the first form of the proof: every call that writes, in every life, fails once as failed and not
// stored, and once as failed but stored; the world driven on comes to rest where it should.
func TestEveryWriteMayFailBothWays(t *testing.T) {
	for navn, lager := range map[string]func(testing.TB) compose.Lager{"memory": memoryLager, "sqlite": sqliteLager} {
		t.Run(navn, func(t *testing.T) {
			t.Parallel()
			for _, f := range forlopene {
				t.Run(f.navn, func(t *testing.T) {
					brev := func() string {
						m, err := os.MkdirTemp(minne(t), "brev")
						if err != nil {
							t.Fatal(err)
						}
						return filepath.Join(m, "b")
					}
					antall, feilet := f.kjor(t, lager, brev(), 0, true)
					if feilet != "" {
						t.Fatal("uten feil: ", feilet)
					}
					if antall < 4 {
						t.Fatalf("bare %d skrivende kall", antall)
					}
					var gale []string
					for n := 1; n <= antall; n += skritt(n, antall) {
						for _, utfor := range []bool{false, true} {
							if _, feilet := f.kjor(t, lager, brev(), n, utfor); feilet != "" {
								gale = append(gale, feilet)
							}
						}
					}
					slices.Sort(gale)
					for _, g := range gale {
						t.Error(g)
					}
					t.Logf("%d skrivende kall, hvert av dem feilet på to måter", antall)
				})
			}
		})
	}
}
