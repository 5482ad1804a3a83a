package cms_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/cms"
)

var skrivere = map[string]func(io.Writer, io.Reader, int64, *x509.Certificate) error{
	"CBC": cms.Encrypt, "GCM": cms.EncryptAuthenticated,
}

func TestFramOgTilbake(t *testing.T) {
	for navn, encrypt := range skrivere {
		t.Run(navn, func(t *testing.T) {
			for _, n := range []int{0, 1, 15, 16, 17, 31, 32, 112, 113, 32<<10 - 17, 32<<10 - 16, 32<<10 - 1, 32 << 10, 32<<10 + 1, 64 << 10, 300_001} {
				is := is.New(t)
				klar := bytes.Repeat([]byte{byte(n), 1, 2, 3, 4, 5, 6}, n/7+1)[:n]
				var sealed, ut bytes.Buffer
				is.NoErr(encrypt(&sealed, bytes.NewReader(klar), int64(n), vaar().Certificate))
				is.True(!bytes.Contains(sealed.Bytes(), klar) || n < 2)
				is.NoErr(cms.Decrypt(&ut, iotest.OneByteReader(&sealed), annen(), vaar()))
				is.True(bytes.Equal(ut.Bytes(), klar))
			}
		})
	}
}

// The form KS's clients need (fiks-io.md 6.4). encoding/asn1 accepts nothing but DER, so the lengths are judged too.
func TestSkrevetForm(t *testing.T) {
	type algoritme struct {
		OID    asn1.ObjectIdentifier
		Params asn1.RawValue `asn1:"optional"`
	}
	type mottaker struct {
		Version int
		Navn    struct {
			Issuer asn1.RawValue
			Serial *big.Int
		}
		Alg struct {
			OID    asn1.ObjectIdentifier
			Params struct {
				Hash algoritme `asn1:"explicit,tag:0"`
				MGF  struct {
					OID  asn1.ObjectIdentifier
					Hash algoritme
				} `asn1:"explicit,tag:1"`
			}
		}
		Key []byte
	}
	var ci struct {
		OID  asn1.ObjectIdentifier
		Data struct {
			Version   int
			Mottakere []mottaker `asn1:"set"`
			Kryptert  struct {
				OID asn1.ObjectIdentifier
				Alg struct {
					OID asn1.ObjectIdentifier
					IV  []byte
				}
				Innhold asn1.RawValue
			}
		} `asn1:"explicit,tag:0"`
	}
	is := is.New(t)
	var sealed bytes.Buffer
	is.NoErr(cms.Encrypt(&sealed, strings.NewReader("melding"), 7, vaar().Certificate))
	rest, err := asn1.Unmarshal(sealed.Bytes(), &ci)
	is.NoErr(err)
	is.Equal(len(rest), 0)
	is.Equal(ci.OID.String(), "1.2.840.113549.1.7.3")
	is.Equal(ci.Data.Version, 0)
	is.Equal(len(ci.Data.Mottakere), 1)
	m := ci.Data.Mottakere[0]
	is.Equal(m.Version, 0)
	is.Equal(m.Navn.Issuer.FullBytes, vaar().Certificate.RawIssuer)
	is.Equal(m.Navn.Serial, vaar().Certificate.SerialNumber)
	is.Equal(m.Alg.OID.String(), "1.2.840.113549.1.1.7")
	is.Equal(m.Alg.Params.Hash.OID.String(), "2.16.840.1.101.3.4.2.1")
	is.Equal(m.Alg.Params.Hash.Params.FullBytes, []byte{5, 0})
	is.Equal(m.Alg.Params.MGF.OID.String(), "1.2.840.113549.1.1.8")
	is.Equal(m.Alg.Params.MGF.Hash.OID.String(), "2.16.840.1.101.3.4.2.1")
	is.Equal(ci.Data.Kryptert.OID.String(), "1.2.840.113549.1.7.1")
	is.Equal(ci.Data.Kryptert.Alg.OID.String(), "2.16.840.1.101.3.4.1.42")
	is.Equal(len(ci.Data.Kryptert.Alg.IV), 16)
	innhold := ci.Data.Kryptert.Innhold
	is.Equal(innhold.Class, asn1.ClassContextSpecific)
	is.True(innhold.IsCompound) // Trondheim's client rejects the primitive form
	is.Equal(innhold.Bytes[:2], []byte{4, 16})
}

