package amqp

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/matryer/is"
	amqp091 "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
)

func TestARestartedBrokerIsAtTheSameAddressWithItsMessages(t *testing.T) {
	is := is.New(t)
	b, ctx := startet(t, Config{}), t.Context()
	is.NoErr(b.Opprett(ctx, minKo))
	abonner := func() (*amqp091.Connection, <-chan amqp091.Delivery) {
		c, err := amqp091.DialConfig("amqp://"+b.Adresse()+"/", amqp091.Config{SASL: []amqp091.Authentication{&amqp091.PlainAuth{Username: bruker, Password: passord}}})
		is.NoErr(err)
		k, err := c.Channel()
		is.NoErr(err)
		inn, err := k.Consume(minKo, "", false, false, false, false, nil)
		is.NoErr(err)
		return c, inn
	}
	is.NoErr(b.Legg(ctx, minKo, broker.Melding{Headere: map[string]string{"melding-id": "1"}}))
	c, inn := abonner()
	is.True(!simtest.Vent(t, inn, "meldingen").Redelivered) // taken, and not acked
	brutt := c.NotifyClose(make(chan *amqp091.Error, 1))

	adr := b.Adresse()
	is.NoErr(b.Stopp(ctx))
	is.NoErr(b.Stopp(ctx)) // twice is once
	is.Equal(simtest.Vent(t, brutt, "at forbindelsen brytes").Code, 320)
	_, err := net.DialTimeout("tcp", adr, frist)
	is.True(errors.Is(err, syscall.ECONNREFUSED)) // nobody listens
	st, err := b.Status(ctx, minKo)
	is.NoErr(err)
	is.Equal(st, broker.Status{Klare: 1})

	is.NoErr(b.Igjen(ctx))
	is.NoErr(b.Igjen(ctx)) // and so is this
	is.Equal(b.Adresse(), adr)
	c, inn = abonner()
	m := simtest.Vent(t, inn, "meldingen igjen")
	is.True(m.Redelivered)
	is.Equal(m.Headers["melding-id"], "1")
	is.NoErr(m.Ack(false))
	is.NoErr(c.Close())
}

func TestAStoppedBrokerClosesAndStaysClosed(t *testing.T) {
	is, b := is.New(t), startet(t, Config{})
	is.NoErr(b.Stopp(t.Context()))
	is.NoErr(b.Close())
	is.True(errors.Is(b.Igjen(t.Context()), errStengt))
}

// A port that somebody else has is waited for, and not for ever.
func TestARestartWaitsForItsPort(t *testing.T) {
	is, b := is.New(t), startet(t, Config{})
	is.NoErr(b.Stopp(t.Context()))
	annen, err := net.Listen("tcp", b.Adresse())
	is.NoErr(err)
	ctx, avbryt := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer avbryt()
	is.True(b.Igjen(ctx) != nil)
	ferdig := make(chan error, 1)
	go func() { ferdig <- b.Igjen(t.Context()) }()
	is.NoErr(annen.Close())
	is.NoErr(simtest.Vent(t, ferdig, "at megleren er oppe"))
}
