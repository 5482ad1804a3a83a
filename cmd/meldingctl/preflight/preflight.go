// Package preflight looks at a PDF before it is sealed: afterwards nobody but the print vendor can, and by then the letter is late.
// The question is whether it can be printed: it opens, has no password, is A4, brings its fonts, and is not too long.
//
// The file may be anybody's. It is read in a goroutine of its own, under a limit of size and of time, and a panic in the PDF library is
// a finding like any other.
package preflight

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// Limits of what is looked at, and of what can be printed (docs of the print vendors KS uses).
const (
	MaksStorrelse = 5 << 20          // a report is never larger, so nothing larger need be opened
	MaksTid       = 30 * time.Second // a whole report takes milliseconds
	MaksSider     = 99               // more does not fit in an envelope
	MangeSider    = 40               // more may be split in several envelopes
	avvikMM       = 10               // a page that differs more than this from A4 is cut
)

// Rapport is what was found. Feil stop the letter; Merknader are worth knowing. Neither repeats anything from the text of the PDF.
type Rapport struct {
	Sider     int
	Feil      []string
	Merknader []string
}

// OK says whether the PDF can be printed.
func (r Rapport) OK() bool { return len(r.Feil) == 0 }

// Kontroller looks at the PDF. It keeps no reference to it, unless the time ran out: then the goroutine is left to itself, and a
// program that goes on for long should not.
func Kontroller(pdf []byte) Rapport { return kontroller(pdf, MaksTid, les) }

func kontroller(pdf []byte, maks time.Duration, les func([]byte) Rapport) Rapport {
	switch {
	case len(pdf) > MaksStorrelse:
		return feil("Filen er på %.1f MiB. Det meste som kan sendes, er 5 MiB, kryptert og med begge delene.", float64(len(pdf))/(1<<20))
	case !bytes.HasPrefix(pdf, []byte("%PDF-")):
		return feil("Filen er ikke en PDF: den begynner ikke med %%PDF-.")
	}
	ferdig := make(chan Rapport, 1) // room for the answer also when nobody waits any more
	go func() {
		defer func() {
			if recover() != nil {
				ferdig <- feil("PDF-en er skadet på en måte som gjør at den ikke kan leses.")
			}
		}()
		ferdig <- les(pdf)
	}()
	alarm := time.NewTimer(maks)
	defer alarm.Stop()
	select {
	case r := <-ferdig:
		return r
	case <-alarm.C:
		return feil("PDF-en tok for lang tid å lese. Den er skadet eller svært uvanlig.")
	}
}

func feil(format string, a ...any) Rapport { return Rapport{Feil: []string{fmt.Sprintf(format, a...)}} }

// les does the work. Errors of the library are not passed on: they may quote the file.
func les(pdf []byte) Rapport {
	api.DisableConfigDir() // else the library writes a folder in the user's home
	c := model.NewDefaultConfiguration()
	c.ValidationMode = model.ValidationRelaxed // printers are; a strict reading refuses half of what Word makes
	ctx, err := api.ReadAndValidate(bytes.NewReader(pdf), c)
	switch {
	case errors.Is(err, pdfcpu.ErrWrongPassword):
		return feil("PDF-en er beskyttet med passord.")
	case err != nil:
		return feil("PDF-en kan ikke åpnes. Den er skadet eller følger ikke standarden.")
	case ctx.Encrypt != nil:
		return feil("PDF-en er kryptert eller har sperrer. Lagre den uten passord og begrensninger.")
	}
	r := Rapport{Sider: ctx.PageCount}
	r.sider(ctx)
	r.fonter(ctx)
	return r
}

