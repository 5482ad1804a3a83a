package fikssim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

func TestAVendorCanTryWhatABrokenConnectionDoesToTheClient(t *testing.T) {
	_, k := start(t, config(data(t)))
	ledig := k.konto("ingen")
	id := k.send(ledig)
	c := k.ring(ledig)
	brutt := c.NotifyClose(make(chan *amqp091.Error, 1))
	ch, err := c.Channel()
	k.is.NoErr(err)
	inn, err := ch.Consume(ledig.Ko, "", false, false, false, false, nil)
	k.is.NoErr(err)
	select {
	case d := <-inn: // taken, and not acked
		k.is.Equal(d.Headers["melding-id"], id)
	case <-time.After(20 * time.Second):
		t.Fatal("ingen melding kom")
	}
	brudd := func(vert, fra string) int {
		req, err := http.NewRequestWithContext(t.Context(), "POST", strings.TrimSuffix(k.ark.Admin, "/")+"/brudd", nil)
		k.is.NoErr(err)
		if vert != "" {
			req.Host = vert
		}
		if fra != "" {
			req.Header.Set("Origin", fra)
		}
		status, _ := k.kall(req)
		return status
	}
	k.is.Equal(brudd("annet.example", ""), http.StatusMisdirectedRequest)
	k.is.Equal(brudd("", "http://annet.example"), http.StatusForbidden)
	k.is.True(!c.IsClosed())
	k.is.Equal(brudd("", ""), http.StatusNoContent)
	select {
	case feil := <-brutt:
		k.is.Equal(feil.Code, amqp091.ConnectionForced)
	case <-time.After(20 * time.Second):
		t.Fatal("forbindelsen står")
	}
	d := k.neste(ledig) // a new connection gets it again
	k.is.Equal(d.Headers["melding-id"], id)
	k.is.True(d.Redelivered)
}
