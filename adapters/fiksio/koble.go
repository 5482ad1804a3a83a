package fiksio

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/domain/protokoll"
)

const (
	koblefrist  = 30 * time.Second // from asking for a token until the broker has said that it delivers
	avslutning  = 2 * time.Second  // for saying goodbye
	hjerteslag  = 10 * time.Second // two of these without a word from the broker, and the connection is taken for broken
	rammegrense = 128 << 10        // RabbitMQ's own
)

// kobling is one connection with its one channel, consuming.
type kobling struct {
	conn  *amqp.Connection
	ch    *amqp.Channel
	inn   <-chan amqp.Delivery
	brutt <-chan *amqp.Error // why it ended; closed without a word when nobody said
}

// lukk says goodbye. What is not acked goes back on its queue.
func (k *kobling) lukk() {
	_ = k.conn.CloseDeadline(time.Now().Add(avslutning)) // a socket's deadline is the machine's time
}

// koble logs in with a token asked for now, and begins to consume. The token counts at login only: the connection outlives it.
func (t *Transport) koble(ctx context.Context) (*kobling, error) {
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
	stopp := context.AfterFunc(ctx, func() { _ = raa.Close() }) // the library's own calls know no ctx
	k, err := t.konsumer(ctx, raa, token)
	if stopp() && err == nil {
		return k, nil
	}
	_ = raa.Close()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, err
}

// konsumer does what KS's Java client does, and no more: one channel, qos, consume. The queue is the platform's and is there.
func (t *Transport) konsumer(ctx context.Context, raa net.Conn, token string) (_ *kobling, err error) {
	c := tls.Client(raa, t.amqpTLS())
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	var k kobling
	if k.conn, err = amqp.Open(c, t.amqpConfig(token)); err != nil {
		return nil, err
	}
	if k.ch, err = k.conn.Channel(); err != nil {
		return nil, err
	}
	k.brutt = k.ch.NotifyClose(make(chan *amqp.Error, 1))
	if err := k.ch.Qos(t.c.Prefetch, 0, false); err != nil {
		return nil, err
	}
	k.inn, err = k.ch.Consume(protokoll.Konavn(t.c.Konto), "", false, false, false, false, nil)
	return &k, err
}

func (t *Transport) amqpTLS() *tls.Config {
	c := t.c.TLS.Clone()
	if c.ServerName == "" {
		c.ServerName, _, _ = net.SplitHostPort(t.c.AMQP) // New has looked at it
	}
	return c
}

func (t *Transport) amqpConfig(token string) amqp.Config {
	egenskaper := amqp.NewConnectionProperties()
	egenskaper.SetClientConnectionName("portal for bekymringsmeldinger")
	return amqp.Config{Vhost: "/", Locale: "en_US", Heartbeat: hjerteslag, FrameSize: rammegrense, Properties: egenskaper,
		SASL: []amqp.Authentication{&amqp.PlainAuth{Username: string(t.c.Integrasjon), Password: t.passord() + " " + token}}}
}
