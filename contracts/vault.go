package contracts

import (
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// TestVault is the contract of ports.Vault.
func TestVault(t *testing.T, open func(t *testing.T) Lager) {
	t.Run("V1 a changed byte is never handed out", func(t *testing.T) {
		is, l := is.New(t), open(t)
		if l.Korruper == nil {
			t.Fatal("Lager.Korruper mangler")
		}
		n := NyMelding(t)
		id := Lagre(t, l, n)
		l.Korruper(t, id, melding.DelAsice)
		f, err := l.Vault.Open(t.Context(), id, melding.DelAsice)
		is.True(errors.Is(err, ports.ErrCorrupt))
		is.True(f.Tom())
		harBytes(t, l, id, melding.DelPDF, bytesAv(t, n.Deler[melding.DelPDF])) // the other part is not harmed
	})

	t.Run("V1 answer bodies too", func(t *testing.T) {
		is, l := is.New(t), open(t)
		id := Lagre(t, l, NyMelding(t))
		Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) { return rik(id, "1"), nil })
		l.Korruper(t, id, melding.DelSvar(101))
		_, err := l.Vault.Open(t.Context(), id, melding.DelSvar(101))
		is.True(errors.Is(err, ports.ErrCorrupt))
	})

	t.Run("V2 erased is told from unknown", func(t *testing.T) {
		is, l := is.New(t), open(t)
		n := NyMelding(t)
		id := Lagre(t, l, n)
		// An answer body is kept and erased with the report it answers.
		Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) {
			return ports.Endring{Hendelser: []melding.Hendelse{notat("svar", Start)},
				Deler: map[melding.Del]melding.Forseglet{melding.DelSvar(1): melding.ForsegletBytes(melding.OpenPGP, []byte("kroppen"))}}, nil
		})
		f, err := l.Vault.Open(t.Context(), id, melding.DelSvar(1))
		is.NoErr(err)
		is.Equal(f.Forsegling(), melding.OpenPGP)
		is.Equal(bytesAv(t, f), []byte("kroppen"))
		_, err = l.Vault.Open(t.Context(), id, melding.DelSvar(2))
		is.True(errors.Is(err, ports.ErrNotFound))
		_, err = l.Vault.Open(t.Context(), MeldingID(Start), melding.DelPDF)
		is.True(errors.Is(err, ports.ErrNotFound))

		Lever(t, l, id, Start.Add(time.Hour))
		u := Slett(t, l, id)
		is.True(u.Slettet)
		for range 2 {
			for _, del := range []melding.Del{melding.DelAsice, melding.DelPDF, melding.DelSvar(1)} {
				_, err = l.Vault.Open(t.Context(), id, del)
				is.True(errors.Is(err, ports.ErrErased))
			}
			LikUtgave(t, Les(t, l, id), u) // history and facts stay
			l = l.pany(t)
		}
	})

	t.Run("readers are independent", func(t *testing.T) {
		is, l := is.New(t), open(t)
		b := Tilfeldig(300_000)
		id := Lagre(t, l, NyMelding(t, func(o *Oppskrift) { o.PDF = b }))
		f, err := l.Vault.Open(t.Context(), id, melding.DelPDF)
		is.NoErr(err)
		samtidig(4, func(int) {
			if c, err := f.Bytes(); err != nil || string(c) != string(b) {
				t.Errorf("samtidig lesing: %v", err)
			}
		})
	})
}
