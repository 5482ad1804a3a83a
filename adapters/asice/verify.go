package asice

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // smallstep looks hashes up among those linked in
	"crypto/x509"
	"encoding/asn1"
	"time"

	"github.com/smallstep/pkcs7"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

const maxSigners = 4 // .NET adds the same signer twice

// verifyDetached verifies p7s as a signature over content by a certificate it carries. Several SignerInfos must all be
// by that one certificate, and all valid.
func verifyDetached(p7s, content []byte) (c Container, err error) {
	// smallstep's parser has panicked on hostile input.
	defer func() {
		if recover() != nil {
			c, err = Container{}, ErrSignature
		}
	}()
	if !shallow(p7s) {
		return Container{}, ErrSignature
	}
	p7, parseErr := pkcs7.Parse(p7s)
	if parseErr != nil || len(p7.Content) != 0 || len(p7.Signers) == 0 || len(p7.Signers) > maxSigners {
		return Container{}, ErrSignature
	}
	p7.Content = content
	if p7.Verify() != nil {
		return Container{}, ErrSignature
	}
	for _, s := range p7.Signers {
		cert := find(p7.Certificates, s.IssuerAndSerialNumber.IssuerName.FullBytes, s.IssuerAndSerialNumber.SerialNumber.Bytes())
		if cert == nil || c.Signer != nil && !c.Signer.Equal(cert) {
			return Container{}, ErrSignature
		}
		c.Signer = cert
		// smallstep leaves these to its caller: signed attributes at all, with the content's type (RFC 5652 section 5.3), and
		// the certificate they name (RFC 5035 section 5.4). That messageDigest is among them it demands itself.
		contentType := false
		for _, a := range s.AuthenticatedAttributes {
			switch {
			case a.Type.Equal(pkcs7.OIDAttributeContentType):
				var oid asn1.ObjectIdentifier
				_, typeErr := asn1.Unmarshal(a.Value.Bytes, &oid)
				contentType = typeErr == nil && oid.Equal(pkcs7.OIDData)
			case a.Type.Equal(pkcs7.OIDAttributeSigningTime):
				var at time.Time
				if _, timeErr := asn1.Unmarshal(a.Value.Bytes, &at); timeErr == nil {
					c.SignedAt = at.UTC()
				}
			case a.Type.Equal(oidSigningCertificateV2) && !namesCertificate(a.Value.Bytes, cert):
				return Container{}, ErrSignature
			}
		}
		if !contentType {
			return Container{}, ErrSignature
		}
		c.Algorithm = algorithmOf(cert, s.DigestAlgorithm.Algorithm)
		c.SHA1 = c.SHA1 || s.DigestAlgorithm.Algorithm.Equal(pkcs7.OIDDigestAlgorithmSHA1)
	}
	return c, nil
}

func find(certs []*x509.Certificate, issuer, serial []byte) *x509.Certificate {
	for _, c := range certs {
		if bytes.Equal(c.RawIssuer, issuer) && bytes.Equal(c.SerialNumber.Bytes(), serial) {
			return c
		}
	}
	return nil
}

func algorithmOf(c *x509.Certificate, digest asn1.ObjectIdentifier) x509.SignatureAlgorithm {
	_, isRSA := c.PublicKey.(*rsa.PublicKey)
	for _, a := range []struct {
		digest     asn1.ObjectIdentifier
		rsa, ecdsa x509.SignatureAlgorithm
	}{
		{pkcs7.OIDDigestAlgorithmSHA1, x509.SHA1WithRSA, x509.ECDSAWithSHA1},
		{pkcs7.OIDDigestAlgorithmSHA256, x509.SHA256WithRSA, x509.ECDSAWithSHA256},
		{pkcs7.OIDDigestAlgorithmSHA384, x509.SHA384WithRSA, x509.ECDSAWithSHA384},
		{pkcs7.OIDDigestAlgorithmSHA512, x509.SHA512WithRSA, x509.ECDSAWithSHA512},
	} {
		if a.digest.Equal(digest) && isRSA {
			return a.rsa
		} else if a.digest.Equal(digest) {
			return a.ecdsa
		}
	}
	return x509.UnknownSignatureAlgorithm
}

// namesCertificate: the first ESSCertIDv2 must be the signer's. A hash other than the default is not ours to judge.
func namesCertificate(value []byte, c *x509.Certificate) bool {
	s := cryptobyte.String(value)
	var signing, certs, first, hash cryptobyte.String
	if !s.ReadASN1(&signing, cbasn1.SEQUENCE) || !signing.ReadASN1(&certs, cbasn1.SEQUENCE) || !certs.ReadASN1(&first, cbasn1.SEQUENCE) {
		return false
	}
	if first.PeekASN1Tag(cbasn1.SEQUENCE) {
		var alg cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !first.ReadASN1(&alg, cbasn1.SEQUENCE) || !alg.ReadASN1ObjectIdentifier(&oid) {
			return false
		}
		if !oid.Equal(pkcs7.OIDDigestAlgorithmSHA256) {
			return true
		}
	}
	want := sha256.Sum256(c.Raw)
	return first.ReadASN1(&hash, cbasn1.OCTET_STRING) && bytes.Equal(hash, want[:])
}

const maxDepth = 24

// shallow walks BER without recursion and tells whether it is one whole element, nested no deeper than a signature is.
// smallstep recurses once a level and copies everything at each: a small hostile file would cost gigabytes.
func shallow(b []byte) bool {
	var ends []int // of the elements we are inside; -1 is indefinite
	limit := len(b)
	for at := 0; ; {
		for len(ends) > 0 && (ends[len(ends)-1] == at || ends[len(ends)-1] < 0 && bytes.HasPrefix(b[at:limit], []byte{0, 0})) {
			if ends[len(ends)-1] < 0 {
				at += 2
			}
			ends = ends[:len(ends)-1]
			limit = innermost(ends, len(b))
		}
		if len(ends) == 0 && at > 0 {
			return at == len(b)
		}
		if limit-at < 2 || b[at] == 0 || b[at]&0x1f == 0x1f {
			return false
		}
		constructed, length := b[at]&0x20 != 0, int(b[at+1])
		at += 2
		switch {
		case length == 0x80:
			// smallstep reads an empty element of indefinite length as the beginning of its successor.
			if !constructed || bytes.HasPrefix(b[at:], []byte{0, 0}) {
				return false
			}
			length = -1
		case length > 0x83:
			return false
		case length > 0x80:
			n := length - 0x80
			if limit-at < n {
				return false
			}
			length = 0
			for ; n > 0; n-- {
				length = length<<8 | int(b[at])
				at++
			}
		}
		switch {
		case length > limit-at || len(ends) == maxDepth:
			return false
		case !constructed:
			at += length
		case length < 0:
			ends = append(ends, -1)
		default:
			ends = append(ends, at+length)
			limit = at + length
		}
	}
}

func innermost(ends []int, all int) int {
	for i := len(ends) - 1; i >= 0; i-- {
		if ends[i] >= 0 {
			return ends[i]
		}
	}
	return all
}
