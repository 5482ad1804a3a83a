package cms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
)

const (
	macSize   = 16
	nonceSize = 12
)

// errSize: src did not hold the size bytes the caller promised, so the lengths already written are wrong.
var errSize = errors.New("cms: src is not size bytes long")

// Encrypt writes exactly size bytes of src to dst as EnvelopedData for cert: DER, AES-256-CBC, one recipient by issuer
// and serial number, the content key under RSAES-OAEP with SHA-256 and MGF1-SHA-256 spelled out. All known clients
// read this form; its [0] is constructed around one OCTET STRING because Trondheim's rejects the primitive one.
func Encrypt(dst io.Writer, src io.Reader, size int64, cert *x509.Certificate) error {
	if size < 0 {
		return errSize
	}
	start, cbc, err := startCBC(size, cert)
	if err != nil {
		return err
	}
	if err := write(dst, start); err != nil {
		return err
	}
	return encryptCBC(dst, src, size, cbc)
}

// EncryptAuthenticated is Encrypt as AuthEnvelopedData with AES-256-GCM (RFC 5083, 5084): the receiver notices any
// change. Only for receivers known to read it. It holds the content in memory, at most 64 MiB.
func EncryptAuthenticated(dst io.Writer, src io.Reader, size int64, cert *x509.Certificate) error {
	if size < 0 || size > maxAuthenticated {
		return errSize
	}
	buf := make([]byte, size)
	if _, err := io.ReadFull(src, buf); err != nil {
		return readError(err)
	}
	if err := atEnd(src); err != nil {
		return err
	}
	out, err := sealGCM(buf, cert)
	if err != nil {
		return err
	}
	return write(dst, out)
}

// sealCBC is Encrypt in memory, with one allocation of the result's size.
func sealCBC(plain []byte, cert *x509.Certificate) ([]byte, error) {
	start, cbc, err := startCBC(int64(len(plain)), cert)
	if err != nil {
		return nil, err
	}
	whole := len(plain) - len(plain)%aes.BlockSize
	out := make([]byte, len(start)+whole+aes.BlockSize)
	body := out[copy(out, start):]
	cbc.CryptBlocks(body[:whole], plain[:whole])
	n := copy(body[whole:], plain[whole:])
	pad(body[whole:], n)
	cbc.CryptBlocks(body[whole:], body[whole:])
	return out, nil
}

// sealGCM is EncryptAuthenticated in memory.
func sealGCM(plain []byte, cert *x509.Certificate) ([]byte, error) {
	random := make([]byte, 32+nonceSize)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	key, nonce := random[:32], random[32:]
	defer clear(key)
	recipient, err := recipientInfo(cert, key)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("cms: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("cms: %w", err)
	}
	start := header(oidAuthEnvelopedData, recipient, algorithm(oidAES256GCM, nonce, macSize), int64(len(plain)), 2+macSize)
	out := make([]byte, len(start), len(start)+len(plain)+2+macSize)
	copy(out, start)
	out = gcm.Seal(out, nonce, plain, nil)
	// The MAC is an element of its own: make room for its tag and length.
	end := len(start) + len(plain)
	out = append(out, 0, 0)
	copy(out[end+2:], out[end:end+macSize])
	out[end], out[end+1] = tagOctetString, macSize
	return out, nil
}

// startCBC is all that comes before the content, and the cipher for it.
func startCBC(size int64, cert *x509.Certificate) ([]byte, cipher.BlockMode, error) {
	random := make([]byte, 32+aes.BlockSize)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	key, iv := random[:32], random[32:]
	defer clear(key)
	recipient, err := recipientInfo(cert, key)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, fmt.Errorf("cms: %w", err)
	}
	sealed := size - size%aes.BlockSize + aes.BlockSize
	start := header(oidEnvelopedData, recipient, algorithm(oidAES256CBC, iv, 0), sealed, 0)
	return start, cipher.NewCBCEncrypter(block, iv), nil
}

// pad fills the block begun at b[n] (RFC 5652 section 6.3) and gives the length in whole blocks.
func pad(b []byte, n int) int {
	missing := aes.BlockSize - n%aes.BlockSize
	for i := range missing {
		b[n+i] = byte(missing)
	}
	return n + missing
}

func encryptCBC(dst io.Writer, src io.Reader, size int64, cbc cipher.BlockMode) error {
	buf := make([]byte, min(size+aes.BlockSize, bufSize)/aes.BlockSize*aes.BlockSize)
	for left := size; ; {
		n := int(min(left, int64(len(buf))))
		if _, err := io.ReadFull(src, buf[:n]); err != nil {
			return readError(err)
		}
		left -= int64(n)
		last := n < len(buf)
		if last {
			n = pad(buf, n)
			if err := atEnd(src); err != nil {
				return err
			}
		}
		cbc.CryptBlocks(buf[:n], buf[:n])
		if err := write(dst, buf[:n]); err != nil || last {
			return err
		}
	}
}

func atEnd(src io.Reader) error {
	switch n, err := io.ReadFull(src, make([]byte, 1)); {
	case n > 0:
		return errSize
	case errors.Is(err, io.EOF):
		return nil
	default:
		return readError(err)
	}
}

func readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errSize
	}
	return fmt.Errorf("cms: read: %w", err)
}
