package levering_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/domain/virketid"
)

var (
	t0     = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC) // a Monday
	policy = levering.Standard(virketid.Kalender{})
	konto  = kommune.Mottakerkonto{Bydel: kommune.Bydel{RessursID: "r", Versjon: 2, Aktiv: true}, Kanal: kommune.FiksIO, KontoID: "k", KontoAktiv: true}
)

const id = melding.ID("018f3c2e-0000-7000-8000-000000000001")

// verden is one report and what the rules make of it, without a store: it applies every Endring as a store does.
type verden struct {
	is     *is.I
	u      levering.Utgave
	na     time.Time
	konto  kommune.Mottakerkonto
	n      int
	svarID string // the answer that the last step judged; "" = another kind of step
}

func ny(t *testing.T) *verden {
	f := melding.Fakta{ID: id, Slag: melding.Offentlig, Versjon: melding.V2, Kanal: kommune.FiksIO, KontoID: "k", RessursID: "r", Innsendt: t0, Frist: policy.Frist(konto, t0)}
	v := &verden{is: is.New(t), na: t0, konto: konto}
	h, o, s := levering.Aksepter(f, t0)
	u, err := levering.Anvend(levering.Utgave{Melding: melding.Melding{Fakta: f}}, levering.Endring{Hendelser: h, Nye: o, Saker: s})
	v.is.NoErr(err)
	v.u = u
	return v
}

func (v *verden) gjor(e levering.Endring, err error) *verden {
	v.is.Helper()
	v.is.NoErr(err)
	u, err := levering.Anvend(v.u, e)
	v.is.NoErr(err)
	v.u = u
	return v
}

func (v *verden) skylder(ko levering.Ko) (levering.Oppdrag, bool) {
	for _, o := range v.u.Owed {
		if o.Ko == ko {
			return o, true
		}
	}
	return levering.Oppdrag{}, false
}

func (v *verden) oppdrag(ko levering.Ko) levering.Oppdrag {
	v.is.Helper()
	o, ok := v.skylder(ko)
	v.is.True(ok) // the work is owed
	return o
}

func (v *verden) begynn() *verden {
	return v.gjor(levering.BegynnSending(v.u, v.oppdrag(levering.KoSend), v.konto, levering.NokkelGyldig, policy, v.na))
}

func (v *verden) sendt() *verden {
	o := v.oppdrag(levering.KoSend)
	v.begynn()
	return v.gjor(levering.SendingFullfort(v.u, o, v.konto, fmt.Sprintf("ref-%d", o.Runde), policy, v.na))
}

func (v *verden) svar(type_ string) *verden { return v.svarFra(type_, "k") }

func (v *verden) svarFra(type_ string, fra kommune.KontoID) *verden {
	v.n++
	s := melding.Svar{ID: fmt.Sprintf("svar-%d", v.n), Meldingstype: type_, AvsenderKonto: fra, Mottatt: v.na}
	return v.gjor(levering.BehandleSvar(v.u, levering.SvarOppdrag(s), policy, v.na))
}

func (v *verden) frist() *verden {
	o := v.oppdrag(levering.KoFrist)
	v.na = o.Forfall
	return v.gjor(levering.FristUtlopt(v.u, o, policy, v.na))
}

func (v *verden) brev() *verden {
	o := v.oppdrag(levering.KoBrev)
	v.gjor(levering.BegynnBrev(v.u, o, policy, v.na))
	if !v.u.Skylder(o.ID) {
		return v
	}
	return v.gjor(levering.BrevOvertatt(v.u, o.Forsok, policy, v.na))
}

func (v *verden) vendor(s levering.Brevstatus) *verden {
	f := v.u.Melding.Forsokene()
	var siste melding.ForsokID
	for _, x := range f {
		if x.Art == melding.Brevforsok {
			siste = x.ID
		}
	}
	return v.gjor(levering.BehandleBrevstatus(v.u, levering.BrevstatusOppdrag(levering.Jobb{ID: siste, Status: s}, v.na), policy, v.na))
}

