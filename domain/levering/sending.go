package levering

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// Nokkel says whether the key a report is sealed for can still be expected to open it.
type Nokkel string

const (
	NokkelGyldig Nokkel = "gyldig"
	NokkelUtlopt Nokkel = "utløpt"
)

// BegynnSending is the intent before a send: afterwards the attempt is durable. When the item is no longer owed in the returned
// Utgave there is nothing to send: the channel needs no sending, or a letter was ordered instead, or the answer came first.
func BegynnSending(u Utgave, o Oppdrag, konto kommune.Mottakerkonto, n Nokkel, p Policy, na time.Time) (Endring, error) {
	b := ny(u, p, na)
	if !u.Skylder(o.ID) {
		return b.ut()
	}
	t := b.m.Tilstand()
	f := Sendeforsok(u, o)
	if o.Runde == 1 && t != melding.AKSEPTERT || t == melding.AVVIST_FAGSYSTEM || t == melding.SENDT_PRINT {
		b.ferdig(o.ID) // an answer came before our own commit of the send, or a letter is on its way
		return b.ut()
	}
	if t != melding.LEVERT && t != melding.AVVIST_PRINT {
		if arsak := ubrukelig(konto, n); arsak != "" {
			b.merknad(melding.SendingAvvist, melding.Hendelse{Forsok: f, Arsak: arsak, Kanal: konto.Kanal, KontoID: konto.KontoID})
			b.sak(SakIngenKanal, false)
			b.bestillBrev(arsak, "")
			return b.ut()
		}
	}
	if konto.Kanal != kommune.FiksIO {
		b.ferdig(o.ID)
		if t == melding.AKSEPTERT || t == melding.AVVIST_PRINT {
			b.overgang(melding.Steg{Tilstand: melding.SENDT_FAGSYSTEM, Kode: melding.GjortTilgjengelig}, melding.Hendelse{
				Kanal: konto.Kanal, KontoID: konto.KontoID, Meldingstype: protokoll.Meldingstype(b.m.Fakta.Slag, b.m.Fakta.Versjon), Forsok: f})
		}
		return b.ut()
	}
	if t == melding.AKSEPTERT || t == melding.SENDT_FAGSYSTEM {
		if SendeTTL(u, p, na) == 0 {
			b.ferdig(o.ID) // the frist is about to order the letter
			if g, ok := b.m.FinnForsok(f); ok && !g.Avsluttet {
				b.merknad(melding.SendingOppgitt, melding.Hendelse{Forsok: f, Arsak: melding.ArsakForsent})
			}
			return b.ut()
		}
	}
	if _, begynt := b.m.FinnForsok(f); !begynt {
		b.merknad(melding.SendingBegynt, melding.Hendelse{Forsok: f, Kanal: konto.Kanal, KontoID: konto.KontoID})
	} else if siste := b.m.Historikk[len(b.m.Historikk)-1]; siste.Kode != melding.SendingGjentatt || siste.Forsok != f {
		// The outcome of the last try is unknown: the receiver may see this report twice, with the same klientMeldingId.
		b.merknad(melding.SendingGjentatt, melding.Hendelse{Forsok: f, Kanal: konto.Kanal, KontoID: konto.KontoID})
	}
	return b.ut()
}

// SendesStraks is BegynnSending for a process that will send a new report the instant it is stored: the intent that is then stored with
// it. ok = false when there is anything else to do than to send.
func SendesStraks(u Utgave, konto kommune.Mottakerkonto, godtatt []*x509.Certificate, p Policy, na time.Time) (o Oppdrag, begynt melding.Hendelse, ok bool) {
	i := slices.IndexFunc(u.Owed, func(o Oppdrag) bool { return o.Ko == KoSend })
	if i < 0 {
		return o, begynt, false
	}
	o = u.Owed[i]
	e, err := BegynnSending(u, o, konto, VurderNokkel(u.Melding.Fakta.Deler[melding.DelAsice].Nokkelserie, godtatt, na), p, na)
	if err != nil || !bareEn(e, melding.SendingBegynt) {
		return o, begynt, false
	}
	return o, e.Hendelser[0], true
}

// FortsettSending is BegynnSending for the process that began the attempt when it accepted the report (SendesStraks), the one time it sends
// it: it has sent nothing since, so there is nothing to write. What has come in between counts as ever: a key revoked, an account closed,
// an answer, the frist. Whoever else has had the item meanwhile has noted that it repeats.
func FortsettSending(u Utgave, o Oppdrag, konto kommune.Mottakerkonto, n Nokkel, p Policy, na time.Time) (Endring, error) {
	e, err := BegynnSending(u, o, konto, n, p, na)
	if err == nil && bareEn(e, melding.SendingGjentatt) {
		return Endring{}, nil
	}
	return e, err
}

// bareEn says that one event is all there is to write.
func bareEn(e Endring, k melding.Kode) bool {
	return len(e.Hendelser) == 1 && e.Hendelser[0].Kode == k && len(e.Ferdig)+len(e.Nye)+len(e.Saker)+len(e.Referanser)+len(e.Deler) == 0 && !e.Slett
}

func ubrukelig(konto kommune.Mottakerkonto, n Nokkel) melding.Arsak {
	switch {
	case !konto.KontoAktiv || !konto.Kanal.Gyldig():
		return melding.ArsakKontoStengt
	case konto.Kanal == kommune.FiksIO && n == NokkelUtlopt:
		return melding.ArsakNokkelUtlopt
	}
	return ""
}

