package fikssim

import (
	"context"
	"crypto/tls"
	"errors"

	"portal.example/bekymringsmelding/acceptance/sim/amqp"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit"
)

// The brokers.
const (
	Innebygd = "innebygd"
	RabbitMQ = "rabbitmq"
)

// startMegler starts the chosen broker; ctx is for the start only.
func (v *Verden) startMegler(ctx context.Context, t broker.Tilgang, tjener *tls.Config) (broker.Broker, error) {
	switch v.c.Megler {
	case "", Innebygd:
		return amqp.Start(amqp.Config{Adresse: v.c.AMQP, TLS: tjener, Klokke: v.c.Klokke, Tilgang: t, Logg: v.c.Logg})
	case RabbitMQ:
		return rabbit.Start(ctx, rabbit.Config{Adresse: v.c.AMQP, SertifikatFil: v.fil("server.pem"), NokkelFil: v.fil("server.key.pem"), Tilgang: t, Logg: v.c.Logg})
	}
	return nil, errors.New("ukjent megler")
}
