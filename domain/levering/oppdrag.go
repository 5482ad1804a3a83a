package levering

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
)

// Kanal is how a receiver gets its reports.
type Kanal = kommune.Kanal

// Ko is a queue of owed work. Each has one worker function in app/delivery.
type Ko string

const (
	KoSend       Ko = "send"       // make the report available in the receiver's digital channel
	KoSvar       Ko = "svar"       // judge an answer from the world
	KoFrist      Ko = "frist"      // order a letter unless somebody confirmed
	KoBrev       Ko = "brev"       // hand a letter to the print vendor
	KoBrevstatus Ko = "brevstatus" // judge what the vendor said
	KoBrevvakt   Ko = "brevvakt"   // look for a letter that was never reported posted
	KoAvbestill  Ko = "avbestill"  // ask the vendor to stop a letter
	KoSlett      Ko = "slett"      // erase content when retention is over
)

// Koene lists every queue.
func Koene() []Ko {
	return []Ko{KoSvar, KoFrist, KoBrev, KoBrevstatus, KoAvbestill, KoSend, KoBrevvakt, KoSlett}
}

// OppdragID is unique over all work. For a report's own work it is computed from the report, so that asking for the same work
// twice is one item.
type OppdragID string

// Oppdrag is one thing owed, not before Forfall.
type Oppdrag struct {
	ID      OppdragID
	Ko      Ko
	Melding melding.ID // "" = an answer not yet matched to a report
	Forfall time.Time
	Forsok  melding.ForsokID
	Runde   int           // 1, 2 … when the same work comes back later
	Svar    *melding.Svar // KoSvar
	Jobb    *Jobb         // KoBrevstatus
}

// NyttOppdrag is work of a report; forsok may be "".
func NyttOppdrag(id melding.ID, ko Ko, forsok melding.ForsokID, runde int, forfall time.Time) Oppdrag {
	oid := string(id) + "/" + string(ko) + "/" + strconv.Itoa(runde)
	if forsok != "" {
		oid += "/" + string(forsok)
	}
	return Oppdrag{ID: OppdragID(oid), Ko: ko, Melding: id, Forsok: forsok, Runde: runde, Forfall: forfall.UTC().Truncate(time.Microsecond)}
}

// SvarOppdrag is an answer from the wire. The same answer delivered twice is one item.
func SvarOppdrag(s melding.Svar) Oppdrag {
	return Oppdrag{ID: OppdragID("svar/" + s.ID), Ko: KoSvar, Runde: 1, Svar: &s, Forfall: s.Mottatt}
}

// BrevstatusOppdrag is one word from the print vendor.
func BrevstatusOppdrag(j Jobb, na time.Time) Oppdrag {
	return Oppdrag{ID: OppdragID(fmt.Sprintf("brevstatus/%s/%s", j.ID, j.Status)), Ko: KoBrevstatus, Runde: 1, Forsok: j.ID, Jobb: &j, Forfall: na}
}

// Brevstatus is what the print vendor says about one letter.
type Brevstatus string

const (
	BrevMottatt   Brevstatus = "mottatt"
	BrevPostlagt  Brevstatus = "postlagt"
	BrevAvvist    Brevstatus = "avvist"
	BrevAnnullert Brevstatus = "annullert"
	BrevRetur     Brevstatus = "retur"
)

// Jobb is one status of one letter. Arsak is the vendor's code, never free text about a person.
type Jobb struct {
	ID     melding.ForsokID
	Status Brevstatus
	Tid    time.Time
	Arsak  string
}

// Brev is a letter job: the sealed PDF and what the vendor needs to send it. No child's or reporter's name is in it.
type Brev struct {
	ID          melding.ForsokID
	Melding     melding.ID
	Til         kommune.Postadresse
	Retur       kommune.Postadresse
	Innhold     melding.Forseglet
	SHA256      [32]byte
	Nokkel      []string // serials (hex) of the print certificates it is sealed for
	Tosidig     bool
	Farge       bool
	Forsendelse string // product name at the vendor; "" = its default
}

// SakID is unique over all cases.
type SakID string

// Saksart is the kind of thing a person must look at.
type Saksart string

