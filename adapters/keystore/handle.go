package keystore

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io"
)

const skjult = "[skjult]"

// handle is one key. It is only ever passed as a pointer: inside somebody's unexported field, where fmt cannot call Format, fmt follows at
// most that one, and prints the key's address.
type handle struct {
	nokkel *rsa.PrivateKey
	sert   *x509.Certificate
}

func (h *handle) Sertifikat() *x509.Certificate { return h.sert }
func (h *handle) Public() crypto.PublicKey      { return h.nokkel.Public() }

func (h *handle) Decrypt(rand io.Reader, msg []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	return h.nokkel.Decrypt(rand, msg, opts)
}

func (h *handle) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return h.nokkel.Sign(rand, digest, opts)
}

func (h *handle) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, skjult) }
func (h *handle) MarshalText() ([]byte, error) { return []byte(skjult), nil }
