package levering

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"portal.example/bekymringsmelding/domain/melding"
)

// Slett erases the content when retention is over and nothing stands against it; otherwise it looks again tomorrow.
func Slett(u Utgave, o Oppdrag, p Policy, na time.Time) (Endring, error) {
	b := ny(u, p, na)
	if !u.Skylder(o.ID) {
		return b.ut()
	}
	if u.Slettet {
		b.ferdig(o.ID)
		return b.ut()
	}
	tidligst := b.m.Levert().Add(b.oppbevar())
	apent := len(b.m.ApneForsok(melding.Sendeforsok))+len(b.m.ApneForsok(melding.Brevforsok)) > 0
	if na.Before(tidligst) || b.m.Hold() || u.harApenSak() || apent {
		b.igjen(o, maxTid(tidligst, na.Add(24*time.Hour)))
		return b.ut()
	}
	b.ferdig(o.ID)
	b.merknad(melding.InnholdSlettet, melding.Hendelse{})
	b.e.Slett = true
	return b.ut()
}

func maxTid(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Valg is what an operator can decide.
type Valg string

const (
	ValgBrev     Valg = "brev"      // AVVIST_PRINT: order a new letter
	ValgSend     Valg = "send"      // send again digitally (AVVIST_PRINT, or a resend after LEVERT while content is kept)
	ValgLevert   Valg = "levert"    // AVVIST_PRINT: delivered in another way, documented
	ValgLukk     Valg = "lukk"      // close a case
	ValgHold     Valg = "hold"      // stop erasure
	ValgLoftHold Valg = "loft-hold" // let erasure go on
	ValgNotat    Valg = "notat"
)

// ErrValg says that a decision does not fit the report's state.
var ErrValg = errors.New("valget passer ikke i denne tilstanden")

// Avgjorelse is one operator's decision; actor and reason are always there (KontrollerOperator).
type Avgjorelse struct {
	Valg  Valg
	Hvem  string
	Grunn string
	Sak   SakID // ValgLukk
}

// Caps on what an operator writes, in characters: it stands in an append-only history.
const (
	MaksHvem  = 64
	MaksGrunn = 500
)

// ErrOperator says that a decision lacks a usable actor or reason; the text around it says which and why.
var ErrOperator = errors.New("oppgi hvem som avgjør, og hvorfor")

// KontrollerOperator refuses an actor or a reason that is blank, too long, or holds anything but visible characters and spaces: a line
// break could make one line of history look like two, and an invisible character could make a name look like another.
func KontrollerOperator(hvem, grunn string) error {
	for _, x := range []struct {
		navn, tekst string
		maks        int
	}{{"navnet på den som avgjør", hvem, MaksHvem}, {"begrunnelsen", grunn, MaksGrunn}} {
		switch {
		case strings.TrimSpace(x.tekst) == "":
			return fmt.Errorf("%w: %s mangler", ErrOperator, x.navn)
		case !utf8.ValidString(x.tekst) || strings.ContainsFunc(x.tekst, func(r rune) bool { return !unicode.IsGraphic(r) }):
			return fmt.Errorf("%w: %s har linjeskift eller andre tegn som ikke vises", ErrOperator, x.navn)
		case utf8.RuneCountInString(x.tekst) > x.maks:
			return fmt.Errorf("%w: %s er lengre enn %d tegn", ErrOperator, x.navn, x.maks)
		}
	}
	return nil
}

// Avgjor carries out an operator's decision.
func Avgjor(u Utgave, a Avgjorelse, p Policy, na time.Time) (Endring, error) {
	b := ny(u, p, na)
	t := b.m.Tilstand()
	feil := func() (Endring, error) {
		return Endring{}, fmt.Errorf("melding %s i %s, valg %s: %w", b.m.Fakta.ID, t, a.Valg, ErrValg)
	}
	if err := KontrollerOperator(a.Hvem, a.Grunn); err != nil {
		return Endring{}, fmt.Errorf("melding %s, valg %s: %w", b.m.Fakta.ID, a.Valg, err)
	}
	aktor := melding.AktorOperator(a.Hvem)
	h := melding.Hendelse{Aktor: aktor, Grunn: a.Grunn}
	switch a.Valg {
	case ValgBrev:
		if t != melding.AVVIST_PRINT || u.Slettet {
			return feil()
		}
		b.merknad(melding.Notat, h)
		b.bestillBrev(melding.ArsakOperator, aktor)
	case ValgSend:
		if t != melding.AVVIST_PRINT && t != melding.LEVERT || u.Slettet {
			return feil()
		}
		if harKo(u, KoSend) { // told that it failed, she asks again; the one ordered has not gone yet, and two would be two deliveries
			b.merknad(melding.Notat, h)
			return b.ut()
		}
		runde := b.nesteSendeRunde()
		b.merknad(melding.NySendingBestilt, h)
		b.skyld(KoSend, "", runde, na)
	case ValgLevert:
		if t != melding.AVVIST_PRINT {
			return feil()
		}
		b.levert()
		b.overgang(melding.Steg{Tilstand: melding.LEVERT, Kode: melding.LevertForHand}, h)
	case ValgLukk:
		for _, s := range u.Saker {
			if s.ID == a.Sak && s.Apen() {
				s.Lukket, s.LukketAv, s.Grunn = na.UTC().Truncate(time.Microsecond), aktor, a.Grunn
				b.e.Saker = append(b.e.Saker, s)
				b.merknad(melding.Notat, h)
				return b.ut()
			}
		}
		return feil()
	case ValgHold:
		if b.m.Hold() || u.Slettet {
			return feil()
		}
		b.merknad(melding.HoldSatt, h)
	case ValgLoftHold:
		if !b.m.Hold() {
			return feil()
		}
		b.merknad(melding.HoldLoftet, h)
	case ValgNotat:
		b.merknad(melding.Reager(t, melding.UtfallOperator).Merknad, h)
	default:
		return feil()
	}
	return b.ut()
}

// nesteSendeRunde follows every send ever ordered, so that a resend is a new attempt with an id of its own.
func (b *bygger) nesteSendeRunde() int {
	return 2 + b.m.Antall(melding.NySendingBestilt)
}

// Reparer gives a report that breaks "always owed" the work it lacks, and calls a person. It should never find anything.
func Reparer(u Utgave, p Policy, na time.Time) (Endring, error) {
	if Kontroller(u) == nil {
		return Endring{}, nil
	}
	b := ny(u, p, na)
	b.merknad(melding.ReparertAvSveip, melding.Hendelse{})
	b.sak(SakIkkeSkyldig, true)
	t := b.m.Tilstand()
	if (t == melding.AKSEPTERT || t == melding.SENDT_FAGSYSTEM) && !b.m.Har(melding.VenterPaPrint) && !harKo(u, KoFrist) {
		b.skyld(KoFrist, "", b.m.Antall(melding.ReparertAvSveip)+1, maxTid(b.m.Fakta.Frist, na))
	}
	for _, f := range b.m.ApneForsok(melding.Brevforsok) {
		if f.Overtatt {
			b.skyld(KoBrevvakt, f.ID, 1000+b.m.Antall(melding.ReparertAvSveip), na)
		} else {
			b.skyld(KoBrev, f.ID, 1000+b.m.Antall(melding.ReparertAvSveip), na)
		}
	}
	if t == melding.AVVIST_FAGSYSTEM && len(b.m.ApneForsok(melding.Brevforsok)) == 0 {
		b.bestillBrev(melding.ArsakAvvist, "")
	}
	return b.ut()
}
