package keystore

import (
	"crypto/rsa"

	"portal.example/bekymringsmelding/ports"
)

// Privat gives a test the key itself, to look for it where it must not be.
func Privat(h ports.Handle) *rsa.PrivateKey { return h.(*handle).nokkel }

// Skriv is the write by itself, so that a test can choose the name and make it fail.
func (s *Store) Skriv(navn string, b []byte) error { return s.skriv(navn, b) }
