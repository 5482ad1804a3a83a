package levering

import (
	"slices"
	"strconv"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
)

// bygger collects an Endring while it follows what the report will look like, so that a rule with several steps sees its own
// earlier ones.
type bygger struct {
	u  Utgave
	m  melding.Melding // u.Melding with e.Hendelser
	e  Endring
	p  Policy
	na time.Time
}

func ny(u Utgave, p Policy, na time.Time) *bygger {
	return &bygger{u: u, m: u.Melding, p: p, na: na}
}

func (b *bygger) hendelse(h melding.Hendelse) {
	if h.Tidspunkt.IsZero() {
		h.Tidspunkt = b.na
	}
	if h.Aktor == "" {
		h.Aktor = melding.AktorPortal
	}
	b.e.Hendelser = append(b.e.Hendelser, h)
	b.m = b.m.Med(h)
}

func (b *bygger) merknad(k melding.Kode, h melding.Hendelse) {
	h.Art, h.Kode = melding.Merknad, k
	b.hendelse(h)
}

func (b *bygger) overgang(s melding.Steg, h melding.Hendelse) {
	h.Art, h.Tilstand, h.Kode = melding.Overgang, s.Tilstand, s.Kode
	b.hendelse(h)
}

func (b *bygger) ferdig(id OppdragID) { b.e.Ferdig = append(b.e.Ferdig, id) }

// ferdigKo settles everything owed in a queue; forsok "" = any.
func (b *bygger) ferdigKo(ko Ko, forsok melding.ForsokID) {
	for _, o := range b.u.Owed {
		if o.Ko == ko && (forsok == "" || o.Forsok == forsok) {
			b.ferdig(o.ID)
		}
	}
}

// skyld adds work of this report in the first round that the report has never had.
func (b *bygger) skyld(ko Ko, forsok melding.ForsokID, runde int, forfall time.Time) {
	b.e.Nye = append(b.e.Nye, NyttOppdrag(b.m.Fakta.ID, ko, forsok, runde, forfall))
}

// igjen settles o and owes the same later.
func (b *bygger) igjen(o Oppdrag, forfall time.Time) {
	b.ferdig(o.ID)
	b.skyld(o.Ko, o.Forsok, o.Runde+1, forfall)
}

func (b *bygger) sak(art Saksart, kritisk bool) {
	if _, ok := b.u.ApenSak(art); ok {
		return
	}
	if slices.ContainsFunc(b.e.Saker, func(s Sak) bool { return s.Art == art }) {
		return
	}
	id := SakID(string(b.m.Fakta.ID) + "/" + string(art) + "/" + strconv.FormatInt(b.na.UnixMicro(), 10))
	frist := b.na.Add(24 * time.Hour)
	if kritisk {
		frist = b.na.Add(time.Hour)
	}
	b.e.Saker = append(b.e.Saker, Sak{ID: id, Melding: b.m.Fakta.ID, Art: art, Kritisk: kritisk,
		Apnet: b.na.UTC().Truncate(time.Microsecond), Frist: frist.UTC().Truncate(time.Microsecond)})
}

// sakEnGang opens a case that a report has never had: one that somebody else can bring about, and could again whenever it was closed.
func (b *bygger) sakEnGang(art Saksart) {
	if !slices.ContainsFunc(b.u.Saker, func(s Sak) bool { return s.Art == art }) {
		b.sak(art, false)
	}
}

// sakDaglig opens a case unless one of its kind was opened in the last 24 hours. It is for what has no row of its own and no end: somebody
// is called again as long as it goes on, and whoever closes the case has the day in peace.
func (b *bygger) sakDaglig(art Saksart) {
	if !slices.ContainsFunc(b.u.Saker, func(s Sak) bool { return s.Art == art && b.na.Sub(s.Apnet) < 24*time.Hour }) {
		b.sak(art, false)
	}
}