func TestForseglerIkkeForUbrukeligNokkel(t *testing.T) {
	ed := *vaar().Certificate
	ed.PublicKey = struct{}{}
	for navn, c := range map[string]*x509.Certificate{"1024 bits": svak().Certificate, "not RSA": &ed} {
		for _, encrypt := range skrivere {
			is := is.New(t)
			var ut bytes.Buffer
			is.True(errors.Is(encrypt(&ut, strings.NewReader("x"), 1, c), cms.ErrKey)) // the weak key must be refused
			is.Equal(ut.Len(), 0)
			_ = navn
		}
	}
}

func TestStorrelsenMaaStemme(t *testing.T) {
	for navn, encrypt := range skrivere {
		for _, lovet := range []int64{-1, 0, 6, 8, 15, 16, 100_000} {
			is := is.New(t)
			err := encrypt(io.Discard, strings.NewReader("melding"), lovet, vaar().Certificate)
			is.True(err != nil) // 7 bytes, another number promised
			_ = navn
		}
	}
}

type ødelagt struct{ err error }

func (d ødelagt) Write([]byte) (int, error) { return 0, d.err }

// A full disk is not a bad message: the caller must be able to tell them apart.
func TestFeilFraKildeOgMalSlipperGjennom(t *testing.T) {
	full := errors.New("disk full")
	klar := bytes.Repeat([]byte("x"), 100_000)
	for _, encrypt := range skrivere {
		is := is.New(t)
		var sealed bytes.Buffer
		is.True(errors.Is(encrypt(ødelagt{full}, bytes.NewReader(klar), 100_000, vaar().Certificate), full))
		is.True(errors.Is(encrypt(io.Discard, iotest.ErrReader(full), 100_000, vaar().Certificate), full))
		is.NoErr(encrypt(&sealed, bytes.NewReader(klar), 100_000, vaar().Certificate))
		is.True(errors.Is(cms.Decrypt(ødelagt{full}, bytes.NewReader(sealed.Bytes()), vaar()), full))
		for _, n := range []int{0, 10, 400, 600, 70_000, sealed.Len()} {
			brutt := io.MultiReader(bytes.NewReader(sealed.Bytes()[:n]), iotest.ErrReader(full))
			is.True(errors.Is(cms.Decrypt(io.Discard, brutt, vaar()), full))
			brutt = io.MultiReader(bytes.NewReader(sealed.Bytes()[:n]), iotest.ErrReader(full))
			_, err := cms.Inspect(brutt)
			is.True(errors.Is(err, full))
		}
	}
}

// hemmelig is a key whose holder is not a *rsa.PrivateKey, as an HSM's would be.
type hemmelig struct{ crypto.Decrypter }

func TestNokkelIEgenBoks(t *testing.T) {
	is := is.New(t)
	var sealed, ut bytes.Buffer
	is.NoErr(cms.Encrypt(&sealed, strings.NewReader("melding"), 7, stor().Certificate))
	is.NoErr(cms.Decrypt(&ut, &sealed, cms.Key{Certificate: stor().Certificate, Decrypter: hemmelig{stor().Decrypter}}))
	is.Equal(ut.String(), "melding")
}

// allokert is how many bytes f allocates in all.
func allokert(f func()) uint64 {
	var før, etter runtime.MemStats
	runtime.ReadMemStats(&før)
	f()
	runtime.ReadMemStats(&etter)
	return etter.TotalAlloc - før.TotalAlloc
}

// 5 MiB goes through in bounded memory: sealing, opening and looking allocate at most 1 MB each, in all.
func TestStrommerIBegrensetMinne(t *testing.T) {
	is := is.New(t)
	klar := make([]byte, 5<<20)
	var sealed bytes.Buffer
	is.NoErr(cms.Encrypt(&sealed, bytes.NewReader(klar), 5<<20, vaar().Certificate))
	for navn, f := range map[string]func() error{
		"Encrypt": func() error { return cms.Encrypt(io.Discard, bytes.NewReader(klar), 5<<20, vaar().Certificate) },
		"Decrypt": func() error { return cms.Decrypt(io.Discard, bytes.NewReader(sealed.Bytes()), vaar()) },
		"Inspect": func() error { _, err := cms.Inspect(bytes.NewReader(sealed.Bytes())); return err },
	} {
		var err error
		n := allokert(func() { err = f() })
		is.NoErr(err)
		if n > 1<<20 {
			t.Errorf("%s allocated %d bytes, want at most 1 MiB", navn, n)
		}
	}
}
