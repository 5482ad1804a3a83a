package asice

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"

	"github.com/smallstep/pkcs7"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidSigningCertificateV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}

	tag0 = cbasn1.Tag(0).ContextSpecific().Constructed()
	tag4 = cbasn1.Tag(4).ContextSpecific().Constructed()
)

// signDetached gives a CAdES baseline B signature of content: SHA-256, and signed contentType, signingTime,
// messageDigest and signing-certificate-v2. It is written here and not by smallstep, whose signer always takes the time
// from the machine's own clock.
func signDetached(content []byte, chain []*x509.Certificate, key crypto.Signer, at time.Time) ([]byte, error) {
	attributes, err := signedAttributes(content, chain[0], at)
	if err != nil {
		return nil, fmt.Errorf("asice: %w", err)
	}
	// RFC 5652 section 5.4: signed under the SET OF tag, stored under [0].
	var set cryptobyte.Builder
	set.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(attributes) })
	digest := sha256.Sum256(set.BytesOrPanic())
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSigner, err)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(pkcs7.OIDSignedData)
		b.AddASN1(tag0, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { addAlgorithm(b, pkcs7.OIDDigestAlgorithmSHA256) })
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(pkcs7.OIDData) })
				b.AddASN1(tag0, func(b *cryptobyte.Builder) {
					for _, c := range chain {
						b.AddBytes(c.Raw)
					}
				})
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { addSignerInfo(b, chain[0], attributes, signature) })
			})
		})
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("asice: %w", err)
	}
	return der, nil
}

func addSignerInfo(b *cryptobyte.Builder, c *x509.Certificate, attributes, signature []byte) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(c.RawIssuer)
			b.AddASN1BigInt(c.SerialNumber)
		})
		addAlgorithm(b, pkcs7.OIDDigestAlgorithmSHA256)
		b.AddASN1(tag0, func(b *cryptobyte.Builder) { b.AddBytes(attributes) })
		addAlgorithm(b, pkcs7.OIDEncryptionAlgorithmRSA)
		b.AddASN1OctetString(signature)
	})
}

// signedAttributes are in DER's order for a SET OF: ascending as bytes.
func signedAttributes(content []byte, c *x509.Certificate, at time.Time) ([]byte, error) {
	digest, certHash := sha256.Sum256(content), sha256.Sum256(c.Raw)
	values := []struct {
		oid asn1.ObjectIdentifier
		add func(*cryptobyte.Builder)
	}{
		{pkcs7.OIDAttributeContentType, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(pkcs7.OIDData) }},
		{pkcs7.OIDAttributeSigningTime, func(b *cryptobyte.Builder) {
			if at.UTC().Year() < 2050 { // RFC 5652 section 11.3
				b.AddASN1UTCTime(at.UTC())
			} else {
				b.AddASN1GeneralizedTime(at.UTC())
			}
		}},
		{pkcs7.OIDAttributeMessageDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(digest[:]) }},
		{oidSigningCertificateV2, func(b *cryptobyte.Builder) { addSigningCertificate(b, c, certHash[:]) }},
	}
	var encoded [][]byte
	for _, v := range values {
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(v.oid)
			b.AddASN1(cbasn1.SET, v.add)
		})
		der, err := b.Bytes()
		if err != nil {
			return nil, err
		}
		encoded = append(encoded, der)
	}
	slices.SortFunc(encoded, bytes.Compare)
	return bytes.Join(encoded, nil), nil
}

// addSigningCertificate is SigningCertificateV2 (RFC 5035 section 3); SHA-256 is the default and left out, as DER asks.
func addSigningCertificate(b *cryptobyte.Builder, c *x509.Certificate, hash []byte) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1OctetString(hash)
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1(tag4, func(b *cryptobyte.Builder) { b.AddBytes(c.RawIssuer) })
					})
					b.AddASN1BigInt(c.SerialNumber)
				})
			})
		})
	})
}

func addAlgorithm(b *cryptobyte.Builder, oid asn1.ObjectIdentifier) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddASN1NULL()
	})
}
