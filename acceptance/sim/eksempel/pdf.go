// Package eksempel makes what a made-up report shows to people.
package eksempel

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// PDF is a small A4 document with an embedded font, good enough for a sender's preflight: one page, a heading and lines of
// text. Only characters of Latin-1 are written; the product's own writer is adapters/pdf.
func PDF(tittel string, linjer ...string) []byte {
	var sider strings.Builder
	fmt.Fprintf(&sider, "BT /F1 18 Tf 56 780 Td (%s) Tj ET\n", latin1(tittel))
	for i, l := range linjer {
		fmt.Fprintf(&sider, "BT /F1 11 Tf 56 %d Td (%s) Tj ET\n", 745-18*i, latin1(l))
	}
	skrift := skriften()
	var b bytes.Buffer
	var plass []int
	obj := func(format string, a ...any) {
		plass = append(plass, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n", len(plass))
		fmt.Fprintf(&b, format, a...)
		b.WriteString("\nendobj\n")
	}
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	obj("<< /Type /Catalog /Pages 2 0 R /Lang (nb-NO) >>")
	obj("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	obj("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595.28 841.89] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>")
	obj("<< /Length %d >>\nstream\n%s\nendstream", sider.Len(), sider.String())
	obj("<< /Type /Font /Subtype /TrueType /BaseFont /GoRegular /Encoding /WinAnsiEncoding /FirstChar 32 /LastChar 255 /Widths [%s] /FontDescriptor 6 0 R >>", skrift.bredder)
	obj("<< /Type /FontDescriptor /FontName /GoRegular /Flags 32 /FontBBox [-440 -432 2160 1100] /ItalicAngle 0 /Ascent 940 /Descent -211 /CapHeight 728 /StemV 80 /FontFile2 7 0 R >>")
	obj("<< /Length %d /Length1 %d /Filter /FlateDecode >>\nstream\n%s\nendstream", len(skrift.pakket), len(goregular.TTF), skrift.pakket)
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(plass)+1)
	for _, p := range plass {
		fmt.Fprintf(&b, "%010d 00000 n \n", p)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(plass)+1, xref)
	return b.Bytes()
}

type innebygd struct {
	bredder string
	pakket  []byte
}

// skriften is the Go font, compressed once, with its widths per thousand for the codes 32–255 (WinAnsi and Latin-1 agree on those we write).
var skriften = sync.OnceValue(func() innebygd {
	f, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		panic("eksempel: den innebygde skriften kan ikke leses: " + err.Error())
	}
	var buf sfnt.Buffer
	var w []string
	for c := rune(32); c < 256; c++ {
		bredde := fixed.Int26_6(0)
		if g, err := f.GlyphIndex(&buf, c); err == nil {
			bredde, _ = f.GlyphAdvance(&buf, g, fixed.I(1000), font.HintingNone)
		}
		w = append(w, fmt.Sprint(bredde.Round()))
	}
	var z bytes.Buffer
	zw := zlib.NewWriter(&z)
	_, _ = zw.Write(goregular.TTF) // a bytes.Buffer takes everything
	_ = zw.Close()
	return innebygd{bredder: strings.Join(w, " "), pakket: z.Bytes()}
})

// latin1 writes a string for a PDF literal: one byte a character, specials escaped, anything else as a question mark.
func latin1(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '(' || r == ')' || r == '\\':
			b.WriteByte('\\')
			b.WriteByte(byte(r))
		case r >= 32 && r < 127 || r >= 160 && r < 256:
			b.WriteByte(byte(r))
		case r == '–':
			b.WriteByte('-')
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}
