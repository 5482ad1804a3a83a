package levering_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

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

func TestAReceiptFromTheWrongAccountIsOneCaseWhateverComesAfter(t *testing.T) {
	for _, slag := range []string{protokoll.Mottatt, protokoll.Feilet} {
		v := ny(t).sendt().svarFra(slag, "en annen")
		v.ble(melding.AKSEPTERT, melding.SENDT_FAGSYSTEM)
		sak, apen := v.u.ApenSak(levering.SakAnnenKonto)
		v.is.True(apen) // the receiver may have another account by now, or somebody has what is not theirs
		v.gjor(levering.Avgjor(v.u, levering.Avgjorelse{Valg: levering.ValgLukk, Sak: sak.ID, Hvem: "kari", Grunn: "spurt"}, policy, v.na))
		v.na = v.na.Add(time.Minute)
		v.svarFra(slag, "en annen").svarFra(slag, "en tredje")
		v.is.Equal(len(v.u.Saker), 1)
		v.is.Equal(v.u.Melding.Antall(melding.SvarFraAnnenKonto), 3)
	}
}

func TestAnAnswerOfAnUnknownKindCallsSomebodyOnlyWhenTheReceiverSentIt(t *testing.T) {
	v := ny(t).sendt().svarFra("no.ks.fiks.noe.annet.v1", "en annen")
	v.is.Equal(len(v.u.Saker), 0)
	v.is.True(v.u.Melding.Har(melding.SvarFraAnnenKonto))
	v.svar("no.ks.fiks.noe.annet.v1")
	_, apen := v.u.ApenSak(levering.SakUkjentSvar)
	v.is.True(apen)
	v.is.True(v.u.Melding.Har(melding.UkjentSvar))
}

// Whoever knows a report's id can answer as often as they like. It fills no history, and takes nothing from the receiver.
func TestAStrangerCannotFillAHistory(t *testing.T) {
	for navn, fyll := range map[string]func(*verden) *verden{
		"kvittering":     func(v *verden) *verden { return v.svarFra(protokoll.Mottatt, "en annen") },
		"avvisning":      func(v *verden) *verden { return v.svarFra(protokoll.Feilet, "en annen") },
		"noe ukjent":     func(v *verden) *verden { return v.svarFra("noe", "en annen") },
		"serverfeil":     func(v *verden) *verden { return v.svarFra(protokoll.Serverfeil, "en annen") },
		"tidsavbrudd":    func(v *verden) *verden { return v.svarFra(protokoll.Tidsavbrudd, "en annen") },
		"ukjent fra oss": func(v *verden) *verden { return v.svar("noe") },
	} {
		t.Run(navn, func(t *testing.T) {
			for slag, ventet := range map[string]melding.Tilstand{protokoll.Feilet: melding.AVVIST_FAGSYSTEM, protokoll.Mottatt: melding.LEVERT} {
				v := ny(t).sendt()
				for range 30 {
					fyll(v)
				}
				n := len(v.u.Melding.Historikk)
				v.is.True(n < 30)
				for range 70 {
					fyll(v)
				}
				v.is.Equal(len(v.u.Melding.Historikk), n)
				v.is.Equal(v.u.Melding.Historikk[n-1].Kode, melding.FlereSvarTelles) // who reads the last row knows
				v.is.Equal(v.u.Melding.Antall(melding.FlereSvarTelles), 1)
				v.is.True(len(v.u.Saker) <= 1)
				v.svar(slag)
				v.is.Equal(v.u.Melding.Tilstand(), ventet)
			}
		})
	}
}

// Nobody who was never asked can switch off the net under a report.
func TestAStrangersCaseTakesNoOwedWorksPlace(t *testing.T) {
	v := ny(t).sendt().frist().brev().vendor(levering.BrevAvvist).svarFra(protokoll.Mottatt, "en annen")
	sak, _ := v.u.ApenSak(levering.SakBrevAvvist)
	e, err := levering.Avgjor(v.u, levering.Avgjorelse{Valg: levering.ValgLukk, Sak: sak.ID, Hvem: "kari", Grunn: "prøve"}, policy, v.na)
	v.is.NoErr(err)
	_, err = levering.Anvend(v.u, e)
	v.is.True(errors.Is(err, levering.ErrIkkeSkyldig))
	v.avgjor(levering.ValgSend, "").lukk(levering.SakBrevAvvist).sendt()
	_, apen := v.u.ApenSak(levering.SakBrevAvvist)
	v.is.True(apen)
}

