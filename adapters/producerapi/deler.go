package producerapi

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"os"
	"strings"
	"sync"

	"portal.example/bekymringsmelding/domain/melding"
)

const (
	maksMinne  = 256 << 10 // a larger part lies in a file while it comes in
	lesestykke = 32 << 10  // an upload reads so much at a time, and holds twice that while it is slow
	maksDeler  = 16        // parts in one submission, unknown ones counted
)

// deler is what came in one submission. Close lets go of its files.
type deler struct {
	innhold map[melding.Del]melding.Forseglet
	sha     map[melding.Del][32]byte
	filer   []*os.File
}

func (d *deler) Close() {
	for _, f := range d.filer {
		_ = f.Close()
	}
}

// buffer is what one upload holds from its first byte to its last: that and the connection are its cost in memory.
type buffer struct {
	les  *bufio.Reader
	kopi [lesestykke]byte
}

var buffere = sync.Pool{New: func() any { return &buffer{les: bufio.NewReaderSize(nil, lesestykke)} }}

// storBuffere are held only while a part of medium size comes in, or until it turns out to be a large one.
var storBuffere = sync.Pool{New: func() any { b := make([]byte, maksMinne+1); return &b }}

// lesDeler reads the whole body. Parts may come in any order, with any content type, with or without a file name; unknown small
// ones are skipped. NextRawPart, because a part is its bytes: Content-Transfer-Encoding is not undone.
func lesDeler(inn *innmating, skille, mappe string) (*deler, error) {
	buf := buffere.Get().(*buffer)
	buf.les.Reset(inn)
	defer func() {
		buf.les.Reset(nil)
		buffere.Put(buf)
	}()
	d := &deler{innhold: map[melding.Del]melding.Forseglet{}, sha: map[melding.Del][32]byte{}}
	err := d.les(inn, multipart.NewReader(buf.les, skille), buf.kopi[:], mappe)
	if err == nil {
		// The rest, so that the client has been heard out; it counts as outside the parts.
		_, err = io.CopyBuffer(io.Discard, bareLes{buf.les}, buf.kopi[:])
	}
	if err != nil {
		d.Close()
		if inn.feil != nil {
			err = inn.feil // what the reader said, not what multipart made of it
		}
		return nil, err
	}
	for _, navn := range []melding.Del{melding.DelPDF, melding.DelAsice} {
		if d.innhold[navn].Tom() {
			d.Close()
			return nil, &feil{kode: FeilManglerDel, melding: fmt.Sprintf("Delen %s mangler eller er tom.", navn)}
		}
	}
	return d, nil
}

func (d *deler) les(inn *innmating, mr *multipart.Reader, buf []byte, mappe string) error {
	for antall := 1; ; antall++ {
		p, err := mr.NextRawPart()
		if err == io.EOF { // exactly: a wrapped EOF is a body that ended too early
			return nil
		}
		if err != nil {
			return &feil{kode: FeilMultipart, arsak: err}
		}
		if antall > maksDeler {
			return &feil{kode: FeilForMangeDeler}
		}
		navn := melding.Del(delnavn(p))
		if navn != melding.DelPDF && navn != melding.DelAsice {
			if _, err := io.CopyBuffer(io.Discard, bareLes{p}, buf); err != nil {
				return &feil{kode: FeilMultipart, arsak: err}
			}
			continue
		}
		if _, finnes := d.innhold[navn]; finnes {
			return &feil{kode: FeilDobbelDel, melding: fmt.Sprintf("Delen %s er sendt mer enn én gang.", navn)}
		}
		if d.innhold[navn], d.sha[navn], err = d.motta(inn, p, buf, mappe); err != nil {
			return err
		}
	}
}

// motta reads one part into memory or into a file without a name.
func (d *deler) motta(inn *innmating, p io.Reader, buf []byte, mappe string) (melding.Forseglet, [32]byte, error) {
	del := lesTellende{p, inn}
	n, hel, err := lesInn(del, buf)
	switch {
	case err != nil:
		return melding.Forseglet{}, [32]byte{}, delfeil(err)
	case hel:
		f, sum := iMinnet(buf[:n])
		return f, sum, nil
	}
	return d.mottaStor(del, buf, mappe)
}

