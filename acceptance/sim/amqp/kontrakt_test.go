package amqp

import (
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/broker/brokertest"
	"portal.example/bekymringsmelding/adapters/memory"
)

func TestBroker(t *testing.T) {
	brokertest.Test(t, func(t *testing.T, tilgang broker.Tilgang) brokertest.Rigg {
		klokke := memory.NyKlokke(nyttar)
		tjener, klient := tlsPar(t)
		b := startet(t, Config{TLS: tjener, Klokke: klokke, Tilgang: tilgang})
		return brokertest.Rigg{Broker: b, TLS: klient, Vent: func(_ *testing.T, d time.Duration) { klokke.Flytt(d) }}
	})
}
