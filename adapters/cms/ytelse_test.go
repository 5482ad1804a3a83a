package cms_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"io"
	"testing"

	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/melding"
)

// golv is what sealing n bytes cannot do without: one RSA operation, one pass of AES-CBC. The benchmarks beside it
// measure in the same run, so their ratio holds on any machine.
func golv(b *testing.B, n int) {
	public := vaar().Certificate.PublicKey.(*rsa.PublicKey)
	key, iv, buf := make([]byte, 32), make([]byte, 16), make([]byte, n/16*16+16)
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public, key, nil); err != nil {
			b.Fatal(err)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			b.Fatal(err)
		}
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(buf, buf)
	}
}

func forseglN(b *testing.B, s forsegler, n int) {
	klar, til := melding.NyKlartekst(make([]byte, n)), mottaker(vaar())
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Seal(klar, til); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFloor50K(b *testing.B)   { golv(b, 50_000) }
func BenchmarkSeal50K(b *testing.B)    { forseglN(b, cms.Sealer{}, 50_000) }
func BenchmarkFloor5M(b *testing.B)    { golv(b, 5<<20) }
func BenchmarkSeal5M(b *testing.B)     { forseglN(b, cms.Sealer{}, 5<<20) }
func BenchmarkSealAuth5M(b *testing.B) { forseglN(b, cms.AuthenticatedSealer{}, 5<<20) }

func forseglet(b *testing.B, encrypt func(io.Writer, io.Reader, int64, *x509.Certificate) error, n int) []byte {
	var ut bytes.Buffer
	if err := encrypt(&ut, bytes.NewReader(make([]byte, n)), int64(n), vaar().Certificate); err != nil {
		b.Fatal(err)
	}
	return ut.Bytes()
}

func strom(b *testing.B, n int, f func() error) {
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncrypt5M(b *testing.B) {
	klar := make([]byte, 5<<20)
	strom(b, len(klar), func() error {
		return cms.Encrypt(io.Discard, bytes.NewReader(klar), int64(len(klar)), vaar().Certificate)
	})
}

func BenchmarkDecrypt5M(b *testing.B) {
	sealed := forseglet(b, cms.Encrypt, 5<<20)
	strom(b, 5<<20, func() error { return cms.Decrypt(io.Discard, bytes.NewReader(sealed), vaar()) })
}

// Java's form: five thousand segments of 1000 bytes.
func BenchmarkDecryptJava5M(b *testing.B) {
	o := oppskrift{ytre: inf, mottakere: []mottakerinfo{oaepSHA256(vaar(), navngitt(vaar()))}, innhold: biter(1000, 0, inf)}
	sealed := o.skriv(b, make([]byte, 5<<20))
	strom(b, 5<<20, func() error { return cms.Decrypt(io.Discard, bytes.NewReader(sealed), vaar()) })
}

func BenchmarkInspect5M(b *testing.B) {
	sealed := forseglet(b, cms.Encrypt, 5<<20)
	strom(b, 5<<20, func() error { _, err := cms.Inspect(bytes.NewReader(sealed)); return err })
}

func BenchmarkOpen5M(b *testing.B) {
	f := melding.ForsegletBytes(melding.X509, forseglet(b, cms.Encrypt, 5<<20))
	o := cms.NewOpener(vaar())
	strom(b, 5<<20, func() error { _, err := o.Open(context.Background(), f); return err })
}

func BenchmarkOpenAuth5M(b *testing.B) {
	f := melding.ForsegletBytes(melding.X509, forseglet(b, cms.EncryptAuthenticated, 5<<20))
	o := cms.NewOpener(vaar())
	strom(b, 5<<20, func() error { _, err := o.Open(context.Background(), f); return err })
}
