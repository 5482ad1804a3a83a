package rabbit_test

import (
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/broker/brokertest"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit/rabbittest"
)

func TestBroker(t *testing.T) {
	brokertest.Test(t, func(t *testing.T, tilgang broker.Tilgang) brokertest.Rigg {
		n := rabbittest.Start(t, tilgang)
		return brokertest.Rigg{Broker: n, TLS: n.TLS, Vent: func(_ *testing.T, d time.Duration) {
			<-time.After(d) // RabbitMQ goes by the machine's clock
		}}
	})
}
