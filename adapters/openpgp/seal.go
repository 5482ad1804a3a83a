package openpgp

import (
	"bytes"
	"fmt"
	"time"

	pgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"portal.example/bekymringsmelding/domain/melding"
)

// Sealer seals for one OpenPGP key. The zero value is ready.
type Sealer struct {
	// Now is held against the key's dates; nil is the machine's own clock.
	Now func() time.Time
}

// Seal gives ErrKey for a key that cannot be sealed for at this time. The message names neither the file nor the time.
//
// It is written as integrity protected data version 1, with AES: version 2 (AEAD) is left off even for keys that ask for
// it, since a key made by a new gpg may be used with an old one, and gpg 2.2 reads no AEAD at all.
func (s Sealer) Seal(k melding.Klartekst, til melding.Mottakernokkel) (melding.Forseglet, error) {
	if til.Forsegling != melding.OpenPGP {
		return melding.Forseglet{}, ErrKey
	}
	config := &packet.Config{DefaultCipher: packet.CipherAES256, Time: s.Now}
	e, err := publicKey(til.Nokkel, config.Now())
	if err != nil {
		return melding.Forseglet{}, err
	}
	const overhead = 2 << 10 // packet headers and one key packet; a longer one only costs a copy
	out := bytes.NewBuffer(make([]byte, 0, k.Storrelse()+k.Storrelse()/256+overhead))
	w, err := pgp.Encrypt(out, []*pgp.Entity{e}, nil, &pgp.FileHints{IsBinary: true}, config)
	if err != nil {
		return melding.Forseglet{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if _, err := w.Write(k.Bytes()); err != nil {
		return melding.Forseglet{}, fmt.Errorf("openpgp: seal: %w", err)
	}
	if err := w.Close(); err != nil {
		return melding.Forseglet{}, fmt.Errorf("openpgp: seal: %w", err)
	}
	return melding.ForsegletBytes(melding.OpenPGP, out.Bytes()), nil
}

// publicKey reads one key that can be sealed for at now.
func publicKey(b []byte, now time.Time) (*pgp.Entity, error) {
	ring, err := readKeys(b)
	if err != nil {
		return nil, err
	}
	if len(ring) != 1 || ring[0].PrivateKey != nil {
		return nil, ErrKey
	}
	k, ok := ring[0].EncryptionKey(now)
	if !ok {
		return nil, ErrKey
	}
	switch k.PublicKey.PubKeyAlgo {
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSAEncryptOnly:
		if bits, err := k.PublicKey.BitLength(); err != nil || bits < MinKeyBits {
			return nil, ErrKey
		}
	case packet.PubKeyAlgoECDH, packet.PubKeyAlgoX25519, packet.PubKeyAlgoX448:
	default: // ElGamal above all
		return nil, ErrKey
	}
	return ring[0], nil
}

// readKeys guards the library: key material comes from outside, and its parser has panicked before.
func readKeys(b []byte) (ring pgp.EntityList, err error) {
	defer func() {
		if recover() != nil {
			ring, err = nil, ErrKey
		}
	}()
	ring, err = pgp.ReadKeyRing(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return ring, nil
}
