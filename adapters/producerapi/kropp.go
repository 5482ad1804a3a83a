package producerapi

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// kropp is the request's body, and remembers whether its end was seen.
type kropp struct {
	io.ReadCloser
	slutt bool
}

func (k *kropp) Read(p []byte) (int, error) {
	n, err := k.ReadCloser.Read(p)
	if err == io.EOF {
		k.slutt = true
	}
	return n, err
}

// maksUtenom is how much of a body may be something else than the two parts: boundaries, headers, unknown small parts, text
// before and after. The last two are room for what we and mime/multipart have read ahead.
const maksUtenom = 64<<10 + lesestykke + 8<<10

// innmating reads an upload and refuses one that comes too slowly or holds too much. Its first error stays.
//
// The deadline moves on each time a window's worth has come, so a fast start does not pay for a stop later, and what is left at
// the end has a whole window.
type innmating struct {
	kilde  io.Reader
	frist  func(time.Time) error // http.ResponseController.SetReadDeadline
	na     func() time.Time
	fart   Fart
	vindu  int64 // come in this window
	lest   int64 // come in all
	levert int64 // of that, content of the two parts
	feil   error
}

func (i *innmating) Read(p []byte) (int, error) {
	if i.feil != nil {
		return 0, i.feil
	}
	if i.lest == 0 {
		_ = i.frist(i.na().Add(i.fart.Vindu))
	}
	n, err := i.kilde.Read(p)
	i.lest += int64(n)
	i.vindu += int64(n)
	if i.vindu >= i.fart.BytesPerSekund*int64(i.fart.Vindu)/int64(time.Second) {
		i.vindu = 0
		_ = i.frist(i.na().Add(i.fart.Vindu))
	}
	switch {
	case forSent(err):
		i.feil = &feil{kode: FeilForSakte}
	case err != nil && err != io.EOF:
		i.feil = &feil{kode: FeilMultipart, arsak: err} // the connection broke, or chunks were malformed
	case i.lest-i.levert > maksUtenom:
		i.feil = &feil{kode: FeilForStor}
	}
	if i.feil != nil {
		return n, i.feil
	}
	return n, err
}

// del counts content of the two parts; it fails at the first byte over the limit.
func (i *innmating) del(n int) error {
	i.levert += int64(n)
	if i.levert > MaksStorrelse {
		i.feil = &feil{kode: FeilForStor}
	}
	return i.feil
}

func forSent(err error) bool {
	var n net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}
