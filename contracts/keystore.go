package contracts

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

// TestKeyStore is the contract of ports.KeyStore.
func TestKeyStore(t *testing.T, open func(t *testing.T) ports.KeyStore) {
	ny := func(t *testing.T, k ports.KeyStore, e kommune.Eier) ports.Handle {
		t.Helper()
		h, err := k.New(t.Context(), e, 2048)
		if err != nil {
			t.Fatalf("New: %v", err)
		}
		return h
	}
	// virker fails unless h opens and signs for the key in c.
	virker := func(t *testing.T, h ports.Handle, c *x509.Certificate) {
		t.Helper()
		is := is.New(t)
		pub, ok := c.PublicKey.(*rsa.PublicKey)
		is.True(ok)
		is.True(pub.Equal(h.Public()))
		is.True(h.Sertifikat().Equal(c))
		klar := []byte("innholdsnøkkel")
		lukket, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, pub, klar, nil)
		is.NoErr(err)
		apnet, err := h.Decrypt(rand.Reader, lukket, &rsa.OAEPOptions{Hash: crypto.SHA256})
		is.NoErr(err)
		is.True(bytes.Equal(apnet, klar))
		sum := sha256.Sum256(klar)
		sign, err := h.Sign(rand.Reader, sum[:], crypto.SHA256)
		is.NoErr(err)
		is.NoErr(rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum[:], sign))
	}

	t.Run("K1 a key of ours opens, anybody else's is not found", func(t *testing.T) {
		is, k := is.New(t), open(t)
		h := ny(t, k, kommune.MottakerEier("r-1"))
		virker(t, h, h.Sertifikat())
		igjen, err := k.Private(t.Context(), h.Sertifikat())
		is.NoErr(err)
		virker(t, igjen, h.Sertifikat())
		_, err = k.Private(t.Context(), NyttSertifikat(t))
		is.True(errors.Is(err, ports.ErrNotFound))
	})

	t.Run("K2 old keys stay", func(t *testing.T) {
		is, k := is.New(t), open(t)
		eier := kommune.Portalen
		a, b := ny(t, k, eier).Sertifikat(), ny(t, k, eier).Sertifikat()
		is.True(!a.Equal(b))
		is.True(a.SerialNumber.Cmp(b.SerialNumber) != 0)
		for _, c := range []*x509.Certificate{a, b} {
			h, err := k.Private(t.Context(), c)
			is.NoErr(err)
			virker(t, h, c)
		}
	})
}
