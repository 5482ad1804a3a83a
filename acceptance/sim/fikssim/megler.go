package fikssim

import (
	"context"
	"crypto/tls"
	"errors"

	"portal.example/bekymringsmelding/acceptance/sim/amqp"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
)

// The brokers.
const (
	Innebygd = "innebygd"
	RabbitMQ = "rabbitmq"
)

func (v *Verden) startMegler(_ context.Context, tjener *tls.Config) (broker.Broker, error) {
	switch v.c.Megler {
	case "", Innebygd:
		return amqp.Start(amqp.Config{Adresse: v.c.AMQP, TLS: tjener, Klokke: v.c.Klokke, Tilgang: v.p, Logg: v.c.Logg})
	}
	return nil, errors.New("ukjent megler")
}