const (
	SakAldriSendt        Saksart = "aldri-sendt"
	SakIngenKanal        Saksart = "ingen-digital-kanal"
	SakSendingSliter     Saksart = "sending-sliter"
	SakBrevSliter        Saksart = "brev-sliter"
	SakBrevIkkePostlagt  Saksart = "brev-ikke-postlagt"
	SakBrevAvvist        Saksart = "brev-avvist"
	SakBrevRetur         Saksart = "brev-i-retur"
	SakFeiletEtterLevert Saksart = "feilet-etter-levert"
	SakUkjentSvar        Saksart = "ukjent-svar"
	SakAnnenKonto        Saksart = "svar-fra-annen-konto"
	SakMidlertidigFeil   Saksart = "midlertidig-feil-hos-mottaker"
	SakInnholdEndret     Saksart = "innhold-endret"
	SakIkkeSkyldig       Saksart = "arbeid-manglet"
	SakUtloptPrint       Saksart = "print-nokkel-utlopt"
	// The ones below belong to no report and lie in the Ledger.
	SakSvarUtenMelding Saksart = "svar-uten-melding"
	SakArbeidSliter    Saksart = "arbeid-sliter"
	SakMangeBrev       Saksart = "uvanlig-mange-brev"
	SakBrevstopp       Saksart = "brevstopp"
	SakNokkelUtloper   Saksart = "nokkel-utloper"
	SakLytterIkke      Saksart = "tar-ikke-imot-svar"
	SakUtenToken       Saksart = "uten-token"
	SakKatalog         Saksart = "katalogen-mangler-nokkel"
	SakKatalogTaus     Saksart = "katalogen-svarer-ikke"
	SakNyNokkel        Saksart = "mottaker-byttet-nokkel"
	SakNokkelTrukket   Saksart = "nokkel-trukket"
	SakNokkelbytte     Saksart = "nokkelbytte"
)

// Saksarter lists them all.
func Saksarter() []Saksart {
	return []Saksart{SakAldriSendt, SakIngenKanal, SakSendingSliter, SakBrevSliter, SakBrevIkkePostlagt, SakBrevAvvist, SakBrevRetur,
		SakFeiletEtterLevert, SakUkjentSvar, SakAnnenKonto, SakMidlertidigFeil, SakInnholdEndret, SakIkkeSkyldig, SakUtloptPrint,
		SakSvarUtenMelding, SakArbeidSliter, SakMangeBrev, SakBrevstopp, SakNokkelUtloper, SakLytterIkke, SakUtenToken, SakKatalog, SakKatalogTaus, SakNyNokkel,
		SakNokkelTrukket, SakNokkelbytte}
}

// Sak is an alarm that stays until somebody, or the delivery itself, closes it.
type Sak struct {
	ID       SakID
	Melding  melding.ID // "" = concerns no single report
	Art      Saksart
	Kritisk  bool
	Apnet    time.Time
	Frist    time.Time // when somebody should have looked
	Lukket   time.Time // zero = open
	LukketAv string
	Grunn    string // why it was closed; for a case without a report also what it is about, ids only
}

func (s Sak) Apen() bool { return s.Lukket.IsZero() }

// venter says that a person has to decide what becomes of the report. What somebody who was never asked can bring about (SakAnnenKonto)
// calls a person too, and never takes the place of owed work: a stranger could otherwise switch off the net under any report.
func (s Sak) venter() bool { return s.Apen() && s.Art != SakAnnenKonto }

// Utgave is one consistent reading of a report: its history, what is owed, and its cases, open and closed.
type Utgave struct {
	Melding melding.Melding
	Owed    []Oppdrag
	Saker   []Sak
	Slettet bool
}

// Skylder says whether an item is still owed.
func (u Utgave) Skylder(id OppdragID) bool {
	return slices.ContainsFunc(u.Owed, func(o Oppdrag) bool { return o.ID == id })
}

// ApenSak gives the open case of a kind.
func (u Utgave) ApenSak(art Saksart) (Sak, bool) {
	for _, s := range u.Saker {
		if s.Art == art && s.Apen() {
			return s, true
		}
	}
	return Sak{}, false
}

func (u Utgave) harApenSak() bool { return slices.ContainsFunc(u.Saker, Sak.Apen) }

// Endring is what one Update adds. Nothing is changed or removed but owed work and, by Slett, content.
type Endring struct {
	Hendelser  []melding.Hendelse
	Nye        []Oppdrag
	Ferdig     []OppdragID // already gone is not an error
	Saker      []Sak       // opened, or closed (same ID with Lukket set)
	Referanser []string    // the world's names for our attempts: Fiks IO melding-id, vendor job id
	Deler      map[melding.Del]melding.Forseglet
	Slett      bool
}

// Tom says that the Endring changes nothing.
func (e Endring) Tom() bool {
	return len(e.Hendelser) == 0 && len(e.Nye) == 0 && len(e.Ferdig) == 0 && len(e.Saker) == 0 &&
		len(e.Referanser) == 0 && len(e.Deler) == 0 && !e.Slett
}
