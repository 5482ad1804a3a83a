package rabbit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
)

const (
	leggekanaler = 4 // channels that publish: each is one process in the node
	// What RabbitMQ refuses by closing the channel or the connection, and with it everybody's messages under way, is refused here.
	maksHeadere = 120 << 10        // together they fit in one frame of 128 KiB
	maksKropp   = 128 << 20        // max_message_size
	maksTTL     = math.MaxUint32   // milliseconds
	maksNavn    = math.MaxUint8    // octets, of a queue or header
	ferdigFrist = 30 * time.Second // for a confirm, when ctx sets no shorter
)

var (
	errUkjentKo = errors.New("rabbit: ukjent kø")
	errUvisst   = errors.New("rabbit: forbindelsen røk, om meldingen ligger på køen er uvisst")
	errNei      = errors.New("rabbit: megleren kunne ikke ta meldingen")
)

// linje is one connection and what is under way on it. Nobody waits for another's confirm: publishing only hands a message to the
// connection, and each waits for its own.
type linje struct {
	c      *amqp.Connection
	over   chan struct{} // closed when the connection is lost
	jobber chan *jobb
	venter sync.WaitGroup
}

type jobb struct {
	ko      string
	melding amqp.Publishing
	svar    chan error // room for one
}

func nyLinje(c *amqp.Connection) (*linje, error) {
	l := &linje{c: c, over: make(chan struct{}), jobber: make(chan *jobb)}
	lukket := c.NotifyClose(make(chan *amqp.Error, 1))
	for range leggekanaler {
		k, err := c.Channel()
		if err == nil {
			err = k.Confirm(false)
		}
		if err != nil {
			_ = c.Close()
			l.venter.Wait()
			return nil, err
		}
		l.venter.Go(func() { l.skriv(k) })
	}
	go func() {
		<-lukket
		close(l.over)
	}()
	return l, nil
}

func (l *linje) lukk() {
	_ = l.c.CloseDeadline(time.Now().Add(time.Second)) // lost already is as good
	l.venter.Wait()
}

// skriv publishes on one channel until it is lost. A channel that RabbitMQ closes takes the connection with it: it never should, and
// one way to begin again is enough.
func (l *linje) skriv(k *amqp.Channel) {
	lukket := k.NotifyClose(make(chan *amqp.Error, 1))
	u := nyttUlevert(k.NotifyReturn(make(chan amqp.Return)))
	for nr := uint64(1); ; nr++ {
		select {
		case <-lukket:
			_ = l.c.CloseDeadline(time.Now().Add(time.Second))
			return
		case j := <-l.jobber:
			j.melding.MessageId = strconv.FormatUint(nr, 10) // what RabbitMQ returns can be told apart by it
			b, err := k.PublishWithDeferredConfirm("", j.ko, true, false, j.melding)
			if err != nil {
				j.svar <- fmt.Errorf("%w: %w", errUvisst, err)
				continue
			}
			l.venter.Go(func() { j.svar <- ventBekreftet(k, b, u, j.melding.MessageId) })
		}
	}
}

func ventBekreftet(k *amqp.Channel, b *amqp.DeferredConfirmation, u *ulevert, id string) error {
	<-b.Done() // the client closes it when the channel is lost
	if !b.Acked() {
		if k.IsClosed() {
			return errUvisst
		}
		return errNei
	}
	return u.dom(id)
}

// ulevert remembers what came back because no queue took it. RabbitMQ sends the return before the confirm, and the client hands over
// one before it reads the other; but whoever waits for the confirm could look before the return is noted, so it asks the noter.
type ulevert struct {
	sporsmal chan string
	svar     chan bool
	slutt    chan struct{}
}

func nyttUlevert(retur <-chan amqp.Return) *ulevert {
	u := &ulevert{sporsmal: make(chan string), svar: make(chan bool), slutt: make(chan struct{})}
	go func() {
		defer close(u.slutt)
		tilbake := map[string]bool{}
		for {
			select {
			case r, ok := <-retur:
				if !ok {
					return // the channel is lost
				}
				tilbake[r.MessageId] = true
			case id := <-u.sporsmal:
				u.svar <- tilbake[id]
				delete(tilbake, id)
			}
		}
	}()
	return u
}

// dom is about a message that is confirmed: nil when it lies on its queue.
func (u *ulevert) dom(id string) error {
	select {
	case u.sporsmal <- id:
		if <-u.svar {
			return errUkjentKo
		}
		return nil
	case <-u.slutt:
		return errUvisst
	}
}

// legg puts one message on a queue and waits for the confirm, but not longer than ctx.
func (l *linje) legg(ctx context.Context, ko string, m broker.Melding) error {
	p, err := tilAMQP(ko, m)
	if err != nil {
		return err
	}
	j := &jobb{ko: ko, melding: p, svar: make(chan error, 1)}
	select {
	case l.jobber <- j:
	case <-l.over:
		return errNede
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-j.svar:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errUvisst, ctx.Err())
	}
}

// sjekkNavn is about queues. RabbitMQ would make up a name where there is none, and styring.erl reads to the end of the line.
func sjekkNavn(ko string) error {
	if ko == "" || len(ko) > maksNavn || strings.ContainsAny(ko, " \t\r\n") {
		return errors.New("rabbit: et kønavn har fra 1 til 255 oktetter og ingen blanke")
	}
	return nil
}

// tilAMQP copies a message: it may still be on its way out when its owner has stopped waiting.
func tilAMQP(ko string, m broker.Melding) (amqp.Publishing, error) {
	p := amqp.Publishing{Headers: amqp.Table{}, DeliveryMode: amqp.Persistent, Body: bytes.Clone(m.Kropp)}
	if err := sjekkNavn(ko); err != nil {
		return p, err
	}
	plass := maksHeadere
	for n, v := range m.Headere {
		if n == "" || len(n) > maksNavn {
			return p, errors.New("rabbit: et headernavn har fra 1 til 255 oktetter")
		}
		plass -= len(n) + len(v) + 6
		p.Headers[n] = v // a string becomes a long string
	}
	// Rounded up: clients are told milliseconds, and 0 would be gone at once.
	ms := (m.TTL + time.Millisecond - 1) / time.Millisecond
	switch {
	case plass < 0:
		return p, errors.New("rabbit: headerne får ikke plass i en ramme")
	case len(m.Kropp) > maksKropp:
		return p, errors.New("rabbit: kroppen er for stor")
	case ms > maksTTL:
		return p, errors.New("rabbit: en melding kan leve i høyst 49 døgn")
	case ms > 0:
		p.Expiration = strconv.FormatInt(int64(ms), 10)
	}
	return p, nil
}
