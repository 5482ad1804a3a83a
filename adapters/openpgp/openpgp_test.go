package openpgp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	pgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/openpgp"
	"portal.example/bekymringsmelding/domain/melding"
)

func TestFramOgTilbake(t *testing.T) {
	for navn, e := range map[string]*pgp.Entity{"rsa": rsaNokkel(), "kurve": kurveNokkel(), "aead": aeadNokkel()} {
		t.Run(navn, func(t *testing.T) {
			o := apner(t, annenNokkel(), e)
			for _, n := range []int{0, 1, 512, 5 << 20} {
				is := is.New(t)
				klar, err := apne(o, forsegl(t, e, rapport(n)))
				is.NoErr(err)
				is.True(bytes.Equal(klar, rapport(n)))
			}
		})
	}
}

// A key that advertises AEAD still gets the form gpg 2.2 reads: one key packet, then data version 1.
func TestSkrevetForm(t *testing.T) {
	is := is.New(t)
	packets := packet.NewReader(bytes.NewReader(forsegl(t, aeadNokkel(), rapport(100))))
	p, err := packets.Next()
	is.NoErr(err)
	k, ok := p.(*packet.EncryptedKey)
	is.True(ok)
	is.Equal(k.Version, 3)
	p, err = packets.Next()
	is.NoErr(err)
	d, ok := p.(*packet.SymmetricallyEncrypted)
	is.True(ok)
	is.Equal(d.Version, 1)
	is.True(d.IntegrityProtected)
}

func TestForseglerIkkeForUbrukeligNokkel(t *testing.T) {
	ok := offentlig(kurveNokkel()).Nokkel
	for navn, til := range map[string]melding.Mottakernokkel{
		"X.509":       {Forsegling: melding.X509, Nokkel: ok},
		"empty":       {Forsegling: melding.OpenPGP},
		"noise":       {Forsegling: melding.OpenPGP, Nokkel: []byte("ikke en nøkkel")},
		"truncated":   {Forsegling: melding.OpenPGP, Nokkel: ok[:len(ok)-10]},
		"two keys":    {Forsegling: melding.OpenPGP, Nokkel: append(bytes.Clone(ok), offentlig(annenNokkel()).Nokkel...)},
		"private key": {Forsegling: melding.OpenPGP, Nokkel: privat(kurveNokkel())},
		"1024 bits":   offentlig(svakNokkel()),
		"expired":     offentlig(utloptNokkel()),
		"revoked":     offentlig(trukketNokkel()),
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			f, err := forsegler().Seal(melding.NyKlartekst(rapport(10)), til)
			is.True(errors.Is(err, openpgp.ErrKey))
			is.True(f.Tom())
		})
	}
	// The same expired key was good while it lived, and still opens what it got then.
	is := is.New(t)
	f, err := openpgp.Sealer{Now: func() time.Time { return laget.Add(time.Minute) }}.Seal(melding.NyKlartekst(rapport(10)), offentlig(utloptNokkel()))
	is.NoErr(err)
	k, err := apner(t, utloptNokkel()).Open(context.Background(), f)
	is.NoErr(err)
	is.Equal(k.Bytes(), rapport(10))
}

