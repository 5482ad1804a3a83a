// Package openpgp seals and opens reports as OpenPGP messages (RFC 9580), for a receiver that registered an OpenPGP key
// instead of a certificate.
//
// Call [Sealer.Seal] with the receiver's binary public key; the message opens with gpg 2.2 and everything later. Call
// [Opener.Open] on what is sealed for one of our own keys: it gives the whole content, with its integrity verified, or
// [ErrDecrypt] and nothing. Both work in memory, which is right for messages of at most 5 MiB.
//
// A message is sealed, not signed: it does not say who wrote it.
package openpgp

import "errors"

var (
	// ErrDecrypt is the one answer to a message that cannot be opened, whatever is wrong with it.
	ErrDecrypt = errors.New("openpgp: kan ikke åpnes")

	// ErrKey: not one binary OpenPGP key, or one that cannot be used: expired, revoked, too weak, a private half where a
	// public one belongs, or a locked one where we must open.
	ErrKey = errors.New("openpgp: ubrukelig nøkkel")
)

// MinKeyBits is the shortest RSA key anything is sealed for.
const MinKeyBits = 2048
