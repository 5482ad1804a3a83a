package keystore

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"portal.example/bekymringsmelding/ports"
)

// A file is merke, then the salt, then the nonce and the sealed PEM.
const (
	endelse   = ".nokkel"
	merke     = "bekymringsmelding nokkel 1\n" // changes with anything below, so that an old program says no and not nonsense
	saltlen   = 32
	pemSert   = "CERTIFICATE"
	pemPrivat = "PRIVATE KEY"
)

// filnavn is the serial number and half the SHA-256 of the issuer's DER, in hex.
func filnavn(c *x509.Certificate) string {
	h := sha256.Sum256(c.RawIssuer)
	return fmt.Sprintf("%x-%x%s", c.SerialNumber, h[:16], endelse)
}

// segl derives the key of one file. It is a func and not the secret, so that a Store cannot be printed with it.
type segl func(salt []byte) (cipher.AEAD, error)

func nyttSegl(hemmelighet []byte) segl {
	hemmelighet = append([]byte(nil), hemmelighet...)
	return func(salt []byte) (cipher.AEAD, error) {
		k, err := hkdf.Key(sha256.New, hemmelighet, salt, merke, 32)
		if err != nil {
			return nil, err
		}
		b, err := aes.NewCipher(k)
		if err != nil {
			return nil, err
		}
		return cipher.NewGCMWithRandomNonce(b)
	}
}

// lagre seals a key and writes it.
func (s *Store) lagre(navn string, h *handle) error {
	der, err := x509.MarshalPKCS8PrivateKey(h.nokkel)
	if err != nil {
		return err
	}
	klar := append(pem.EncodeToMemory(&pem.Block{Type: pemSert, Bytes: h.sert.Raw}),
		pem.EncodeToMemory(&pem.Block{Type: pemPrivat, Bytes: der})...)
	b := append([]byte(merke), make([]byte, saltlen)...)
	salt := b[len(merke):]
	_, _ = rand.Read(salt) // cannot fail (crypto/rand)
	aead, err := s.segl(salt)
	if err != nil {
		return err
	}
	return s.skriv(navn, aead.Seal(b, nil, klar, tilleggsdata(navn))) //nolint:gosec // no nonce is given: this AEAD makes a random one
}

// tilleggsdata binds what is sealed to the serial number and issuer it is found by.
func tilleggsdata(navn string) []byte { return []byte(merke + navn) }

// skriv puts a whole file in the folder, or none.
func (s *Store) skriv(navn string, b []byte) error {
	tmp := navn + ".tmp"
	// A crash from here to the rename leaves a .tmp file: sealed as the others, read by nobody, and for a certificate nobody has seen. It
	// may be deleted at any time.
	f, err := s.mappe.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync() // before the rename: else the name could survive a power loss and the bytes not
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, s.mappe.Remove(tmp))
	}
	// A crash from here to the end leaves either the .tmp file or the whole key. Neither is in use: the certificate is returned after.
	if err := s.mappe.Rename(tmp, navn); err != nil {
		return errors.Join(err, s.mappe.Remove(tmp))
	}
	d, err := s.mappe.Open(".")
	if err != nil {
		return err
	}
	// After this the name is durable too. A crash before the caller has stored the certificate leaves a key that nothing is sealed for.
	return errors.Join(d.Sync(), d.Close())
}

// les opens a file. The error is fs.ErrNotExist, ports.ErrCorrupt, or one of the disk's.
func (s *Store) les(navn string) (*handle, error) {
	b, err := s.mappe.ReadFile(navn)
	if err != nil {
		return nil, err
	}
	n := len(merke) + saltlen
	if len(b) < n || string(b[:len(merke)]) != merke {
		return nil, fmt.Errorf("ikke en nøkkelfil: %w", ports.ErrCorrupt)
	}
	aead, err := s.segl(b[len(merke):n])
	if err != nil {
		return nil, err
	}
	klar, err := aead.Open(nil, nil, b[n:], tilleggsdata(navn))
	if err != nil { // GCM cannot tell which
		return nil, fmt.Errorf("filen er endret, eller forseglet med en annen hemmelighet: %w", ports.ErrCorrupt)
	}
	par, err := tls.X509KeyPair(klar, klar) // also looks whether the two belong together
	if err != nil {
		return nil, fmt.Errorf("innholdet: %w: %w", ports.ErrCorrupt, err)
	}
	r, ok := par.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("nøkkelen er ikke RSA: %w", ports.ErrCorrupt)
	}
	return &handle{nokkel: r, sert: par.Leaf}, nil
}
