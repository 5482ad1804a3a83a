package rabbit_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit/rabbittest"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
)

// frist is how long what should come at once is waited for. Only a failure waits this long.
const frist = 30 * time.Second

// alle may do everything.
type alle struct{}

func (alle) LoggInn(context.Context, string, string) bool { return true }
func (alle) KanLese(context.Context, string, string) bool { return true }

func medFrist(t testing.TB, d time.Duration) context.Context {
	ctx, avbryt := context.WithTimeout(context.Background(), d)
	t.Cleanup(avbryt)
	return ctx
}

func nyKo(t testing.TB, n *rabbittest.Node) string {
	t.Helper()
	ko := "fiksio.konto." + uuid.NewString()
	if err := n.Opprett(medFrist(t, frist), ko); err != nil {
		t.Fatal(err)
	}
	return ko
}

func melding(nr int) broker.Melding {
	return broker.Melding{Headere: map[string]string{"melding-id": uuid.NewString()}, Kropp: fmt.Appendf(nil, "%d", nr)}
}

func ventStatus(t testing.TB, n *rabbittest.Node, ko string, vil broker.Status) {
	t.Helper()
	simtest.Til(t, fmt.Sprintf("køen er %+v", vil), func() bool {
		har, err := n.Status(medFrist(t, frist), ko)
		return err == nil && har == vil
	})
}

// abonner connects a case system and consumes.
func abonner(t testing.TB, n *rabbittest.Node, ko string) (*amqp.Connection, <-chan amqp.Delivery) {
	t.Helper()
	k, err := amqp.DialConfig("amqps://"+n.Adresse(), amqp.Config{Vhost: "/", TLSClientConfig: n.TLS, Dial: amqp.DefaultDial(frist),
		SASL: []amqp.Authentication{&amqp.PlainAuth{Username: uuid.NewString(), Password: "passord token"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	kanal, err := k.Channel()
	if err != nil {
		t.Fatal(err)
	}
	c, err := kanal.Consume(ko, "", false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return k, c
}

// dode takes the dead until the test is over.
func dode(t testing.TB, n *rabbittest.Node, ta func(broker.Dod) error) <-chan broker.Dod {
	ctx, avbryt := context.WithCancel(context.Background())
	c, slutt := make(chan broker.Dod, 1000), make(chan error, 1)
	go func() {
		slutt <- n.Dode(ctx, func(_ context.Context, d broker.Dod) error {
			c <- d
			return ta(d)
		})
	}()
	t.Cleanup(func() {
		avbryt()
		if err := simtest.Vent(t, slutt, "at Dode gir seg"); err != context.Canceled {
			t.Errorf("Dode ga seg med %v", err)
		}
	})
	return c
}

// sertifikat writes a server's certificate and key.
func sertifikat(t testing.TB, n *rabbittest.Node) (sert, nokkel string) {
	t.Helper()
	s, err := n.CA.Utsted(sim.Bestilling{Navn: "localhost", Formal: sim.TLS, Bits: 2048})
	if err != nil {
		t.Fatal(err)
	}
	mappe := t.TempDir()
	sert, nokkel = filepath.Join(mappe, "sertifikat.pem"), filepath.Join(mappe, "nokkel.pem")
	if err := s.Skriv(sert, nokkel); err != nil {
		t.Fatal(err)
	}
	return sert, nokkel
}
