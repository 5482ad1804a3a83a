package levering_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

func TestWhoAndWhyAreOneVisibleLine(t *testing.T) {
	for navn, x := range map[string]struct {
		hvem, grunn string
		feil        bool
	}{
		"vanlig":               {"Kari Nordmann", "Adressen er rettet, og brevet kan gå – sak 26/104.", false},
		"lengst":               {strings.Repeat("å", levering.MaksHvem), strings.Repeat("ø", levering.MaksGrunn), false},
		"tom grunn":            {"kari", "", true},
		"blank grunn":          {"kari", " \u00a0", true},
		"tomt navn":            {"", "x", true},
		"blankt navn":          {"  ", "x", true},
		"linjeskift":           {"kari", "rettet\n7 LEVERT operator:ola", true},
		"skjermkode":           {"kari", "rettet\x1b[2J", true},
		"C1":                   {"kari", "rettet\x9b2J", true},
		"usynlig i navnet":     {"ka\u200bri", "x", true},
		"snur teksten":         {"kari\u202e", "x", true},
		"ikke tekst":           {"kari", "\xff\xfe", true},
		"for langt navn":       {strings.Repeat("å", levering.MaksHvem+1), "x", true},
		"for lang begrunnelse": {"kari", strings.Repeat("ø", levering.MaksGrunn+1), true},
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			is.Equal(errors.Is(levering.KontrollerOperator(x.hvem, x.grunn), levering.ErrOperator), x.feil)
			// No way around it: the rule itself refuses.
			_, err := levering.Avgjor(levering.Utgave{Melding: melding.Melding{}}, levering.Avgjorelse{Valg: levering.ValgNotat, Hvem: x.hvem, Grunn: x.grunn}, policy, t0)
			is.Equal(errors.Is(err, levering.ErrOperator), x.feil)
		})
	}
}
