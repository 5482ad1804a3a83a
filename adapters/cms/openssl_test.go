package cms_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/cms"
)

// What openssl writes, we read; lengths around a block and around our buffer are where readers go wrong.
func TestLeserOpenSSL(t *testing.T) {
	oaep := []string{"-recip", "cert.pem", "-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"}
	for navn, tc := range map[string]struct {
		args   []string
		cipher cms.Cipher
		nokkel cms.KeyTransport
	}{
		"DER OAEP":             {append([]string{"-aes-256-cbc"}, oaep...), cms.AES256CBC, cms.OAEP},
		"BER OAEP":             {append([]string{"-aes-256-cbc", "-stream"}, oaep...), cms.AES256CBC, cms.OAEP},
		"OAEP SHA-1":           {[]string{"-aes-256-cbc", "-recip", "cert.pem", "-keyopt", "rsa_padding_mode:oaep"}, cms.AES256CBC, cms.OAEP},
		"OAEP SHA-512, MGF256": {[]string{"-aes-256-cbc", "-recip", "cert.pem", "-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha512", "-keyopt", "rsa_mgf1_md:sha256"}, cms.AES256CBC, cms.OAEP},
		"PKCS1":                {[]string{"-aes-256-cbc", "-recip", "cert.pem"}, cms.AES256CBC, cms.PKCS1v5},
		"BER PKCS1 AES-128":    {[]string{"-aes-128-cbc", "-stream", "-recip", "cert.pem"}, cms.AES128CBC, cms.PKCS1v5},
		"SKI":                  {append([]string{"-aes-256-cbc", "-keyid"}, oaep...), cms.AES256CBC, cms.OAEP},
		"two, ours last":       {append([]string{"-aes-256-cbc", "-recip", "annen.pem"}, oaep...), cms.AES256CBC, cms.OAEP},
		"GCM-256":              {append([]string{"-aes-256-gcm"}, oaep...), cms.AES256GCM, cms.OAEP},
		"GCM-128":              {append([]string{"-aes-128-gcm"}, oaep...), cms.AES128GCM, cms.OAEP},
	} {
		t.Run(navn, func(t *testing.T) {
			for _, n := range []int{0, 1, 15, 16, 17, 32<<10 - 16, 32 << 10, 100_000} {
				is := is.New(t)
				klar := bytes.Repeat([]byte("melding "), n/8+1)[:n]
				args := append([]string{"cms", "-encrypt", "-binary", "-outform", "DER", "-in", "in.bin", "-out", "out.bin"}, tc.args...)
				sealed := openssl(t, vaar(), klar, args...)
				var ut bytes.Buffer
				is.NoErr(cms.Decrypt(&ut, bytes.NewReader(sealed), vaar()))
				is.True(bytes.Equal(ut.Bytes(), klar))

				if n == 0 && strings.HasPrefix(navn, "GCM") {
					continue // Inspect refuses an empty content
				}
				info, err := cms.Inspect(bytes.NewReader(sealed))
				is.NoErr(err)
				is.Equal(info.Cipher, tc.cipher)
				var treff int
				for _, r := range info.Recipients {
					if r.Matches(vaar().Certificate) {
						treff++
						is.Equal(r.KeyTransport, tc.nokkel)
					}
				}
				is.Equal(treff, 1)
			}
		})
	}
}

// What we write, openssl reads.
func TestOpenSSLLeser(t *testing.T) {
	for navn, encrypt := range skrivere {
		t.Run(navn, func(t *testing.T) {
			for _, n := range []int{0, 1, 16, 32 << 10, 100_000} {
				is := is.New(t)
				klar := bytes.Repeat([]byte("melding "), n/8+1)[:n]
				var sealed bytes.Buffer
				is.NoErr(encrypt(&sealed, bytes.NewReader(klar), int64(n), vaar().Certificate))
				ut := openssl(t, vaar(), sealed.Bytes(), "cms", "-decrypt", "-binary", "-inform", "DER", "-in", "in.bin",
					"-recip", "cert.pem", "-inkey", "key.pem", "-out", "out.bin")
				is.True(bytes.Equal(ut, klar))
			}
		})
	}
}
