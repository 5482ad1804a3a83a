package keystore_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/keystore"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

var (
	na           = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	hemmelighet  = bytes.Repeat([]byte("hemmelig"), 4)
	eier         = kommune.MottakerEier("0b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad0aa")
	gyldighet    = 2 * 365 * 24 * time.Hour
	prov         = sha256.Sum256([]byte("prøve"))
	minsteLovlig = 2048 // the fastest to make
)

type klokke struct{}

func (klokke) Now() time.Time { return na }
func (klokke) At(time.Time) (<-chan time.Time, func()) {
	panic("keystore venter aldri")
}

func nyMappe(t testing.TB) string {
	t.Helper()
	m := filepath.Join(t.TempDir(), "nokler")
	if err := os.Mkdir(m, 0o700); err != nil {
		t.Fatal(err)
	}
	return m
}

func config(mappe string) keystore.Config {
	return keystore.Config{Mappe: mappe, Gyldighet: gyldighet, Klokke: klokke{}}
}

func apne(t testing.TB, c keystore.Config) *keystore.Store {
	t.Helper()
	s, err := keystore.Open(c, hemmelighet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func ny(t testing.TB, s *keystore.Store) ports.Handle {
	t.Helper()
	h, err := s.New(t.Context(), eier, minsteLovlig)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// virker uses the key of h for what was made with the certificate alone, in every way formats do.
func virker(t testing.TB, h ports.Handle, c *x509.Certificate) {
	t.Helper()
	is := is.New(t)
	offentlig := c.PublicKey.(*rsa.PublicKey)
	is.True(offentlig.Equal(h.Public()))
	is.True(h.Sertifikat().Equal(c))

	for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA1} {
		forseglet, err := rsa.EncryptOAEP(hash.New(), rand.Reader, offentlig, prov[:], nil)
		is.NoErr(err)
		apnet, err := h.Decrypt(rand.Reader, forseglet, &rsa.OAEPOptions{Hash: hash})
		is.NoErr(err)
		is.Equal(apnet, prov[:])
	}
	//lint:ignore SA1019 the dialect of .NET senders
	forseglet, err := rsa.EncryptPKCS1v15(rand.Reader, offentlig, prov[:])
	is.NoErr(err)
	apnet, err := h.Decrypt(rand.Reader, forseglet, nil)
	is.NoErr(err)
	is.Equal(apnet, prov[:])

	signatur, err := h.Sign(rand.Reader, prov[:], crypto.SHA256)
	is.NoErr(err)
	is.NoErr(rsa.VerifyPKCS1v15(offentlig, crypto.SHA256, prov[:], signatur))
}

func TestNew(t *testing.T) {
	is := is.New(t)
	mappe := nyMappe(t)
	h := ny(t, apne(t, config(mappe)))
	c := h.Sertifikat()
	virker(t, h, c)
	is.NoErr(c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)) // self-signed
	is.Equal(c.SignatureAlgorithm, x509.SHA256WithRSA)
	is.Equal(c.Subject.String(), "CN=mottaker/0b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad0aa")
	is.Equal(c.NotBefore, na.Add(-time.Hour))
	is.Equal(c.NotAfter, na.Add(gyldighet))
	is.Equal(c.PublicKey.(*rsa.PublicKey).N.BitLen(), minsteLovlig)
	is.True(c.SerialNumber.Sign() > 0 && c.SerialNumber.BitLen() <= 160)
	is.True(!c.IsCA)

	poster, err := os.ReadDir(mappe)
	is.NoErr(err)
	is.Equal(len(poster), 1) // the key and no .tmp
	is.True(strings.HasPrefix(poster[0].Name(), c.SerialNumber.Text(16)+"-"))
	info, err := poster[0].Info()
	is.NoErr(err)
	is.Equal(info.Mode().Perm(), os.FileMode(0o600))
	b, err := os.ReadFile(filepath.Join(mappe, poster[0].Name()))
	is.NoErr(err)
	is.True(!bytes.Contains(b, []byte("PRIVATE KEY")) && !bytes.Contains(b, c.Raw)) // sealed
}

func TestNewRefuses(t *testing.T) {
	is := is.New(t)
	mappe := nyMappe(t)
	s := apne(t, config(mappe))
	for _, bits := range []int{0, 1024, 2047, 8193} {
		_, err := s.New(t.Context(), eier, bits)
		is.True(errors.Is(err, ports.ErrRefused))
	}
	ctx, avbryt := context.WithCancel(t.Context())
	avbryt()
	_, err := s.New(ctx, eier, minsteLovlig)
	is.True(errors.Is(err, context.Canceled))
	poster, err := os.ReadDir(mappe)
	is.NoErr(err)
	is.Equal(len(poster), 0)
}

func TestContract(t *testing.T) {
	contracts.TestKeyStore(t, func(t *testing.T) ports.KeyStore { return apne(t, config(nyMappe(t))) })
}

// Certificates that look like ours as far as it goes [K1].
func TestOthersCertificates(t *testing.T) {
	is := is.New(t)
	s := apne(t, config(nyMappe(t)))
	h := ny(t, s)
	fremmed := func(mal x509.Certificate) *x509.Certificate {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		is.NoErr(err)
		mal.NotBefore, mal.NotAfter = na, na.Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, &mal, &mal, k.Public(), k)
		is.NoErr(err)
		c, err := x509.ParseCertificate(der)
		is.NoErr(err)
		return c
	}
	vart := h.Sertifikat()
	for navn, c := range map[string]*x509.Certificate{
		"a stranger's":                   fremmed(x509.Certificate{}),
		"our issuer, another serial":     fremmed(x509.Certificate{Subject: vart.Subject}),
		"our serial, another issuer":     fremmed(x509.Certificate{SerialNumber: vart.SerialNumber}),
		"our issuer, our serial, forged": fremmed(x509.Certificate{SerialNumber: vart.SerialNumber, Subject: vart.Subject}),
		"a serial beyond any file name":  {SerialNumber: new(big.Int).Lsh(big.NewInt(1), 4096)},
	} {
		t.Run(navn, func(t *testing.T) {
			h, err := s.Private(t.Context(), c)
			is := is.New(t)
			is.True(errors.Is(err, ports.ErrNotFound))
			is.True(h == nil)
		})
	}
	_, err := s.Private(t.Context(), vart)
	is.NoErr(err)
}

