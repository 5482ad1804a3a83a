// Package bokmal makes kong, the command-line parser, speak bokmål: Hjelp for its help pages, Feil for what it says of a command line
// it cannot read. Kong has no catalogue of texts, so its own words are replaced on their way out; words it gets later stay English.
package bokmal

import (
	"bytes"
	"io"
	"regexp"

	"github.com/alecthomas/kong"
)

type bytte struct {
	fra *regexp.Regexp
	til string
}

func b(fra, til string) bytte { return bytte{regexp.MustCompile(fra), til} }

// In help only whole lines and fixed phrases are touched: the rest of the page is the program's own text.
var hjelp = []bytte{
	b(`(?m)^Usage: `, "Bruk: "),
	b(`(?m)^Arguments:$`, "Argumenter:"),
	b(`(?m)^Commands:$`, "Kommandoer:"),
	b(`(?m)^Flags:$`, "Flagg:"),
	b(`(?m)^Run "([^"]*)" for more information on a command\.$`, "Kjør «$1» for å se mer om en kommando."),
	b(`Show context-sensitive help\.`, "Vis hjelp."),
	b(`<command>`, "<kommando>"),
	b(`\[flags\]`, "[flagg]"),
}

var feil = []bytte{
	b(`^missing flags: `, "mangler "),
	b(`^missing positional arguments `, "mangler "),
	b(`unknown flag `, "ukjent flagg "),
	b(`unexpected (?:argument|token|flag argument) `, "ukjent argument "),
	b(`(?:, did you mean(?: one of)? )(.*)\?$`, ", mente du $1?"),
	b(` must be one of (.*) but got `, " må være en av $1, ikke "),
	b(`expected \S+ value but got "EOL" \(<EOL>\)`, "verdien mangler"),
	b(`expected (?:an int|a valid \d+ bit u?int) but got `, "skal være et helt tall, ikke "),
	b(`expected a (?:float|valid \d+ bit float) but got `, "skal være et tall, ikke "),
	b(`expected duration but got ("[^"]*").*`, "skal være en varighet som 30s eller 5m, ikke $1"),
	b(`bool value must be true, 1, yes, false, 0 or no but got `, "skal være true eller false, ikke "),
	b(`^expected one of `, "oppgi en av "),
	b(`^expected `, "oppgi "),
	b(` exists but is a directory`, " er en mappe"),
	b(`(?:stat|open) (\S+): no such file or directory`, "$1 finnes ikke"),
	b(`(?:stat|open) (\S+): permission denied`, "$1 kan ikke leses: ingen tilgang"),
	b(`missing value, expecting .*`, "verdien mangler"),
	b(` \(from envar (\w+)=.*\)`, " (fra $1)"), // without the value
	b(`<command>`, "<kommando>"),
}

func oversett(s string, alle []bytte) string {
	for _, x := range alle {
		s = x.fra.ReplaceAllString(s, x.til)
	}
	return s
}

// Hjelp prints help pages in bokmål.
func Hjelp() kong.Option {
	return kong.Help(func(o kong.HelpOptions, ctx *kong.Context) error {
		ut := ctx.Stdout
		var side bytes.Buffer
		ctx.Stdout = &side
		err := kong.DefaultHelpPrinter(o, ctx)
		ctx.Stdout = ut
		if err != nil {
			return err
		}
		_, err = io.WriteString(ut, oversett(side.String(), hjelp))
		return err
	})
}

// Feil is what kong says of a command line, without a full stop.
func Feil(err error) string { return oversett(err.Error(), feil) }
