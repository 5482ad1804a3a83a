package asice

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"strings"
	"time"

	"portal.example/bekymringsmelding/domain/melding"
)

// Packer writes containers signed with one key. It is safe for concurrent use when the key is.
type Packer struct {
	chain []*x509.Certificate
	key   crypto.Signer
	now   func() time.Time
}

// NewPacker signs with key, whose certificate comes first in chain; the whole chain goes into each signature. now gives
// the signing time, which readers hold against the certificate's dates. Only RSA: no known client verifies another.
func NewPacker(key crypto.Signer, now func() time.Time, chain ...*x509.Certificate) (*Packer, error) {
	if len(chain) == 0 || key == nil || now == nil {
		return nil, ErrSigner
	}
	if public, ok := key.Public().(*rsa.PublicKey); !ok || !public.Equal(chain[0].PublicKey) {
		return nil, ErrSigner
	}
	return &Packer{chain: chain, key: key, now: now}, nil
}

// Pack gives one signed container holding filer; the first is the root file.
func (p *Packer) Pack(ctx context.Context, filer []melding.Fil) (melding.Klartekst, error) {
	if err := ctx.Err(); err != nil {
		return melding.Klartekst{}, fmt.Errorf("asice: %w", err)
	}
	size := 16 << 10 // the manifests, the signature with its certificates, and the zip's own structure
	for _, f := range filer {
		size += f.Innhold.Storrelse()
	}
	out := bytes.NewBuffer(make([]byte, 0, size))
	if err := p.Write(out, filer); err != nil {
		clear(out.Bytes())
		return melding.Klartekst{}, err
	}
	return melding.NyKlartekst(out.Bytes()), nil
}

// Write is Pack onto dst, entry by entry in the order KS's Java writes them. What dst got before an error is worthless.
func (p *Packer) Write(dst io.Writer, filer []melding.Fil) error {
	if err := check(filer); err != nil {
		return err
	}
	at := p.now()
	z := archive{zip.NewWriter(dst), at}
	entries := make([]entry, len(filer))
	for i, f := range filer {
		entries[i] = entry{name: f.Navn, digest: sha256.Sum256(f.Innhold.Bytes())}
	}
	signature := metaInf + "signature-" + uuid() + ".p7s"
	manifest := manifestXML(signature, entries)
	p7s, err := signDetached(manifest, p.chain, p.key, at)
	if err != nil {
		return err
	}
	err = z.mimetype()
	for _, f := range filer {
		err = z.add(err, f.Navn, f.Innhold.Bytes())
	}
	err = z.add(err, metaInf+"ASiCManifest.xml", manifest)
	err = z.add(err, signature, p7s)
	err = z.add(err, metaInf+"manifest.xml", openDocumentXML(entries))
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return fmt.Errorf("asice: write: %w", err)
	}
	return nil
}

type archive struct {
	*zip.Writer
	at time.Time
}

func (z archive) mimetype() error {
	comment := mimeTypeEntry + "=" + mimeType
	if err := z.SetComment(comment); err != nil {
		return err
	}
	return z.store(mimeTypeEntry, comment, []byte(mimeType))
}

// add does nothing after an error. A PDF is compressed already.
func (z archive) add(before error, name string, b []byte) error {
	if before != nil {
		return before
	}
	if strings.EqualFold(path.Ext(name), ".pdf") {
		return z.store(name, "", b)
	}
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: z.at})
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// store must be CreateRaw: CreateHeader sets a data descriptor, and Java's ZipInputStream refuses one on a stored entry.
func (z archive) store(name, comment string, b []byte) error {
	t := z.at.UTC()
	w, err := z.CreateRaw(&zip.FileHeader{
		Name: name, Comment: comment, Method: zip.Store, CRC32: crc32.ChecksumIEEE(b),
		CompressedSize64: uint64(len(b)), UncompressedSize64: uint64(len(b)),
		//lint:ignore SA1019 CreateRaw writes these two as they are; Modified is for CreateHeader
		ModifiedDate: uint16(t.Day() + int(t.Month())<<5 + max(t.Year()-1980, 0)<<9),
		//lint:ignore SA1019 as above
		ModifiedTime: uint16(t.Second()/2 + t.Minute()<<5 + t.Hour()<<11),
	})
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

func check(filer []melding.Fil) error {
	if len(filer) == 0 || len(filer) > maxEntries-metaEntries {
		return ErrFiles
	}
	seen := map[string]bool{mimeTypeEntry: true, strings.ToLower(strings.TrimSuffix(metaInf, "/")): true}
	for _, f := range filer {
		lower := strings.ToLower(f.Navn)
		if !goodName(f.Navn) || seen[lower] {
			return ErrFiles
		}
		seen[lower] = true
	}
	return nil
}

// goodName: Java decodes the manifest in the platform's own charset and .NET compares bare names, so a name that all
// readers take is ASCII and has no directory.
func goodName(s string) bool {
	if s == "" || len(s) > 100 || s[0] == '.' {
		return false
	}
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_') {
			return false
		}
	}
	return true
}

// uuid is a random one (RFC 9562 version 4).
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
