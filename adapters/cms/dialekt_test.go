package cms_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"errors"
	"io"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/cms"
)

// biter writes [0] as segments of n bytes (BouncyCastle: 1000), nested the given number of levels.
func biter(n, nivaaer int, e element) func([]byte) []byte {
	return func(b []byte) []byte {
		var deler [][]byte
		for len(b) > 0 {
			k := min(n, len(b))
			del := def(4, b[:k])
			for range nivaaer {
				del = e(0x24, del, def(4))
			}
			deler = append(deler, del)
			b = b[k:]
		}
		return e(0xa0, deler...)
	}
}

func TestDialekter(t *testing.T) {
	v, a := vaar(), annen()
	vi := oaepSHA256(v, navngitt(v))
	sha1Params := def(0x30)
	medLabel := def(0x30, def(0xa2, def(0x30, oid(1, 2, 840, 113549, 1, 1, 9), def(4, []byte("etikett")))))
	hashUtenMGF := def(0x30, def(0xa0, def(0x30, oidSHA1, null)))
	for navn, tc := range map[string]struct {
		o    oppskrift
		hash crypto.Hash
	}{
		"DER":                          {oppskrift{mottakere: []mottakerinfo{vi}}, crypto.SHA256},
		"primitive [0]":                {oppskrift{mottakere: []mottakerinfo{vi}, innhold: func(b []byte) []byte { return def(0x80, b) }}, crypto.SHA256},
		"Java: indefinite, 1000 bytes": {oppskrift{ytre: inf, mottakere: []mottakerinfo{vi}, innhold: biter(1000, 0, inf)}, crypto.SHA256},
		"indefinite SET":               {oppskrift{ytre: inf, sett: inf, mottakere: []mottakerinfo{vi}}, crypto.SHA256},
		"segments not of whole blocks": {oppskrift{mottakere: []mottakerinfo{vi}, innhold: biter(7, 0, def)}, crypto.SHA256},
		"nested three deep":            {oppskrift{mottakere: []mottakerinfo{vi}, innhold: biter(333, 3, inf)}, crypto.SHA256},
		"nested in definite":           {oppskrift{ytre: inf, mottakere: []mottakerinfo{vi}, innhold: biter(333, 2, def)}, crypto.SHA256},
		"two recipients, other first":  {oppskrift{mottakere: []mottakerinfo{oaepSHA256(a, navngitt(a)), vi}}, crypto.SHA256},
		"two recipients, other last":   {oppskrift{mottakere: []mottakerinfo{vi, pkcs1v5(a, navngitt(a))}}, crypto.SHA256},
		".NET: PKCS1 and OAEP":         {oppskrift{mottakere: []mottakerinfo{pkcs1v5(v, navngitt(v)), vi}}, 0},
		"PKCS1 alone":                  {oppskrift{mottakere: []mottakerinfo{pkcs1v5(v, navngitt(v))}}, 0},
		"PKCS1 by key id":              {oppskrift{mottakere: []mottakerinfo{pkcs1v5(v, nokkelID(v))}}, 0},
		"OAEP by key id":               {oppskrift{mottakere: []mottakerinfo{oaepSHA256(v, nokkelID(v))}}, crypto.SHA256},
		"OAEP for another, PKCS1 ours": {oppskrift{mottakere: []mottakerinfo{oaepSHA256(a, navngitt(a)), pkcs1v5(v, navngitt(v))}}, 0},
		"Trondheim: no parameters, SHA-256": {oppskrift{mottakere: []mottakerinfo{
			pakket(v, navngitt(v), def(0x30, oidOAEP), oaep(crypto.SHA256.New, ""))}}, 0},
		"no parameters, SHA-1": {oppskrift{mottakere: []mottakerinfo{
			pakket(v, navngitt(v), def(0x30, oidOAEP), oaep(crypto.SHA1.New, ""))}}, 0},
		"NULL parameters, SHA-256": {oppskrift{mottakere: []mottakerinfo{
			pakket(v, navngitt(v), def(0x30, oidOAEP, null), oaep(crypto.SHA256.New, ""))}}, 0},
		"empty parameters are SHA-1": {oppskrift{mottakere: []mottakerinfo{
			pakket(v, navngitt(v), def(0x30, oidOAEP, sha1Params), oaep(crypto.SHA1.New, ""))}}, crypto.SHA1},
		"hash without MGF": {oppskrift{mottakere: []mottakerinfo{
			pakket(v, navngitt(v), def(0x30, oidOAEP, hashUtenMGF), oaep(crypto.SHA1.New, ""))}}, crypto.SHA1},
		"OAEP label": {oppskrift{mottakere: []mottakerinfo{
			pakket(v, navngitt(v), def(0x30, oidOAEP, medLabel), oaep(crypto.SHA1.New, "etikett"))}}, crypto.SHA1},
		"an unknown kind of recipient beside": {oppskrift{mottakere: []mottakerinfo{
			func([]byte) []byte { return def(0xa2, der(4), []byte{4, 0}) }, vi}}, 0},
		"originatorInfo and unprotectedAttrs": {oppskrift{mottakere: []mottakerinfo{vi}, foran: def(0xa0, def(0xa0)), etter: def(0xa1, def(0x30, oidData, def(0x31)))}, crypto.SHA256},
	} {
		t.Run(navn, func(t *testing.T) {
			for _, n := range []int{0, 15, 16, 2500, 40_000} {
				is := is.New(t)
				klar := bytes.Repeat([]byte("dialekt."), n/8+1)[:n]
				sealed := tc.o.skriv(t, klar)
				var ut bytes.Buffer
				is.NoErr(cms.Decrypt(&ut, bytes.NewReader(sealed), annetKort(), v))
				is.True(bytes.Equal(ut.Bytes(), klar))
				info, err := cms.Inspect(bytes.NewReader(sealed))
				is.NoErr(err)
				is.Equal(len(info.Recipients), len(tc.o.mottakere))
				if tc.hash == crypto.SHA256 {
					is.True(info.Recipients[0].Hash == crypto.SHA256)
				}
				is.Equal(info.Size, int64(n/16*16+16))
			}
		})
	}
}

