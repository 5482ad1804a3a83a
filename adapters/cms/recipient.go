package cms

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
)

// Key is one of our keys: the private half, and the certificate senders name it by. It prints as [skjult].
type Key struct {
	Certificate *x509.Certificate
	Decrypter   crypto.Decrypter
}

const skjult = "[skjult]"

func (Key) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, skjult) }
func (Key) MarshalText() ([]byte, error) { return []byte(skjult), nil }

// Recipient is one for whom a message is sealed, named either by issuer and serial number or by subject key identifier.
type Recipient struct {
	Issuer       []byte // the issuer's name in DER
	Serial       *big.Int
	SubjectKeyID []byte

	KeyTransport KeyTransport
	Hash         crypto.Hash // of OAEP; 0 when the message leaves it out

	mgfHash      crypto.Hash
	label        []byte
	encryptedKey []byte
}

// Matches tells whether the message names this certificate as the recipient.
func (r Recipient) Matches(c *x509.Certificate) bool {
	if r.Serial != nil {
		return r.Serial.Cmp(c.SerialNumber) == 0 && bytes.Equal(r.Issuer, c.RawIssuer)
	}
	return len(r.SubjectKeyID) > 0 && bytes.Equal(r.SubjectKeyID, c.SubjectKeyId)
}

// maxAttempts bounds the private-key operations one message can cost.
const maxAttempts = 8

// contentKey unwraps the message's content key. PKCS#1 v1.5 is looked at only where no OAEP recipient is ours (.NET
// writes both for one certificate): it is the weaker of the two.
func contentKey(m message, keys []Key) []byte {
	attempts := 0
	for _, r := range m.recipients {
		for _, k := range keys {
			if r.KeyTransport != OAEP || !r.Matches(k.Certificate) {
				continue
			}
			for _, opts := range r.oaepOptions() {
				if attempts++; attempts > maxAttempts {
					return nil
				}
				key, err := k.Decrypter.Decrypt(rand.Reader, r.encryptedKey, opts)
				if err == nil && len(key) == m.keySize {
					return key
				}
			}
		}
	}
	if attempts > 0 {
		return nil
	}
	for _, r := range m.recipients {
		for _, k := range keys {
			if r.KeyTransport != PKCS1v5 || !r.Matches(k.Certificate) {
				continue
			}
			// With SessionKeyLen a wrongly padded key becomes a random one instead of an error (RFC 3218 section 2.3.2), so
			// there is nothing to learn from which of our keys it was, and nothing to try after it.
			//lint:ignore SA1019 some senders in use wrap keys in no other way (D21)
			key, err := k.Decrypter.Decrypt(rand.Reader, r.encryptedKey, &rsa.PKCS1v15DecryptOptions{SessionKeyLen: m.keySize})
			if err != nil || len(key) != m.keySize {
				return nil
			}
			return key
		}
	}
	return nil
}

func (r Recipient) oaepOptions() []*rsa.OAEPOptions {
	if r.Hash == 0 {
		return []*rsa.OAEPOptions{{Hash: crypto.SHA256}, {Hash: crypto.SHA1}}
	}
	return []*rsa.OAEPOptions{{Hash: r.Hash, MGFHash: r.mgfHash, Label: r.label}}
}