func (v *verden) tilstander() (ut []melding.Tilstand) {
	for _, h := range v.u.Melding.Historikk {
		if h.Art == melding.Overgang {
			ut = append(ut, h.Tilstand)
		}
	}
	return ut
}

func (v *verden) ble(t ...melding.Tilstand) { v.is.Helper(); v.is.Equal(v.tilstander(), t) }

func TestConfirmedInTheCaseSystem(t *testing.T) {
	v := ny(t).sendt().svar(protokoll.Mottatt)
	v.ble(melding.AKSEPTERT, melding.SENDT_FAGSYSTEM, melding.LEVERT)
	_, frist := v.skylder(levering.KoFrist)
	v.is.True(!frist)                                                 // no letter
	v.oppdrag(levering.KoSlett)                                       // but erasure is owed
	v.svar(protokoll.Mottatt)                                         // again
	v.ble(melding.AKSEPTERT, melding.SENDT_FAGSYSTEM, melding.LEVERT) // LEVERT once
}

func TestRejectedGoesToPaperAtOnce(t *testing.T) {
	v := ny(t).sendt().svar(protokoll.Feilet)
	v.ble(melding.AKSEPTERT, melding.SENDT_FAGSYSTEM, melding.AVVIST_FAGSYSTEM)
	v.is.Equal(v.oppdrag(levering.KoBrev).Forfall, t0)
	v.brev().vendor(levering.BrevPostlagt)
	v.ble(melding.AKSEPTERT, melding.SENDT_FAGSYSTEM, melding.AVVIST_FAGSYSTEM, melding.SENDT_PRINT, melding.LEVERT)
}

func TestSilenceEndsInALetterAtTheFrist(t *testing.T) {
	v := ny(t).sendt()
	v.is.Equal(v.oppdrag(levering.KoFrist).Forfall, t0.Add(40*time.Hour)) // Monday 09:00 local + 40 virketimer
	v.gjor(levering.FristUtlopt(v.u, v.oppdrag(levering.KoFrist), policy, t0.Add(39*time.Hour)))
	v.oppdrag(levering.KoFrist) // a worker that comes early changes nothing
	v.frist()
	v.ble(melding.AKSEPTERT, melding.SENDT_FAGSYSTEM) // «venter på print» is a merknad (D16)
	v.brev()
	v.ble(melding.AKSEPTERT, melding.SENDT_FAGSYSTEM, melding.SENDT_PRINT)
	v.vendor(levering.BrevPostlagt)
	v.is.Equal(v.u.Melding.Tilstand(), melding.LEVERT)
}

func TestNeverSentIsAnAlarmAndALetter(t *testing.T) {
	v := ny(t).frist()
	_, sak := v.u.ApenSak(levering.SakAldriSendt)
	v.is.True(sak)
	v.brev()
	v.ble(melding.AKSEPTERT, melding.SENDT_PRINT)
	_, send := v.skylder(levering.KoSend)
	v.is.True(!send) // nothing is sent after the letter has gone
}

func TestAnswerThatOvertakesOurOwnCommit(t *testing.T) {
	v := ny(t)
	o := v.oppdrag(levering.KoSend)
	v.begynn().svar(protokoll.Mottatt)
	v.ble(melding.AKSEPTERT, melding.SENDT_FAGSYSTEM, melding.LEVERT)
	v.gjor(levering.SendingFullfort(v.u, o, v.konto, "ref", policy, v.na)) // our commit comes late
	v.ble(melding.AKSEPTERT, melding.SENDT_FAGSYSTEM, melding.LEVERT)
}

