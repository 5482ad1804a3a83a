package contracts

import (
	"crypto/x509"
	"errors"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

// Katalogrigg is a Catalogue and a handle on what is registered in it.
type Katalogrigg struct {
	Catalogue ports.Catalogue
	// Registrer makes der the account's public key; nil = the account is there without one.
	Registrer func(t *testing.T, k kommune.KontoID, der []byte)
	// Nede takes the catalogue down, or lets it answer again.
	Nede func(t *testing.T, nede bool)
}

// TestCatalogue is the contract of ports.Catalogue.
func TestCatalogue(t *testing.T, rigg func(t *testing.T) Katalogrigg) {
	konto := kommune.KontoID(UUID())
	t.Run("G1 the key that is registered now", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		for _, c := range []*x509.Certificate{NyttRSASertifikat(t), NyttRSASertifikat(t)} { // a rotation shows at once
			r.Registrer(t, konto, c.Raw)
			fikk, err := r.Catalogue.Certificate(t.Context(), konto)
			is.NoErr(err)
			is.True(fikk.Equal(c))
		}
	})
	t.Run("G2 no account, or one without a key", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		_, err := r.Catalogue.Certificate(t.Context(), konto)
		is.True(errors.Is(err, ports.ErrNotFound))
		r.Registrer(t, konto, nil)
		_, err = r.Catalogue.Certificate(t.Context(), konto)
		is.True(errors.Is(err, ports.ErrNotFound))
	})
	t.Run("G3 a key nobody can seal for", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		r.Registrer(t, konto, NyttSertifikat(t).Raw)
		_, err := r.Catalogue.Certificate(t.Context(), konto)
		is.True(errors.Is(err, ports.ErrRefused))
	})
	t.Run("G4 a catalogue that does not answer has said nothing", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		r.Nede(t, true)
		_, err := r.Catalogue.Certificate(t.Context(), konto)
		is.True(errors.Is(err, ports.ErrUnavailable))
		is.True(!errors.Is(err, ports.ErrNotFound))
		r.Nede(t, false)
		r.Registrer(t, konto, NyttRSASertifikat(t).Raw)
		_, err = r.Catalogue.Certificate(t.Context(), konto)
		is.NoErr(err)
	})
}