func (r *Rapport) sider(ctx *model.Context) {
	switch {
	case r.Sider == 0:
		r.Feil = append(r.Feil, "PDF-en har ingen sider.")
		return
	case r.Sider > MaksSider:
		r.Feil = append(r.Feil, fmt.Sprintf("PDF-en har %d sider. Det meste som kan sendes som brev, er %d.", r.Sider, MaksSider))
	case r.Sider > MangeSider:
		r.Merknader = append(r.Merknader, fmt.Sprintf("PDF-en har %d sider. Over %d sider kan brevet bli delt i flere konvolutter.", r.Sider, MangeSider))
	}
	mal, err := ctx.PageDims()
	if err != nil {
		r.Feil = append(r.Feil, "Sidestørrelsen kan ikke leses.")
		return
	}
	var ikkeA4, liggende []int
	for i, d := range mal {
		switch {
		case erA4(d.Width, d.Height):
		case erA4(d.Height, d.Width):
			liggende = append(liggende, i+1)
		default:
			ikkeA4 = append(ikkeA4, i+1)
		}
	}
	if len(ikkeA4) > 0 {
		r.Feil = append(r.Feil, "Alle sider må være A4 (210 × 297 mm). Dette gjelder ikke "+sideliste(ikkeA4)+".")
	}
	if len(liggende) > 0 {
		r.Merknader = append(r.Merknader, "Brevet skrives ut stående. Liggende A4: "+sideliste(liggende)+".")
	}
}

func erA4(bredde, hoyde float64) bool {
	const punktPerMM = 72 / 25.4
	nar := func(punkt, mm float64) bool { d := punkt/punktPerMM - mm; return d <= avvikMM && d >= -avvikMM }
	return nar(bredde, 210) && nar(hoyde, 297)
}

func sideliste(sider []int) string {
	var s []string
	for _, n := range sider[:min(5, len(sider))] {
		s = append(s, fmt.Sprint(n))
	}
	ut := "side " + strings.Join(s, ", ")
	if mer := len(sider) - len(s); mer > 0 {
		ut += fmt.Sprintf(" og %d til", mer)
	}
	return ut
}

// fonter looks at every font of the file, used or not: a writer that leaves out one leaves out others.
func (r *Rapport) fonter(ctx *model.Context) {
	mangler := map[string]bool{}
	for _, e := range ctx.Table {
		if e != nil && !e.Free {
			finnFonter(ctx, e.Object, mangler, 0)
		}
	}
	if len(mangler) == 0 {
		return
	}
	var navn []string
	for n := range mangler {
		navn = append(navn, n)
	}
	slices.Sort(navn)
	utvalg, mer := navn[:min(5, len(navn))], ""
	if n := len(navn) - len(utvalg); n > 0 {
		mer = fmt.Sprintf(" og %d til", n)
	}
	r.Feil = append(r.Feil, "Skrifter som ikke er innebygd: "+strings.Join(utvalg, ", ")+mer+".")
}

const maksDybde = 20 // of values inside values; what is referred to is met on its own in the table

func finnFonter(ctx *model.Context, o types.Object, mangler map[string]bool, dybde int) {
	if dybde > maksDybde {
		return
	}
	switch o := o.(type) {
	case types.StreamDict:
		finnFonter(ctx, o.Dict, mangler, dybde+1)
	case types.Array:
		for _, v := range o {
			finnFonter(ctx, v, mangler, dybde+1)
		}
	case types.Dict:
		if t := o.Type(); t != nil && *t == "Font" && !innebygd(ctx, o) {
			mangler[fontnavn(o)] = true
		}
		for _, v := range o {
			finnFonter(ctx, v, mangler, dybde+1)
		}
	}
}

// innebygd says whether a font brings its glyphs. A Type0 font has them in its descendant, which is met on its own; a Type3 font draws
// them itself.
func innebygd(ctx *model.Context, font types.Dict) bool {
	switch s := font.Subtype(); {
	case s == nil:
		return true // not something anybody can print with
	case *s == "Type0" || *s == "Type3":
		return true
	}
	o, ok := font.Find("FontDescriptor")
	if !ok {
		return false
	}
	d, err := ctx.DereferenceDict(o)
	if err != nil || d == nil {
		return false
	}
	for _, fil := range []string{"FontFile", "FontFile2", "FontFile3"} {
		if _, ok := d.Find(fil); ok {
			return true
		}
	}
	return false
}

// fontnavn is the name as far as it is safe to print on a terminal.
func fontnavn(font types.Dict) string {
	n := font.NameEntry("BaseFont")
	if n == nil {
		return "(uten navn)"
	}
	rent := strings.Map(func(c rune) rune {
		if c > ' ' && c < 0x7f {
			return c
		}
		return -1
	}, *n)
	return rent[:min(60, len(rent))]
}
