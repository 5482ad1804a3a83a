package cms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// MinKeyBits is the shortest RSA key anything is sealed for.
const MinKeyBits = 2048

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
	random := make([]byte, 32+aes.BlockSize)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	key, iv := random[:32], random[32:]
	defer clear(random)
	recipient, err := recipientInfo(cert, key)
	if err != nil {
		return err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return fmt.Errorf("cms: %w", err)
	}
	sealed := size - size%aes.BlockSize + aes.BlockSize
	if err := write(dst, header(oidEnvelopedData, recipient, algorithm(oidAES256CBC, iv, 0), sealed, 0)); err != nil {
		return err
	}
	return encryptCBC(dst, src, size, cipher.NewCBCEncrypter(block, iv))
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
			pad := aes.BlockSize - n%aes.BlockSize
			for i := range pad {
				buf[n+i] = byte(pad)
			}
			n += pad
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

// EncryptAuthenticated is Encrypt as AuthEnvelopedData with AES-256-GCM (RFC 5083, 5084): the receiver notices any
// change. Only for receivers known to read it. It holds the content in memory, at most 64 MiB.
func EncryptAuthenticated(dst io.Writer, src io.Reader, size int64, cert *x509.Certificate) error {
	if size < 0 || size > maxAuthenticated {
		return errSize
	}
	random := make([]byte, 32+nonceSize)
	_, _ = rand.Read(random)
	key, nonce := random[:32], random[32:]
	defer clear(random)
	recipient, err := recipientInfo(cert, key)
	if err != nil {
		return err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return fmt.Errorf("cms: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return fmt.Errorf("cms: %w", err)
	}
	buf := make([]byte, size, size+macSize)
	if _, err := io.ReadFull(src, buf); err != nil {
		return readError(err)
	}
	if err := atEnd(src); err != nil {
		return err
	}
	buf = gcm.Seal(buf[:0], nonce, buf, nil)
	alg := algorithm(oidAES256GCM, nonce, macSize)
	if err := write(dst, header(oidAuthEnvelopedData, recipient, alg, size, 2+macSize)); err != nil {
		return err
	}
	if err := write(dst, buf[:size]); err != nil {
		return err
	}
	return write(dst, append([]byte{tagOctetString, macSize}, buf[size:]...))
}

// header is everything before the content's first byte. All lengths are known ahead: sealed bytes of content inside,
// then tail bytes beside EncryptedContentInfo.
func header(typ asn1.ObjectIdentifier, recipient, alg []byte, sealed, tail int64) []byte {
	part := appendHeader(nil, tagOctetString, sealed)
	content := appendHeader(nil, 0xa0, int64(len(part))+sealed)
	info := append(oidBytes(oidData), alg...)
	infoSize := int64(len(info)+len(content)+len(part)) + sealed
	infoHeader := appendHeader(nil, tagSequence, infoSize)

	data := append([]byte{tagInteger, 1, 0}, appendHeader(nil, tagSet, int64(len(recipient)))...)
	data = append(data, recipient...)
	dataSize := int64(len(data)+len(infoHeader)) + infoSize + tail
	dataHeader := appendHeader(nil, tagSequence, dataSize)
	explicit := appendHeader(nil, 0xa0, int64(len(dataHeader))+dataSize)
	typed := append(oidBytes(typ), explicit...)

	out := appendHeader(nil, tagSequence, int64(len(typed)+len(dataHeader))+dataSize)
	for _, b := range [][]byte{typed, dataHeader, data, infoHeader, info, content, part} {
		out = append(out, b...)
	}
	return out
}

func oidBytes(oid asn1.ObjectIdentifier) []byte {
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(oid)
	return b.BytesOrPanic() // of our own constants
}

// algorithm has an IV for CBC, and for GCM (mac > 0) the parameters of RFC 5084.
func algorithm(oid asn1.ObjectIdentifier, iv []byte, mac int64) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		if mac == 0 {
			b.AddASN1OctetString(iv)
			return
		}
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1OctetString(iv)
			b.AddASN1Int64(mac)
		})
	})
	return b.BytesOrPanic()
}

// recipientInfo wraps key for cert.
func recipientInfo(cert *x509.Certificate, key []byte) ([]byte, error) {
	public, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || public.N.BitLen() < MinKeyBits {
		return nil, ErrKey
	}
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public, key, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(cert.RawIssuer)
			b.AddASN1BigInt(cert.SerialNumber)
		})
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidOAEP)
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(explicit(0), addSHA256)
				b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(oidMGF1)
						addSHA256(b)
					})
				})
			})
		})
		b.AddASN1OctetString(wrapped)
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return der, nil
}

func addSHA256(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSHA256)
		b.AddASN1NULL()
	})
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
