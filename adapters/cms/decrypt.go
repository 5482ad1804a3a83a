package cms

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
)

// maxAuthenticated caps what AES-GCM holds in memory: nothing of it may be released before its tag is verified.
const maxAuthenticated = 64 << 20

// Decrypt opens the message in src with whichever of keys it is for, and writes its content to dst. It reads src to
// its end.
//
// After an error, throw away what dst got: with AES-CBC the content is written as it comes, and only at the end is it
// known that the message was whole. Every failure of the message is ErrDecrypt; only an error from src or dst
// themselves is passed on as it is.
func Decrypt(dst io.Writer, src io.Reader, keys ...Key) error {
	p := newBER(src)
	m := readMessage(p)
	if p.err != nil {
		return refusal(p.err, ErrDecrypt)
	}
	if m.keySize == 0 {
		return ErrDecrypt
	}
	key := contentKey(m, keys)
	if key == nil {
		return ErrDecrypt
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return ErrDecrypt
	}
	if m.contentType == AuthEnvelopedData {
		return decryptGCM(dst, p, m, block, sizeOf(src))
	}
	return decryptCBC(dst, p, cipher.NewCBCDecrypter(block, m.iv))
}

func decryptCBC(dst io.Writer, p *ber, cbc cipher.BlockMode) error {
	c := p.openContent()
	// The last block decrypted so far waits in front of buf: should it be the last of all, it ends in padding.
	buf := make([]byte, bufSize)
	held := aes.BlockSize
	for {
		n, err := io.ReadFull(c, buf[aes.BlockSize:])
		if err != nil && p.err != nil {
			return refusal(p.err, ErrDecrypt)
		}
		if n%aes.BlockSize != 0 {
			return ErrDecrypt
		}
		if n > 0 {
			in := buf[aes.BlockSize : aes.BlockSize+n]
			cbc.CryptBlocks(in, in)
			if err := write(dst, buf[held:n]); err != nil {
				return err
			}
			copy(buf[:aes.BlockSize], buf[n:])
			held = 0
		}
		if err != nil {
			break
		}
	}
	readTail(p, EnvelopedData)
	if p.err != nil {
		return refusal(p.err, ErrDecrypt)
	}
	if held != 0 {
		return ErrDecrypt
	}
	last := buf[:aes.BlockSize]
	keep, ok := unpad(last)
	if !ok {
		return ErrDecrypt
	}
	return write(dst, last[:keep])
}

// unpad looks at all 16 bytes whatever they hold, so that its time says nothing about where padding is wrong.
func unpad(block []byte) (keep int, ok bool) {
	pad := int(block[len(block)-1])
	good := subtle.ConstantTimeLessOrEq(1, pad) & subtle.ConstantTimeLessOrEq(pad, len(block))
	for i, b := range block {
		inPadding := subtle.ConstantTimeLessOrEq(len(block)-i, pad)
		good &= subtle.ConstantTimeSelect(inPadding, subtle.ConstantTimeByteEq(b, byte(pad)), 1)
	}
	return len(block) - pad, good == 1
}

func decryptGCM(dst io.Writer, p *ber, m message, block cipher.Block, size int64) error {
	c := p.openContent()
	var sealed bytes.Buffer
	sealed.Grow(int(min(size, maxAuthenticated)) + bytes.MinRead)
	if _, err := sealed.ReadFrom(io.LimitReader(c, maxAuthenticated+1)); err != nil || !c.done {
		return refusal(p.err, ErrDecrypt)
	}
	mac, aad := readTail(p, AuthEnvelopedData)
	if p.err != nil {
		return refusal(p.err, ErrDecrypt)
	}
	gcm, err := cipher.NewGCMWithTagSize(block, m.tagSize)
	if err != nil || len(mac) != m.tagSize {
		return ErrDecrypt
	}
	sealed.Write(mac)
	plain, err := gcm.Open(sealed.Bytes()[:0], m.iv, sealed.Bytes(), aad)
	if err != nil {
		return ErrDecrypt
	}
	return write(dst, plain)
}

// sizeOf is a hint for one allocation, 0 when src cannot tell.
func sizeOf(src io.Reader) int64 {
	switch s := src.(type) {
	case interface{ Len() int }:
		return int64(s.Len())
	case interface{ Size() int64 }:
		return s.Size()
	}
	return 0
}

func write(dst io.Writer, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if _, err := dst.Write(b); err != nil {
		return fmt.Errorf("cms: write: %w", err)
	}
	return nil
}

// refusal is the one error for a message that is at fault, and the source's own error where the source is.
func refusal(err, one error) error {
	if err == nil || errors.Is(err, errMalformed) {
		return one
	}
	return fmt.Errorf("cms: read: %w", err)
}
