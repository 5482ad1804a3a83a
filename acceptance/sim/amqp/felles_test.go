package amqp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/adapters/memory"
)

const (
	bruker  = "integrasjon"
	passord = "passord token"
	minKo   = "fiksio.konto.min"
	frist   = 30 * time.Second // only a failure waits this long
)

var stille = slog.New(slog.DiscardHandler)

var nyttar = time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)

// enBruker may read every queue whose name begins with "fiksio.konto.", with any password that begins with passord.
type enBruker struct{}

func (enBruker) LoggInn(_ context.Context, hvem, med string) bool {
	return hvem == bruker && strings.HasPrefix(med, passord)
}

func (enBruker) KanLese(_ context.Context, _, ko string) bool {
	return strings.HasPrefix(ko, "fiksio.konto.")
}

// startet is a broker that closes, and leaves nothing running, when the test is over.
func startet(t testing.TB, c Config) *Broker {
	t.Helper()
	if c.Klokke == nil {
		c.Klokke = memory.NyKlokke(nyttar)
	}
	if c.Tilgang == nil {
		c.Tilgang = enBruker{}
	}
	c.Adresse = "127.0.0.1:0"
	b, err := Start(c)
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

// iTid runs a test in a bubble of its own time, with a broker over pipes. The bubble fails when a goroutine is left.
func iTid(t *testing.T, prov func(t *testing.T, b *Broker, l *rorlytter)) {
	synctest.Test(t, func(t *testing.T) {
		l := &rorlytter{nye: make(chan net.Conn), stengt: make(chan struct{})}
		c := Config{FrameMax: standardFrameMax, Hjerteslag: standardHjerteslag, Klokke: memory.NyKlokke(nyttar), Tilgang: enBruker{},
			Logg: stille}
		b := start(c, l)
		defer func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}()
		prov(t, b, l)
	})
}

// rorlytter hands out pipes.
type rorlytter struct {
	nye    chan net.Conn
	stengt chan struct{}
}

func (l *rorlytter) Accept() (net.Conn, error) {
	select {
	case c := <-l.nye:
		return c, nil
	case <-l.stengt:
		return nil, net.ErrClosed
	}
}
func (l *rorlytter) Close() error   { close(l.stengt); return nil }
func (l *rorlytter) Addr() net.Addr { return &net.TCPAddr{} }

func (l *rorlytter) ring(t testing.TB) *raaklient {
	min, din := net.Pipe()
	l.nye <- din
	return nyRaaklient(t, min)
}

// medKo makes minKo with messages on it.
func medKo(t testing.TB, b *Broker, kropper ...string) {
	t.Helper()
	if err := b.Opprett(t.Context(), minKo); err != nil {
		t.Fatal(err)
	}
	for _, k := range kropper {
		if err := b.Legg(t.Context(), minKo, broker.Melding{Kropp: []byte(k), Headere: map[string]string{headerID: "id-" + k}}); err != nil {
			t.Fatal(err)
		}
	}
}

// ventStatus waits until minKo stands as told.
func ventStatus(t testing.TB, b *Broker, vil broker.Status) {
	t.Helper()
	takt := time.NewTicker(5 * time.Millisecond)
	defer takt.Stop()
	slutt := time.After(frist)
	for {
		har, err := b.Status(t.Context(), minKo)
		if err == nil && har == vil {
			return
		}
		select {
		case <-takt.C:
		case <-slutt:
			t.Fatalf("køen er %+v, ikke %+v (%v)", har, vil, err)
		}
	}
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
