package fagsystem_test

import (
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/fagsystem"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

func enMelding() fagsystem.Melding {
	return fagsystem.Melding{ID: rapport, Filer: []melding.Fil{{Navn: protokoll.FilJSON, Innhold: melding.NyKlartekst([]byte(innholdJ))},
		{Navn: protokoll.FilPDF, Innhold: melding.NyKlartekst([]byte(innholdP))}}}
}

func TestTheFolderIsReadableByItsOwnerAlone(t *testing.T) {
	is, dir := is.New(t), t.TempDir()
	m := fagsystem.Mappe(dir)
	is.NoErr(m.Lagre(ctx, enMelding()))
	for navn, vil := range map[string]os.FileMode{rapport: os.ModeDir | 0o700, rapport + "/" + protokoll.FilJSON: 0o600, rapport + "/" + protokoll.FilPDF: 0o600} {
		i, err := os.Stat(filepath.Join(dir, navn))
		is.NoErr(err)
		is.Equal(i.Mode(), vil)
	}
	har, err := m.Har(ctx, rapport)
	is.NoErr(err)
	is.True(har)
}

func TestAReportIsThereWholeOrNotAtAll(t *testing.T) {
	is, dir := is.New(t), t.TempDir()
	m := fagsystem.Mappe(dir)
	halv := enMelding()
	halv.Filer[1].Navn = "finnes/ikke.pdf" // the second file cannot be written
	is.True(m.Lagre(ctx, halv) != nil)
	navn, err := os.ReadDir(dir)
	is.NoErr(err)
	is.Equal(len(navn), 0)
	har, err := m.Har(ctx, rapport)
	is.NoErr(err)
	is.True(!har)
}

// A crash in the middle of Lagre leaves the folder beside; the report is not there, and the next try takes its place.
func TestWhatACrashLeftIsReplaced(t *testing.T) {
	is, dir := is.New(t), t.TempDir()
	m := fagsystem.Mappe(dir)
	is.NoErr(os.MkdirAll(filepath.Join(dir, "."+rapport+".ny"), 0o700))
	is.NoErr(os.WriteFile(filepath.Join(dir, "."+rapport+".ny", protokoll.FilJSON), []byte("hal"), 0o600))
	har, err := m.Har(ctx, rapport)
	is.NoErr(err)
	is.True(!har)
	is.NoErr(m.Lagre(ctx, enMelding()))
	b, err := os.ReadFile(filepath.Join(dir, rapport, protokoll.FilJSON))
	is.NoErr(err)
	is.Equal(string(b), innholdJ)
	navn, err := os.ReadDir(dir)
	is.NoErr(err)
	is.Equal(len(navn), 1)
}

func TestAFolderThatIsGoneIsAnErrorAndNotAnEmptyArchive(t *testing.T) {
	is := is.New(t)
	m := fagsystem.Mappe(filepath.Join(t.TempDir(), "borte"))
	is.True(m.Lagre(ctx, enMelding()) != nil)
}

// The promise to whoever reads this package to learn: 300 lines of code, tests, comments and blank lines apart.
func TestThePackageFitsInTheHead(t *testing.T) {
	is := is.New(t)
	filer, err := filepath.Glob("*.go")
	is.NoErr(err)
	n := 0
	for _, fil := range filer {
		if strings.HasSuffix(fil, "_test.go") {
			continue
		}
		b, err := os.ReadFile(fil)
		is.NoErr(err)
		linjer, fset := map[int]bool{}, token.NewFileSet()
		var s scanner.Scanner
		f := fset.AddFile(fil, -1, len(b))
		for s.Init(f, b, nil, 0); ; {
			pos, tok, lit := s.Scan()
			if tok == token.EOF {
				break
			}
			if tok != token.SEMICOLON || lit == ";" {
				linjer[f.Line(pos)] = true
			}
		}
		n += len(linjer)
	}
	is.True(n > 0)
	is.True(n <= 300)
}
