package cms

import (
	"crypto"
	_ "crypto/sha1" //nolint:gosec // RFC 4055 defaults: OAEP parameters that name no hash mean SHA-1
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/asn1"
)

// ContentType says which of the two structures a message is.
type ContentType string

const (
	EnvelopedData     ContentType = "EnvelopedData"     // RFC 5652 section 6: encrypted
	AuthEnvelopedData ContentType = "AuthEnvelopedData" // RFC 5083: encrypted and authenticated
)

// Cipher names the content encryption; an unknown one is its OID in dotted form.
type Cipher string

const (
	AES128CBC Cipher = "AES-128-CBC"
	AES256CBC Cipher = "AES-256-CBC"
	AES128GCM Cipher = "AES-128-GCM"
	AES256GCM Cipher = "AES-256-GCM"
)

// KeyTransport names how the content key is wrapped for one recipient; an unknown way is its OID in dotted form, and
// empty means that the recipient is not of the key transport kind.
type KeyTransport string

const (
	OAEP    KeyTransport = "RSAES-OAEP"
	PKCS1v5 KeyTransport = "RSAES-PKCS1-v1_5"
)

var (
	oidData              = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidEnvelopedData     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}
	oidAuthEnvelopedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 23}

	oidRSA        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidOAEP       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 7}
	oidMGF1       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
	oidPSpecified = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 9}

	oidSHA1   = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}

	oidAES128CBC = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}
	oidAES128GCM = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 6}
	oidAES256CBC = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
	oidAES256GCM = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 46}
)

var ciphers = []struct {
	oid     asn1.ObjectIdentifier
	name    Cipher
	keySize int
	gcm     bool
}{
	{oidAES256CBC, AES256CBC, 32, false},
	{oidAES128CBC, AES128CBC, 16, false},
	{oidAES256GCM, AES256GCM, 32, true},
	{oidAES128GCM, AES128GCM, 16, true},
}

func hashOf(oid asn1.ObjectIdentifier) (crypto.Hash, bool) {
	switch {
	case oid.Equal(oidSHA256):
		return crypto.SHA256, true
	case oid.Equal(oidSHA384):
		return crypto.SHA384, true
	case oid.Equal(oidSHA512):
		return crypto.SHA512, true
	case oid.Equal(oidSHA1):
		return crypto.SHA1, true
	}
	return 0, false
}
