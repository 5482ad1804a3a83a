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

// A case system knows the platform's id of the message it was sent, and a program may well name its answer after it. That is an answer.
func TestAnAnswerNamedAfterWhatItAnswersIsAnAnswer(t *testing.T) {
	for _, id := range []string{"ref-1", string(ny(t).sendt().u.Melding.Forsokene()[0].ID), string(id)} {
		for slag, ventet := range map[string]melding.Tilstand{protokoll.Feilet: melding.AVVIST_FAGSYSTEM, protokoll.Mottatt: melding.LEVERT} {
			v := ny(t).sendt()
			o := levering.SvarOppdrag(melding.Svar{ID: id, Meldingstype: slag, AvsenderKonto: "k", Mottatt: v.na})
			v.gjor(levering.BehandleSvar(v.u, o, policy, v.na))
			v.is.Equal(v.u.Melding.Tilstand(), ventet)
			n := len(v.u.Melding.Historikk)
			v.gjor(levering.BehandleSvar(v.u, o, policy, v.na))
			v.is.Equal(len(v.u.Melding.Historikk), n) // and the same one again is none
		}
	}
}

// The platform may tell of a send whose 202 we never saw.
func TestAReceiptProvesASendThatHadBegun(t *testing.T) {
	v := ny(t).begynn().svarFra(protokoll.Tidsavbrudd, "k")
	v.is.Equal(v.u.Melding.Tilstand(), melding.SENDT_FAGSYSTEM)
	_, skylder := v.skylder(levering.KoFrist)
	v.is.True(skylder)
}
