package cms_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/melding"
)

// RSA keys are made once for the whole package: making them is slower than everything else here.
var (
	vaar   = sync.OnceValue(func() cms.Key { return nyNokkel("VÅR", 2048, 4711) })
	annen  = sync.OnceValue(func() cms.Key { return nyNokkel("ANNEN", 2048, 4712) })
	svak   = sync.OnceValue(func() cms.Key { return nyNokkel("SVAK", 1024, 4713) })
	stor   = sync.OnceValue(func() cms.Key { return nyNokkel("STOR", 4096, 4714) })
	innser = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
)

func nyNokkel(navn string, bits int, serie int64) cms.Key {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	mal := &x509.Certificate{
		SerialNumber: big.NewInt(serie), Subject: pkix.Name{CommonName: navn, Organization: []string{"Kastetest"}},
		NotBefore: innser, NotAfter: innser.AddDate(10, 0, 0), SubjectKeyId: []byte(navn + " nøkkel"),
	}
	der, err := x509.CreateCertificate(rand.Reader, mal, mal, k.Public(), k)
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return cms.Key{Certificate: c, Decrypter: k}
}

func mottaker(k cms.Key) melding.Mottakernokkel {
	return melding.Mottakernokkel{Forsegling: melding.X509, Nokkel: k.Certificate.Raw}
}

func fil(t testing.TB, navn string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", navn))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// javanokkel is a key out of testdata, by the name its two files share.
func javanokkel(t testing.TB, navn string) cms.Key {
	t.Helper()
	p, _ := pem.Decode(fil(t, navn+".pem"))
	c, err := x509.ParseCertificate(p.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	k, err := x509.ParsePKCS8PrivateKey(fil(t, navn+".key.der"))
	if err != nil {
		t.Fatal(err)
	}
	return cms.Key{Certificate: c, Decrypter: k.(crypto.Decrypter)}
}

// openssl runs the command with the key's two halves as cert.pem and key.pem and in.bin as given, and returns out.bin.
func openssl(t *testing.T, k cms.Key, inn []byte, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if strings.Contains(os.Getenv("KREV"), "openssl") {
			t.Fatal("openssl is required (KREV) and missing")
		}
		t.Skip("needs the openssl program")
	}
	dir := t.TempDir()
	skriv := func(navn string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, navn), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.Decrypter)
	if err != nil {
		t.Fatal(err)
	}
	skriv("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.Certificate.Raw}))
	skriv("annen.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: annen().Certificate.Raw}))
	skriv("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	skriv("in.bin", inn)
	cmd := exec.Command("openssl", args...)
	cmd.Dir = dir
	if ut, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, ut)
	}
	b, err := os.ReadFile(filepath.Join(dir, "out.bin"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
