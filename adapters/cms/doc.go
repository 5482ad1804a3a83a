// Package cms seals and opens reports as CMS (RFC 5652) for X.509 certificates, in the form every client of the portal
// reads.
//
// A vendor with a report in hand calls [NewOpener] and Open: it gives the whole content or [ErrDecrypt], and nothing in
// between. A vendor answering calls [Sealer.Seal]. Both work in memory, which is right for messages of at most 5 MiB.
//
// [Encrypt] and [Decrypt] are the same in bounded memory, from a reader to a writer. Decrypt then hands over content
// before the message is verified to its end: throw away what it wrote when it returns an error.
//
// [Inspect] tells what a message is and for whom, without a private key. It promises that the message is whole to its
// last byte, not that anybody can open it.
//
// AES-CBC has no integrity: whoever can change a message on its way can change its content. Compare the SHA-256
// recorded at intake before opening, or seal with [AuthenticatedSealer] where the receiver can read AES-GCM (KS's own
// Java and .NET clients cannot).
package cms

import "errors"

var (
	// ErrDecrypt is the one answer to a message that cannot be opened: damaged, truncated, followed by more bytes, not
	// for our keys, wrongly padded. A caller that could tell these apart would be a decryption oracle (RFC 3218).
	ErrDecrypt = errors.New("cms: kan ikke åpnes")

	// ErrFormat: not one whole EnvelopedData or AuthEnvelopedData.
	ErrFormat = errors.New("cms: ikke en hel kryptert melding")

	// ErrKey: the receiver's key cannot be sealed for (not an X.509 certificate, not RSA, or shorter than 2048 bits).
	ErrKey = errors.New("cms: ubrukelig mottakernøkkel")
)