func TestReceiptWhileTheLetterIsStillOurs(t *testing.T) {
	v := ny(t).sendt().frist().svar(protokoll.Mottatt)
	v.is.Equal(v.u.Melding.Historikk[len(v.u.Melding.Historikk)-1].Kode, melding.BekreftetAvbestilt)
	_, brev := v.skylder(levering.KoBrev)
	v.is.True(!brev)
	v.is.Equal(len(v.u.Melding.ApneForsok(melding.Brevforsok)), 0)
}

func TestReceiptAfterTheVendorHasTheJob(t *testing.T) {
	v := ny(t).sendt().frist().brev().svar(protokoll.Mottatt)
	v.ble(melding.AKSEPTERT, melding.SENDT_FAGSYSTEM, melding.SENDT_PRINT, melding.LEVERT)
	v.is.True(v.u.Melding.Har(melding.BekreftetBrevUnderveis)) // never «avbestilt» on hope
	o := v.oppdrag(levering.KoAvbestill)
	v.gjor(levering.AvbestillingFerdig(v.u, o, false, policy, v.na))
	v.oppdrag(levering.KoBrevvakt) // the letter is watched until it is posted
	v.vendor(levering.BrevPostlagt)
	v.is.Equal(len(v.u.Melding.ApneForsok(melding.Brevforsok)), 0)
	v.is.Equal(v.u.Melding.Tilstand(), melding.LEVERT)
}

func TestRejectionAfterDeliveryIsACriticalAlarm(t *testing.T) {
	v := ny(t).sendt().svar(protokoll.Mottatt).svar(protokoll.Feilet)
	v.is.Equal(v.u.Melding.Tilstand(), melding.LEVERT)
	s, ok := v.u.ApenSak(levering.SakFeiletEtterLevert)
	v.is.True(ok && s.Kritisk)
	// An operator sends it again while the content is kept: a new attempt with an id of its own.
	v.gjor(levering.Avgjor(v.u, levering.Avgjorelse{Valg: levering.ValgSend, Hvem: "a", Grunn: "b"}, policy, v.na))
	v.is.True(levering.Sendeforsok(v.u, v.oppdrag(levering.KoSend)) != v.u.Melding.Forsokene()[0].ID)
	// Asked again before it has gone, because the first answer was lost, it is one delivery all the same.
	v.gjor(levering.Avgjor(v.u, levering.Avgjorelse{Valg: levering.ValgSend, Hvem: "a", Grunn: "b"}, policy, v.na))
	v.is.Equal(v.u.Melding.Antall(melding.NySendingBestilt), 1)
	v.sendt()
	v.is.Equal(v.u.Melding.Tilstand(), melding.LEVERT)
}

func TestAnswerFromAnotherAccountChangesNothing(t *testing.T) {
	v := ny(t).sendt().svarFra(protokoll.Mottatt, "en annen")
	v.ble(melding.AKSEPTERT, melding.SENDT_FAGSYSTEM)
	v.is.True(v.u.Melding.Har(melding.SvarFraAnnenKonto)) // but it is remembered
}

func TestServerfeilIsNotARejection(t *testing.T) {
	v := ny(t).sendt().svarFra(protokoll.Serverfeil, "")
	v.is.Equal(v.oppdrag(levering.KoSend).Forfall, t0.Add(15*time.Minute))
	v.na = t0.Add(15 * time.Minute)
	v.sendt().svarFra(protokoll.Serverfeil, "")
	v.is.Equal(v.oppdrag(levering.KoSend).Forfall, v.na.Add(2*time.Hour))
	v.na = v.na.Add(2 * time.Hour)
	v.sendt().svarFra(protokoll.Serverfeil, "")
	_, mer := v.skylder(levering.KoSend)
	v.is.True(!mer) // then the frist
	v.ble(melding.AKSEPTERT, melding.SENDT_FAGSYSTEM)
	v.oppdrag(levering.KoFrist)
}

