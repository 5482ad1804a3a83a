package levering_test

import (
	"testing"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// Who knows a report's id can send us what looks like the platform's own word. Before we have sent anything it can be nothing else than
// that, and it must neither say that the report is sent nor stop it from being sent.
func TestAReceiptForWhatWasNeverSentIsNotBelieved(t *testing.T) {
	for _, slag := range []string{protokoll.Tidsavbrudd, protokoll.Serverfeil} {
		v := ny(t).svarFra(slag, "angriper")
		v.is.Equal(v.u.Melding.Tilstand(), melding.AKSEPTERT)
		v.is.True(v.u.Melding.Har(melding.SvarFraAnnenKonto)) // and it stands in the history
		v.sendt().svar(protokoll.Mottatt)
		v.is.Equal(v.u.Melding.Tilstand(), melding.LEVERT)
	}
}

// The platform may tell of a send whose 202 we never saw.
func TestAReceiptProvesASendThatHadBegun(t *testing.T) {
	v := ny(t).begynn().svarFra(protokoll.Tidsavbrudd, "k")
	v.is.Equal(v.u.Melding.Tilstand(), melding.SENDT_FAGSYSTEM)
	_, skylder := v.skylder(levering.KoFrist)
	v.is.True(skylder)
}
