package acceptance_test

import (
	"context"
	"maps"
	"slices"
	"sync"

	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// svarteller counts how often each answer was handed over, and how often it was taken.
type svarteller struct {
	ports.Transport
	mu         sync.Mutex
	kall, tatt map[string]int
}

func (s *svarteller) Receive(ctx context.Context, take func(context.Context, melding.Svar) error) error {
	return s.Transport.Receive(ctx, func(ctx context.Context, sv melding.Svar) error {
		err := take(ctx, sv)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.kall[sv.ID]++
		if err == nil {
			s.tatt[sv.ID]++
		}
		return err
	})
}

// gjentatt is how many times an answer was taken that had been taken before, at least and at most: a take that gave an error may have
// stored it all the same.
func (s *svarteller) gjentatt() (minst, mest int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, n := range s.kall {
		minst, mest = minst+max(0, s.tatt[id]-1), mest+n-1
	}
	return minst, mest
}

// rader is a report's history as its sender sees it.
func (v *nettverden) rader(id melding.ID) []string {
	v.t.Helper()
	rader, err := v.avsender.Status(context.Background(), id)
	v.is.NoErr(err)
	var ut []string
	for _, r := range rader {
		ut = append(ut, r.Tilstand)
	}
	return ut
}

func (v *nettverden) levert(id melding.ID) bool {
	r := v.rader(id)
	return r[len(r)-1] == string(melding.LEVERT)
}

// alleLevert waits for every report that got a 201, and then looks at what no fault may change.
func (v *nettverden) alleLevert() (brev int) {
	v.t.Helper()
	for _, id := range v.godtatt {
		simtest.Til(v.t, "melding "+string(id)+" er levert", func() bool { return v.levert(id) })
	}
	vist := 0
	for _, id := range v.godtatt {
		r := v.rader(id)
		if n := len(slices.DeleteFunc(slices.Clone(r), func(s string) bool { return s != string(melding.LEVERT) })); n != 1 || r[0] != string(melding.AKSEPTERT) {
			v.t.Errorf("melding %s har historikken %v", id, r)
		}
		if slices.Contains(r, string(melding.SENDT_PRINT)) {
			brev++
		}
		vist += v.likeDubletter(id)
	}
	brudd, err := v.lager.Breaches(context.Background(), 10)
	v.is.NoErr(err)
	v.is.Equal(len(brudd), 0)
	v.is.Equal(maling(v.t, v.adr, "portal_uten_arbeid"), 0)
	if n := maling(v.t, v.adr, "portal_sending_gjentatt_total"); n < vist {
		v.t.Errorf("fagsystemene så %d dubletter, og bare %d er talt", vist, n)
	}
	minst, mest := v.teller.gjentatt()
	if n := maling(v.t, v.adr, "portal_svar_gjentatt_total"); n < minst || n > mest {
		v.t.Errorf("svar ble tatt imot på nytt %d til %d ganger, og %d er talt", minst, mest, n)
	}
	v.t.Logf("%d meldinger levert, %d som brev; %d dubletter hos fagsystemene, %d svar tatt imot på nytt", len(v.godtatt), brev, vist, minst)
	return brev
}

// likeDubletter gives how many more times than it was meant to a report was sent, as the case system saw it. Each of them must have the
// attempt's own klientMeldingId, and be written in the report's history.
func (v *nettverden) likeDubletter(id melding.ID) int {
	v.t.Helper()
	v.mu.Lock()
	klienter, plattform := map[string]bool{}, map[string]bool{}
	for _, s := range v.sett[id] {
		klienter[s.klientID], plattform[s.plattformID] = true, true
	}
	v.mu.Unlock()
	u, err := v.lager.Get(context.Background(), id)
	v.is.NoErr(err)
	if mest := 1 + u.Melding.Antall(melding.NySendingBestilt); len(klienter) > mest || klienter[""] {
		v.t.Errorf("melding %s ble sendt med klientMeldingId %v; høyst %d skulle brukes", id, slices.Collect(maps.Keys(klienter)), mest)
	}
	n := len(plattform) - len(klienter)
	if n > 0 && !u.Melding.Har(melding.SendingGjentatt) {
		v.t.Errorf("fagsystemet så melding %s %d ganger for mye, og historikken sier det ikke", id, n)
	}
	return n
}