// mottaStor goes on when buf is full and there is more.
func (d *deler) mottaStor(del io.Reader, buf []byte, mappe string) (f melding.Forseglet, sum [32]byte, err error) {
	stor, h := storBuffere.Get().(*[]byte), sha256.New()
	n := copy(*stor, buf)
	mer, hel, err := lesInn(del, (*stor)[n:])
	n += mer
	var fil *os.File
	switch {
	case err != nil:
	case hel:
		f, sum = iMinnet((*stor)[:n])
	default:
		h.Write((*stor)[:n])
		fil, err = d.nyFil(mappe, (*stor)[:n])
	}
	storBuffere.Put(stor) // before the rest, which may be slow
	if err != nil {
		return f, sum, delfeil(err)
	}
	if hel {
		return f, sum, nil
	}
	resten, err := io.CopyBuffer(skriver{io.MultiWriter(fil, h)}, del, buf)
	if err != nil {
		return f, sum, delfeil(err)
	}
	h.Sum(sum[:0])
	return melding.NyForseglet(melding.X509, fil, int64(n)+resten), sum, nil
}

// lesInn fills buf; hel says that the part ended before it was full.
func lesInn(r io.Reader, buf []byte) (n int, hel bool, err error) {
	n, err = io.ReadFull(r, buf)
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return n, true, nil
	}
	return n, false, err
}

func iMinnet(b []byte) (melding.Forseglet, [32]byte) {
	return melding.NyForseglet(melding.X509, bytes.NewReader(bytes.Clone(b)), int64(len(b))), sha256.Sum256(b)
}

// nyFil begins a file with what has come so far.
func (d *deler) nyFil(mappe string, b []byte) (*os.File, error) {
	fil, err := navnlos(mappe)
	if err != nil {
		return nil, fmt.Errorf("mellomlager: %w", err)
	}
	d.filer = append(d.filer, fil)
	if _, err := fil.Write(b); err != nil {
		return nil, fmt.Errorf("mellomlager: %w", err)
	}
	return fil, nil
}

// delfeil keeps a full disk apart from a body that is not whole.
func delfeil(err error) error {
	var pe *os.PathError
	var f *feil
	if errors.As(err, &f) || errors.As(err, &pe) {
		return err
	}
	return &feil{kode: FeilMultipart, arsak: err}
}

// navnlos makes a file that nobody else can open. A crash between the two lines leaves one sealed file with a name.
func navnlos(mappe string) (*os.File, error) {
	f, err := os.CreateTemp(mappe, "innsending-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// lesTellende tells innmating what belongs to a part.
type lesTellende struct {
	p   io.Reader
	inn *innmating
}

func (l lesTellende) Read(b []byte) (int, error) {
	n, err := l.p.Read(b)
	if feil := l.inn.del(n); feil != nil {
		return n, feil
	}
	return n, err
}

// bareLes and skriver hide WriteTo and ReadFrom, so that io.CopyBuffer uses the buffer it is given.
type bareLes struct{ io.Reader }
type skriver struct{ io.Writer }

// delnavn finds the part's name. Some generators quote nothing, or write a Content-Disposition that RFC 2183 does not allow;
// KS's client puts filename before name, so a search for the text "name=" would take the wrong one.
func delnavn(p *multipart.Part) string {
	felt := p.Header.Get("Content-Disposition")
	if _, par, err := mime.ParseMediaType(felt); err == nil {
		return par["name"]
	}
	for _, ledd := range strings.Split(felt, ";") {
		navn, verdi, ok := strings.Cut(strings.TrimSpace(ledd), "=")
		if ok && strings.EqualFold(strings.TrimSpace(navn), "name") {
			return strings.Trim(strings.TrimSpace(verdi), `"`)
		}
	}
	return ""
}