// Old keys stay across a restart, and when their certificate has expired [K2].
func TestOldKeysStay(t *testing.T) {
	is := is.New(t)
	c := config(nyMappe(t))
	c.Gyldighet = time.Nanosecond
	s := apne(t, c)
	forst, sa := ny(t, s).Sertifikat(), ny(t, s).Sertifikat()
	is.True(!forst.Equal(sa))
	is.NoErr(s.Close())

	s = apne(t, c)
	for _, sert := range []*x509.Certificate{forst, sa} {
		h, err := s.Private(t.Context(), sert)
		is.NoErr(err)
		virker(t, h, sert)
	}
	is.NoErr(s.Verify(t.Context()))
}

// A store that is closed has not said that a certificate is somebody else's.
func TestClosed(t *testing.T) {
	is := is.New(t)
	s := apne(t, config(nyMappe(t)))
	h := ny(t, s)
	is.NoErr(s.Close())
	_, err := s.Private(t.Context(), h.Sertifikat())
	is.True(err != nil && !errors.Is(err, ports.ErrNotFound))
	_, err = s.New(t.Context(), eier, minsteLovlig)
	is.True(err != nil)
	virker(t, h, h.Sertifikat())
}

func TestConcurrent(t *testing.T) {
	c := config(nyMappe(t))
	s, annen := apne(t, c), apne(t, c) // as two replicas on one folder
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			h, err := s.New(context.Background(), eier, minsteLovlig)
			if err != nil {
				t.Error(err)
				return
			}
			for _, s := range []*keystore.Store{s, annen} {
				if _, err := s.Private(context.Background(), h.Sertifikat()); err != nil {
					t.Errorf("%d: %v", i, err)
				}
			}
			if err := annen.Verify(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func BenchmarkPrivate4096(b *testing.B) {
	s := apne(b, config(nyMappe(b)))
	h, err := s.New(b.Context(), eier, 4096)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Private(b.Context(), h.Sertifikat()); err != nil {
			b.Fatal(err)
		}
	}
}
