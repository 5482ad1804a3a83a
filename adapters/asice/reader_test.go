package asice_test

import (
	"archive/zip"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/smallstep/pkcs7"

	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/domain/melding"
)

func TestLeserJava(t *testing.T) {
	is := is.New(t)
	c, err := les(fil(t, "asice.zip"))
	is.NoErr(err)
	p, _ := pem.Decode(fil(t, "avsender.pem"))
	is.Equal(c.Signer.Raw, p.Bytes)
	is.True(c.SHA1) // accepted, and said
	is.Equal(c.Algorithm, x509.SHA1WithRSA)
	is.Equal(c.SignedAt, time.Date(2026, 11, 22, 5, 39, 16, 0, time.UTC))
	is.Equal(c.Dialect, asice.Standard)
	is.Equal(len(c.Filer), 2)
	is.Equal(c.Filer[0].Navn, "bekymringsmelding.json")
	is.Equal(c.Filer[0].Innhold.Storrelse(), 708)
	is.True(bytes.HasPrefix(c.Filer[1].Innhold.Bytes(), []byte("%PDF-")))

	c, err = les(fil(t, "feilet-data.zip"))
	is.NoErr(err)
	is.Equal(c.Filer[0].Navn, "feilmelding.json")

	_, err = les(fil(t, "ugyldig-digest.zip"))
	is.True(errors.Is(err, asice.ErrDigest))
	_, err = les(fil(t, "uten-manifest.zip"))
	is.True(errors.Is(err, asice.ErrManifest))
}

func TestLeserDotNet(t *testing.T) {
	is := is.New(t)
	c, err := les(dotnet(t, rapport(), vaar(), vaar()))
	is.NoErr(err)
	is.Equal(c.Dialect, asice.DotNet)
	is.True(c.Signer.Equal(vaar().cert))
	is.Equal(c.Algorithm, x509.SHA256WithRSA)
	is.True(!c.SHA1)
	is.Equal(len(c.Filer), 2)
	_, err = les(dotnet(t, rapport(), vaar(), annen()))
	is.True(errors.Is(err, asice.ErrSignature)) // two people: who answers for it?
	_, err = les(dotnet(t, rapport(), vaar(), vaar(), vaar(), vaar(), vaar()))
	is.True(errors.Is(err, asice.ErrSignature))
	_, err = les(dotnet(t, rapport()))
	is.True(errors.Is(err, asice.ErrSignature)) // nobody
}

