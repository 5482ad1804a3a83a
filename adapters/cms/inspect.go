package cms

import (
	"crypto/aes"
	"io"
)

// Info is what a message says about itself to anybody.
type Info struct {
	ContentType ContentType
	Cipher      Cipher
	Recipients  []Recipient
	Size        int64 // of the encrypted content
}

// Inspect reads r to its end in bounded memory. It gives ErrFormat unless r holds exactly one message, whole to its
// last byte: nothing missing, nothing after it, a content that is not empty and, for AES-CBC, whole blocks. Whether its
// cipher and its recipients are acceptable is for the caller to say; a recipient it cannot read is listed without an
// identity, so that it matches no certificate. Only an error from r itself is passed on.
func Inspect(r io.Reader) (Info, error) {
	p := newBER(r)
	m := readMessage(p)
	if p.err != nil {
		return Info{}, refusal(p.err, ErrFormat)
	}
	c := p.openContent()
	buf := make([]byte, bufSize)
	for !c.done && p.err == nil {
		_, _ = c.Read(buf) // p.err holds its error
	}
	mac, _ := readTail(p, m.contentType)
	if p.err != nil {
		return Info{}, refusal(p.err, ErrFormat)
	}
	cbc := m.cipher == AES128CBC || m.cipher == AES256CBC
	if c.total == 0 || cbc && c.total%aes.BlockSize != 0 || m.tagSize != 0 && len(mac) != m.tagSize {
		return Info{}, ErrFormat
	}
	return Info{ContentType: m.contentType, Cipher: m.cipher, Recipients: m.recipients, Size: c.total}, nil
}
