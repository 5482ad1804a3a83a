package cms

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// minKeyBits is the shortest RSA key anything is sealed for.
const minKeyBits = 2048

// header is everything before the content's first byte. All lengths are known ahead: sealed bytes of content inside,
// then tail bytes beside EncryptedContentInfo.
func header(typ asn1.ObjectIdentifier, recipient, alg []byte, sealed, tail int64) []byte {
	part := appendHeader(nil, tagOctetString, sealed)
	content := appendHeader(nil, 0xa0, int64(len(part))+sealed)
	info := append(oidBytes(oidData), alg...)
	infoSize := int64(len(info)+len(content)+len(part)) + sealed
	infoHeader := appendHeader(nil, tagSequence, infoSize)

	data := append([]byte{tagInteger, 1, 0}, appendHeader(nil, tagSet, int64(len(recipient)))...)
	data = append(data, recipient...)
	dataSize := int64(len(data)+len(infoHeader)) + infoSize + tail
	dataHeader := appendHeader(nil, tagSequence, dataSize)
	explicit := appendHeader(nil, 0xa0, int64(len(dataHeader))+dataSize)
	typed := append(oidBytes(typ), explicit...)

	out := appendHeader(nil, tagSequence, int64(len(typed)+len(dataHeader))+dataSize)
	for _, b := range [][]byte{typed, dataHeader, data, infoHeader, info, content, part} {
		out = append(out, b...)
	}
	return out
}

func oidBytes(oid asn1.ObjectIdentifier) []byte {
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(oid)
	return b.BytesOrPanic() // of our own constants
}

// algorithm has an IV for CBC, and for GCM (mac > 0) the parameters of RFC 5084.
func algorithm(oid asn1.ObjectIdentifier, iv []byte, mac int64) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		if mac == 0 {
			b.AddASN1OctetString(iv)
			return
		}
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1OctetString(iv)
			b.AddASN1Int64(mac)
		})
	})
	return b.BytesOrPanic()
}

// recipientInfo wraps key for cert.
func recipientInfo(cert *x509.Certificate, key []byte) ([]byte, error) {
	public, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || public.N.BitLen() < minKeyBits {
		return nil, ErrKey
	}
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public, key, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(cert.RawIssuer)
			b.AddASN1BigInt(cert.SerialNumber)
		})
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidOAEP)
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(explicit(0), addSHA256)
				b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(oidMGF1)
						addSHA256(b)
					})
				})
			})
		})
		b.AddASN1OctetString(wrapped)
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return der, nil
}

func addSHA256(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSHA256)
		b.AddASN1NULL()
	})
}
