package acceptance_test

import (
	"crypto/tls"
	"testing"

	"portal.example/bekymringsmelding/acceptance/sim/amqp"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/world"
)

// innebygd is the wire over the built-in broker, on the world's clock.
func innebygd(t testing.TB, d *world.Deltakere, k *world.Klokke) world.Kanal {
	t.Helper()
	return world.NyKabel(t, d, k, func(tilgang broker.Tilgang, c *tls.Config) (broker.Broker, error) {
		return amqp.Start(amqp.Config{Adresse: "127.0.0.1:0", TLS: c, Klokke: k, Tilgang: tilgang})
	})
}

// TestScenariosOverTheWire runs every scenario once more with Fiks IO's real wire between portal and case systems.
func TestScenariosOverTheWire(t *testing.T) {
	for _, s := range scenarier {
		t.Run(s.navn, func(t *testing.T) {
			t.Parallel()
			valg := s.valg
			valg.Lager, valg.Kanal = postgresLager, innebygd
			s.kjor(t, world.Ny(t, valg))
		})
	}
}
