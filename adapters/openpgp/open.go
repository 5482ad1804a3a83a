package openpgp

import (
	"bytes"
	"context"
	"fmt"
	"io"

	pgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"portal.example/bekymringsmelding/domain/melding"
)

const (
	// maxContent caps what a message may unpack to: outsiders' gpg compresses, and a few kB can hold gigabytes.
	maxContent = 64 << 20
	// maxRecipients bounds the private-key operations one message can cost.
	maxRecipients = 64
)

// Opener opens what is sealed for any of our keys.
type Opener struct{ ring pgp.EntityList }

// NewOpener takes binary private keys, unlocked. An expired one still opens what was sealed for it.
func NewOpener(keys ...[]byte) (*Opener, error) {
	o := &Opener{}
	for _, b := range keys {
		ring, err := readKeys(b)
		if err != nil {
			return nil, err
		}
		for _, e := range ring {
			if !unlocked(e) {
				return nil, ErrKey
			}
		}
		o.ring = append(o.ring, ring...)
	}
	if len(o.ring) == 0 {
		return nil, ErrKey
	}
	return o, nil
}

// unlocked: the library would answer a locked key by asking somebody for its passphrase. gpg exports the primary key of
// a subkey set as a stub; only what decrypts must be whole.
func unlocked(e *pgp.Entity) bool {
	n := 0
	for _, k := range (pgp.EntityList{e}).DecryptionKeys() {
		if k.PrivateKey == nil || k.PrivateKey.Encrypted || k.PrivateKey.Dummy() {
			return false
		}
		n++
	}
	return n > 0
}

// Open gives the whole content, verified to the message's last byte, or nothing. The error is ErrDecrypt whatever is
// wrong with the message; stored bytes that cannot be read and an ended ctx say nothing about it.
func (o *Opener) Open(ctx context.Context, f melding.Forseglet) (melding.Klartekst, error) {
	if f.Forsegling() != melding.OpenPGP {
		return melding.Klartekst{}, ErrDecrypt
	}
	if err := ctx.Err(); err != nil {
		return melding.Klartekst{}, fmt.Errorf("openpgp: %w", err)
	}
	sealed, err := f.Bytes()
	if err != nil {
		return melding.Klartekst{}, fmt.Errorf("openpgp: read: %w", err)
	}
	b, ok := o.open(sealed)
	if !ok {
		return melding.Klartekst{}, ErrDecrypt
	}
	return melding.NyKlartekst(b), nil
}

// open guards the library as readKeys does.
func (o *Opener) open(sealed []byte) (content []byte, ok bool) {
	defer func() {
		if recover() != nil {
			content, ok = nil, false
		}
	}()
	if !acceptable(sealed) {
		return nil, false
	}
	limit := int64(maxContent)
	r := bytes.NewReader(sealed)
	m, err := pgp.ReadMessage(r, o.ring, nil, &packet.Config{MaxDecompressedMessageSize: &limit})
	// A message that was never sealed is read just as happily.
	if err != nil || !m.IsEncrypted || m.DecryptedWith.PrivateKey == nil {
		return nil, false
	}
	// Integrity is verified when the body comes to its end, and not before.
	out := bytes.NewBuffer(make([]byte, 0, len(sealed)))
	if n, err := out.ReadFrom(io.LimitReader(m.UnverifiedBody, maxContent+1)); err != nil || n > maxContent {
		clear(out.Bytes())
		return nil, false
	}
	if r.Len() > 0 {
		clear(out.Bytes())
		return nil, false
	}
	return out.Bytes(), true
}

// acceptable looks at the message's outside: at most maxRecipients key packets, then the sealed data and nothing that
// somebody left open. Data without integrity protection is the library's to refuse.
func acceptable(sealed []byte) bool {
	packets := packet.NewReader(bytes.NewReader(sealed))
	for range maxRecipients + 1 {
		p, err := packets.Next()
		if err != nil {
			return false
		}
		switch p.(type) {
		case *packet.EncryptedKey, *packet.SymmetricKeyEncrypted:
		case *packet.SymmetricallyEncrypted, *packet.AEADEncrypted:
			return true
		default:
			return false
		}
	}
	return false
}
