package levering_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
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

func (v *verden) avgjor(valg levering.Valg, sak levering.SakID) *verden {
	return v.gjor(levering.Avgjor(v.u, levering.Avgjorelse{Valg: valg, Sak: sak, Hvem: "kari", Grunn: "prøve"}, policy, v.na))
}

func (v *verden) lukk(art levering.Saksart) *verden {
	sak, apen := v.u.ApenSak(art)
	v.is.True(apen)
	return v.avgjor(levering.ValgLukk, sak.ID)
}

// She orders a new send and closes the case, as one would. What she did must not keep the send from being written down: it would be done
// again every quarter of an hour.
func TestAResendIsWrittenDownAlsoWhenItsCaseWasClosed(t *testing.T) {
	for _, kanal := range []kommune.Kanal{kommune.FiksIO, kommune.Manuell} {
		v := ny(t).sendt().frist().brev().vendor(levering.BrevAvvist).avgjor(levering.ValgSend, "").lukk(levering.SakBrevAvvist)
		if v.konto.Kanal = kanal; kanal == kommune.FiksIO {
			v.sendt()
		} else {
			v.begynn()
		}
		v.is.Equal(v.u.Melding.Tilstand(), melding.SENDT_FAGSYSTEM)
		_, apen := v.u.ApenSak(levering.SakBrevAvvist)
		v.is.True(apen) // there is no frist any more: somebody looks until the receiver confirms
		v.svar(protokoll.Mottatt)
		_, apen = v.u.ApenSak(levering.SakBrevAvvist)
		v.is.True(!apen)
	}
}

// The same when a letter was ordered beside it, and the vendor is faster.
func TestALetterIsWrittenDownAlsoWhenASendHadBegun(t *testing.T) {
	v := ny(t).sendt().frist().brev().vendor(levering.BrevAvvist).avgjor(levering.ValgBrev, "").avgjor(levering.ValgSend, "")
	v.begynn().lukk(levering.SakBrevAvvist).brev()
	v.is.Equal(v.u.Melding.Tilstand(), melding.SENDT_PRINT)
	v.is.Equal(len(v.u.Melding.ApneForsok(melding.Sendeforsok)), 0)
}
