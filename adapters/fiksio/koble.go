package fiksio

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	koblefrist  = 30 * time.Second // for token, dialling, TLS and login together
	hjerteslag  = 10 * time.Second
	rammegrense = 128 << 10 // RabbitMQ's own
)

// koble logs in with a token asked for now: it counts at login only, and the connection outlives it.
func (t *Transport) koble(ctx context.Context) (*amqp.Connection, error) {
	ctx, avbryt := context.WithTimeout(ctx, koblefrist)
	defer avbryt()
	token, err := t.token(ctx)
	if err != nil {
		return nil, err
	}
	raa, err := (&net.Dialer{}).DialContext(ctx, "tcp", t.c.AMQP)
	if err != nil {
		return nil, err
	}
	stopp := context.AfterFunc(ctx, func() { _ = raa.Close() }) // the library's own handshake knows no ctx
	c := tls.Client(raa, t.tlsFor(t.c.AMQP))
	if err = c.HandshakeContext(ctx); err == nil {
		var conn *amqp.Connection
		conn, err = amqp.Open(c, t.amqpConfig(token))
		if err == nil && stopp() {
			return conn, nil
		}
	}
	_ = raa.Close()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, err
}

func (t *Transport) tlsFor(adresse string) *tls.Config {
	c := t.c.TLS.Clone()
	if c.ServerName == "" {
		c.ServerName, _, _ = net.SplitHostPort(adresse) // New has looked at it
	}
	return c
}

func (t *Transport) amqpConfig(token string) amqp.Config {
	egenskaper := amqp.NewConnectionProperties()
	egenskaper.SetClientConnectionName("portal for bekymringsmeldinger")
	return amqp.Config{Vhost: "/", Locale: "en_US", Heartbeat: hjerteslag, FrameSize: rammegrense, Properties: egenskaper,
		SASL: []amqp.Authentication{&amqp.PlainAuth{Username: string(t.c.Integrasjon), Password: t.passord() + " " + token}}}
}
