package levering

import (
	"slices"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
)

// BegynnBrev is the last look before a letter leaves: confirmed meanwhile, it is never submitted. Still owed afterwards = submit,
// after asking the vendor first on any try but the first.
func BegynnBrev(u Utgave, o Oppdrag, p Policy, na time.Time) (Endring, error) {
	b := ny(u, p, na)
	if !u.Skylder(o.ID) {
		return b.ut()
	}
	f, ok := b.m.FinnForsok(o.Forsok)
	switch {
	case !ok || f.Avsluttet || f.Overtatt:
		b.ferdig(o.ID)
	case f.Overfort: // an earlier try's outcome is unknown: the vendor is asked
	case b.m.Tilstand() == melding.LEVERT:
		b.ferdig(o.ID)
		b.merknad(melding.BrevAvbestilt, melding.Hendelse{Forsok: f.ID, Kanal: kommune.Print})
	default:
		b.merknad(melding.BrevBegynt, melding.Hendelse{Forsok: f.ID, Kanal: kommune.Print})
	}
	return b.ut()
}

// BrevOvertatt: the vendor has the job.
func BrevOvertatt(u Utgave, forsok melding.ForsokID, p Policy, na time.Time) (Endring, error) {
	return brevstatus(u, "", Jobb{ID: forsok, Status: BrevMottatt}, p, na)
}

// BrevNektet: the vendor certainly will not take the job.
func BrevNektet(u Utgave, forsok melding.ForsokID, p Policy, na time.Time) (Endring, error) {
	return brevstatus(u, "", Jobb{ID: forsok, Status: BrevAvvist}, p, na)
}

// BehandleBrevstatus judges one word from the vendor. It always settles o.
func BehandleBrevstatus(u Utgave, o Oppdrag, p Policy, na time.Time) (Endring, error) {
	return brevstatus(u, o.ID, *o.Jobb, p, na)
}

func brevstatus(u Utgave, ferdig OppdragID, j Jobb, p Policy, na time.Time) (Endring, error) {
	b := ny(u, p, na)
	if ferdig != "" {
		b.ferdig(ferdig)
	}
	f, ok := b.m.FinnForsok(j.ID)
	if !ok {
		return b.ut()
	}
	b.ferdigKo(KoBrev, f.ID)
	if b.sagtOmBrev(f, j.Status) {
		return b.ut() // events come at least once and in any order
	}
	switch j.Status {
	case BrevMottatt:
		b.brukBrev(melding.UtfallOvertatt, f)
		b.lukkSaker(melding.AktorPortal, "overtatt av print", SakBrevSliter)
		if b.m.Tilstand() == melding.LEVERT {
			b.skyld(KoAvbestill, f.ID, 1, na)
		}
		b.skyld(KoBrevvakt, f.ID, 1, p.Brev.Etter(p.Kalender, na))
	case BrevPostlagt:
		b.ferdigKo(KoBrevvakt, f.ID)
		b.ferdigKo(KoAvbestill, f.ID)
		b.brukBrev(melding.UtfallPostlagt, f)
		b.lukkSaker(melding.AktorPrint, "postlagt", SakBrevIkkePostlagt, SakBrevSliter)
	case BrevAnnullert:
		b.ferdigKo(KoBrevvakt, f.ID)
		b.ferdigKo(KoAvbestill, f.ID)
		if b.m.Tilstand() == melding.LEVERT && !b.harRad(f.ID, melding.BrevPostlagt) {
			b.merknad(melding.BrevAvbestilt, melding.Hendelse{Forsok: f.ID, Aktor: melding.AktorPrint, Kanal: kommune.Print})
			b.lukkSaker(melding.AktorPrint, "annullert", SakBrevIkkePostlagt)
			break
		}
		b.brukBrev(melding.UtfallBrevAvvist, f) // somebody else stopped it: no letter will come
	case BrevAvvist:
		b.ferdigKo(KoBrevvakt, f.ID)
		b.ferdigKo(KoAvbestill, f.ID)
		b.brukBrev(melding.UtfallBrevAvvist, f)
	case BrevRetur:
		b.ferdigKo(KoBrevvakt, f.ID)
		b.ferdigKo(KoAvbestill, f.ID)
		b.brukBrev(melding.UtfallRetur, f)
	}
	return b.ut()
}

// sagtOmBrev says whether a word about a letter tells nothing new: it has been said, or it lies before what has been said. A vendor that
// takes back what it has said is never such a one: LEVERT may rest on it.
func (b *bygger) sagtOmBrev(f melding.Forsok, s Brevstatus) bool {
	retur := b.harRad(f.ID, melding.BrevIRetur, melding.ReturEtterLevert)
	switch s {
	case BrevMottatt:
		return f.Overtatt || f.Avsluttet
	case BrevPostlagt:
		return retur || b.harRad(f.ID, melding.BrevPostlagt, melding.PostlagtEtterLevert, melding.BrevsvarStrider)
	case BrevRetur:
		return retur
	default: // refused, or stopped by somebody else: after a posting it is new
		return retur || f.Avsluttet && !b.harRad(f.ID, melding.BrevPostlagt, melding.PostlagtEtterLevert) || b.harRad(f.ID, melding.AvvistEtterLevert)
	}
}

