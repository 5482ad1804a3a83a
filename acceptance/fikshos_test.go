package acceptance_test

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/amqp"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit/rabbittest"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// fikshos is the built portal as a process, and Fiks IO here in the test, which can look at it and change it.
type fikshos struct {
	*prosesser
	mp   *sim.Maskinporten
	fiks *world.Fiks
	node *rabbittest.Node // nil = the built-in broker
}

// nyFikshos starts everything but the portal, whose set-up is done. behandle and grense: see world.Fiksvalg.
func nyFikshos(t *testing.T, lager, megler string, grense int64, behandle func(*world.Mottakerdata) func(sim.Mottatt) []sim.Svar) *fikshos {
	t.Helper()
	is := is.New(t)
	v := &fikshos{prosesser: nyPortalverden(t, lager, 300)}
	var err error
	v.mp, err = sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: sysclock.Clock{}.Now})
	is.NoErr(err)
	is.NoErr(v.mp.Start())
	t.Cleanup(func() { _ = v.mp.Lukk() })
	is.NoErr(world.Registrer(v.mp, v.d))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	is.NoErr(err)
	valg := world.Fiksvalg{D: v.d, MP: v.mp, Klokke: sysclock.Clock{}, Lytt: l, Grense: grense, Behandle: behandle,
		Broker: func(tilgang broker.Tilgang, c *tls.Config) (broker.Broker, error) {
			return amqp.Start(amqp.Config{Adresse: "127.0.0.1:0", TLS: c, Klokke: sysclock.Clock{}, Tilgang: tilgang})
		}}
	if megler == "rabbitmq" {
		valg.Tillit = func() *tls.Config { return v.node.TLS }
		valg.Broker = func(tilgang broker.Tilgang, _ *tls.Config) (broker.Broker, error) {
			v.node = rabbittest.Start(t, tilgang)
			return lant{v.node}, nil
		}
	}
	v.fiks, err = world.StartFiks(t.Context(), valg)
	is.NoErr(err)
	t.Cleanup(func() { _ = v.fiks.Lukk() })
	utenSkjema := func(url string) string { return strings.Trim(strings.TrimPrefix(url, "http://"), "/") }
	v.prosesser.mp, v.prosesser.fiks, v.amqp = utenSkjema(v.mp.Utsteder()), utenSkjema(v.fiks.API), v.fiks.Broker.Adresse()
	if v.node != nil {
		v.ca = filepath.Join(v.mappe, "rabbit-ca.pem")
		is.NoErr(os.WriteFile(v.ca, v.node.CA.PEM(), 0o600))
	}
	v.kjor("oppsett", filepath.Join(v.mappe, "portal.json"))
	return v
}

// lytter says whether the broker has the portal as a consumer.
func (v *fikshos) lytter() bool {
	st, err := v.fiks.Broker.Status(context.Background(), protokoll.Konavn(world.Portalkonto))
	return err == nil && st.Konsumenter == 1
}
