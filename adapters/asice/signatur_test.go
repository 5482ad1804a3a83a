package asice_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/smallstep/pkcs7"

	"portal.example/bekymringsmelding/adapters/asice"
)

func deflatert(t testing.TB, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err == nil {
		_, err = io.WriteString(w, s)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// medSignatur is a good container with another signature in it.
func medSignatur(t testing.TB, lag func(manifest string) string) []byte {
	t.Helper()
	p := poster(t, pakk(t, rapport()))
	p[4].innhold = lag(p[3].innhold)
	return zippet(t, p...)
}

func TestSignaturer(t *testing.T) {
	sd := func(endre func(*pkcs7.SignedData)) func(string) string {
		return func(manifest string) string {
			s, err := pkcs7.NewSignedData([]byte(manifest))
			if err != nil {
				t.Fatal(err)
			}
			s.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
			endre(s)
			b, err := s.Finish()
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
	}
	med := func(attr ...pkcs7.Attribute) func(s *pkcs7.SignedData) {
		return func(s *pkcs7.SignedData) {
			if err := s.AddSigner(vaar().cert, vaar().key, pkcs7.SignerInfoConfig{ExtraSignedAttributes: attr}); err != nil {
				t.Fatal(err)
			}
			s.Detach()
		}
	}
	essCert := func(cert signerer) pkcs7.Attribute {
		type id struct{ Hash []byte }
		sum := sha(cert.cert.Raw)
		return pkcs7.Attribute{Type: []int{1, 2, 840, 113549, 1, 9, 16, 2, 47}, Value: struct{ Certs []id }{[]id{{sum}}}}
	}
	for navn, tc := range map[string]struct {
		lag func(string) string
		ok  bool
	}{
		"plain":                     {sd(med()), true},
		"names its certificate":     {sd(med(essCert(vaar()))), true},
		"names another certificate": {sd(med(essCert(annen()))), false},
		"not detached": {sd(func(s *pkcs7.SignedData) {
			if err := s.AddSigner(vaar().cert, vaar().key, pkcs7.SignerInfoConfig{}); err != nil {
				t.Fatal(err)
			}
		}), false},
		"without signed attributes": {sd(func(s *pkcs7.SignedData) {
			if err := s.SignWithoutAttr(vaar().cert, vaar().key, pkcs7.SignerInfoConfig{}); err != nil {
				t.Fatal(err)
			}
			s.Detach()
		}), false},
		"another content type": {sd(func(s *pkcs7.SignedData) {
			s.GetSignedData().ContentInfo.ContentType = pkcs7.OIDSignedData
			med()(s)
		}), false},
		"attributes taken away": {sd(func(s *pkcs7.SignedData) { med()(s); s.RemoveAuthenticatedAttributes() }), false},
		"SHA-1":                 {func(m string) string { return signert(t, m, pkcs7.OIDDigestAlgorithmSHA1, vaar()) }, true},
		"SHA-512":               {func(m string) string { return signert(t, m, pkcs7.OIDDigestAlgorithmSHA512, vaar()) }, true},
		"bytes after":           {func(m string) string { return signert(t, m, pkcs7.OIDDigestAlgorithmSHA256, vaar()) + "\x00" }, false},
		"certificates only":     {func(string) string { b, _ := pkcs7.DegenerateCertificate(vaar().cert.Raw); return string(b) }, false},
		"deep":                  {func(string) string { return strings.Repeat("\x30\x80", 20_000) }, false},
		"deep and closed": {func(string) string {
			return strings.Repeat("\x30\x80", 20_000) + "\x05\x00" + strings.Repeat("\x00\x00", 20_000)
		}, false},
		"empty indefinite": {func(string) string { return "\x30\x80" + strings.Repeat("\x30\x80\x00\x00", 20_000) + "\x00\x00" }, false},
		"huge length":      {func(string) string { return "\x30\x84\x7f\xff\xff\xff" }, false},
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			var err error
			b := medSignatur(t, tc.lag)
			brukt := allokert(func() { _, err = les(b) })
			if tc.ok {
				is.NoErr(err)
			} else {
				is.True(errors.Is(err, asice.ErrSignature))
			}
			if brukt > 2<<20 { // smallstep alone copies gigabytes for the deep ones
				t.Errorf("%d bytes allocated", brukt)
			}
		})
	}
}

// Every bit-flipped and cut signature reaches smallstep's parser, which is known to panic.
func TestSignaturTalerAlt(t *testing.T) {
	is := is.New(t)
	god := poster(t, pakk(t, rapport()))
	java := poster(t, fil(t, "asice.zip"))
	for _, p := range [][]post{god, java} {
		riktig := p[4].innhold
		for n := range len(riktig) {
			b := []byte(riktig)
			b[n] ^= 1 << (n % 8)
			for _, s := range []string{string(b), riktig[:n]} {
				p[4] = post{p[4].navn, s, zip.Store}
				_, err := les(zippet(t, p...))
				is.True(err == nil || errors.Is(err, asice.ErrSignature))
				is.True(err != nil || len(s) == len(riktig))
			}
		}
	}
}

func FuzzAsice(f *testing.F) {
	f.Add(pakk(f, rapport()))
	f.Add(dotnet(f, rapport(), vaar(), vaar()))
	for _, navn := range []string{"asice.zip", "feilet-data.zip", "ugyldig-digest.zip", "uten-manifest.zip"} {
		f.Add(fil(f, navn))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := les(b)
		kjent := errors.Is(err, asice.ErrNotZip) || errors.Is(err, asice.ErrUnsafe) || errors.Is(err, asice.ErrManifest) ||
			errors.Is(err, asice.ErrDigest) || errors.Is(err, asice.ErrSignature)
		if err != nil && !kjent || err == nil && (c.Signer == nil || len(c.Filer) == 0) {
			t.Fatal(err)
		}
	})
}

// The signature alone, past the zip's CRC, which stops a fuzzer otherwise.
func FuzzSignatur(f *testing.F) {
	p := poster(f, pakk(f, rapport()))
	f.Add([]byte(p[4].innhold))
	f.Add([]byte(poster(f, fil(f, "asice.zip"))[4].innhold))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := les(medSignatur(t, func(string) string { return string(b) })); err != nil && !errors.Is(err, asice.ErrSignature) && !errors.Is(err, asice.ErrUnsafe) {
			t.Fatal(err)
		}
	})
}