// Sendeforsok is the attempt that a send item stands for: the same on every retry of the item.
func Sendeforsok(u Utgave, o Oppdrag) melding.ForsokID {
	return melding.NyForsokID(u.Melding.Fakta.ID, string(melding.Sendeforsok), o.Runde)
}

// SendeTTL is the time left to the frist, or 0 when it is too short to send. After an operator's resend the frist may be past;
// then the message lives one day on the wire.
func SendeTTL(u Utgave, p Policy, na time.Time) time.Duration {
	igjen := u.Melding.Fakta.Frist.Sub(na)
	if t := u.Melding.Tilstand(); t == melding.LEVERT || t == melding.AVVIST_PRINT {
		return max(igjen, 24*time.Hour)
	}
	if igjen < p.MinTTL {
		return 0
	}
	return igjen
}

// SendingFullfort records that the platform took the message and named it ref.
func SendingFullfort(u Utgave, o Oppdrag, konto kommune.Mottakerkonto, ref string, p Policy, na time.Time) (Endring, error) {
	b := ny(u, p, na)
	b.ferdig(o.ID)
	b.e.Referanser = append(b.e.Referanser, ref)
	f := Sendeforsok(u, o)
	h := melding.Hendelse{Forsok: f, Referanse: ref, Kanal: kommune.FiksIO, KontoID: konto.KontoID,
		Meldingstype: protokoll.Meldingstype(b.m.Fakta.Slag, b.m.Fakta.Versjon)}
	switch b.m.Tilstand() {
	case melding.AKSEPTERT, melding.AVVIST_PRINT:
		b.overgang(melding.Steg{Tilstand: melding.SENDT_FAGSYSTEM, Kode: melding.SendtFagsystem}, h)
	default:
		// The answer or the frist was faster, or this is a resend. The platform's name is kept all the same.
		b.merknad(melding.SendingFullfort, h)
	}
	b.lukkSaker(melding.AktorPortal, "sendt", SakSendingSliter)
	return b.ut()
}

// SendingNektet: the receiver can certainly not be reached this way, so the letter goes now.
func SendingNektet(u Utgave, o Oppdrag, arsak melding.Arsak, p Policy, na time.Time) (Endring, error) {
	b := ny(u, p, na)
	b.ferdig(o.ID)
	b.merknad(melding.SendingAvvist, melding.Hendelse{Forsok: Sendeforsok(u, o), Arsak: arsak, Kanal: kommune.FiksIO})
	b.sak(SakIngenKanal, arsak == melding.ArsakInnholdEndret)
	if t := b.m.Tilstand(); t == melding.AKSEPTERT || t == melding.SENDT_FAGSYSTEM {
		b.bestillBrev(arsak, "")
	}
	return b.ut()
}

// SendingSliter follows a try with unknown outcome. A case opens at the fifth; after the last nothing more is sent, and the frist,
// still owed, brings the letter.
func SendingSliter(u Utgave, o Oppdrag, forsok int, p Policy, na time.Time) (Endring, error) {
	b := ny(u, p, na)
	if !u.Skylder(o.ID) || forsok < p.SakFra {
		return b.ut()
	}
	b.sak(SakSendingSliter, false)
	if forsok >= p.MaksSending {
		b.ferdig(o.ID)
		b.merknad(melding.SendingOppgitt, melding.Hendelse{Forsok: Sendeforsok(u, o)})
	}
	return b.ut()
}

// FristUtlopt orders the letter when nobody confirmed. Run early, it changes nothing: the item stays owed for its time.
func FristUtlopt(u Utgave, o Oppdrag, p Policy, na time.Time) (Endring, error) {
	b := ny(u, p, na)
	if !u.Skylder(o.ID) || na.Before(o.Forfall) {
		return b.ut()
	}
	t := b.m.Tilstand()
	r := melding.Reager(t, melding.UtfallFrist)
	b.ferdig(o.ID)
	if r.Folge != melding.FolgeBrev {
		return b.ut()
	}
	arsak := melding.ArsakIngenKvittering
	if t == melding.AKSEPTERT {
		arsak = melding.ArsakAldriSendt
		b.sak(SakAldriSendt, false)
	}
	b.merknad(r.Merknad, melding.Hendelse{Arsak: arsak})
	b.bestillBrev(arsak, "")
	return b.ut()
}

// VurderNokkel says whether a report sealed for these serials (hex) can still be expected to be opened by the receiver: one of the
// certificates must be accepted and not expired. A revoked one is not among the accepted.
//
// The facts of a report keep serial numbers only, and whoever issues a certificate chooses its number: one that is accepted now may have the
// number of one that is revoked or expired, which the report was really sealed for. Then it goes to the receiver's system where a letter
// was called for. That loses nothing: a receiver that cannot open it answers feilet, one that says nothing meets the frist, and either brings
// the letter. And it opens nothing to others: the bytes go to the account the report was accepted for and nowhere else, so a stolen key
// is of use only to somebody who takes from that account's queue too, and who got its owner or an operator to announce the second certificate.
// Where a certificate is at hand more is compared: its issuer too at intake, and all of it when one is revoked.
func VurderNokkel(serier []string, godtatt []*x509.Certificate, na time.Time) Nokkel {
	for _, c := range godtatt {
		if slices.Contains(serier, strings.ToLower(c.SerialNumber.Text(16))) && !na.After(c.NotAfter) {
			return NokkelGyldig
		}
	}
	return NokkelUtlopt
}
