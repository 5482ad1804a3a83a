package preflight

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
)

// pdf builds a small PDF: pages of the given MediaBoxes, one font.
func pdf(font string, bokser ...string) []byte {
	var b bytes.Buffer
	var xref []int
	obj := func(s string) {
		xref = append(xref, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(xref), s)
	}
	b.WriteString("%PDF-1.7\n")
	var kids []string
	for i := range bokser {
		kids = append(kids, fmt.Sprintf("%d 0 R", 6+i))
	}
	obj("<</Type/Catalog/Pages 2 0 R>>")
	obj(fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]>>", len(bokser), strings.Join(kids, " ")))
	obj(font)
	obj("<</Type/FontDescriptor/FontName/ABCDEF+Egen/Flags 32/FontBBox[0 0 1 1]/ItalicAngle 0/Ascent 1/Descent 0/CapHeight 1/StemV 1/FontFile2 5 0 R>>")
	obj("<</Length 3/Length1 3>>\nstream\nabc\nendstream")
	for _, boks := range bokser {
		obj("<</Type/Page/Parent 2 0 R/MediaBox[" + boks + "]/Resources<</Font<</F1 3 0 R>>>>>>")
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(xref)+1)
	for _, o := range xref {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R/ID[<00><00>]>>\nstartxref\n%d\n%%%%EOF\n", len(xref)+1, start)
	return b.Bytes()
}

const (
	a4       = "0 0 595.28 841.89"
	liggende = "0 0 841.89 595.28"
	letter   = "0 0 612 792"
	innbygdF = "<</Type/Font/Subtype/TrueType/BaseFont/ABCDEF+Egen/FirstChar 32/LastChar 32/Widths[250]/Encoding/WinAnsiEncoding/FontDescriptor 4 0 R>>"
	standard = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
)

func sider(n int) []string {
	ut := make([]string, n)
	for i := range ut {
		ut[i] = a4
	}
	return ut
}

func TestFindings(t *testing.T) {
	for _, tt := range []struct {
		navn    string
		pdf     []byte
		feil    string // "" = can be printed
		merknad string
	}{
		{"good", pdf(innbygdF, a4, a4), "", ""},
		{"landscape", pdf(innbygdF, a4, liggende), "", "Liggende A4: side 2"},
		{"a little off", pdf(innbygdF, "0 0 600 850"), "", ""},
		{"Letter", pdf(innbygdF, a4, letter), "side 2", ""},
		{"many of the wrong size", pdf(innbygdF, letter, letter, letter, letter, letter, letter, letter), "side 1, 2, 3, 4, 5 og 2 til", ""},
		{"font not embedded", pdf(standard, a4), "ikke er innebygd: Helvetica.", ""},
		{"99 pages", pdf(innbygdF, sider(99)...), "", "flere konvolutter"},
		{"100 pages", pdf(innbygdF, sider(100)...), "100 sider", ""},
		{"no pages", pdf(innbygdF), "ingen sider", ""},
		{"not a PDF", []byte("PK\x03\x04"), "ikke en PDF", ""},
		{"empty", nil, "ikke en PDF", ""},
		{"cut off", pdf(innbygdF, a4)[:300], ".", ""},
		{"too large", make([]byte, MaksStorrelse+1), "5.0 MiB", ""},
		{"password", kryptert(t, "hemmelig"), "passord", ""},
		{"owner's limits only", kryptert(t, ""), "passord", ""},
	} {
		t.Run(tt.navn, func(t *testing.T) {
			is := is.New(t)
			r := Kontroller(tt.pdf)
			is.Equal(r.OK(), tt.feil == "")
			is.True(strings.Contains(strings.Join(r.Feil, "\n"), tt.feil))
			is.True(strings.Contains(strings.Join(r.Merknader, "\n"), tt.merknad))
			if tt.merknad == "" {
				is.Equal(len(r.Merknader), 0)
			}
		})
	}
}

func kryptert(t *testing.T, passord string) []byte {
	t.Helper()
	api.DisableConfigDir()
	c := model.NewAESConfiguration(passord, "eier", 256)
	var ut bytes.Buffer
	if err := api.Encrypt(bytes.NewReader(pdf(innbygdF, a4)), &ut, c); err != nil {
		t.Fatal(err)
	}
	return ut.Bytes()
}

func TestPanicAndEndlessWorkAreFindings(t *testing.T) {
	is := is.New(t)
	god := pdf(innbygdF, a4)
	r := kontroller(god, time.Minute, func([]byte) Rapport { panic("the library tripped") })
	is.True(!r.OK())
	is.True(!strings.Contains(r.Feil[0], "tripped"))

	stopp := make(chan struct{})
	defer close(stopp)
	r = kontroller(god, time.Millisecond, func([]byte) Rapport { <-stopp; return Rapport{} })
	is.True(strings.Contains(r.Feil[0], "for lang tid"))
}

// TestDamagedFilesNeverStopTheProgram flips and cuts bytes; whatever is found, it is said in a sentence.
func TestDamagedFilesNeverStopTheProgram(t *testing.T) {
	god := pdf(innbygdF, a4, a4)
	for i := 5; i < len(god); i += 7 {
		skadet := bytes.Clone(god)
		skadet[i] ^= 0x15
		_ = Kontroller(skadet)
		_ = Kontroller(god[:i])
	}
}

func TestHomeFolderIsLeftAlone(t *testing.T) {
	is := is.New(t)
	hjem := t.TempDir()
	t.Setenv("HOME", hjem)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(hjem, "config"))
	is.True(Kontroller(pdf(innbygdF, a4)).OK())
	filer, err := os.ReadDir(hjem)
	is.NoErr(err)
	is.Equal(len(filer), 0)
}