// annetKort has our issuer and another serial number: it must not be mistaken for ours.
func annetKort() cms.Key {
	c := *vaar().Certificate
	c.SerialNumber = annen().Certificate.SerialNumber
	c.SubjectKeyId = nil
	return cms.Key{Certificate: &c, Decrypter: annen().Decrypter}
}

// A message for somebody whose certificate has no key identifier must not match everybody without one.
func TestTomNokkelIDErIngen(t *testing.T) {
	is := is.New(t)
	is.True(!cms.Recipient{}.Matches(annetKort().Certificate))
}

// PKCS#1 v1.5 is never tried when an OAEP recipient is ours: else an attacker chooses the weaker one.
func TestPKCS1BareUtenOAEP(t *testing.T) {
	is := is.New(t)
	v := vaar()
	galt := func(key []byte) []byte { return oaepSHA256(v, navngitt(v))(bytes.Repeat([]byte{1}, 5)) }
	sealed := oppskrift{mottakere: []mottakerinfo{pkcs1v5(v, navngitt(v)), galt}}.skriv(t, []byte("melding"))
	is.True(errors.Is(cms.Decrypt(io.Discard, bytes.NewReader(sealed), v), cms.ErrDecrypt))
}

// What is wrongly wrapped under PKCS#1 v1.5 must become a random key inside the key holder, an HSM too: an error of its
// own there is the oracle (RFC 3218).
func TestPKCS1FaarTilfeldigNokkel(t *testing.T) {
	is := is.New(t)
	v := vaar()
	k := teller{Key: v}
	sealed := oppskrift{mottakere: []mottakerinfo{pkcs1v5(v, navngitt(v))}}.skriv(t, []byte("melding"))
	is.NoErr(cms.Decrypt(io.Discard, bytes.NewReader(sealed), cms.Key{Certificate: v.Certificate, Decrypter: &k}))
	//lint:ignore SA1019 what is asked of the key is what is tested
	is.Equal(k.opts, &rsa.PKCS1v15DecryptOptions{SessionKeyLen: 32})
}

// RFC 5083 section 2.2: authenticated attributes count as a SET, whatever tag they travel under.
func TestAutentiserteAttributter(t *testing.T) {
	is := is.New(t)
	attr := []byte("\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03\x31\x02\x05\x00")
	aad := append([]byte{0x31, byte(len(attr))}, attr...)
	klar := []byte("autentisert melding")
	for _, tag := range []int{12, 13, 16} {
		for _, tc := range []struct {
			attributter, aad []byte
			ok               bool
		}{
			{nil, nil, true}, {def(0xa1, attr), aad, true},
			{def(0xa1, attr), nil, false}, {nil, aad, false},
		} {
			var ut bytes.Buffer
			sealed := gcm(t, klar, tc.attributter, tc.aad, tag)
			err := cms.Decrypt(&ut, bytes.NewReader(sealed), vaar())
			if tc.ok {
				is.NoErr(err)
				is.Equal(ut.Bytes(), klar)
			} else {
				is.True(errors.Is(err, cms.ErrDecrypt))
				is.Equal(ut.Len(), 0) // nothing before the tag is verified
			}
			info, err := cms.Inspect(bytes.NewReader(sealed))
			is.NoErr(err)
			is.Equal(info.ContentType, cms.AuthEnvelopedData)
			is.Equal(info.Cipher, cms.AES256GCM)
		}
	}
}

// Content and MAC are one string to AES-GCM, but two elements with lengths of their own: another division is not the
// message that was sent.
func TestMACenHarSinLengde(t *testing.T) {
	for _, flytt := range []int{-16, -1, 1, 4, 16} {
		is := is.New(t)
		sealed := gcmDelt(t, []byte("autentisert melding"), nil, nil, 16, flytt)
		is.True(errors.Is(cms.Decrypt(io.Discard, bytes.NewReader(sealed), vaar()), cms.ErrDecrypt))
		_, err := cms.Inspect(bytes.NewReader(sealed))
		is.True(errors.Is(err, cms.ErrFormat))
	}
}
