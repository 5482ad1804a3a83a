package melding

import (
	"bytes"
	"fmt"
	"io"
)

const skjult = "[skjult]"

// Klartekst is report content that anybody could read: JSON, PDF, an unsealed package. It lives in memory only and
// prints as [skjult] in every way Go prints a value. Store, Transport and Printer do not take it: seal it first.
//
// The bytes lie behind a func, so that a Klartekst inside somebody's unexported field (where fmt cannot call Format) prints an
// address and not a report. A pointer to the slice is not enough: with a verb that does not fit, fmt follows it.
type Klartekst struct{ innhold func() []byte }

// NyKlartekst wraps b without copying it; the caller must not change b afterwards.
func NyKlartekst(b []byte) Klartekst { return Klartekst{innhold: func() []byte { return b }} }

// Bytes is the content itself. Do not change it, log it or put it in an error.
func (k Klartekst) Bytes() []byte {
	if k.innhold == nil {
		return nil
	}
	return k.innhold()
}

// Storrelse is the length in bytes.
func (k Klartekst) Storrelse() int { return len(k.Bytes()) }

func (Klartekst) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, skjult) }
func (Klartekst) String() string               { return skjult }
func (Klartekst) MarshalText() ([]byte, error) { return []byte(skjult), nil }
func (Klartekst) MarshalJSON() ([]byte, error) { return []byte(`"` + skjult + `"`), nil }

// Forsegling says how something is sealed.
type Forsegling string

const (
	X509    Forsegling = "x509"    // CMS (RFC 5652) for an X.509 certificate
	OpenPGP Forsegling = "openpgp" // RFC 9580 for an OpenPGP key
)

// Forseglet is content only the holder of a private key can read. Its bytes may lie in memory or in a spooled file;
// every Les starts at the beginning, and any number may read at once. The zero value is empty.
type Forseglet struct {
	forsegling Forsegling
	kilde      io.ReaderAt
	storrelse  int64
}

// NyForseglet says that the n bytes of kilde are sealed. Only packages that seal, that look at the seal, or that read
// sealed bytes back may call it; acceptance/imports_test.go holds the list.
func NyForseglet(f Forsegling, kilde io.ReaderAt, n int64) Forseglet {
	return Forseglet{forsegling: f, kilde: kilde, storrelse: n}
}

// ForsegletBytes is NyForseglet over bytes in memory.
func ForsegletBytes(f Forsegling, b []byte) Forseglet {
	return NyForseglet(f, bytes.NewReader(b), int64(len(b)))
}

func (f Forseglet) Forsegling() Forsegling { return f.forsegling }
func (f Forseglet) Storrelse() int64       { return f.storrelse }
func (f Forseglet) Tom() bool              { return f.kilde == nil || f.storrelse == 0 }

// Les gives a reader of its own over the sealed bytes.
func (f Forseglet) Les() *io.SectionReader {
	if f.kilde == nil {
		return io.NewSectionReader(bytes.NewReader(nil), 0, 0)
	}
	return io.NewSectionReader(f.kilde, 0, f.storrelse)
}

// Bytes reads all of it into memory.
func (f Forseglet) Bytes() ([]byte, error) {
	b := make([]byte, f.storrelse)
	_, err := io.ReadFull(f.Les(), b)
	return b, err
}

func (f Forseglet) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "[forseglet %s, %d byte]", f.forsegling, f.storrelse)
}
func (f Forseglet) MarshalText() ([]byte, error) { return fmt.Append(nil, f), nil }

// Fil is one named file on its way into a package.
type Fil struct {
	Navn    string
	Innhold Klartekst
}

// Mottakernokkel is the public half of what a receiver opens with: DER of an X.509 certificate, or a binary OpenPGP key.
type Mottakernokkel struct {
	Forsegling Forsegling
	Nokkel     []byte
}
