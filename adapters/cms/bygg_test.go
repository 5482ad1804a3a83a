package cms_test

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"hash"
	"io"
	"testing"

	"portal.example/bekymringsmelding/adapters/cms"
)

// A writer of messages other than ours, for the tests: every form an outsider may send, and many nobody should.

func der(v any) []byte {
	b, err := asn1.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func oid(n ...int) []byte { return der(asn1.ObjectIdentifier(n)) }

var (
	oidEnveloped = oid(1, 2, 840, 113549, 1, 7, 3)
	oidAuth      = oid(1, 2, 840, 113549, 1, 9, 16, 1, 23)
	oidData      = oid(1, 2, 840, 113549, 1, 7, 1)
	oidAES256CBC = oid(2, 16, 840, 1, 101, 3, 4, 1, 42)
	oidAES256GCM = oid(2, 16, 840, 1, 101, 3, 4, 1, 46)
	oidOAEP      = oid(1, 2, 840, 113549, 1, 1, 7)
	oidRSA       = oid(1, 2, 840, 113549, 1, 1, 1)
	oidMGF1      = oid(1, 2, 840, 113549, 1, 1, 8)
	oidSHA1      = oid(1, 3, 14, 3, 2, 26)
	oidSHA256    = oid(2, 16, 840, 1, 101, 3, 4, 2, 1)
	null         = []byte{5, 0}
)

// def and inf are one element with definite and with indefinite length.
func def(tag byte, deler ...[]byte) []byte {
	b := bytes.Join(deler, nil)
	n := len(b)
	return append([]byte{tag, 0x84, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, b...)
}

func inf(tag byte, deler ...[]byte) []byte {
	return append(append([]byte{tag, 0x80}, bytes.Join(deler, nil)...), 0, 0)
}

type element func(tag byte, deler ...[]byte) []byte

// navngitt is issuerAndSerialNumber, nokkelID the subject key identifier.
func navngitt(k cms.Key) []byte {
	return def(0x30, k.Certificate.RawIssuer, der(k.Certificate.SerialNumber))
}
func nokkelID(k cms.Key) []byte { return def(0x80, k.Certificate.SubjectKeyId) }

// mottakerinfo wraps key for k under the algorithm given.
type mottakerinfo func(key []byte) []byte

func pakket(k cms.Key, id, alg []byte, wrap func(*rsa.PublicKey, []byte) ([]byte, error)) mottakerinfo {
	return func(key []byte) []byte {
		w, err := wrap(k.Certificate.PublicKey.(*rsa.PublicKey), key)
		if err != nil {
			panic(err)
		}
		return def(0x30, der(0), id, alg, def(4, w))
	}
}

func oaep(h func() hash.Hash, label string) func(*rsa.PublicKey, []byte) ([]byte, error) {
	return func(p *rsa.PublicKey, key []byte) ([]byte, error) {
		return rsa.EncryptOAEP(h(), rand.Reader, p, key, []byte(label))
	}
}

func pkcs1(p *rsa.PublicKey, key []byte) ([]byte, error) {
	//lint:ignore SA1019 the dialect of .NET senders
	return rsa.EncryptPKCS1v15(rand.Reader, p, key)
}

func oaepSHA256(k cms.Key, id []byte) mottakerinfo {
	alg := def(0x30, oidOAEP, def(0x30, def(0xa0, def(0x30, oidSHA256, null)), def(0xa1, def(0x30, oidMGF1, def(0x30, oidSHA256, null)))))
	return pakket(k, id, alg, oaep(crypto.SHA256.New, ""))
}

func pkcs1v5(k cms.Key, id []byte) mottakerinfo { return pakket(k, id, def(0x30, oidRSA, null), pkcs1) }

// oppskrift is one message; the zero value of a field is what our own writer does.
type oppskrift struct {
	ytre, sett element // how the outer levels and the SET of recipients are written
	mottakere  []mottakerinfo
	innhold    func(kryptert []byte) []byte // writes [0]
	etter      []byte                       // inside EnvelopedData, after the content
	foran      []byte                       // originatorInfo
	polstring  []byte                       // instead of PKCS#7 padding, whole blocks with what stands before
	alg        func(iv []byte) []byte
}

func (o oppskrift) skriv(t testing.TB, klar []byte) []byte {
	t.Helper()
	key, iv := make([]byte, 32), make([]byte, 16)
	_, _ = rand.Read(key)
	_, _ = rand.Read(iv)
	pad := o.polstring
	if pad == nil {
		n := 16 - len(klar)%16
		pad = bytes.Repeat([]byte{byte(n)}, n)
	}
	b := append(bytes.Clone(klar), pad...)
	block, _ := aes.NewCipher(key)
	if len(b)%16 == 0 {
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(b, b)
	}
	if o.ytre == nil {
		o.ytre = def
	}
	if o.sett == nil {
		o.sett = def
	}
	if o.innhold == nil {
		o.innhold = func(b []byte) []byte { return def(0xa0, def(4, b)) }
	}
	if o.alg == nil {
		o.alg = func(iv []byte) []byte { return def(0x30, oidAES256CBC, def(4, iv)) }
	}
	var mottakere [][]byte
	for _, m := range o.mottakere {
		mottakere = append(mottakere, m(key))
	}
	return o.ytre(0x30, oidEnveloped, o.ytre(0xa0, o.ytre(0x30, der(0), o.foran, o.sett(0x31, mottakere...),
		o.ytre(0x30, oidData, o.alg(iv), o.innhold(b)), o.etter)))
}

// gcm is AuthEnvelopedData with authenticated attributes, which openssl does not write.
func gcm(t testing.TB, klar, attributter, aad []byte, tagSize int) []byte {
	return gcmDelt(t, klar, attributter, aad, tagSize, 0)
}

// gcmDelt moves the boundary between content and MAC.
func gcmDelt(t testing.TB, klar, attributter, aad []byte, tagSize, flytt int) []byte {
	t.Helper()
	key, nonce := make([]byte, 32), make([]byte, 12)
	_, _ = rand.Read(key)
	_, _ = rand.Read(nonce)
	block, _ := aes.NewCipher(key)
	a, err := cipher.NewGCMWithTagSize(block, tagSize)
	if err != nil {
		t.Fatal(err)
	}
	b := a.Seal(nil, nonce, klar, aad)
	params := def(0x30, def(4, nonce), der(tagSize))
	if tagSize == 12 {
		params = def(0x30, def(4, nonce)) // DEFAULT 12
	}
	return def(0x30, oidAuth, def(0xa0, def(0x30, der(0), def(0x31, oaepSHA256(vaar(), navngitt(vaar()))(key)),
		def(0x30, oidData, def(0x30, oidAES256GCM, params), def(0x80, b[:len(klar)+flytt])), attributter, def(4, b[len(klar)+flytt:]))))
}

// teller counts private-key operations.
type teller struct {
	cms.Key
	n    int
	opts crypto.DecrypterOpts // the last
}

func (t *teller) Public() crypto.PublicKey { return t.Decrypter.Public() }

func (t *teller) Decrypt(r io.Reader, b []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	t.n++
	t.opts = opts
	return t.Decrypter.Decrypt(r, b, opts)
}
