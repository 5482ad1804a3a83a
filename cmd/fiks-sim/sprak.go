package main

import (
	"bytes"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// Kong has no catalogue of texts. The words it uses of flags are replaced on their way out, as the portal's programs do; this program
// shares nothing with them.
var (
	hjelpetekst = strings.NewReplacer("Usage: ", "Bruk: ", "[flags]", "[flagg]", "\nFlags:\n", "\nFlagg:\n", "Show context-sensitive help.", "Vis hjelp.")
	feiltekst   = strings.NewReplacer("unknown flag ", "ukjent flagg ", "unexpected argument ", "ukjent argument ", ", did you mean one of ", ", mente du en av ",
		", did you mean ", ", mente du ", " must be one of ", " må være en av ", "expected a valid 64 bit int", "skal være et helt tall", " but got ", ", ikke ",
		"bool value must be true, 1, yes, false, 0 or no", "skal være true eller false", `expected string value but got "EOL" (<EOL>)`, "verdien mangler",
		`expected int value but got "EOL" (<EOL>)`, "verdien mangler")
)

// nyParser reads the command line and explains itself in bokmål.
func nyParser(f *flagg, valg ...kong.Option) (*kong.Kong, error) {
	return kong.New(f, append([]kong.Option{kong.Name("fiks-sim"), kong.Description("Fiks IO på denne maskinen. Stopp med Ctrl-C."),
		kong.Help(func(o kong.HelpOptions, ctx *kong.Context) error {
			ut := ctx.Stdout
			var side bytes.Buffer
			ctx.Stdout = &side
			err := kong.DefaultHelpPrinter(o, ctx)
			ctx.Stdout = ut
			if err != nil {
				return err
			}
			_, err = io.WriteString(ut, hjelpetekst.Replace(side.String()))
			return err
		})}, valg...)...)
}
