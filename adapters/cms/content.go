package cms

import (
	"io"
	"math"
)

// content reads the encrypted content's bytes out of [0] IMPLICIT OCTET STRING in all its forms: primitive (OpenSSL's
// DER), one segment inside (ours, Trondheim's), or many of indefinite length (BouncyCastle writes 1000 bytes at a time).
type content struct {
	p     *ber
	left  int64 // of the segment at hand
	depth int   // constructed elements we are inside, [0] included
	done  bool
	total int64
}

// openContent stands at [0]. Segment headers cost no budget: there may be five thousand of them, and none is kept.
func (p *ber) openContent() *content {
	p.budget = math.MaxInt64
	c := &content{p: p}
	switch tag, length := p.next(); tag {
	case 0x80:
		c.left = length
	case 0xa0:
		p.push(length)
		c.depth = 1
	default:
		p.fail(errMalformed)
	}
	return c
}

func (c *content) Read(b []byte) (int, error) {
	for c.left == 0 && !c.done && c.p.err == nil {
		c.advance()
	}
	switch {
	case c.p.err != nil:
		return 0, c.p.err
	case c.done:
		return 0, io.EOF
	}
	n, err := c.p.r.Read(b[:min(int64(len(b)), c.left)])
	c.left -= int64(n)
	c.total += int64(n)
	c.p.pos += int64(n)
	if err != nil {
		c.p.fail(err)
		return n, c.p.err
	}
	return n, nil
}

func (c *content) advance() {
	p := c.p
	if c.depth == 0 {
		c.close()
		return
	}
	if !p.more() {
		p.leave()
		if c.depth--; c.depth == 0 {
			c.close()
		}
		return
	}
	switch tag, length := p.next(); tag {
	case tagOctetString:
		c.left = length
	case tagOctetStringParts:
		p.push(length)
		c.depth++
	default:
		p.fail(errMalformed)
	}
}

func (c *content) close() {
	c.done = true
	c.p.budget = maxHeader
}