// Each case changes one thing in a good container.
func TestAvviser(t *testing.T) {
	god := func() []post { return poster(t, pakk(t, rapport())) }
	if _, err := les(zippet(t, god()...)); err != nil {
		t.Fatal(err) // put together again unchanged it must be good
	}
	const manifest, signatur = 3, 4
	bytt := func(i int, fra, til string) func([]post) []post {
		return func(p []post) []post {
			ny := strings.Replace(p[i].innhold, fra, til, 1)
			if ny == p[i].innhold {
				t.Fatalf("nothing to replace for %q", til)
			}
			p[i].innhold = ny
			return p
		}
	}
	// paany changes the manifest and signs it again: what remains is the manifest's own fault.
	paany := func(fra, til string) func([]post) []post {
		return func(p []post) []post {
			p = bytt(manifest, fra, til)(p)
			p[signatur].innhold = signert(t, p[manifest].innhold, pkcs7.OIDDigestAlgorithmSHA256, vaar())
			return p
		}
	}
	med := func(navn, innhold string) func([]post) []post {
		return func(p []post) []post { return append(p, post{navn, innhold, zip.Deflate}) }
	}
	uten := func(i int) func([]post) []post { return func(p []post) []post { return slices.Delete(p, i, i+1) } }
	for navn, tc := range map[string]struct {
		endre func([]post) []post
		feil  error
	}{
		"changed payload":   {bytt(1, "Kari", "Kåre"), asice.ErrDigest},
		"changed manifest":  {bytt(manifest, "application/json", "application/text"), asice.ErrSignature},
		"changed signature": {bytt(signatur, string(vaar().cert.RawIssuer), string(annen().cert.RawIssuer)), asice.ErrSignature},
		"another's signature": {func(p []post) []post {
			p[signatur].innhold = signert(t, "x", pkcs7.OIDDigestAlgorithmSHA256, vaar())
			return p
		}, asice.ErrSignature},
		"signature of garbage":    {func(p []post) []post { p[signatur].innhold = "tull"; return p }, asice.ErrSignature},
		"empty signature":         {func(p []post) []post { p[signatur].innhold = ""; return p }, asice.ErrSignature},
		"no signature":            {uten(signatur), asice.ErrSignature},
		"signature by other name": {func(p []post) []post { p[signatur].navn = "META-INF/signature-2.p7s"; return p }, asice.ErrSignature},
		"no manifest":             {uten(manifest), asice.ErrManifest},
		"two manifests":           {med("META-INF/ASiCManifest1.xml", "x"), asice.ErrManifest},
		"manifest not XML":        {func(p []post) []post { p[manifest].innhold = "<"; return p }, asice.ErrManifest},
		"unknown namespace":       {paany("uri.etsi.org/02918", "uri.example.org/02918"), asice.ErrManifest},
		"weak digest":             {paany("xmlenc#sha256", "xmlenc#md5"), asice.ErrManifest},
		"unknown root":            {paany("<ASiCManifest ", "<Manifest "), asice.ErrManifest},
		"unlisted file":           {med("mer.pdf", "x"), asice.ErrDigest},
		"listed and missing":      {uten(1), asice.ErrDigest},
		"listed twice":            {paany(`URI="bekymringsmelding.pdf"`, `URI="bekymringsmelding.json"`), asice.ErrDigest},
		"listed with directory":   {paany(`URI="bekymringsmelding.pdf"`, `URI="./bekymringsmelding.pdf"`), asice.ErrDigest},
		"duplicate":               {med("bekymringsmelding.pdf", "%PDF-1.7 hemmelig"), asice.ErrUnsafe},
		"duplicate, other case":   {med("Bekymringsmelding.PDF", "%PDF-1.7 hemmelig"), asice.ErrUnsafe},
		"two signatures":          {med("META-INF/signature-2.p7s", "x"), asice.ErrUnsafe},
		"XAdES":                   {med("META-INF/signatures1.xml", "x"), asice.ErrUnsafe},
		"unknown under META-INF":  {med("META-INF/noe.txt", "x"), asice.ErrUnsafe},
		"deep under META-INF":     {med("META-INF/a/manifest.xml", "x"), asice.ErrUnsafe},
		"..":                      {med("../x", "x"), asice.ErrUnsafe},
		".. inside":               {med("a/../../x", "x"), asice.ErrUnsafe},
		".. under META-INF":       {med("META-INF/../x", "x"), asice.ErrUnsafe},
		"absolute":                {med("/etc/passwd", "x"), asice.ErrUnsafe},
		"drive":                   {med(`C:\x`, "x"), asice.ErrUnsafe},
		"backslash":               {med(`a\x`, "x"), asice.ErrUnsafe},
		"directory":               {med("mappe/", ""), asice.ErrUnsafe},
		"file in directory":       {med("mappe/fil", "x"), asice.ErrUnsafe},
		"META-INF itself":         {med("META-INF/", ""), asice.ErrUnsafe},
		"control character":       {med("a\nb", "x"), asice.ErrUnsafe},
		"not UTF-8":               {med("a\xff", "x"), asice.ErrUnsafe},
		"no name":                 {med("", "x"), asice.ErrUnsafe},
		"other mimetype":          {bytt(0, "asic-e", "asic-s"), asice.ErrUnsafe},
		"many entries": {func(p []post) []post {
			for i := range 60 {
				p = append(p, post{fmt.Sprint(i), "", zip.Store})
			}
			return p
		}, asice.ErrUnsafe},
		"bomb, one file": {med("bombe.pdf", strings.Repeat("0", 33<<20)), asice.ErrUnsafe},
		"bomb, two files": {func(p []post) []post {
			return med("b.pdf", strings.Repeat("0", 17<<20))(med("a.pdf", strings.Repeat("0", 17<<20))(p))
		}, asice.ErrUnsafe},
		"large manifest": {func(p []post) []post { p[manifest].innhold += strings.Repeat(" ", 300<<10); return p }, asice.ErrUnsafe},
	} {
		t.Run(navn, func(t *testing.T) {
			c, err := les(zippet(t, tc.endre(god())...))
			if !errors.Is(err, tc.feil) {
				t.Fatalf("got %v, want %v", err, tc.feil)
			}
			if c.Filer != nil || c.Signer != nil {
				t.Fatal("something came with the error")
			}
			for _, hemmelig := range []string{"Kari", "hemmelig", "bekymringsmelding.", "passwd"} {
				if strings.Contains(err.Error(), hemmelig) {
					t.Fatalf("the error tells %q", hemmelig)
				}
			}
		})
	}
}

