package asice

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// A zip can be read in two ways: from the central directory at its end (Go, .NET, most tools), or header by header from its front
// (Java's ZipInputStream, in KS's clients). A crafted file could show a different report to each, so layout takes only one in which both
// ways meet the same entries: local headers back to back from the first byte, each agreeing with the central directory, which
// follows the last of them and ends the file (APPNOTE.TXT 6.3.10 §4.3).
const (
	sigLocal      = 0x04034b50
	sigCentral    = 0x02014b50
	sigEnd        = 0x06054b50
	sigDescriptor = 0x08074b50

	lenLocal   = 30
	lenCentral = 46
	lenEnd     = 22

	flagDescriptor = 1 << 3 // sizes and CRC come after the data
)

// located is one entry with the bytes both ways of reading find for it, still compressed.
type located struct {
	*zip.File
	body []byte
}

// layout gives the entries of files, which archive/zip found in b, or ErrUnsafe.
func layout(b []byte, files []*zip.File) ([]located, error) {
	l := &walker{b: b}
	out := make([]located, len(files))
	starts := make([]int, len(files))
	for i, f := range files {
		starts[i] = l.at
		out[i] = located{f, l.local(f)}
	}
	dir := l.at
	for i, f := range files {
		l.central(f, starts[i])
	}
	l.end(len(files), dir)
	if l.bad {
		return nil, ErrUnsafe
	}
	return out, nil
}

// walker goes through b once. After anything wrong it gives zeros and stays where it is.
type walker struct {
	b   []byte
	at  int
	bad bool
}

func (w *walker) take(n uint64) []byte {
	if w.bad || n > uint64(len(w.b)-w.at) {
		w.bad = true
		return nil
	}
	p := w.b[w.at : w.at+int(n)]
	w.at += int(n)
	return p
}

func (w *walker) must(ok bool) {
	if !ok {
		w.bad = true
	}
}

// fields of a header whose length was checked.
type fields []byte

func (f fields) u16(at int) uint16 { return binary.LittleEndian.Uint16(f[at:]) }
func (f fields) u32(at int) uint32 { return binary.LittleEndian.Uint32(f[at:]) }

// local reads an entry's own header, its data and what follows them.
func (w *walker) local(f *zip.File) []byte {
	h := fields(w.take(lenLocal))
	if w.bad {
		return nil
	}
	w.must(h.u32(0) == sigLocal && h.u16(6) == f.Flags && h.u16(8) == f.Method)
	name, extra := w.take(uint64(h.u16(26))), w.take(uint64(h.u16(28)))
	w.must(string(name) == f.Name && plainExtra(extra))
	if h.u16(6)&flagDescriptor == 0 {
		w.must(agrees(h[14:26], f))
		return w.take(f.CompressedSize64)
	}
	// Java writes zeros here, some write the right values; nobody reads others.
	w.must(agrees(h[14:26], f) || bytes.Equal(h[14:26], make([]byte, 12)))
	body := w.take(f.CompressedSize64)
	d := fields(w.take(12)) // the signature before it is optional
	if !w.bad && d.u32(0) == sigDescriptor {
		w.at -= 8
		d = w.take(12)
	}
	w.must(!w.bad && agrees(d, f))
	return body
}

// central reads the directory's header for an entry at start, again: archive/zip has read it wherever it found it, and it must be here.
func (w *walker) central(f *zip.File, start int) {
	h := fields(w.take(lenCentral))
	if w.bad {
		return
	}
	w.must(h.u32(0) == sigCentral && h.u16(8) == f.Flags && h.u16(10) == f.Method && agrees(h[16:28], f) && h.u16(34) == 0 &&
		uint64(h.u32(42)) == uint64(start))
	name, extra, _ := w.take(uint64(h.u16(28))), w.take(uint64(h.u16(30))), w.take(uint64(h.u16(32)))
	w.must(string(name) == f.Name && plainExtra(extra))
}

// end reads the end of the directory. A comment may follow (Java writes one), but not one in which another end could be found.
func (w *walker) end(n, dir int) {
	size := w.at - dir
	h := fields(w.take(lenEnd))
	if w.bad {
		return
	}
	w.must(h.u32(0) == sigEnd && h.u32(4) == 0 && int(h.u16(8)) == n && int(h.u16(10)) == n &&
		uint64(h.u32(12)) == uint64(size) && uint64(h.u32(16)) == uint64(dir))
	comment := w.take(uint64(h.u16(20)))
	w.must(w.at == len(w.b) && !bytes.Contains(comment, binary.LittleEndian.AppendUint32(nil, sigEnd)))
}

// agrees compares CRC, compressed and uncompressed size, as they lie in all three places. A size that needs zip64 never does.
func agrees(b fields, f *zip.File) bool {
	return len(b) >= 12 && b.u32(0) == f.CRC32 && uint64(b.u32(4)) == f.CompressedSize64 && uint64(b.u32(8)) == f.UncompressedSize64
}

// plainExtra refuses what would give an entry other sizes or another name for those who look at it.
func plainExtra(b fields) bool {
	const zip64, unicodePath = 0x0001, 0x7075
	for len(b) >= 4 {
		id, n := b.u16(0), int(b.u16(2))
		if id == zip64 || id == unicodePath {
			return false
		}
		if n > len(b)-4 {
			break
		}
		b = b[4+n:]
	}
	return true
}

// inflate believes the size an entry claims only up to limit, and not a byte over what it claims. The data must end where the entry
// does: what lies behind its end, a reader from the front would take for the next header.
func (l located) inflate(limit int64) ([]byte, error) {
	switch {
	case l.UncompressedSize64 > uint64(limit):
		return nil, ErrUnsafe
	case l.Method == zip.Store && l.UncompressedSize64 != l.CompressedSize64:
		return nil, ErrNotZip
	case l.Method == zip.Store:
		return l.checked(bytes.Clone(l.body))
	}
	src := bytes.NewReader(l.body) // a ByteReader: flate reads not a byte more than it needs
	r := flate.NewReader(src)
	b := make([]byte, l.UncompressedSize64)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, ErrNotZip
	}
	if n, err := io.CopyN(io.Discard, r, 1); n != 0 || !errors.Is(err, io.EOF) {
		return nil, ErrNotZip
	}
	if src.Len() != 0 {
		return nil, ErrUnsafe
	}
	return l.checked(b)
}

func (l located) checked(b []byte) ([]byte, error) {
	if crc32.ChecksumIEEE(b) != l.CRC32 {
		return nil, ErrNotZip
	}
	return b, nil
}
