package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/bokmal"
)

var engelsk = regexp.MustCompile(`\b(Usage|[Ff]lags?|Arguments?|Commands?|Show|STRING|INT|BOOL|expected|unknown|unexpected|missing|must|but|got|did|you|error)\b`)

func TestTheCommandLineIsExplainedInBokmal(t *testing.T) {
	is := is.New(t)
	sagt := func(args ...string) (string, error) {
		var f flagg
		var ut bytes.Buffer
		p, err := nyParser(&f, kong.Writers(&ut, &ut), kong.Exit(func(int) { panic("ferdig") }))
		is.NoErr(err)
		defer func() { _ = recover() }()
		func() {
			defer func() { _ = recover() }() // as after --help
			_, err = p.Parse(args)
		}()
		return ut.String(), err
	}
	hjelp, _ := sagt("--help")
	is.True(strings.HasPrefix(hjelp, "Bruk: demo [flagg]\n"))
	for _, vil := range []string{"\nFlagg:\n", "Vis hjelp."} {
		is.True(strings.Contains(hjelp, vil))
	}
	if funn := engelsk.FindAllString(hjelp, -1); len(funn) > 0 {
		t.Errorf("%q i\n%s", funn, hjelp)
	}
	for _, galt := range [][]string{{"--tull"}, {"--ader=1"}, {"noe"}, {"--grense=x"}, {"--grense"}, {"--addr"}, {"--quiet=x"}} {
		_, err := sagt(galt...)
		is.True(err != nil)
		if tekst := bokmal.Feil(err); engelsk.MatchString(tekst) {
			t.Errorf("%v: %s", galt, tekst)
		}
	}
}