func TestRefusedLetterWaitsForAnOperator(t *testing.T) {
	for valg, slutt := range map[levering.Valg]melding.Tilstand{levering.ValgBrev: melding.SENDT_PRINT, levering.ValgSend: melding.SENDT_FAGSYSTEM, levering.ValgLevert: melding.LEVERT} {
		v := ny(t).sendt().frist().brev().vendor(levering.BrevAvvist)
		v.is.Equal(v.u.Melding.Tilstand(), melding.AVVIST_PRINT)
		s, ok := v.u.ApenSak(levering.SakBrevAvvist)
		v.is.True(ok && s.Kritisk)
		v.vendor(levering.BrevPostlagt)                          // a word about the old letter
		v.is.Equal(v.u.Melding.Tilstand(), melding.AVVIST_PRINT) // is never enough (D3)
		_, err := levering.Avgjor(v.u, levering.Avgjorelse{Valg: valg, Hvem: "kari"}, policy, v.na)
		v.is.True(errors.Is(err, levering.ErrOperator)) // a decision needs a reason
		v.gjor(levering.Avgjor(v.u, levering.Avgjorelse{Valg: valg, Hvem: "kari", Grunn: "adressen er rettet"}, policy, v.na))
		switch valg {
		case levering.ValgBrev:
			v.brev()
		case levering.ValgSend:
			v.sendt()
		default: // delivered by hand: nothing more happens
		}
		v.is.Equal(v.u.Melding.Tilstand(), slutt)
	}
}

func TestClosedAccountGoesToPaperNow(t *testing.T) {
	v := ny(t)
	v.konto.KontoAktiv = false
	v.begynn()
	_, sak := v.u.ApenSak(levering.SakIngenKanal)
	v.is.True(sak)
	v.brev()
	v.ble(melding.AKSEPTERT, melding.SENDT_PRINT)
}

func TestManualChannelIsMadeAvailable(t *testing.T) {
	v := ny(t)
	v.konto.Kanal = kommune.Manuell
	v.begynn()
	v.ble(melding.AKSEPTERT, melding.SENDT_FAGSYSTEM)
	v.oppdrag(levering.KoFrist) // a download never stops the clock, only confirmation
}

func TestLetterNeverReportedPostedIsACaseEveryDay(t *testing.T) {
	v := ny(t).sendt().frist().brev()
	o := v.oppdrag(levering.KoBrevvakt)
	v.na = o.Forfall
	v.gjor(levering.Brevvakt(v.u, o, policy, v.na))
	_, sak := v.u.ApenSak(levering.SakBrevIkkePostlagt)
	v.is.True(sak)
	v.is.Equal(v.oppdrag(levering.KoBrevvakt).Forfall, v.na.Add(24*time.Hour))
	v.is.Equal(v.u.Melding.Tilstand(), melding.SENDT_PRINT) // never LEVERT by assumption
	v.vendor(levering.BrevPostlagt)
	_, sak = v.u.ApenSak(levering.SakBrevIkkePostlagt)
	v.is.True(!sak)
}

func TestErasureWaitsForHoldCaseAndAttempt(t *testing.T) {
	v := ny(t).sendt().svar(protokoll.Mottatt)
	v.gjor(levering.Avgjor(v.u, levering.Avgjorelse{Valg: levering.ValgHold, Hvem: "a", Grunn: "b"}, policy, v.na))
	o := v.oppdrag(levering.KoSlett)
	v.is.Equal(o.Forfall, t0.Add(30*24*time.Hour))
	v.na = o.Forfall
	v.gjor(levering.Slett(v.u, o, policy, v.na))
	v.is.True(!v.u.Slettet)
	v.gjor(levering.Avgjor(v.u, levering.Avgjorelse{Valg: levering.ValgLoftHold, Hvem: "a", Grunn: "b"}, policy, v.na))
	o = v.oppdrag(levering.KoSlett)
	v.na = o.Forfall
	v.gjor(levering.Slett(v.u, o, policy, v.na))
	v.is.True(v.u.Slettet)
	v.is.True(v.u.Melding.Har(melding.InnholdSlettet)) // history stays
}
