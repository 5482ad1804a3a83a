package brokertest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
)

// klient is a case system's connection.
type klient struct {
	*amqp.Connection
	kanal  *amqp.Channel
	sokkel net.Conn
}

type oppsett struct {
	bruker, passord string
	frameSize       int
	vhost           string
}

func (s *suite) ring(o oppsett) (*klient, error) {
	k := &klient{}
	if o.bruker == "" {
		o.bruker, o.passord = bruker, passord
	}
	if o.vhost == "" {
		o.vhost = "/"
	}
	c := amqp.Config{SASL: []amqp.Authentication{&amqp.PlainAuth{Username: o.bruker, Password: o.passord}}, Vhost: o.vhost,
		FrameSize: o.frameSize, Locale: "en_US", TLSClientConfig: s.TLS,
		Dial: func(nett, adresse string) (net.Conn, error) {
			c, err := net.DialTimeout(nett, adresse, simtest.Frist)
			if err != nil {
				return nil, err
			}
			k.sokkel = c
			return c, c.SetDeadline(time.Now().Add(simtest.Frist))
		}}
	skjema := "amqps"
	if s.TLS == nil {
		skjema = "amqp"
	}
	var err error
	if k.Connection, err = amqp.DialConfig(skjema+"://"+s.Broker.Adresse(), c); err != nil {
		return nil, err
	}
	return k, nil
}

// klient connects, opens a channel, and says goodbye when the test is over.
func (s *suite) klient(t *testing.T, o oppsett) *klient {
	t.Helper()
	k, err := s.ring(o)
	if err != nil {
		t.Fatalf("tilkobling: %v", err)
	}
	t.Cleanup(func() { _ = k.Close() })
	k.kanal = k.nyKanal(t)
	return k
}

func (k *klient) nyKanal(t *testing.T) *amqp.Channel {
	t.Helper()
	c, err := k.Channel()
	if err != nil {
		t.Fatalf("kanal: %v", err)
	}
	return c
}

// forsvinn is a process that dies: the socket is closed without a word.
func (k *klient) forsvinn() { _ = k.sokkel.Close() }

// abonner consumes with a prefetch, 0 = none; it acks nothing by itself.
func (k *klient) abonner(t *testing.T, ko string, prefetch int) <-chan amqp.Delivery {
	t.Helper()
	if err := k.kanal.Qos(prefetch, 0, false); err != nil {
		t.Fatalf("qos: %v", err)
	}
	c, err := k.kanal.Consume(ko, "", false, false, false, false, nil)
	if err != nil {
		t.Fatalf("consume: %v", err)
	}
	return c
}

// nyKo makes an account's queue that bruker may read.
func (s *suite) nyKo(t *testing.T) string {
	t.Helper()
	ko := "fiksio.konto." + uuid.NewString()
	s.tilgang.gi(bruker, ko)
	if err := s.Broker.Opprett(t.Context(), ko); err != nil {
		t.Fatal(err)
	}
	return ko
}

// tilfeldig gives n bytes that repeat nowhere.
func tilfeldig(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n)})
	_, _ = r.Read(b) // never fails
	return b
}

// nyMelding is as the platform makes them: the three headers every client needs, one of the sender's own, and letters of every kind.
func nyMelding(kropp []byte) broker.Melding {
	return broker.Melding{Kropp: kropp, Headere: map[string]string{
		"melding-id": uuid.NewString(), "avsender-id": uuid.NewString(), "type": "no.ks.fiks.bekymringsmelding.offentlig.v1",
		"egendefinert-header.klientKorrelasjonsId": "Ærlig talt – čáhci", "tom": "",
	}}
}

// legg puts n numbered messages on a queue.
func (s *suite) legg(t *testing.T, ko string, n int) (lagt []broker.Melding) {
	t.Helper()
	for i := range n {
		lagt = append(lagt, s.leggEn(t, ko, nyMelding(fmt.Appendf(nil, "%d", i+1))))
	}
	return lagt
}

func (s *suite) leggEn(t *testing.T, ko string, m broker.Melding) broker.Melding {
	t.Helper()
	if err := s.Broker.Legg(t.Context(), ko, m); err != nil {
		t.Fatal(err)
	}
	return m
}

// ventStatus waits until a queue stands as told.
func (s *suite) ventStatus(t *testing.T, ko string, vil broker.Status) {
	t.Helper()
	simtest.Til(t, fmt.Sprintf("køen er %+v", vil), func() bool {
		har, err := s.Broker.Status(t.Context(), ko)
		return err == nil && har == vil
	})
}

// lik says that a delivery is the message: headers as strings, and every byte.
func lik(t *testing.T, d amqp.Delivery, m broker.Melding) {
	t.Helper()
	is := is.New(t)
	is.Helper()
	headere := map[string]string{}
	for n, v := range d.Headers {
		if n == "x-delivery-count" && (d.Redelivered || d.ConsumerTag == "") {
			continue // on what comes again, and RabbitMQ counts from 0 on what was asked for with get
		}
		tekst, ok := v.(string)
		is.True(ok) // every header is a string: .NET and Go clients fail on anything else
		headere[n] = tekst
	}
	is.Equal(headere, m.Headere)
	is.True(bytes.Equal(d.Body, m.Kropp))
}

// likDod says that a dead message is as it was.
func likDod(t *testing.T, d broker.Dod, ko string, arsak broker.Arsak, m broker.Melding) {
	t.Helper()
	is := is.New(t)
	is.Helper()
	is.Equal(d.Ko, ko)
	is.Equal(d.Arsak, arsak)
	is.True(maps.Equal(d.Melding.Headere, m.Headere))
	is.True(bytes.Equal(d.Melding.Kropp, m.Kropp))
}

// kode is the AMQP reply code in an error, 0 when there is none.
func kode(err error) int {
	var e *amqp.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// ingenting says that a queue delivers nothing on its own: everything the broker sent before it answered is already here.
func ingenting(t *testing.T, k *klient, c <-chan amqp.Delivery) {
	t.Helper()
	if err := k.kanal.Qos(0, 0, false); err != nil { // a question and its answer
		t.Fatal(err)
	}
	select {
	case d := <-c:
		t.Fatalf("fikk en melding som ikke skulle komme (%d oktetter)", len(d.Body))
	default:
	}
}
