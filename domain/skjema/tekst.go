package skjema

import (
	"fmt"
	"io"
)

const skjult = "[skjult]"

// skjerm makes whatever embeds it print as [skjult], in every verb of fmt, in slog and in encoding/json.
type skjerm struct{}

func (skjerm) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, skjult) }
func (skjerm) String() string               { return skjult }
func (skjerm) MarshalText() ([]byte, error) { return []byte(skjult), nil }

// Tekst is what somebody wrote about somebody. The characters lie behind a pointer, so that a document inside somebody's unexported
// field, where fmt cannot call Format, prints an address and not a name. The zero value is empty.
type Tekst struct {
	skjerm
	verdi *string
}

// NyTekst hides s.
func NyTekst(s string) Tekst {
	if s == "" {
		return Tekst{} // one way to be empty, so that reflect.DeepEqual agrees
	}
	return Tekst{verdi: &s}
}

// Verdi is the text itself. Do not log it or put it in an error.
func (t Tekst) Verdi() string {
	if t.verdi == nil {
		return ""
	}
	return *t.verdi
}

// Tom says whether there is no text.
func (t Tekst) Tom() bool { return t.verdi == nil }
