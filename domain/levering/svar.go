package levering

import (
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// UtfallAv reads an answer's type. ok is false for a type that means nothing to us.
func UtfallAv(s melding.Svar) (u melding.Utfall, ok bool) {
	switch protokoll.Kanonisk(s.Meldingstype) {
	case protokoll.Mottatt:
		return melding.UtfallMottatt, true
	case protokoll.Feilet:
		return melding.UtfallFeilet, true
	case protokoll.Serverfeil:
		return melding.UtfallServerfeil, true
	case protokoll.Tidsavbrudd:
		return melding.UtfallTidsavbrudd, true
	}
	return "", false
}

// BehandleSvar judges one answer by the table. It always settles o.
func BehandleSvar(u Utgave, o Oppdrag, p Policy, na time.Time) (Endring, error) {
	b := ny(u, p, na)
	b.ferdig(o.ID)
	s := *o.Svar
	if b.m.HarSvar(s.ID) {
		return b.ut() // the broker delivered the same answer again
	}
	h := melding.Hendelse{Aktor: melding.AktorMottaker, Meldingstype: s.Meldingstype, Referanse: s.ID, KontoID: s.AvsenderKonto, Kanal: b.m.Fakta.Kanal}
	if s.Aktor != "" {
		h.Aktor = s.Aktor
	}
	utfall, kjent := UtfallAv(s)
	fraPlattformen := utfall == melding.UtfallServerfeil || utfall == melding.UtfallTidsavbrudd
	switch {
	case fraPlattformen && !b.begynt(): // nobody has even begun to send what the platform could have a word about: this is not from it
		b.svarmerknad(melding.SvarFraAnnenKonto, h)
		return b.ut()
	case !fraPlattformen && !b.spurt(s.AvsenderKonto):
		b.svarmerknad(melding.SvarFraAnnenKonto, h)
		if kjent {
			b.sakEnGang(SakAnnenKonto)
		}
		return b.ut()
	case !kjent:
		b.svarmerknad(melding.UkjentSvar, h)
		if b.m.HarSvar(s.ID) {
			b.sak(SakUkjentSvar, false)
		} else {
			b.sakDaglig(SakUkjentSvar) // whoever closed it has seen the last row say that more are only counted
		}
		return b.ut()
	}
	if fraPlattformen {
		h.Aktor = melding.AktorPortal
	}
	if utfall == melding.UtfallFeilet {
		h.Arsak = s.Lesbarhet
		if !s.Innhold.Tom() && !u.Slettet {
			h.Del = melding.DelSvar(b.m.Antall(melding.AvvistFagsystem) + b.m.Antall(melding.FeiletEtterPrint) + b.m.Antall(melding.FeiletEtterLevert) +
				b.m.Antall(melding.SvarGjentatt) + b.m.Antall(melding.MidlertidigFeil) + 1)
		}
	}
	if utfall == melding.UtfallFeilet && s.Forbigaende {
		b.svarmerknad(melding.MidlertidigFeil, h)
		b.sak(SakMidlertidigFeil, false)
	} else {
		b.bruk(utfall, h)
	}
	if h.Del != "" && b.m.HarSvar(s.ID) { // a body without a row would be nobody's
		b.e.Deler = map[melding.Del]melding.Forseglet{h.Del: s.Innhold}
	}
	return b.ut()
}

// MaksUbrukteSvar is how much of what changes nothing anybody can make us write: rows of one kind in a report's history, and cases in a
// day about answers that match nothing. What one mistake makes is seen whole; a flood, or a case system that answers for ever, hides
// nothing else and fills nothing. Rows of each kind are counted by themselves: a stranger's take no room from the receiver's.
const MaksUbrukteSvar = 20

// svarmerknad notes an answer that changes nothing. The last row of its kind says that more are only counted.
func (b *bygger) svarmerknad(k melding.Kode, h melding.Hendelse) {
	n := b.m.Antall(k)
	if n >= MaksUbrukteSvar {
		return // the caller sees that the answer is not in the history, and counts it
	}
	b.merknad(k, h)
	if n == MaksUbrukteSvar-1 {
		b.merknad(melding.FlereSvarTelles, melding.Hendelse{})
	}
}

// spurt says whether an account is one this report was sent to.
func (b *bygger) spurt(konto kommune.KontoID) bool {
	if konto == b.m.Fakta.KontoID {
		return true
	}
	for _, h := range b.m.Historikk {
		if h.Kode == melding.SendingBegynt || h.Kode == melding.GjortTilgjengelig {
			if h.KontoID == konto {
				return true
			}
		}
	}
	return false
}

// begynt says whether a send has begun, ever.
func (b *bygger) begynt() bool { return b.m.Har(melding.SendingBegynt) }

// bruk does what the table says of an answer from the receiver or the platform.
func (b *bygger) bruk(utfall melding.Utfall, h melding.Hendelse) {
	t := b.m.Tilstand()
	r := melding.Reager(t, utfall)
	for _, s := range r.Overganger {
		sh := h
		switch s.Kode {
		case melding.SendtBevist:
			// The answer overtook our own commit of the send, and proves it.
			sh.Aktor, sh.Referanse, sh.Del, sh.Arsak = melding.AktorPortal, "", "", ""
			sh.Meldingstype = protokoll.Meldingstype(b.m.Fakta.Slag, b.m.Fakta.Versjon)
			if f := b.m.ApneForsok(melding.Sendeforsok); len(f) > 0 {
				sh.Forsok = f[0].ID
			}
			b.ferdigKo(KoSend, "")
		case melding.BekreftetMottatt:
			s.Kode = b.bekreftelse()
			b.levert()
		}
		b.overgang(s, sh)
	}
	if r.Merknad != "" {
		b.svarmerknad(r.Merknad, h)
	}
	switch r.Folge {
	case melding.FolgeBrev:
		arsak := melding.ArsakAvvist
		if b.m.Fakta.Versjon == melding.V2 {
			arsak = melding.ArsakAvvistV2
		}
		b.bestillBrev(arsak, "")
	case melding.FolgeSendPaNytt:
		b.sendPaNytt()
	case melding.FolgeSjekkFrist:
		if !b.na.Before(b.m.Fakta.Frist) {
			b.bestillBrev(melding.ArsakIngenKvittering, "")
		}
	default: // a cancel and the erasure are owed by levert
	}
	if utfall == melding.UtfallFeilet && r.Varsles == melding.OperatorKritisk {
		b.sak(SakFeiletEtterLevert, true)
	}
}

// bekreftelse chooses the sentence of a confirmation: «avbestilt» is said only of a letter that never left our own queue.
func (b *bygger) bekreftelse() melding.Kode {
	kode := melding.BekreftetMottatt
	for _, f := range b.m.ApneForsok(melding.Brevforsok) {
		if f.Overfort {
			return melding.BekreftetBrevUnderveis
		}
		kode = melding.BekreftetAvbestilt
	}
	return kode
}

// sendPaNytt owes one new send after each serverfeil, while the policy and the frist allow.
func (b *bygger) sendPaNytt() {
	n := b.m.Antall(melding.Serverfeil)
	if n < 1 || n > len(b.p.NySending) {
		return
	}
	nar := b.na.Add(b.p.NySending[n-1])
	if b.m.Fakta.Frist.Sub(nar) < b.p.MinTTL {
		return
	}
	runde := b.nesteSendeRunde()
	b.merknad(melding.NySendingBestilt, melding.Hendelse{})
	b.skyld(KoSend, "", runde, nar)
}

// SvarUtenMelding says what to do with an answer that matches no report: wait until the time it gives, or hand it to a person.
func SvarUtenMelding(s melding.Svar, p Policy, na time.Time) (vent time.Time, sak bool) {
	if slutt := s.Mottatt.Add(p.SvarVent); na.Before(slutt) {
		return na.Add(min(time.Minute, slutt.Sub(na))), false
	}
	return time.Time{}, true
}
