// Package simtest is what the tests of the simulated world, and of what talks to it, share: waiting for the other side of a wire, and keys
// that are made once a run.
package simtest

import (
	"crypto/tls"
	"sync"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
)

// Frist is how long is waited for what should come at once. Only a failure ever waits this long.
const Frist = 30 * time.Second

// Vent receives from c, or fails.
func Vent[T any](t testing.TB, c <-chan T, hva string) (v T) {
	t.Helper()
	select {
	case v, ok := <-c:
		if !ok {
			t.Fatalf("ventet på %s, men det er slutt", hva)
		}
		return v
	case <-time.After(Frist):
		t.Fatalf("ventet forgjeves på %s", hva)
	}
	return v
}

// Til looks until klar says yes, or fails: what happens by itself, in a real broker or process, has no fake clock.
func Til(t testing.TB, hva string, klar func() bool) {
	t.Helper()
	frist, tikk := time.After(Frist), time.NewTicker(5*time.Millisecond)
	defer tikk.Stop()
	for !klar() {
		select {
		case <-tikk.C:
		case <-frist:
			t.Fatalf("ventet forgjeves på at %s", hva)
		}
	}
}

// Start is when the fake clocks of these tests begin, and when the keys of Nokler are valid.
var Start = time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)

// Nokkelring is a CA with the keys of two accounts, one of them with a key to change to, and of a server.
type Nokkelring struct {
	CA                          *sim.CA
	Portal, Bydel, NyBydel, TLS *sim.Sertifikat
}

// Nokler are the same all through a run: making RSA keys takes longer than most tests. 2048 bits are the least anything accepts.
func Nokler(t testing.TB) Nokkelring {
	t.Helper()
	n, err := lagNokler()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var lagNokler = sync.OnceValues(func() (n Nokkelring, err error) {
	if n.CA, err = sim.NyCA("Testrot", 2048, func() time.Time { return Start }); err != nil {
		return n, err
	}
	b := func(navn string, orgnr int) sim.Bestilling {
		return sim.Bestilling{Navn: navn, Orgnr: sim.Orgnr(orgnr), Formal: sim.Portal, Bits: 2048}
	}
	s, err := n.CA.UtstedAlle(b("Portalen", 1), b("Bydelen", 2), b("Bydelen", 2), sim.Bestilling{Navn: "megler", Formal: sim.TLS, Bits: 2048})
	if err == nil {
		n.Portal, n.Bydel, n.NyBydel, n.TLS = s[0], s[1], s[2], s[3]
	}
	return n, err
})

// Tjener is a server's certificate on loopback and the CA behind it, valid by the machine's own clock, which is the one TLS looks at.
type Tjener struct {
	CA  *sim.CA
	TLS *tls.Config
}

// NyTjener gives the same one all through a run.
func NyTjener(t testing.TB) Tjener {
	t.Helper()
	s, err := lagTjener()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var lagTjener = sync.OnceValues(func() (j Tjener, err error) {
	if j.CA, err = sim.NyCA("Tjenerrot", 2048, time.Now); err != nil {
		return j, err
	}
	s, err := j.CA.Utsted(sim.Bestilling{Navn: "Tjeneren", Formal: sim.TLS, Bits: 2048})
	if err == nil {
		j.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{s.Cert.Raw}, PrivateKey: s.Nokkel}}}
	}
	return j, err
})
