package asice_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/domain/melding"
)

// The order and form KS's Java writes (fiks-io.md section 7.1).
func TestPakketSomJava(t *testing.T) {
	is := is.New(t)
	b := pakk(t, rapport())
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	is.NoErr(err)
	is.Equal(z.Comment, "mimetype=application/vnd.etsi.asic-e+zip")
	java, err := zip.NewReader(bytes.NewReader(fil(t, "asice.zip")), int64(len(fil(t, "asice.zip"))))
	is.NoErr(err)
	is.Equal(len(z.File), len(java.File))
	uuid := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	for i, f := range z.File {
		is.Equal(uuid.ReplaceAllString(f.Name, "UUID"), uuid.ReplaceAllString(java.File[i].Name, "UUID"))
		is.Equal(f.Comment, java.File[i].Comment)
		is.True(f.Method == zip.Deflate || f.Flags&8 == 0) // Java refuses a stored entry with a data descriptor
	}
	is.Equal(z.File[0].Method, zip.Store)
	is.Equal(z.File[2].Method, zip.Store) // the PDF
	is.Equal(b[30:38], []byte("mimetype"))
	is.Equal(b[38:69], []byte("application/vnd.etsi.asic-e+zip")) // at its fixed place: no extra field (EN 319 162-1 A.1)

	vaare, deres := poster(t, b), poster(t, fil(t, "asice.zip"))
	utenDigest := func(s string) string {
		s = regexp.MustCompile(`[A-Za-z0-9+/]{43}=`).ReplaceAllString(s, "DIGEST")
		return strings.TrimSpace(uuid.ReplaceAllString(s, "UUID"))
	}
	is.Equal(utenDigest(vaare[3].innhold), utenDigest(deres[3].innhold)) // ASiCManifest.xml
	is.Equal(utenDigest(vaare[5].innhold), utenDigest(deres[5].innhold)) // manifest.xml
}

func TestPakketOgLest(t *testing.T) {
	is := is.New(t)
	c, err := les(pakk(t, rapport()))
	is.NoErr(err)
	is.Equal(len(c.Filer), 2)
	for i, f := range rapport() {
		is.Equal(c.Filer[i].Navn, f.Navn)
		is.Equal(c.Filer[i].Innhold.Bytes(), f.Innhold.Bytes())
	}
	is.True(c.Signer.Equal(vaar().cert))
	is.Equal(c.Algorithm, x509.SHA256WithRSA)
	is.True(!c.SHA1)
	is.Equal(c.SignedAt, naa) // the caller's clock, not the machine's
	is.Equal(c.Dialect, asice.Standard)
}

// openssl verifies the signature as CAdES, which demands signing-certificate-v2 and holds it against the certificate.
func TestOpenSSLVerifiserer(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		if strings.Contains(os.Getenv("KREV"), "openssl") {
			t.Fatal("openssl is required (KREV) and missing")
		}
		t.Skip("needs the openssl program")
	}
	is := is.New(t)
	dir := t.TempDir()
	p := poster(t, pakk(t, rapport()))
	skriv := func(navn string, b []byte) { is.NoErr(os.WriteFile(filepath.Join(dir, navn), b, 0o600)) }
	skriv("manifest", []byte(p[3].innhold))
	skriv("sig", []byte(p[4].innhold))
	skriv("galt", []byte(p[3].innhold+" "))
	skriv("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: vaar().cert.Raw}))
	run := func(args ...string) (string, error) {
		cmd := exec.Command("openssl", args...)
		cmd.Dir = dir
		ut, err := cmd.CombinedOutput()
		return string(ut), err
	}
	verify := []string{"cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "sig", "-CAfile", "ca.pem", "-purpose", "any", "-out", "ut", "-content"}
	ut, err := run(append(verify, "manifest")...)
	if err != nil {
		t.Fatal(ut)
	}
	_, err = run(append(verify, "galt")...)
	is.True(err != nil) // the test can fail
	ut, err = run("cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", "sig")
	is.NoErr(err)
	for _, vil := range []string{"id-smime-aa-signingCertificateV2", "signingTime", "messageDigest", "contentType", "algorithm: sha256"} {
		is.True(strings.Contains(ut, vil))
	}
	is.Equal(strings.Count(ut, "object: signingTime"), 1)
}

func TestNavnAlleTaler(t *testing.T) {
	for _, navn := range []string{
		"", ".", "..", ".skjult", "mappe/fil.pdf", `mappe\fil.pdf`, "/fil", "../fil", "æ.pdf", "a b.pdf", "a\x00.pdf", `a".pdf`, "a&b.pdf",
		"mimetype", "MimeType", "META-INF", "c:fil", strings.Repeat("a", 101),
	} {
		is := is.New(t)
		_, err := pakker(t).Pack(context.Background(), []melding.Fil{{Navn: navn, Innhold: melding.NyKlartekst(nil)}})
		is.True(errors.Is(err, asice.ErrFiles))
	}
	is := is.New(t)
	_, err := pakker(t).Pack(context.Background(), nil)
	is.True(errors.Is(err, asice.ErrFiles))
	_, err = pakker(t).Pack(context.Background(), []melding.Fil{{Navn: "a.pdf"}, {Navn: "A.pdf"}})
	is.True(errors.Is(err, asice.ErrFiles))
	_, err = pakker(t).Pack(context.Background(), make([]melding.Fil, 100))
	is.True(errors.Is(err, asice.ErrFiles))
}

// As many as we pack, and an empty file, we also read.
func TestMangeOgTommeFiler(t *testing.T) {
	is := is.New(t)
	var filer []melding.Fil
	for i := range 60 {
		filer = append(filer, melding.Fil{Navn: "fil" + strings.Repeat("x", i) + ".pdf"})
	}
	c, err := les(pakk(t, filer))
	is.NoErr(err)
	is.Equal(len(c.Filer), 60)
}

func TestUbrukeligSignerer(t *testing.T) {
	is := is.New(t)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	is.NoErr(err)
	_, err = asice.NewPacker(ec, time.Now, vaar().cert)
	is.True(errors.Is(err, asice.ErrSigner))
	_, err = asice.NewPacker(annen().key, time.Now, vaar().cert)
	is.True(errors.Is(err, asice.ErrSigner)) // another certificate's key
	_, err = asice.NewPacker(vaar().key, time.Now)
	is.True(errors.Is(err, asice.ErrSigner))
}

type full struct{ etter int }

func (f *full) Write(b []byte) (int, error) {
	if f.etter -= len(b); f.etter < 0 {
		return 0, errFull
	}
	return len(b), nil
}

var errFull = errors.New("disk full")

func TestFeilFraMalet(t *testing.T) {
	is := is.New(t)
	helt := len(pakk(t, rapport()))
	for n := 0; n < helt-200; n += 97 {
		is.True(errors.Is(pakker(t).Write(&full{n}, rapport()), errFull))
	}
	is.NoErr(pakker(t).Write(io.Discard, rapport()))
	ctx, stopp := context.WithCancel(context.Background())
	stopp()
	_, err := pakker(t).Pack(ctx, rapport())
	is.True(errors.Is(err, context.Canceled))
}
