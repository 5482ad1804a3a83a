// Package rabbittest gives tests a RabbitMQ: one node a test process, started by the first that asks (ten seconds or more), and gone
// with the process however it ends. Start hands it to one test at a time, empty; tests that run in parallel wait for each other.
package rabbittest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit"
)

// Node is the shared node while one test has it. The test may take it down and break it; it is mended afterwards.
type Node struct {
	*rabbit.Broker
	TLS *tls.Config // what a client trusts
	CA  *sim.CA     // who issued the certificate, for clients that want a file
}

// frist is for what follows a test. Only a failure waits this long.
const frist = 2 * time.Minute

var (
	start = sync.OnceValues(startNode)
	plass = make(chan struct{}, 1) // held by the test that has the node
	svar  = &bytbar{}
)

// Startet judges whether a node came up: without RabbitMQ the test is skipped, or fails when KREV names rabbitmq.
func Startet(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, rabbit.ErrMangler) && !slices.Contains(strings.Split(os.Getenv("KREV"), ","), "rabbitmq") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Start gives the test the node until it ends, with nothing on it, asking tilgang. See Startet for a machine
// without RabbitMQ.
func Start(t testing.TB, tilgang broker.Tilgang) *Node {
	t.Helper()
	n, err := start()
	Startet(t, err)
	plass <- struct{}{} // go test's own timeout ends it
	svar.sett(tilgang)
	t.Cleanup(func() {
		defer func() { <-plass }()
		svar.sett(nil)
		ctx, avbryt := context.WithTimeout(context.Background(), frist)
		defer avbryt()
		err := n.Igjen(ctx)
		if err == nil {
			err = n.Nullstill(ctx)
		}
		if err != nil {
			t.Error(err)
		}
	})
	return n
}

// startNode leaves the node to its guard, which ends it when this process is gone.
func startNode() (*Node, error) {
	ca, err := sim.NyCA("Testrot", 2048, time.Now)
	if err != nil {
		return nil, err
	}
	s, err := ca.Utsted(sim.Bestilling{Navn: "localhost", Formal: sim.TLS, Bits: 2048})
	if err != nil {
		return nil, err
	}
	mappe, err := os.MkdirTemp("", "rabbittest")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(mappe) }() // the node has its own copies
	c := rabbit.Config{Adresse: "127.0.0.1:0", SertifikatFil: filepath.Join(mappe, "sertifikat.pem"),
		NokkelFil: filepath.Join(mappe, "nokkel.pem"), Tilgang: svar}
	if err := s.Skriv(c.SertifikatFil, c.NokkelFil); err != nil {
		return nil, err
	}
	b, err := rabbit.Start(context.Background(), c)
	if err != nil {
		return nil, err
	}
	rot := x509.NewCertPool()
	rot.AddCert(ca.Cert)
	return &Node{Broker: b, CA: ca, TLS: &tls.Config{RootCAs: rot, ServerName: "localhost"}}, nil
}

// bytbar asks the test that has the node.
type bytbar struct {
	mu sync.Mutex
	na broker.Tilgang // nil = nobody gets in
}

func (b *bytbar) sett(t broker.Tilgang) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.na = t
}

func (b *bytbar) les() broker.Tilgang {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.na
}

func (b *bytbar) LoggInn(ctx context.Context, bruker, passord string) bool {
	t := b.les()
	return t != nil && t.LoggInn(ctx, bruker, passord)
}

func (b *bytbar) KanLese(ctx context.Context, bruker, ko string) bool {
	t := b.les()
	return t != nil && t.KanLese(ctx, bruker, ko)
}
