package melding

import (
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
)

// Art splits events in two: those that change the state and those that only remember.
type Art string

const (
	Overgang Art = "overgang"
	Merknad  Art = "merknad"
)

// Hendelse is one line of a report's history. It is never changed or removed, also when the content is erased, so it holds
// no report text and no name of anybody in it.
type Hendelse struct {
	Sekvens      int // 1, 2, 3 … without gaps; set by Melding.Med
	Tidspunkt    time.Time
	Art          Art
	Tilstand     Tilstand // only an overgang has one
	Kode         Kode     // what happened; gives the sentence people read
	Kanal        kommune.Kanal
	Aktor        string // "portalen", "mottaker", "print", or "operator:<who>"
	Meldingstype string // Fiks IO name, as KS's history shows it
	Referanse    string // the world's name: Fiks IO melding-id, vendor's job id
	KontoID      kommune.KontoID
	Forsok       ForsokID
	Arsak        Arsak  // why, from a fixed list
	Grunn        string // an operator's own words, shown to operators only (never to the sender)
	Del          Del    // the answer body this event keeps
}

const (
	AktorPortal   = "portalen"
	AktorMottaker = "mottaker"
	AktorPrint    = "print"
)

// AktorOperator marks what a person decided.
func AktorOperator(hvem string) string { return "operator:" + hvem }

// Kode is the kind of an event.
type Kode string

// Overganger.
const (
	Akseptert              Kode = "AKSEPTERT"
	SendtFagsystem         Kode = "SENDT_FAGSYSTEM"
	SendtBevist            Kode = "SENDT_BEVIST_AV_SVAR"
	GjortTilgjengelig      Kode = "GJORT_TILGJENGELIG"
	BekreftetMottatt       Kode = "BEKREFTET_MOTTATT"
	BekreftetAvbestilt     Kode = "BEKREFTET_BREV_AVBESTILT"
	BekreftetBrevUnderveis Kode = "BEKREFTET_BREV_KAN_KOMME"
	AvvistFagsystem        Kode = "AVVIST_FAGSYSTEM"
	SendtPrint             Kode = "SENDT_PRINT"
	BrevPostlagt           Kode = "BREV_POSTLAGT"
	BrevAvvist             Kode = "BREV_AVVIST"
	BrevIRetur             Kode = "BREV_I_RETUR"
	LevertForHand          Kode = "LEVERT_FOR_HAND"
)

// Merknader.
const (
	SendingBegynt       Kode = "SENDING_BEGYNT"
	SendingGjentatt     Kode = "SENDING_GJENTATT"
	SendingFullfort     Kode = "SENDING_FULLFORT"
	SendingAvvist       Kode = "SENDING_AVVIST"
	SendingOppgitt      Kode = "SENDING_OPPGITT"
	NySendingBestilt    Kode = "NY_SENDING_BESTILT"
	SvarGjentatt        Kode = "SVAR_GJENTATT"
	FeiletEtterPrint    Kode = "FEILET_ETTER_PRINT"
	FeiletEtterLevert   Kode = "FEILET_ETTER_LEVERT"
	Serverfeil          Kode = "SERVERFEIL"
	Tidsavbrudd         Kode = "TIDSAVBRUDD"
	SvarFraAnnenKonto   Kode = "SVAR_FRA_ANNEN_KONTO"
	UkjentSvar          Kode = "UKJENT_SVAR"
	FlereSvarTelles     Kode = "FLERE_SVAR_TELLES"
	MidlertidigFeil     Kode = "MIDLERTIDIG_FEIL"
	VenterPaPrint       Kode = "VENTER_PA_PRINT"
	BrevBegynt          Kode = "BREV_BEGYNT"
	BrevAvbestilt       Kode = "BREV_AVBESTILT"
	AvbestillingForSen  Kode = "AVBESTILLING_FOR_SEN"
	BrevEtterLevert     Kode = "BREV_ETTER_LEVERT"
	PostlagtEtterLevert Kode = "POSTLAGT_ETTER_LEVERT"
	AvvistEtterLevert   Kode = "BREV_AVVIST_ETTER_LEVERT"
	ReturEtterLevert    Kode = "BREV_I_RETUR_ETTER_LEVERT"
	BrevsvarGjentatt    Kode = "BREVSVAR_GJENTATT"
	BrevsvarStrider     Kode = "BREVSVAR_STRIDER"
	FristUtlopt         Kode = "FRIST_UTLOPT"
	// KvitteringKanVaereTapt: the portal was deaf for a while after the receiver was asked.
	KvitteringKanVaereTapt Kode = "KVITTERING_KAN_VAERE_TAPT"
	InnholdSlettet         Kode = "INNHOLD_SLETTET"
	HoldSatt               Kode = "HOLD_SATT"
	HoldLoftet             Kode = "HOLD_LOFTET"
	Notat                  Kode = "NOTAT"
	MuligDublett           Kode = "MULIG_DUBLETT"
	ReparertAvSveip        Kode = "REPARERT_AV_SVEIP"
)

