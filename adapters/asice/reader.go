package asice

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"portal.example/bekymringsmelding/domain/melding"
)

// Dialect says which family of writers made a container.
type Dialect string

const (
	Standard Dialect = "standard" // ours and KS's Java
	DotNet   Dialect = "dotnet"   // KS's .NET: another namespace, no OpenDocument manifest
)

// Container is what a verified container holds and who answers for it.
type Container struct {
	Filer     []melding.Fil // in the manifest's order; the root file is first in every known dialect
	Signer    *x509.Certificate
	Algorithm x509.SignatureAlgorithm
	SHA1      bool      // signed with SHA-1, as KS's Java does: verified, and weak
	SignedAt  time.Time // what the signer says; zero when it says nothing
	Dialect   Dialect
}

// Caps for Read, far above any report (5 MiB sealed) and low enough for many at once.
const (
	maxEntries  = 64
	maxTotal    = 32 << 20  // inflated
	maxMeta     = 256 << 10 // a manifest or a signature
	metaEntries = 4         // mimetype and three under META-INF
)

// Limits bound what a container may hold once inflated.
type Limits struct {
	Entries int   // mimetype and META-INF included
	File    int64 // bytes of one file
	Total   int64 // bytes of all
}

// Read verifies the container in k and gives its files: 64 entries and 32 MiB at most.
func Read(k melding.Klartekst) (Container, error) {
	return Limits{Entries: maxEntries, File: maxTotal, Total: maxTotal}.Read(k)
}

// Read is the package's Read with limits of your own.
func (l Limits) Read(k melding.Klartekst) (Container, error) {
	zr, err := zip.NewReader(bytes.NewReader(k.Bytes()), int64(k.Storrelse()))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // which names are insecure is judged below
		return Container{}, ErrNotZip
	}
	s, err := l.sort(k.Bytes(), zr.File)
	if err != nil {
		return Container{}, err
	}
	if s.mimetype != nil {
		if b, err := s.mimetype.inflate(maxMeta); err != nil || string(b) != mimeType {
			return Container{}, ErrUnsafe
		}
	}
	if s.openDocument != nil { // nothing in it is used, but it too must end where it says
		if _, err := s.openDocument.inflate(maxMeta); err != nil {
			return Container{}, err
		}
	}
	if s.manifest == nil {
		return Container{}, ErrManifest
	}
	manifest, err := s.manifest.inflate(maxMeta)
	if err != nil {
		return Container{}, err
	}
	signature, entries, dialect, ok := parseManifest(manifest)
	if !ok {
		return Container{}, ErrManifest
	}
	if s.signature == nil || s.signature.Name != signature {
		return Container{}, ErrSignature
	}
	p7s, err := s.signature.inflate(maxMeta)
	if err != nil {
		return Container{}, err
	}
	c, err := verifyDetached(p7s, manifest)
	if err != nil {
		return Container{}, err
	}
	c.Dialect = dialect
	c.Filer, err = l.payload(s.payload, entries)
	if err != nil {
		return Container{}, err
	}
	return c, nil
}

// payload: the manifest's files and the container's must be the same, each with its digest.
func (l Limits) payload(files map[string]*located, entries []entry) ([]melding.Fil, error) {
	if len(entries) == 0 || len(entries) != len(files) {
		return nil, ErrDigest
	}
	out := make([]melding.Fil, 0, len(entries))
	for _, e := range entries {
		f := files[e.name]
		if f == nil {
			return nil, ErrDigest
		}
		delete(files, e.name) // listed twice is listed wrongly
		b, err := f.inflate(l.File)
		if err != nil {
			return nil, err
		}
		if sha256.Sum256(b) != e.digest {
			return nil, ErrDigest
		}
		out = append(out, melding.Fil{Navn: e.name, Innhold: melding.NyKlartekst(b)})
	}
	return out, nil
}

type sorted struct {
	mimetype, manifest, signature, openDocument *located
	payload                                     map[string]*located
}

// sort says what each entry is. Nothing is inflated before every entry has been judged by what it claims.
func (l Limits) sort(b []byte, files []*zip.File) (sorted, error) {
	s := sorted{payload: map[string]*located{}}
	if len(files) > l.Entries {
		return s, ErrUnsafe
	}
	seen := map[string]bool{}
	var total uint64
	for _, f := range files {
		lower := strings.ToLower(f.Name)
		total += min(f.UncompressedSize64, 1<<62/uint64(l.Entries+1))
		switch {
		case !safeName(f.Name), seen[lower], total > uint64(l.Total), f.Flags&1 != 0,
			f.Method != zip.Store && f.Method != zip.Deflate, !f.Mode().IsRegular():
			return s, ErrUnsafe
		}
		seen[lower] = true
	}
	entries, err := layout(b, files)
	if err != nil {
		return s, err
	}
	for i := range entries {
		if err := s.place(&entries[i]); err != nil {
			return s, err
		}
	}
	return s, nil
}

// place takes the names Java's reader takes, whatever their case; one manifest and one signature.
func (s *sorted) place(f *located) error {
	lower := strings.ToLower(f.Name)
	meta, inMeta := strings.CutPrefix(lower, strings.ToLower(metaInf))
	matches := func(pattern string) bool { ok, _ := path.Match(pattern, meta); return ok }
	switch {
	case lower == mimeTypeEntry:
		s.mimetype = f
	case !inMeta:
		s.payload[f.Name] = f
	case matches("asicmanifest*.xml") && s.manifest == nil:
		s.manifest = f
	case matches("asicmanifest*.xml"):
		return ErrManifest
	case matches("signature*.p7s") && s.signature == nil:
		s.signature = f
	case meta == "manifest.xml":
		s.openDocument = f
	default:
		return ErrUnsafe
	}
	return nil
}

// safeName: a bare name, or one right under META-INF, that no file system reads as something else.
func safeName(s string) bool {
	if len(s) > len(metaInf) && strings.EqualFold(s[:len(metaInf)], metaInf) {
		s = s[len(metaInf):]
	}
	return s != "" && len(s) <= 255 && s != "." && !strings.Contains(s, "..") && !strings.ContainsAny(s, `/\:`) &&
		utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
