package cms

import (
	"bufio"
	"errors"
	"io"
	"math"
)

const (
	maxDepth  = 24       // elements within elements; the deepest honest message has 12
	maxHeader = 64 << 10 // bytes before the content and after it; 64 recipients of 4096 bits fit
	bufSize   = 32 << 10

	tagInteger          = 0x02
	tagOctetString      = 0x04
	tagOctetStringParts = 0x24
	tagOID              = 0x06
	tagSequence         = 0x30
	tagSet              = 0x31
	constructed         = 0x20
	indefinite          = -1
)

var errMalformed = errors.New("cms: malformed BER")

// ber reads BER (X.690) element by element from a stream. The first error sticks: every later call gives zero values,
// so a sequence of reads is checked once, at its end. A length is never believed before its bytes have come.
type ber struct {
	r      *bufio.Reader
	pos    int64
	budget int64 // bytes that may still be read as structure, not as content
	stack  []frame
	err    error
}

// frame is a constructed element we are inside; limit is the nearest known end, its own or an enclosing one's.
type frame struct {
	indefinite bool
	limit      int64
}

func newBER(r io.Reader) *ber {
	return &ber{r: bufio.NewReaderSize(r, bufSize), budget: maxHeader, stack: make([]frame, 0, maxDepth)}
}

func (p *ber) fail(err error) {
	switch {
	case p.err != nil:
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		p.err = errMalformed
	default:
		p.err = err
	}
}

func (p *ber) limit() int64 {
	if len(p.stack) == 0 {
		return math.MaxInt64
	}
	return p.stack[len(p.stack)-1].limit
}

func (p *ber) spend(n int64) bool {
	if p.err == nil && (n > p.budget || n > p.limit()-p.pos) {
		p.fail(errMalformed)
	}
	if p.err != nil {
		return false
	}
	p.budget -= n
	p.pos += n
	return true
}

func (p *ber) byte() byte {
	if !p.spend(1) {
		return 0
	}
	b, err := p.r.ReadByte()
	if err != nil {
		p.fail(err)
	}
	return b
}

// next reads an element's tag and length. Multi-byte tags have no place in CMS, and tag 0 is end-of-contents.
func (p *ber) next() (tag byte, length int64) {
	tag = p.byte()
	if tag&0x1f == 0x1f || tag == 0 {
		p.fail(errMalformed)
	}
	switch l := p.byte(); {
	case l < 0x80:
		length = int64(l)
	case l == 0x80:
		length = indefinite
		if tag&constructed == 0 {
			p.fail(errMalformed)
		}
	default:
		// Six bytes count to 256 TiB; more could only overflow.
		if l &= 0x7f; l > 6 {
			p.fail(errMalformed)
		}
		for range l {
			if p.err != nil {
				break
			}
			length = length<<8 | int64(p.byte())
		}
	}
	if p.err == nil && length > p.limit()-p.pos {
		p.fail(errMalformed)
	}
	if p.err != nil {
		return 0, 0
	}
	return tag, length
}

// enter goes into the next element, which must have this tag.
func (p *ber) enter(want byte) {
	tag, length := p.next()
	if tag != want {
		p.fail(errMalformed)
	}
	p.push(length)
}

func (p *ber) push(length int64) {
	if len(p.stack) == maxDepth {
		p.fail(errMalformed)
	}
	if p.err != nil {
		return
	}
	f := frame{indefinite: length == indefinite, limit: p.limit()}
	if !f.indefinite {
		f.limit = p.pos + length
	}
	p.stack = append(p.stack, f)
}

// more tells whether the element we are inside has another one.
func (p *ber) more() bool {
	if p.err != nil || len(p.stack) == 0 {
		return false
	}
	f := p.stack[len(p.stack)-1]
	if !f.indefinite {
		return p.pos < f.limit
	}
	next, err := p.r.Peek(1)
	if err != nil {
		p.fail(err)
		return false
	}
	return next[0] != 0
}

// peek is the next element's tag, 0 when there is none.
func (p *ber) peek() byte {
	if !p.more() {
		return 0
	}
	next, err := p.r.Peek(1)
	if err != nil {
		p.fail(err)
		return 0
	}
	return next[0]
}

// leave goes out of the element we are inside, which must be at its end.
func (p *ber) leave() {
	if p.err != nil {
		return
	}
	if len(p.stack) == 0 || p.more() {
		p.fail(errMalformed)
		return
	}
	f := p.stack[len(p.stack)-1]
	if f.indefinite {
		if a, b := p.byte(), p.byte(); a != 0 || b != 0 { // end-of-contents octets
			p.fail(errMalformed)
		}
	}
	p.stack = p.stack[:len(p.stack)-1]
}

// element reads one whole element of the header and gives its tag and contents as DER would write them: definite
// lengths, a segmented OCTET STRING put together.
func (p *ber) element() (tag byte, body []byte) {
	tag, length := p.next()
	if p.err != nil {
		return 0, nil
	}
	if tag&constructed == 0 {
		if !p.spend(length) {
			return 0, nil
		}
		body = make([]byte, length)
		if _, err := io.ReadFull(p.r, body); err != nil {
			p.fail(err)
		}
		return tag, body
	}
	p.push(length)
	for p.more() {
		t, b := p.element()
		if tag == tagOctetStringParts {
			if t != tagOctetString {
				p.fail(errMalformed)
			}
			body = append(body, b...) //nolint:makezero // still empty here: the make is for another kind of element
			continue
		}
		body = append(appendHeader(body, t, int64(len(b))), b...)
	}
	p.leave()
	if tag == tagOctetStringParts {
		tag = tagOctetString
	}
	return tag, body
}

// der is element with its tag checked and its header put back.
func (p *ber) der(want byte) []byte {
	tag, body := p.element()
	if tag != want {
		p.fail(errMalformed)
		return nil
	}
	return append(appendHeader(nil, tag, int64(len(body))), body...)
}

// end: nothing may follow the message.
func (p *ber) end() {
	if p.err != nil {
		return
	}
	if _, err := p.r.ReadByte(); err == nil || !errors.Is(err, io.EOF) {
		p.fail(err)
	}
}

// appendHeader writes a DER tag and length.
func appendHeader(b []byte, tag byte, length int64) []byte {
	b = append(b, tag)
	if length < 0x80 {
		return append(b, byte(length))
	}
	n := 1
	for length>>(8*n) != 0 {
		n++
	}
	b = append(b, 0x80|byte(n))
	for n--; n >= 0; n-- {
		b = append(b, byte(length>>(8*n)))
	}
	return b
}