// setninger is the fixed list of D17: the only text about an event that leaves the portal.
var setninger = map[Kode]string{
	Akseptert:              "Meldingen er tatt imot og lagret.",
	SendtFagsystem:         "Meldingen er sendt til mottakerens fagsystem.",
	SendtBevist:            "Meldingen er sendt til mottakerens fagsystem. Svaret fra mottakeren viser det.",
	GjortTilgjengelig:      "Meldingen er klar til å hentes av mottakeren.",
	BekreftetMottatt:       "Mottakeren har bekreftet at meldingen er mottatt.",
	BekreftetAvbestilt:     "Mottakeren har bekreftet at meldingen er mottatt. Brevet er avbestilt.",
	BekreftetBrevUnderveis: "Mottakeren har bekreftet at meldingen er mottatt. Brevet kan også komme.",
	AvvistFagsystem:        "Mottakerens fagsystem kunne ikke ta imot meldingen. Den sendes som brev.",
	SendtPrint:             "Meldingen er overlatt til utskrift og sendes som brev.",
	BrevPostlagt:           "Brevet er overlevert til posten.",
	BrevAvvist:             "Brevet kunne ikke skrives ut eller sendes. Saken følges opp manuelt.",
	BrevIRetur:             "Brevet kom i retur. Saken følges opp manuelt.",
	LevertForHand:          "Meldingen er levert på annen måte, og leveringen er dokumentert.",
	SendingBegynt:          "Portalen begynte å sende meldingen til fagsystemet.",
	SendingGjentatt:        "Portalen sendte meldingen en gang til fordi utfallet var ukjent.",
	SendingFullfort:        "Fiks IO bekreftet at meldingen var tatt imot for sending.",
	SendingAvvist:          "Meldingen kunne ikke sendes digitalt til mottakeren.",
	SendingOppgitt:         "Portalen ga opp å sende meldingen digitalt.",
	NySendingBestilt:       "En ny digital sending er bestilt.",
	SvarGjentatt:           "Mottakeren svarte en gang til. Svaret endrer ikke noe.",
	FeiletEtterPrint:       "Mottakerens fagsystem avviste meldingen etter at den var sendt som brev.",
	FeiletEtterLevert:      "Mottakerens fagsystem avviste meldingen etter at den var levert.",
	Serverfeil:             "Fiks IO klarte ikke å levere meldingen til fagsystemet.",
	Tidsavbrudd:            "Fiks IO meldte at fagsystemet ikke hentet meldingen i tide.",
	SvarFraAnnenKonto:      "Et svar kom fra en annen konto enn den meldingen ble sendt til. Det er ikke brukt.",
	UkjentSvar:             "Et svar av ukjent type kom inn. Det er ikke brukt.",
	FlereSvarTelles:        "Det er kommet mange slike svar. Flere av samme slag blir bare talt.",
	MidlertidigFeil:        "Mottakeren kunne ikke ta imot meldingen akkurat nå. Den kan fortsatt hentes.",
	VenterPaPrint:          "Brev er bestilt og venter på print.",
	BrevBegynt:             "Portalen begynte å overføre brevet til utskrift.",
	BrevAvbestilt:          "Brevet er avbestilt.",
	AvbestillingForSen:     "Det var for sent å avbestille brevet.",
	BrevEtterLevert:        "Utskriftsleverandøren tok imot brevet etter at meldingen var levert.",
	PostlagtEtterLevert:    "Brevet ble postlagt etter at meldingen var levert.",
	AvvistEtterLevert:      "Brevet ble avvist etter at meldingen var levert.",
	ReturEtterLevert:       "Brevet kom i retur etter at meldingen var levert.",
	BrevsvarGjentatt:       "Utskriftsleverandøren meldte noe som allerede var kjent.",
	BrevsvarStrider:        "Utskriftsleverandøren meldte noe annet om brevet enn før. Saken følges opp manuelt.",
	FristUtlopt:            "Fristen gikk ut uten at mottakeren hadde bekreftet.",
	KvitteringKanVaereTapt: "Portalen kunne ikke ta imot svar en stund etter at meldingen ble sendt. En kvittering kan være tapt.",
	InnholdSlettet:         "Innholdet er slettet. Historikken er beholdt.",
	HoldSatt:               "Sletting av innholdet er stanset.",
	HoldLoftet:             "Sletting av innholdet kan skje igjen.",
	Notat:                  "En operatør har skrevet et notat.",
	MuligDublett:           "Meldingen kan være den samme som en tidligere melding.",
	ReparertAvSveip:        "Meldingen manglet planlagt arbeid. Portalen har rettet det.",
}

// Referanseslag is whose name for what an event's Referanse is. An answer's sender, the platform and the vendor each choose their own, so
// two of different kinds that are the same text say nothing about each other.
type Referanseslag string