func (b *bygger) harRad(f melding.ForsokID, koder ...melding.Kode) bool {
	return slices.ContainsFunc(b.m.Historikk, func(h melding.Hendelse) bool { return h.Forsok == f && slices.Contains(koder, h.Kode) })
}

func (b *bygger) brukBrev(utfall melding.Utfall, f melding.Forsok) {
	r := melding.ReagerPaBrev(b.m.Tilstand(), utfall, !f.Avsluttet)
	if f.Avsluttet && b.m.Tilstand() != melding.LEVERT {
		r = melding.Reaksjon{Merknad: melding.BrevsvarStrider, Varsles: melding.Operator} // about a letter that had come to an end
	}
	h := melding.Hendelse{Forsok: f.ID, Referanse: string(f.ID), Aktor: melding.AktorPrint, Kanal: kommune.Print}
	for _, s := range r.Overganger {
		if s.Tilstand == melding.LEVERT {
			b.levertMedBrev()
		}
		b.overgang(s, h)
	}
	if r.Merknad != "" {
		b.merknad(r.Merknad, h)
	}
	if len(r.Overganger) > 0 {
		b.digitaltErOver("")
	}
	if utfall == melding.UtfallBrevAvvist && b.harRad(f.ID, melding.BrevPostlagt) {
		r.Varsles = melding.OperatorKritisk // the report is LEVERT because this letter was posted, and now it was not
	}
	if r.Varsles == "" {
		return
	}
	switch utfall {
	case melding.UtfallBrevAvvist, melding.UtfallPostlagt:
		b.sak(SakBrevAvvist, utfall == melding.UtfallBrevAvvist)
	case melding.UtfallRetur:
		b.sak(SakBrevRetur, true)
	default: // nobody is told of the others
	}
}

// levertMedBrev is levert when the letter itself ended it: that attempt needs no cancel.
func (b *bygger) levertMedBrev() {
	b.digitaltErOver("")
	b.lukkSaker(melding.AktorPrint, "postlagt", leveringssaker...)
	b.skyld(KoSlett, "", 1, b.na.Add(b.oppbevar()))
}

// BrevAldriOverfort: the vendor certainly never got a letter that is no longer wanted. When it still is wanted nothing changes, and
// the caller submits it.
func BrevAldriOverfort(u Utgave, o Oppdrag, p Policy, na time.Time) (Endring, error) {
	b := ny(u, p, na)
	f, ok := b.m.FinnForsok(o.Forsok)
	if !u.Skylder(o.ID) || !ok || f.Avsluttet || b.m.Tilstand() != melding.LEVERT {
		return b.ut()
	}
	b.ferdigKo(KoBrev, f.ID)
	b.ferdigKo(KoAvbestill, f.ID)
	b.merknad(melding.BrevAvbestilt, melding.Hendelse{Forsok: f.ID, Kanal: kommune.Print})
	b.lukkSaker(melding.AktorPortal, "avbestilt", SakBrevSliter)
	return b.ut()
}

// BrevSliter follows a try to submit with unknown outcome: print work repeats for ever, and a case opens at the fifth.
func BrevSliter(u Utgave, o Oppdrag, forsok int, p Policy, na time.Time) (Endring, error) {
	b := ny(u, p, na)
	if u.Skylder(o.ID) && forsok >= p.SakFra {
		b.sak(SakBrevSliter, true)
	}
	return b.ut()
}

// Brevvakt opens a case for a letter the vendor has had too long, and looks again every day. It never assumes a delivery.
func Brevvakt(u Utgave, o Oppdrag, p Policy, na time.Time) (Endring, error) {
	b := ny(u, p, na)
	if !u.Skylder(o.ID) {
		return b.ut()
	}
	if f, ok := b.m.FinnForsok(o.Forsok); !ok || f.Avsluttet {
		b.ferdig(o.ID)
		return b.ut()
	}
	b.sak(SakBrevIkkePostlagt, false)
	b.igjen(o, na.Add(24*time.Hour))
	return b.ut()
}

// AvbestillingFerdig records the vendor's answer to a cancel. Too late is a fact too: the watch goes on until the letter is posted.
func AvbestillingFerdig(u Utgave, o Oppdrag, stanset bool, p Policy, na time.Time) (Endring, error) {
	b := ny(u, p, na)
	if !u.Skylder(o.ID) {
		return b.ut()
	}
	b.ferdig(o.ID)
	f, ok := b.m.FinnForsok(o.Forsok)
	if !ok || f.Avsluttet {
		return b.ut()
	}
	h := melding.Hendelse{Forsok: o.Forsok, Aktor: melding.AktorPrint, Kanal: kommune.Print}
	if stanset {
		b.ferdigKo(KoBrevvakt, f.ID)
		b.ferdigKo(KoBrev, f.ID)
		b.merknad(melding.BrevAvbestilt, h)
		b.lukkSaker(melding.AktorPrint, "avbestilt", SakBrevSliter, SakBrevIkkePostlagt)
		return b.ut()
	}
	b.merknad(melding.AvbestillingForSen, h)
	if !harKo(u, KoBrevvakt) {
		b.skyld(KoBrevvakt, f.ID, 1, p.Brev.Etter(p.Kalender, na))
	}
	return b.ut()
}
