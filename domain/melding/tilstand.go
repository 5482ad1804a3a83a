package melding

import (
	"fmt"
	"slices"
)

// Tilstand is where a report is. Only these six exist, spelled as on the wire.
type Tilstand string

const (
	// AKSEPTERT: the portal has stored the report durably and answers for it.
	AKSEPTERT Tilstand = "AKSEPTERT"
	// SENDT_FAGSYSTEM: made available in the receiver's digital channel: sent over Fiks IO, or waiting to be fetched.
	SENDT_FAGSYSTEM Tilstand = "SENDT_FAGSYSTEM"
	// AVVIST_FAGSYSTEM: the case system said it could not take the report. A letter is owed.
	AVVIST_FAGSYSTEM Tilstand = "AVVIST_FAGSYSTEM"
	// SENDT_PRINT: the print vendor has accepted the letter job.
	SENDT_PRINT Tilstand = "SENDT_PRINT"
	// AVVIST_PRINT: the vendor could not print or deliver. An operator must decide.
	AVVIST_PRINT Tilstand = "AVVIST_PRINT"
	// LEVERT: the receiver confirmed, the letter is posted, or an operator documented a delivery. The end.
	LEVERT Tilstand = "LEVERT"
)

// Tilstander lists the six in the order of a normal life.
func Tilstander() []Tilstand {
	return []Tilstand{AKSEPTERT, SENDT_FAGSYSTEM, AVVIST_FAGSYSTEM, SENDT_PRINT, AVVIST_PRINT, LEVERT}
}

// overganger is the one transition table. "" is a report that does not exist yet.
var overganger = map[Tilstand][]Tilstand{
	"":               {AKSEPTERT},
	AKSEPTERT:        {SENDT_FAGSYSTEM, SENDT_PRINT},
	SENDT_FAGSYSTEM:  {AVVIST_FAGSYSTEM, SENDT_PRINT, LEVERT},
	AVVIST_FAGSYSTEM: {SENDT_PRINT, LEVERT},
	SENDT_PRINT:      {AVVIST_PRINT, LEVERT},
	AVVIST_PRINT:     {SENDT_FAGSYSTEM, SENDT_PRINT, LEVERT},
	LEVERT:           {},
}

// Lovlig says whether the table allows the step.
func Lovlig(fra, til Tilstand) bool { return slices.Contains(overganger[fra], til) }

// Neste lists the states that may follow.
func Neste(t Tilstand) []Tilstand { return slices.Clone(overganger[t]) }

// OvergangError is a step the table does not have.
type OvergangError struct {
	Melding  ID
	Fra, Til Tilstand
}

func (e *OvergangError) Error() string {
	return fmt.Sprintf("melding %s: %s kan ikke bli %s", e.Melding, e.Fra, e.Til)
}
