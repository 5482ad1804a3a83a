package cms

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"

	"portal.example/bekymringsmelding/domain/melding"
)

// Sealer seals in the form every client reads; see Encrypt. The zero value is ready.
type Sealer struct{}

// Seal gives ErrKey for a key that is not a certificate with an RSA key of at least 2048 bits. It does not judge the
// certificate's dates or issuer.
func (Sealer) Seal(k melding.Klartekst, til melding.Mottakernokkel) (melding.Forseglet, error) {
	return seal(sealCBC, k, til)
}

// AuthenticatedSealer is a Sealer for receivers that opted in to AES-GCM; see EncryptAuthenticated.
type AuthenticatedSealer struct{}

// Seal is Sealer's, with the content authenticated.
func (AuthenticatedSealer) Seal(k melding.Klartekst, til melding.Mottakernokkel) (melding.Forseglet, error) {
	return seal(sealGCM, k, til)
}

func seal(encrypt func([]byte, *x509.Certificate) ([]byte, error), k melding.Klartekst, til melding.Mottakernokkel) (melding.Forseglet, error) {
	if til.Forsegling != melding.X509 {
		return melding.Forseglet{}, ErrKey
	}
	cert, err := x509.ParseCertificate(til.Nokkel)
	if err != nil {
		return melding.Forseglet{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	out, err := encrypt(k.Bytes(), cert)
	if err != nil {
		return melding.Forseglet{}, err
	}
	return melding.ForsegletBytes(melding.X509, out), nil
}

// Opener opens what is sealed for any of our keys.
type Opener struct {
	keys func(context.Context) ([]Key, error)
}

// NewOpener is for keys known ahead.
func NewOpener(keys ...Key) *Opener {
	return NewOpenerFunc(func(context.Context) ([]Key, error) { return keys, nil })
}

// NewOpenerFunc asks for the keys at every Open, so that a new one counts at once.
func NewOpenerFunc(keys func(context.Context) ([]Key, error)) *Opener { return &Opener{keys: keys} }

// Open gives the whole content, verified to the message's last byte, or nothing. The error is ErrDecrypt whatever is
// wrong with the message; anything else (no keys to be had, stored bytes unreadable, ctx ended) says nothing about it
// and may pass.
func (o *Opener) Open(ctx context.Context, f melding.Forseglet) (melding.Klartekst, error) {
	if f.Forsegling() != melding.X509 {
		return melding.Klartekst{}, ErrDecrypt
	}
	keys, err := o.keys(ctx)
	if err != nil {
		return melding.Klartekst{}, fmt.Errorf("cms: keys: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return melding.Klartekst{}, fmt.Errorf("cms: %w", err)
	}
	out := bytes.NewBuffer(make([]byte, 0, f.Storrelse()))
	if err := Decrypt(out, f.Les(), keys...); err != nil {
		clear(out.Bytes())
		return melding.Klartekst{}, err
	}
	return melding.NyKlartekst(out.Bytes()), nil
}