func (b *bygger) lukkSaker(av, grunn string, arter ...Saksart) {
	for _, s := range b.u.Saker {
		if s.Apen() && slices.Contains(arter, s.Art) {
			s.Lukket, s.LukketAv, s.Grunn = b.na.UTC().Truncate(time.Microsecond), av, grunn
			b.e.Saker = append(b.e.Saker, s)
		}
	}
}

// leveringssaker are answered by the delivery itself.
var leveringssaker = []Saksart{SakAldriSendt, SakIngenKanal, SakSendingSliter, SakBrevSliter, SakBrevIkkePostlagt, SakBrevAvvist,
	SakMidlertidigFeil, SakInnholdEndret, SakIkkeSkyldig}

// levert settles what LEVERT makes needless: sending, the frist, and a letter that never left our own queue. A letter the vendor
// may have keeps its work; a cancel is owed for it.
func (b *bygger) levert() {
	b.digitaltErOver("")
	for _, f := range b.m.ApneForsok(melding.Brevforsok) {
		if f.Overfort {
			b.skyld(KoAvbestill, f.ID, 1, b.na)
		} else {
			b.ferdigKo(KoBrev, f.ID)
			b.merknad(melding.BrevAvbestilt, melding.Hendelse{Forsok: f.ID})
		}
	}
	b.lukkSaker(melding.AktorPortal, "levert", leveringssaker...)
	b.skyld(KoSlett, "", 1, b.na.Add(b.oppbevar()))
}

// digitaltErOver: nothing more is sent, and the frist has done its work. A send that has begun ends here too: it has no work any more.
func (b *bygger) digitaltErOver(arsak melding.Arsak) {
	b.ferdigKo(KoFrist, "")
	b.ferdigKo(KoSend, "")
	for _, f := range b.m.ApneForsok(melding.Sendeforsok) {
		b.merknad(melding.SendingOppgitt, melding.Hendelse{Forsok: f.ID, Arsak: arsak})
	}
}

func (b *bygger) oppbevar() time.Duration { return max(b.m.Fakta.Oppbevar, b.p.Oppbevar) }

// bestillBrev orders a letter: the attempt is durable before the vendor hears of it. A report has at most one open letter.
func (b *bygger) bestillBrev(arsak melding.Arsak, aktor string) {
	b.digitaltErOver(arsak)
	if len(b.m.ApneForsok(melding.Brevforsok)) > 0 {
		return
	}
	f := b.m.NesteForsok(melding.Brevforsok)
	b.merknad(melding.VenterPaPrint, melding.Hendelse{Forsok: f, Arsak: arsak, Kanal: kommune.Print, Aktor: aktor})
	b.e.Referanser = append(b.e.Referanser, string(f))
	b.skyld(KoBrev, f, 1, b.na)
}

func (b *bygger) ut() (Endring, error) {
	b.venterUtenFrist()
	return b.e, nil
}

// venterUtenFrist keeps a person looking at a report that was sent again after its letter was refused: its frist has done its work, and
// the case of the letter may have been closed while the send was still owed. Without it the commit after such a send would be refused,
// and the send done again and again.
func (b *bygger) venterUtenFrist() {
	if b.m.Tilstand() == melding.SENDT_FAGSYSTEM && b.m.Har(melding.VenterPaPrint) && b.ingenVenter() {
		b.sak(SakBrevAvvist, true)
	}
}

// ingenVenter says that after e nothing is owed and nobody has to decide.
func (b *bygger) ingenVenter() bool {
	if len(b.e.Nye) > 0 || slices.ContainsFunc(b.e.Saker, Sak.venter) {
		return false
	}
	return !slices.ContainsFunc(b.u.Owed, func(o Oppdrag) bool { return !slices.Contains(b.e.Ferdig, o.ID) }) &&
		!slices.ContainsFunc(b.u.Saker, func(s Sak) bool {
			return s.venter() && !slices.ContainsFunc(b.e.Saker, func(x Sak) bool { return x.ID == s.ID })
		})
}
