package cms_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/melding"
)

// Bytes KS's Java libraries made; see testdata/README.md.
func TestLeserJava(t *testing.T) {
	for _, tc := range []struct{ cms, nokkel, klar string }{
		{"asice.zip.cms", "mottaker02", "asice.zip"},
		{"bekymringsmelding.pdf.cms", "print", "bekymringsmelding.pdf"},
		{"feilet-data.cms", "portal", "feilet-data.zip"},
		{"ugyldig-digest.cms", "mottaker02", ""},
		{"uten-manifest.cms", "mottaker02", ""},
	} {
		t.Run(tc.cms, func(t *testing.T) {
			is := is.New(t)
			sealed, k := fil(t, tc.cms), javanokkel(t, tc.nokkel)
			f := melding.ForsegletBytes(melding.X509, sealed)
			klar, err := cms.NewOpener(vaar(), k).Open(context.Background(), f)
			is.NoErr(err)
			if tc.klar != "" {
				is.True(bytes.Equal(klar.Bytes(), fil(t, tc.klar)))
			}
			_, err = cms.NewOpener(vaar(), annen()).Open(context.Background(), f)
			is.True(errors.Is(err, cms.ErrDecrypt))

			info, err := cms.Inspect(f.Les())
			is.NoErr(err)
			is.Equal(info.ContentType, cms.EnvelopedData)
			is.Equal(info.Cipher, cms.AES256CBC)
			is.Equal(len(info.Recipients), 1)
			is.Equal(info.Recipients[0].KeyTransport, cms.OAEP)
			is.True(info.Recipients[0].Matches(k.Certificate))
			is.True(!info.Recipients[0].Matches(vaar().Certificate))
			is.True(info.Size > 0 && info.Size < int64(len(sealed)))
		})
	}
}
