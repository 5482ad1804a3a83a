package levering_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// TestWhateverHappensItIsOwed drives a report with every rule in any order: each step leaves a legal history, nothing unowed, at
// most one LEVERT and at most one open letter. Half of them start where an operator has to decide, for few get there by chance.
func TestWhateverHappensItIsOwed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := ny(t)
		if rapid.Bool().Draw(rt, "avvist av print") {
			v.sendt().frist().brev().vendor(rapid.SampledFrom([]levering.Brevstatus{levering.BrevAvvist, levering.BrevRetur}).Draw(rt, "hvordan"))
		}
		for range rapid.IntRange(1, 40).Draw(rt, "steg") {
			v.na = v.na.Add(time.Duration(rapid.Int64Range(0, int64(30*time.Hour)).Draw(rt, "tid")))
			var e levering.Endring
			var err error
			v.svarID = ""
			valgbare := append([]levering.Oppdrag(nil), v.u.Owed...)
			if len(valgbare) > 0 && rapid.Bool().Draw(rt, "arbeid") {
				o := rapid.SampledFrom(valgbare).Draw(rt, "oppdrag")
				e, err = v.tilfeldigArbeid(rt, o)
			} else {
				e, err = v.tilfeldigSvar(rt)
			}
			if errors.Is(err, levering.ErrValg) {
				continue
			}
			if err != nil {
				rt.Fatal(err)
			}
			u, err := levering.Anvend(v.u, e)
			if err != nil {
				rt.Fatalf("%v\n%v", err, v.tilstander())
			}
			v.u = u
			for _, h := range e.Hendelser {
				if (h.Referanse != "") != (h.Kode.Referanseslag() != melding.RefIngen) {
					rt.Fatalf("%s har referansen %q", h.Kode, h.Referanse)
				}
			}
			if v.svarID != "" && !u.Melding.HarSvar(v.svarID) && !u.Melding.Har(melding.FlereSvarTelles) {
				rt.Fatal("et svar ble borte")
			}
			if n := len(u.Melding.ApneForsok(melding.Brevforsok)); n > 1 {
				rt.Fatalf("%d brev samtidig", n)
			}
		}
		levert := 0
		for _, x := range v.tilstander() {
			if x == melding.LEVERT {
				levert++
			}
		}
		if levert > 1 {
			rt.Fatal("LEVERT mer enn én gang")
		}
	})
}

func (v *verden) tilfeldigArbeid(rt *rapid.T, o levering.Oppdrag) (levering.Endring, error) {
	switch o.Ko {
	case levering.KoSend:
		switch rapid.IntRange(0, 4).Draw(rt, "send") {
		case 0:
			if _, ok := v.u.Melding.FinnForsok(levering.Sendeforsok(v.u, o)); ok {
				return levering.SendingFullfort(v.u, o, v.konto, fmt.Sprint("ref", o.Runde, v.na.UnixNano()), policy, v.na)
			}
		case 1:
			if _, ok := v.u.Melding.FinnForsok(levering.Sendeforsok(v.u, o)); ok {
				return levering.SendingNektet(v.u, o, melding.ArsakNektet, policy, v.na)
			}
		case 2:
			return levering.SendingSliter(v.u, o, rapid.SampledFrom([]int{1, 5, 200}).Draw(rt, "n"), policy, v.na)
		}
		n := rapid.SampledFrom([]levering.Nokkel{levering.NokkelGyldig, levering.NokkelUtlopt}).Draw(rt, "nøkkel")
		return levering.BegynnSending(v.u, o, v.konto, n, policy, v.na)
	case levering.KoFrist:
		return levering.FristUtlopt(v.u, o, policy, v.na)
	case levering.KoBrev:
		switch rapid.IntRange(0, 3).Draw(rt, "brev") {
		case 0:
			return levering.BrevOvertatt(v.u, o.Forsok, policy, v.na)
		case 1:
			return levering.BrevNektet(v.u, o.Forsok, policy, v.na)
		case 2:
			return levering.BrevAldriOverfort(v.u, o, policy, v.na)
		}
		return levering.BegynnBrev(v.u, o, policy, v.na)
	case levering.KoBrevvakt:
		return levering.Brevvakt(v.u, o, policy, v.na)
	case levering.KoAvbestill:
		return levering.AvbestillingFerdig(v.u, o, rapid.Bool().Draw(rt, "stanset"), policy, v.na)
	default:
		return levering.Slett(v.u, o, policy, v.na)
	}
}

func (v *verden) tilfeldigSvar(rt *rapid.T) (levering.Endring, error) {
	v.n++
	brev := []melding.ForsokID{}
	for _, f := range v.u.Melding.Forsokene() {
		if f.Art == melding.Brevforsok {
			brev = append(brev, f.ID)
		}
	}
	switch k := rapid.IntRange(0, 4).Draw(rt, "hva"); {
	case k == 0 && len(brev) > 0:
		j := levering.Jobb{ID: rapid.SampledFrom(brev).Draw(rt, "brev"), Status: rapid.SampledFrom([]levering.Brevstatus{
			levering.BrevMottatt, levering.BrevPostlagt, levering.BrevAvvist, levering.BrevAnnullert, levering.BrevRetur}).Draw(rt, "status")}
		return levering.BehandleBrevstatus(v.u, levering.BrevstatusOppdrag(j, v.na), policy, v.na)
	case k <= 2:
		saker := []levering.SakID{""}
		for _, s := range v.u.Saker {
			if s.Apen() {
				saker = append(saker, s.ID)
			}
		}
		e, err := levering.Avgjor(v.u, levering.Avgjorelse{Hvem: "a", Grunn: "b", Sak: rapid.SampledFrom(saker).Draw(rt, "sak"),
			Valg: rapid.SampledFrom([]levering.Valg{levering.ValgBrev, levering.ValgSend, levering.ValgLevert, levering.ValgLukk, levering.ValgLukk, levering.ValgHold, levering.ValgLoftHold, levering.ValgNotat}).Draw(rt, "valg")}, policy, v.na)
		if err == nil {
			if _, aerr := levering.Anvend(v.u, e); errors.Is(aerr, levering.ErrIkkeSkyldig) {
				return e, levering.ErrValg // closing the last case of a report that owes nothing is refused, as it should be
			}
		}
		return e, err
	default:
		s := melding.Svar{ID: fmt.Sprintf("svar-%d", v.n), Mottatt: v.na, AvsenderKonto: rapid.SampledFrom([]kommune.KontoID{"k", "annen"}).Draw(rt, "konto"),
			Meldingstype: rapid.SampledFrom([]string{protokoll.Mottatt, protokoll.Feilet, protokoll.Serverfeil, protokoll.Tidsavbrudd, "noe"}).Draw(rt, "type"),
			Forbigaende:  rapid.Bool().Draw(rt, "forbigående")}
		v.svarID = s.ID
		return levering.BehandleSvar(v.u, levering.SvarOppdrag(s), policy, v.na)
	}
}