// A case system that answers for ever fills neither the history nor the disk, and whoever must know is told all the same.
func TestACaseSystemThatAnswersForEverFillsNothing(t *testing.T) {
	for navn, x := range map[string]struct {
		forst       []string
		forbigaende bool
		sak         levering.Saksart
	}{
		"avviser etter at den er levert": {[]string{protokoll.Mottatt}, false, levering.SakFeiletEtterLevert},
		"avviser etter at den er avvist": {[]string{protokoll.Feilet}, false, ""},
		"kan ikke akkurat nå":            {nil, true, levering.SakMidlertidigFeil},
	} {
		t.Run(navn, func(t *testing.T) {
			v := ny(t).sendt()
			for _, s := range x.forst {
				v.svar(s)
			}
			deler, n := map[melding.Del]bool{}, 0
			for i := range 100 {
				s := melding.Svar{ID: fmt.Sprint("nok-", i), Meldingstype: protokoll.Feilet, AvsenderKonto: "k", Forbigaende: x.forbigaende,
					Innhold: melding.ForsegletBytes(melding.X509, []byte("x"))}
				e, err := levering.BehandleSvar(v.u, levering.SvarOppdrag(s), policy, v.na)
				for d := range e.Deler {
					v.is.True(!deler[d]) // each body has a name of its own
					deler[d] = true
				}
				v.gjor(e, err)
				if i == 30 {
					n = len(v.u.Melding.Historikk)
				}
			}
			v.is.Equal(len(v.u.Melding.Historikk), n)
			v.is.Equal(len(deler), levering.MaksUbrukteSvar)
			if x.sak == "" {
				return
			}
			v.lukk(x.sak)
			v.na = v.na.Add(time.Minute)
			s := melding.Svar{ID: "en til", Meldingstype: protokoll.Feilet, AvsenderKonto: "k", Forbigaende: x.forbigaende}
			v.gjor(levering.BehandleSvar(v.u, levering.SvarOppdrag(s), policy, v.na))
			_, apen := v.u.ApenSak(x.sak)
			v.is.True(apen)
			if v.u.Melding.Tilstand() != melding.LEVERT {
				v.svar(protokoll.Mottatt)
				v.is.Equal(v.u.Melding.Tilstand(), melding.LEVERT)
			}
		})
	}
}

// What nobody understands calls a person each time while every answer has its row, and after that once a day for as long as it goes on:
// it is neither forgotten nor back on the desk the minute it was closed.
func TestAnswersNobodyUnderstandsCallSomebodyAgainButNotAllDay(t *testing.T) {
	v := ny(t).sendt()
	apen := func() bool { _, ja := v.u.ApenSak(levering.SakUkjentSvar); return ja }
	for range levering.MaksUbrukteSvar {
		v.na = v.na.Add(time.Minute)
		v.svar("noe")
		v.is.True(apen())
		v.lukk(levering.SakUkjentSvar)
	}
	siste, rader := v.na, len(v.u.Melding.Historikk)
	for _, slag := range []string{"noe", "noe annet"} {
		for range 50 {
			v.na = v.na.Add(time.Minute)
			v.svar(slag)
			v.is.True(!apen())
		}
	}
	v.is.Equal(len(v.u.Saker), levering.MaksUbrukteSvar)
	for dag := range 3 {
		v.na = siste.Add(time.Duration(dag+1) * 24 * time.Hour)
		v.svar("noe")
		v.is.True(apen())
		for range 10 { // one case is enough while it is open, too
			v.na = v.na.Add(time.Minute)
			v.svar("noe")
		}
		v.is.Equal(len(v.u.Saker), levering.MaksUbrukteSvar+dag+1)
		v.lukk(levering.SakUkjentSvar)
		v.svar("noe")
		v.is.True(!apen())
	}
	v.is.Equal(len(v.u.Melding.Historikk)-rader, 3) // her closings, and nothing of theirs
	v.svar(protokoll.Mottatt)
	v.is.Equal(v.u.Melding.Tilstand(), melding.LEVERT)
}

// One kind that is full leaves room for the others: what the receiver sends is not hidden behind what a stranger sent.
func TestAFullKindHidesNoOther(t *testing.T) {
	v := ny(t).sendt()
	for range 50 {
		v.svarFra(protokoll.Mottatt, "en annen").svarFra(protokoll.Tidsavbrudd, "en annen")
	}
	v.svar("noe").svar(protokoll.Serverfeil)
	v.is.True(v.u.Melding.Har(melding.UkjentSvar))
	v.is.True(v.u.Melding.Har(melding.Serverfeil))
	_, igjen := v.skylder(levering.KoSend)
	v.is.True(igjen) // and the platform's word still leads to a new send
}
