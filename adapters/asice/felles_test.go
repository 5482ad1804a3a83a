package asice_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"

	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/domain/melding"
)

type signerer struct {
	key  *rsa.PrivateKey
	cert *x509.Certificate
}

// The certificates are valid around the machine's own time: smallstep, which signs the .NET dialect below, uses it.
var (
	vaar  = sync.OnceValue(func() signerer { return nySignerer("VÅR") })
	annen = sync.OnceValue(func() signerer { return nySignerer("ANNEN") })
	naa   = time.Now().UTC().Truncate(time.Second)
)

func nySignerer(navn string) signerer {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	mal := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(navn)) + 77), Subject: pkix.Name{CommonName: navn},
		NotBefore: naa.AddDate(-1, 0, 0), NotAfter: naa.AddDate(1, 0, 0), BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, mal, mal, k.Public(), k)
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return signerer{k, c}
}

func pakker(t testing.TB) *asice.Packer {
	t.Helper()
	p, err := asice.NewPacker(vaar().key, func() time.Time { return naa }, vaar().cert)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// melding er to filer slik en melding har dem.
func rapport() []melding.Fil {
	return []melding.Fil{
		{Navn: "bekymringsmelding.json", Innhold: melding.NyKlartekst([]byte(`{"navn":"Kari Æøå"}`))},
		{Navn: "bekymringsmelding.pdf", Innhold: melding.NyKlartekst([]byte("%PDF-1.7 hemmelig"))},
	}
}

func pakk(t testing.TB, filer []melding.Fil) []byte {
	t.Helper()
	k, err := pakker(t).Pack(context.Background(), filer)
	if err != nil {
		t.Fatal(err)
	}
	return k.Bytes()
}

func fil(t testing.TB, navn string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", navn))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func les(b []byte) (asice.Container, error) { return asice.Read(melding.NyKlartekst(b)) }

// post is one entry of a container made by hand.
type post struct {
	navn, innhold string
	metode        uint16
}

func zippet(t testing.TB, poster ...post) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range poster {
		w, err := z.CreateHeader(&zip.FileHeader{Name: p.navn, Method: p.metode})
		if err == nil {
			_, err = io.WriteString(w, p.innhold)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zippetRaa stores every entry as it is, its header changed first.
func zippetRaa(t testing.TB, endre func(*zip.FileHeader), poster ...post) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range poster {
		n := uint64(len(p.innhold))
		h := &zip.FileHeader{Name: p.navn, CRC32: crc32.ChecksumIEEE([]byte(p.innhold)), CompressedSize64: n, UncompressedSize64: n}
		endre(h)
		w, err := z.CreateRaw(h)
		if err == nil {
			_, err = io.WriteString(w, p.innhold)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// poster takes a container apart, so that a test can change one thing and put it together again.
func poster(t testing.TB, b []byte) []post {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var ut []post
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		innhold, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		ut = append(ut, post{f.Name, string(innhold), f.Method})
	}
	return ut
}

// signert is a detached signature by another hand than ours: smallstep's, one SignerInfo each.
func signert(t testing.TB, innhold string, hash []int, av ...signerer) string {
	t.Helper()
	sd, err := pkcs7.NewSignedData([]byte(innhold))
	if err != nil {
		t.Fatal(err)
	}
	sd.SetDigestAlgorithm(hash)
	for _, s := range av {
		if err := sd.AddSigner(s.cert, crypto.PrivateKey(s.key), pkcs7.SignerInfoConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	sd.Detach()
	b, err := sd.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// dotnet is a container as KS's .NET writes it (fiks-io.md section 7.2).
func dotnet(t testing.TB, filer []melding.Fil, av ...signerer) []byte {
	t.Helper()
	var m strings.Builder
	m.WriteString(`<?xml version="1.0" encoding="utf-8"?><cades:ASiCManifest xmlns:sig="http://www.w3.org/2000/09/xmldsig#" xmlns:cades="http://uri.etsi.org/2918/v1.2.1#">`)
	m.WriteString(`<cades:SigReference URI="META-INF/signature-1.p7s" MimeType="application/x-pkcs7-signature" />`)
	ut := []post{{"mimetype", "application/vnd.etsi.asic-e+zip", zip.Deflate}}
	for _, f := range filer {
		sum := sha256.Sum256(f.Innhold.Bytes())
		fmt.Fprintf(&m, `<cades:DataObjectReference URI="%s" MimeType="application/pdf"><sig:DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha256" /><sig:DigestValue>%s</sig:DigestValue></cades:DataObjectReference>`,
			f.Navn, base64.StdEncoding.EncodeToString(sum[:]))
		ut = append(ut, post{f.Navn, string(f.Innhold.Bytes()), zip.Deflate})
	}
	m.WriteString(`</cades:ASiCManifest>`)
	ut = append(ut, post{"META-INF/asicmanifest.xml", m.String(), zip.Deflate},
		post{"META-INF/signature-1.p7s", signert(t, m.String(), pkcs7.OIDDigestAlgorithmSHA256, av...), zip.Deflate})
	return zippet(t, ut...)
}

func sha(b []byte) []byte { s := sha256.Sum256(b); return s[:] }
