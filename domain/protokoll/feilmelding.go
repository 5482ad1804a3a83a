package protokoll

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Feilmelding is the body of a feilet answer (domain/feilmelding.json in KS's repository): why a case system could not take a
// report. The text is written by somebody else's program and may quote the report, so it prints as [skjult]; JSON is the way out.
type Feilmelding struct {
	Melding string // "" = not said; {} is a valid body
}

type feilmeldingJSON struct {
	Melding string `json:"melding,omitempty"`
}

// ErrFeilmelding says that a body is not a Feilmelding. A feilet is a rejection all the same.
var ErrFeilmelding = errors.New("feilmeldingen kan ikke leses")

// ParseFeilmelding reads feilmelding.json. Members it does not know are tolerated: Trondheim's client adds meldingType.
func ParseFeilmelding(b []byte) (Feilmelding, error) {
	var f *feilmeldingJSON // a pointer, to tell null from {}
	if err := json.Unmarshal(b, &f); err != nil || f == nil {
		return Feilmelding{}, ErrFeilmelding // without err: it can quote the body
	}
	return Feilmelding(*f), nil
}

// JSON is feilmelding.json.
func (f Feilmelding) JSON() []byte {
	b, _ := json.Marshal(feilmeldingJSON(f)) // cannot fail: one string
	return b
}

const skjult = "[skjult]"

func (Feilmelding) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, skjult) }
func (Feilmelding) MarshalText() ([]byte, error) { return []byte(skjult), nil }
