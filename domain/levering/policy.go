// Package levering is the delivery policy: which channel, which frist, what is owed now, and what every answer leads to.
//
// Every rule is a pure function (Utgave, facts, now) → Endring. app/delivery reads the world, calls one of them inside
// Store.Update and does the I/O before or after; nothing here waits, sends or looks at a clock. Anvend applies an Endring and
// Kontroller refuses one that would leave a report with nothing owed.
package levering

import (
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/virketid"
)

// Varighet is a length of time in one of three ways of counting; the first that is set counts.
type Varighet struct {
	Virketimer  int           // clock hours on working days (D1)
	Kontortimer int           // hours between 08 and 16 on working days
	Tid         time.Duration // plain time; only in the demo and with --dev
}

// Etter is the instant v after t.
func (v Varighet) Etter(k virketid.Kalender, t time.Time) time.Time {
	switch {
	case v.Virketimer > 0:
		return k.PlussVirketimer(t, v.Virketimer)
	case v.Kontortimer > 0:
		return k.PlussKontortimer(t, v.Kontortimer, 8, 16)
	default:
		return t.Add(v.Tid)
	}
}

// Policy holds every number of the delivery rules. Standard gives the real ones.
type Policy struct {
	Kalender    virketid.Kalender
	Digital     Varighet        // from AKSEPTERT to the letter, Fiks IO and SvarInn
	Manuell     Varighet        // the same for manual download
	Brev        Varighet        // from the vendor's acceptance until somebody asks why it is not posted
	Oppbevar    time.Duration   // content is kept this long after LEVERT (D18)
	NySending   []time.Duration // after each serverfeil, while the frist allows (D5)
	MinTTL      time.Duration   // with less left to the frist nothing is sent
	MaksVent    time.Duration   // longest pause between tries of the same work
	SakFra      int             // a case opens at this many tries
	MaksSending int             // sending is given up after this many; frist and print never are
	SvarVent    time.Duration   // how long an unmatched answer waits for its report
}

// Standard is the policy of the real service.
func Standard(k virketid.Kalender) Policy {
	return Policy{
		Kalender: k,
		Digital:  Varighet{Virketimer: 40}, Manuell: Varighet{Virketimer: 48}, Brev: Varighet{Virketimer: 16},
		Oppbevar: 30 * 24 * time.Hour, NySending: []time.Duration{15 * time.Minute, 2 * time.Hour},
		MinTTL: time.Second, MaksVent: 15 * time.Minute, SakFra: 5, MaksSending: 200, SvarVent: 15 * time.Minute,
	}
}

// Frist is when the letter for a report accepted now leaves unless somebody confirms.
func (p Policy) Frist(konto kommune.Mottakerkonto, innsendt time.Time) time.Time {
	v := p.Digital
	if konto.Kanal == kommune.Manuell {
		v = p.Manuell
	}
	if konto.FristSekunder > 0 {
		v = Varighet{Tid: time.Duration(konto.FristSekunder) * time.Second}
	}
	return v.Etter(p.Kalender, innsendt).UTC().Truncate(time.Microsecond)
}

// OppbevarFor is the receiver's retention, never under the policy's.
func (p Policy) OppbevarFor(konto kommune.Mottakerkonto) time.Duration {
	return max(p.Oppbevar, time.Duration(konto.OppbevarDager)*24*time.Hour)
}

// Vent is the pause before try number n+1 of the same work: doubling from one second, capped.
func (p Policy) Vent(n int) time.Duration {
	d := time.Second << min(max(n-1, 0), 20)
	return min(d, p.MaksVent)
}

// Aksepter is what becomes true when a report is accepted: its first events, the work it owes from then on, and the case it may
// need at once.
func Aksepter(f melding.Fakta, na time.Time) ([]melding.Hendelse, []Oppdrag, []Sak) {
	b := ny(Utgave{Melding: melding.Melding{Fakta: f}}, Policy{}, na)
	b.overgang(melding.Steg{Tilstand: melding.AKSEPTERT, Kode: melding.Akseptert}, melding.Hendelse{Kanal: f.Kanal, KontoID: f.KontoID})
	if f.MuligDublett != "" {
		b.merknad(melding.MuligDublett, melding.Hendelse{Referanse: string(f.MuligDublett)})
	}
	if f.UtloptPrint {
		b.sak(SakUtloptPrint, true) // accepted all the same: a report is worth more than a key's date
	}
	b.skyld(KoSend, "", 1, na)
	b.skyld(KoFrist, "", 1, f.Frist)
	return b.m.Historikk, b.e.Nye, b.e.Saker
}
