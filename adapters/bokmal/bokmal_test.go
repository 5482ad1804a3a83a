package bokmal_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/bokmal"
)

type linje struct {
	Antall int           `help:"Hvor mange." default:"1"`
	Vent   time.Duration `help:"Hvor lenge." default:"1s"`
	Hent   struct {
		Fil   string `arg:"" help:"Fila." type:"existingfile"`
		Valg  string `required:"" enum:"en,to" help:"Hva."`
		Merke string `help:"Merket."`
	} `cmd:"" help:"Hent noe."`
	Vis struct {
		Navn string `arg:"" help:"Navnet."`
	} `cmd:"" help:"Vis noe."`
}

// tolk gives what a person sees: a help page, or an error.
func tolk(t *testing.T, args ...string) string {
	t.Helper()
	var l linje
	var ut bytes.Buffer
	p, err := kong.New(&l, kong.Name("prog"), kong.Writers(&ut, &ut), kong.Exit(func(int) { panic("ferdig") }), bokmal.Hjelp())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = recover() }()
	func() {
		defer func() { _ = recover() }()
		if _, err := p.Parse(args); err != nil {
			ut.WriteString(bokmal.Feil(err))
		}
	}()
	return ut.String()
}

func TestKongSpeaksBokmal(t *testing.T) {
	is := is.New(t)
	for _, side := range []string{tolk(t, "--help"), tolk(t, "hent", "--help")} {
		is.True(strings.HasPrefix(side, "Bruk: prog "))
		is.True(strings.Contains(side, "\nFlagg:\n"))
		is.True(strings.Contains(side, "Vis hjelp."))
		for _, engelsk := range []string{"Usage", "Flags", "flags", "Commands", "command>", "Arguments", "Show", "Run \""} {
			is.True(!strings.Contains(side, engelsk))
		}
	}
	for _, x := range []struct{ args, sier string }{
		{"", `oppgi en av "hent", "vis"`},
		{"hentt", `ukjent argument hentt, mente du "hent"?`},
		{"vis", `oppgi "<navn>"`},
		{"hent bokmal.go", "mangler --valg=STRING"},
		{"hent bokmal.go --valg=tre", `--valg må være en av "en","to", ikke "tre"`},
		{"hent borte --valg=en", "<fil>: "},
		{"vis x --tull", "ukjent flagg --tull"},
		{"vis x --antall=mange", `skal være et helt tall, ikke "mange"`},
		{"vis x --antall", "--antall: verdien mangler"},
		{"hent bokmal.go --merke", "--merke: verdien mangler"},
		{"vis x --vent=lenge", `skal være en varighet som 30s eller 5m, ikke "lenge"`},
	} {
		sagt := tolk(t, strings.Fields(x.args)...)
		if !strings.Contains(sagt, x.sier) {
			t.Errorf("prog %s: %s", x.args, sagt)
		}
		for _, engelsk := range []string{"expected", "missing", "unknown", "unexpected", "must be", "no such file"} {
			if strings.Contains(sagt, engelsk) {
				t.Errorf("prog %s: %s", x.args, sagt)
			}
		}
	}
}
