package acceptance_test

import (
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/sysclock"
)

// TestNetworkFaults breaks the lines between a portal and Fiks IO in every way lines break, on real sockets and the real clock. However
// they break: reports are accepted all the while, each ends in LEVERT once, and whatever was sent or answered twice can be known by its
// id and is counted.
func TestNetworkFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("kort kjøring")
	}
	d, err := world.Apne(t.TempDir(), 2048, sysclock.Clock{}.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct {
		navn string
		valg nettvalg
		kjor func(*nettverden)
	}{
		{"alt tar 300 ms lenger: alt kommer fram", nettvalg{}, treghet},
		{"forbindelsen for svar brytes igjen og igjen", nettvalg{}, brytes},
	} {
		t.Run(f.navn, func(t *testing.T) {
			t.Parallel()
			f.kjor(nyttNett(t, d, f.valg))
		})
	}
}

func treghet(v *nettverden) {
	for _, retning := range []string{"upstream", "downstream"} {
		v.gift(v.amqp, "latency", retning, `{"latency":300,"jitter":100}`)
		v.gift(v.http, "latency", retning, `{"latency":300,"jitter":100}`)
	}
	v.is.True(v.underFeil(3*time.Second, 100*time.Millisecond) >= 20)
	v.is.Equal(v.alleLevert(), 0) // no letter: slow is not lost
}

func brytes(v *nettverden) {
	n := 0
	for range 15 {
		n += v.underFeil(200*time.Millisecond, 50*time.Millisecond)
		v.kutt(v.amqp)
	}
	v.is.True(n >= 30)
	v.alleLevert()
}
