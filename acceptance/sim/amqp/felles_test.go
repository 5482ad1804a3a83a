package amqp_test

import (
	"crypto/tls"
	"crypto/x509"
	"sync"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/amqp"
)

var start = time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)

// startet is a broker that closes, and leaves nothing running, when the test is over.
func startet(t testing.TB, c amqp.Config) *amqp.Broker {
	t.Helper()
	c.Adresse = "127.0.0.1:0"
	b, err := amqp.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

var lagTLS = sync.OnceValues(func() ([2]*tls.Config, error) {
	ca, err := sim.NyCA("Testrot", 2048, time.Now)
	if err != nil {
		return [2]*tls.Config{}, err
	}
	s, err := ca.Utsted(sim.Bestilling{Navn: "megler", Formal: sim.TLS, Bits: 2048})
	if err != nil {
		return [2]*tls.Config{}, err
	}
	rot := x509.NewCertPool()
	rot.AddCert(ca.Cert)
	return [2]*tls.Config{
		{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{s.Cert.Raw}, PrivateKey: s.Nokkel}}},
		{MinVersion: tls.VersionTLS12, RootCAs: rot, ServerName: "127.0.0.1"}}, nil
})

// tlsPar is a server's and a client's side, made once a run.
func tlsPar(t testing.TB) (tjener, klient *tls.Config) {
	t.Helper()
	par, err := lagTLS()
	if err != nil {
		t.Fatal(err)
	}
	return par[0], par[1]
}