func TestApnerenTarBareHeleNokler(t *testing.T) {
	is := is.New(t)
	laast := nyNokkel(packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	is.NoErr(laast.EncryptPrivateKeys([]byte("passord"), nil))
	for _, b := range [][]byte{nil, []byte("støy"), offentlig(kurveNokkel()).Nokkel, privat(laast)} {
		_, err := openpgp.NewOpener(b)
		is.True(errors.Is(err, openpgp.ErrKey))
	}
	_, err := openpgp.NewOpener()
	is.True(errors.Is(err, openpgp.ErrKey))
}

func TestIkkeForOss(t *testing.T) {
	is := is.New(t)
	sealed := forsegl(t, rsaNokkel(), rapport(100))
	_, err := apne(apner(t, annenNokkel()), sealed)
	is.Equal(err, openpgp.ErrDecrypt)
	_, err = apner(t, rsaNokkel()).Open(context.Background(), melding.ForsegletBytes(melding.X509, sealed))
	is.Equal(err, openpgp.ErrDecrypt)
	_, err = apne(apner(t, rsaNokkel()), nil)
	is.Equal(err, openpgp.ErrDecrypt)

	slutt, stopp := context.WithCancel(context.Background())
	stopp()
	_, err = apner(t, rsaNokkel()).Open(slutt, melding.ForsegletBytes(melding.OpenPGP, sealed))
	is.True(errors.Is(err, context.Canceled)) // says nothing about the message
}

// Truncated anywhere, followed by anything, or changed: one error and not a byte out.
func TestAvkortetForlengetOgEndret(t *testing.T) {
	is := is.New(t)
	o := apner(t, kurveNokkel())
	sealed := forsegl(t, kurveNokkel(), rapport(2000))
	nokkel := len(nokkelpakke(t, sealed))
	avvist := func(b []byte) {
		t.Helper()
		klar, err := apne(o, b)
		is.Equal(err, openpgp.ErrDecrypt)
		is.Equal(len(klar), 0)
	}
	for n := range len(sealed) {
		avvist(sealed[:n])
	}
	avvist(append(bytes.Clone(sealed), 0))
	avvist(append(bytes.Clone(sealed), sealed...))
	for i := range sealed {
		b := bytes.Clone(sealed)
		b[i] ^= 1 << (i % 8)
		// Only bits of the key packet that do not count (a length in bits, the top bit of a curve point) may change, and
		// then the content is whole.
		if klar, err := apne(o, b); err == nil {
			is.True(i < nokkel && bytes.Equal(klar, rapport(2000)))
			continue
		}
		avvist(b)
	}
}

// One message must not cost any number of private-key operations.
func TestMangeMottakere(t *testing.T) {
	is := is.New(t)
	en := forsegl(t, rsaNokkel(), rapport(10))
	nokkel := nokkelpakke(t, en)
	med := func(n int) []byte { return append(bytes.Repeat(nokkel, n-1), en...) }
	klar, err := apne(apner(t, rsaNokkel()), med(64))
	is.NoErr(err)
	is.Equal(klar, rapport(10))
	_, err = apne(apner(t, rsaNokkel()), med(65))
	is.Equal(err, openpgp.ErrDecrypt)
}

// A message nobody sealed must not look like one that was.
func TestUforsegletErIkkeForseglet(t *testing.T) {
	is := is.New(t)
	var b bytes.Buffer
	w, err := packet.SerializeLiteral(ikkeLukk{&b}, true, "", 0)
	is.NoErr(err)
	_, err = w.Write(rapport(100))
	is.NoErr(err)
	is.NoErr(w.Close())
	_, err = apne(apner(t, rsaNokkel()), b.Bytes())
	is.Equal(err, openpgp.ErrDecrypt)
	_, err = apne(apner(t, rsaNokkel()), append(nokkelpakke(t, forsegl(t, rsaNokkel(), nil)), b.Bytes()...))
	is.Equal(err, openpgp.ErrDecrypt)
}

type ikkeLukk struct{ io.Writer }

func (ikkeLukk) Close() error { return nil }

// nokkelpakke is the message's first packet.
func nokkelpakke(t testing.TB, sealed []byte) []byte {
	t.Helper()
	r := bytes.NewReader(sealed)
	if _, err := packet.Read(r); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(sealed[:len(sealed)-r.Len()])
}

func FuzzOpen(f *testing.F) {
	f.Add(forsegl(f, kurveNokkel(), rapport(100)))
	f.Add(forsegl(f, rsaNokkel(), nil))
	f.Add([]byte{0xd2, 0xff})
	f.Add([]byte("-----BEGIN PGP MESSAGE-----"))
	o := apner(f, kurveNokkel())
	f.Fuzz(func(t *testing.T, b []byte) {
		klar, err := apne(o, b)
		if err != nil && (!errors.Is(err, openpgp.ErrDecrypt) || len(klar) > 0) {
			t.Fatal("not the one error, or content with it")
		}
	})
}
