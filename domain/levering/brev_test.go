package levering_test

import (
	"testing"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// June 2023 on paper: a confirmation that turns out to be wrong. LEVERT stays, for the sender has read it, and somebody must act.
func TestAVendorThatTakesAPostingBackCallsAPersonAtOnce(t *testing.T) {
	for _, s := range []levering.Brevstatus{levering.BrevAvvist, levering.BrevAnnullert} {
		v := ny(t).sendt().frist().brev().vendor(levering.BrevPostlagt)
		v.is.Equal(v.u.Melding.Tilstand(), melding.LEVERT)
		v.vendor(s)
		v.is.Equal(v.u.Melding.Tilstand(), melding.LEVERT)
		v.is.True(v.u.Melding.Har(melding.AvvistEtterLevert))
		sak, apen := v.u.ApenSak(levering.SakBrevAvvist)
		v.is.True(apen && sak.Kritisk) // and the content is kept while it is open
		n := len(v.u.Melding.Historikk)
		v.vendor(s).vendor(levering.BrevPostlagt).vendor(levering.BrevMottatt)
		v.is.Equal(len(v.u.Melding.Historikk), n) // said before
	}
}

func TestALetterTheReportDidNotNeedIsNoAlarmWhateverBecameOfIt(t *testing.T) {
	for _, x := range []struct {
		sagt []levering.Brevstatus
		rad  melding.Kode
	}{
		{[]levering.Brevstatus{levering.BrevPostlagt}, melding.PostlagtEtterLevert},
		{[]levering.Brevstatus{levering.BrevAvvist}, melding.AvvistEtterLevert},
		{[]levering.Brevstatus{levering.BrevAnnullert}, melding.BrevAvbestilt},
		{[]levering.Brevstatus{levering.BrevAnnullert, levering.BrevPostlagt}, melding.PostlagtEtterLevert}, // stopped, they said, and it went
		{[]levering.Brevstatus{levering.BrevPostlagt, levering.BrevAvvist}, melding.AvvistEtterLevert},
	} {
		v := ny(t).sendt().frist().brev().svar(protokoll.Mottatt)
		for _, s := range x.sagt {
			v.vendor(s)
		}
		v.is.Equal(v.u.Melding.Historikk[len(v.u.Melding.Historikk)-1].Kode, x.rad)
		v.is.Equal(len(v.u.Saker), 0)
	}
}

// A refused letter that was posted all the same: she is about to deliver by hand, or has ordered a new one.
func TestARefusedLetterThatWasPostedIsTold(t *testing.T) {
	v := ny(t).sendt().frist().brev().vendor(levering.BrevAvvist).avgjor(levering.ValgBrev, "").lukk(levering.SakBrevAvvist)
	gammelt := v.u.Melding.Forsokene()[1].ID
	for range 2 {
		o := levering.BrevstatusOppdrag(levering.Jobb{ID: gammelt, Status: levering.BrevPostlagt}, v.na)
		v.gjor(levering.BehandleBrevstatus(v.u, o, policy, v.na))
	}
	v.is.Equal(v.u.Melding.Tilstand(), melding.AVVIST_PRINT) // never enough by itself (D3)
	v.is.Equal(v.u.Melding.Antall(melding.BrevsvarStrider), 1)
	_, apen := v.u.ApenSak(levering.SakBrevAvvist)
	v.is.True(apen)
	v.brev().vendor(levering.BrevPostlagt) // the new one goes its own way
	v.is.Equal(v.u.Melding.Tilstand(), melding.LEVERT)
}

func TestAReturnHeardBeforeItsPostingIsOneReturn(t *testing.T) {
	v := ny(t).sendt().frist().brev().vendor(levering.BrevRetur)
	n := len(v.u.Melding.Historikk)
	v.vendor(levering.BrevPostlagt).vendor(levering.BrevMottatt).vendor(levering.BrevRetur)
	v.is.Equal(len(v.u.Melding.Historikk), n)
	v.is.Equal(v.u.Melding.Tilstand(), melding.AVVIST_PRINT)
}