const (
	RefIngen   Referanseslag = ""        // none
	RefSvar    Referanseslag = "svar"    // the answer that the event came of
	RefSending Referanseslag = "sending" // our message, as the platform named it
	RefBrev    Referanseslag = "brev"    // the letter's job
	RefMelding Referanseslag = "melding" // another report
)

// referanser has every kind.
var referanser = map[Kode]Referanseslag{
	Akseptert: RefIngen, SendtFagsystem: RefSending, SendtBevist: RefIngen, GjortTilgjengelig: RefIngen,
	BekreftetMottatt: RefSvar, BekreftetAvbestilt: RefSvar, BekreftetBrevUnderveis: RefSvar, AvvistFagsystem: RefSvar,
	SendtPrint: RefBrev, BrevPostlagt: RefBrev, BrevAvvist: RefBrev, BrevIRetur: RefBrev, LevertForHand: RefIngen,

	SendingBegynt: RefIngen, SendingGjentatt: RefIngen, SendingFullfort: RefSending, SendingAvvist: RefIngen, SendingOppgitt: RefIngen,
	NySendingBestilt: RefIngen,
	SvarGjentatt:     RefSvar, FeiletEtterPrint: RefSvar, FeiletEtterLevert: RefSvar, Serverfeil: RefSvar, Tidsavbrudd: RefSvar,
	SvarFraAnnenKonto: RefSvar, UkjentSvar: RefSvar, MidlertidigFeil: RefSvar, FlereSvarTelles: RefIngen,
	VenterPaPrint: RefIngen, BrevBegynt: RefIngen, BrevAvbestilt: RefIngen, AvbestillingForSen: RefIngen,
	BrevEtterLevert: RefBrev, PostlagtEtterLevert: RefBrev, AvvistEtterLevert: RefBrev, ReturEtterLevert: RefBrev,
	BrevsvarGjentatt: RefBrev, BrevsvarStrider: RefBrev,
	FristUtlopt: RefIngen, KvitteringKanVaereTapt: RefIngen, InnholdSlettet: RefIngen, HoldSatt: RefIngen, HoldLoftet: RefIngen, Notat: RefIngen,
	MuligDublett: RefMelding, ReparertAvSveip: RefIngen,
}

// Referanseslag says what the Referanse of an event of this kind is.
func (k Kode) Referanseslag() Referanseslag { return referanser[k] }

func (k Kode) kjent() bool { _, ok := setninger[k]; return ok }

// Beskrivelse is the sentence, bokmål, that goes with the kind.
func (k Kode) Beskrivelse() string { return setninger[k] }

// Arsak is a cause from a fixed list; "" when the kind says enough.
type Arsak string

const (
	ArsakAldriSendt      Arsak = "aldri sendt"
	ArsakIngenKvittering Arsak = "ingen kvittering innen fristen"
	ArsakAvvist          Arsak = "avvist av fagsystemet"
	// ArsakAvvistV2 is a hint to operators: a receiver that was set up for version 2 before its case system could read it rejects
	// every such report (reference bekymringsmelding.md §8, 47).
	ArsakAvvistV2      Arsak = "avvist av fagsystemet, som kanskje ikke leser versjon 2"
	ArsakKontoStengt   Arsak = "kontoen er stengt"
	ArsakNokkelUtlopt  Arsak = "nøkkelen er utløpt"
	ArsakNektet        Arsak = "sendingen ble nektet"
	ArsakInnholdEndret Arsak = "lagret innhold er endret"
	ArsakOperator      Arsak = "bestemt av operatør"
	ArsakSvarLesbart   Arsak = "svaret kunne leses"
	ArsakSvarUleselig  Arsak = "svaret kunne ikke leses"
	ArsakSvarTomt      Arsak = "svaret var tomt"
	ArsakForsent       Arsak = "for kort tid igjen til fristen"
)

// Koder lists every kind with a sentence, in no order; docs/tilstander.md is printed from it.
func Koder() []Kode {
	out := make([]Kode, 0, len(setninger))
	for k := range setninger {
		out = append(out, k)
	}
	return out
}

// Med returns m with events appended: numbered, truncated to µs in UTC, and never earlier than the one before (D20: a clock
// that steps back does not bend history). It does not judge legality; Kontroller does.
func (m Melding) Med(hendelser ...Hendelse) Melding {
	ny := make([]Hendelse, len(m.Historikk), len(m.Historikk)+len(hendelser))
	copy(ny, m.Historikk)
	for _, h := range hendelser {
		h.Sekvens = len(ny) + 1
		h.Tidspunkt = h.Tidspunkt.UTC().Truncate(time.Microsecond)
		if n := len(ny); n > 0 && h.Tidspunkt.Before(ny[n-1].Tidspunkt) {
			h.Tidspunkt = ny[n-1].Tidspunkt
		}
		ny = append(ny, h)
	}
	m.Historikk = ny
	return m
}