func TestEgneGrenser(t *testing.T) {
	is := is.New(t)
	b := melding.NyKlartekst(pakk(t, rapport()))
	_, err := asice.Limits{Entries: 6, File: 22, Total: 1 << 20}.Read(b)
	is.NoErr(err)
	_, err = asice.Limits{Entries: 5, File: 22, Total: 1 << 20}.Read(b)
	is.True(errors.Is(err, asice.ErrUnsafe))
	_, err = asice.Limits{Entries: 6, File: 21, Total: 1 << 20}.Read(b)
	is.True(errors.Is(err, asice.ErrUnsafe))
	_, err = asice.Limits{Entries: 6, File: 22, Total: 1000}.Read(b)
	is.True(errors.Is(err, asice.ErrUnsafe))
}

// One file listed twice must not stand in for another that is not listed: the count alone is right here.
func TestListetToGangerDekkerIkkeEnAnnen(t *testing.T) {
	is := is.New(t)
	p := poster(t, pakk(t, rapport()))
	m := p[3].innhold
	fra, til := strings.Index(m, "    <DataObjectReference"), strings.LastIndex(m, "    <DataObjectReference")
	p[3].innhold = m[:til] + m[fra:til] + "</ASiCManifest>"
	p[4].innhold = signert(t, p[3].innhold, pkcs7.OIDDigestAlgorithmSHA256, vaar())
	_, err := les(zippet(t, p...))
	is.True(errors.Is(err, asice.ErrDigest))
}

func TestUtryggePoster(t *testing.T) {
	is := is.New(t)
	p := poster(t, pakk(t, rapport()))[1:] // a mimetype is optional to readers, and unsafe for reasons of its own
	_, err := les(zippetRaa(t, func(*zip.FileHeader) {}, p...))
	is.NoErr(err)
	for navn, endre := range map[string]func(*zip.FileHeader){
		"encrypted":     func(h *zip.FileHeader) { h.Flags |= 1 },
		"bzip2":         func(h *zip.FileHeader) { h.Method = 12 },
		"symbolic link": func(h *zip.FileHeader) { h.SetMode(os.ModeSymlink | 0o777) },
		"device":        func(h *zip.FileHeader) { h.SetMode(os.ModeDevice | 0o666) },
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			_, err := les(zippetRaa(t, endre, p...))
			is.True(errors.Is(err, asice.ErrUnsafe))
		})
	}
}

// An entry that inflates to more or less than it claims is caught where it lies, not after it has filled memory.
func TestLyverOmStorrelsen(t *testing.T) {
	is := is.New(t)
	for _, paastand := range []uint64{1, 99_999, 100_001, 31 << 20, 1 << 40, 1<<64 - 1} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		komprimert := deflatert(t, strings.Repeat("0", 100_000))
		w, err := z.CreateRaw(&zip.FileHeader{Name: "META-INF/ASiCManifest.xml", Method: zip.Deflate, CompressedSize64: uint64(len(komprimert)), UncompressedSize64: paastand})
		is.NoErr(err)
		_, err = w.Write(komprimert)
		is.NoErr(err)
		is.NoErr(z.Close())
		_, err = les(b.Bytes())
		is.True(errors.Is(err, asice.ErrNotZip) || errors.Is(err, asice.ErrUnsafe))
	}
}

// Nothing but a whole, unchanged container passes; cut or changed anywhere, there is an error and never a panic.
func TestAvkortetOgEnBitGal(t *testing.T) {
	for navn, b := range map[string][]byte{"ours": pakk(t, rapport()), "Java": fil(t, "asice.zip"), ".NET": dotnet(t, rapport(), vaar(), vaar())} {
		t.Run(navn, func(t *testing.T) {
			riktig, err := les(b)
			if err != nil {
				t.Fatal(err)
			}
			for n := range b[:len(b)-len("mimetype=application/vnd.etsi.asic-e+zip")] {
				if _, err := les(b[:n]); err == nil {
					t.Fatalf("read with %d of %d bytes", n, len(b))
				}
			}
			for n := range b {
				galt := bytes.Clone(b)
				galt[n] ^= 1 << (n % 8)
				c, err := les(galt)
				if err != nil {
					continue
				}
				for i, f := range c.Filer { // a bit in a date or a comment says nothing about the files
					if f.Navn != riktig.Filer[i].Navn || !bytes.Equal(f.Innhold.Bytes(), riktig.Filer[i].Innhold.Bytes()) {
						t.Fatalf("byte %d: changed content was let through", n)
					}
				}
			}
		})
	}
}
