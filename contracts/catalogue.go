package contracts

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

// Katalogrigg is a Catalogue and a hand on what its accounts publish.
type Katalogrigg struct {
	Catalogue ports.Catalogue
	Konto     kommune.KontoID // exists, and publishes nothing yet
	Ukjent    kommune.KontoID // does not exist
	// Publiser makes Konto publish a certificate in place of the one before.
	Publiser func(t *testing.T, c *x509.Certificate)
	// Brudd makes the catalogue unreachable; Mend brings it back.
	Brudd, Mend func(t *testing.T)
}

// TestCatalogue is the contract of ports.Catalogue.
func TestCatalogue(t *testing.T, rigg func(t *testing.T) Katalogrigg) {
	gjelder := func(t *testing.T, r Katalogrigg, vil *x509.Certificate) {
		t.Helper()
		if c, err := r.Catalogue.Certificate(t.Context(), r.Konto); err != nil || !c.Equal(vil) {
			t.Fatalf("Certificate: feil sertifikat, %v", err)
		}
	}
	feiler := func(t *testing.T, r Katalogrigg, ctx context.Context, konto kommune.KontoID, vil error) {
		t.Helper()
		if c, err := r.Catalogue.Certificate(ctx, konto); !errors.Is(err, vil) || c != nil {
			t.Fatalf("Certificate: %v, ventet %v", err, vil)
		}
	}

	t.Run("G1 what is published now, also right after it was replaced", func(t *testing.T) {
		r := rigg(t)
		for range 2 {
			c := rsaSertifikat(t, 2048)
			r.Publiser(t, c)
			gjelder(t, r, c)
		}
	})

	t.Run("G2 an account without a key is not found, nor is one that does not exist", func(t *testing.T) {
		r := rigg(t)
		feiler(t, r, t.Context(), r.Konto, ports.ErrNotFound)
		feiler(t, r, t.Context(), r.Ukjent, ports.ErrNotFound)
	})

	t.Run("G3 nothing comes out that is too weak to seal for", func(t *testing.T) {
		r := rigg(t)
		for _, svakt := range []*x509.Certificate{NyttSertifikat(t), rsaSertifikat(t, 1024)} {
			r.Publiser(t, svakt)
			feiler(t, r, t.Context(), r.Konto, ports.ErrRefused)
		}
		c := rsaSertifikat(t, 2048)
		r.Publiser(t, c)
		gjelder(t, r, c)
	})

	t.Run("G4 a catalogue that cannot be asked says nothing about the account", func(t *testing.T) {
		r := rigg(t)
		c := rsaSertifikat(t, 2048)
		r.Publiser(t, c)
		r.Brudd(t)
		feiler(t, r, t.Context(), r.Konto, ports.ErrUnavailable)
		feiler(t, r, t.Context(), r.Ukjent, ports.ErrUnavailable)
		r.Mend(t)
		gjelder(t, r, c)
		ctx, avbryt := context.WithCancel(t.Context())
		avbryt()
		feiler(t, r, ctx, r.Konto, ports.ErrUnavailable)
	})
}

var rsaNokler = struct {
	sync.Mutex
	av map[int]*rsa.PrivateKey
}{av: map[int]*rsa.PrivateKey{}}

// rsaSertifikat is a new certificate each time, over one RSA key of the size a run.
func rsaSertifikat(t testing.TB, bits int) *x509.Certificate {
	is := is.New(t)
	rsaNokler.Lock()
	defer rsaNokler.Unlock()
	k := rsaNokler.av[bits]
	if k == nil {
		var err error
		k, err = rsa.GenerateKey(rand.Reader, bits)
		is.NoErr(err)
		rsaNokler.av[bits] = k
	}
	mal := &x509.Certificate{SerialNumber: new(big.Int).SetBytes(Tilfeldig(8)), Subject: pkix.Name{CommonName: "konto"},
		NotBefore: Start, NotAfter: Start.Add(365 * 24 * time.Hour)}
	b, err := x509.CreateCertificate(rand.Reader, mal, mal, k.Public(), k)
	is.NoErr(err)
	c, err := x509.ParseCertificate(b)
	is.NoErr(err)
	return c
}
