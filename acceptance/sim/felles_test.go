package sim_test

import (
	"sync"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
)

// start is when every test of this package begins.
var start = time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)

type klokke struct {
	mu sync.Mutex
	na time.Time
}

func (k *klokke) Now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.na
}

func (k *klokke) frem(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.na = k.na.Add(d)
}

// verdenen is made once a run: RSA keys are what takes time here. 2048 bits are the least anything accepts.
type verdenen struct {
	ca                                 *sim.CA
	avsender, mottaker, portal, printe *sim.Sertifikat
}

var lagVerden = sync.OnceValues(func() (verdenen, error) {
	ca, err := sim.NyCA("Testrot", 2048, func() time.Time { return start })
	if err != nil {
		return verdenen{}, err
	}
	s, err := ca.UtstedAlle(
		sim.Bestilling{Navn: "Skolen", Orgnr: sim.Orgnr(0), Formal: sim.Virksomhet, Bits: 2048},
		sim.Bestilling{Navn: "Bydelen", Orgnr: sim.Orgnr(1), Formal: sim.Mottaker, Bits: 2048},
		sim.Bestilling{Navn: "Portalen", Orgnr: sim.Orgnr(2), Formal: sim.Portal, Bits: 2048},
		sim.Bestilling{Navn: "Trykkeriet", Orgnr: sim.Orgnr(3), Formal: sim.Printer, Bits: 2048})
	if err != nil {
		return verdenen{}, err
	}
	return verdenen{ca: ca, avsender: s[0], mottaker: s[1], portal: s[2], printe: s[3]}, nil
})

func verden(t testing.TB) verdenen {
	t.Helper()
	v, err := lagVerden()
	if err != nil {
		t.Fatal(err)
	}
	return v
}
