package melding

import (
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
)

// Svar is one message from the world about a report, as it came.
type Svar struct {
	ID            string // the platform's melding-id of the answer: the same answer delivered twice has the same
	Meldingstype  string
	SvarTil       string // melding-id it answers
	Korrelasjon   string // klientKorrelasjonsId, or its old spelling: our report's id
	AvsenderKonto kommune.KontoID
	Mottatt       time.Time
	Innhold       Forseglet // at most MaksSvar; empty for mottatt
	Lesbarhet     Arsak     // ArsakSvarLesbart, ArsakSvarUleselig or ArsakSvarTomt
	Forbigaende   bool      // D14: mottakFeilet with permanent=false
	Aktor         string    // "" = mottaker; who confirmed in the manual channel
}

// Utfall is what the world, the clock or an operator has to say about a report.
type Utfall string

const (
	UtfallMottatt     Utfall = "mottatt"
	UtfallFeilet      Utfall = "feilet"
	UtfallServerfeil  Utfall = "serverfeil"
	UtfallTidsavbrudd Utfall = "tidsavbrudd"
	UtfallFrist       Utfall = "frist"
	UtfallOvertatt    Utfall = "brev overtatt"
	UtfallPostlagt    Utfall = "brev postlagt"
	UtfallBrevAvvist  Utfall = "brev avvist"
	UtfallRetur       Utfall = "brev i retur"
	UtfallOperator    Utfall = "operatør"
)

// Utfallene lists them all, in the order of the table.
func Utfallene() []Utfall {
	return []Utfall{UtfallMottatt, UtfallFeilet, UtfallServerfeil, UtfallTidsavbrudd, UtfallFrist,
		UtfallOvertatt, UtfallPostlagt, UtfallBrevAvvist, UtfallRetur, UtfallOperator}
}

// Folge is what has to be done besides writing history.
type Folge string

const (
	FolgeBrev       Folge = "brev nå"
	FolgeAvbestill  Folge = "avbestill brev"
	FolgeSendPaNytt Folge = "ny sending"
	FolgeSjekkFrist Folge = "se på fristen"
	FolgeSlett      Folge = "slett senere"
)

// Varsles says who is told.
type Varsles string

const (
	Ingen           Varsles = ""
	Operator        Varsles = "operatør"
	OperatorKritisk Varsles = "operatør, kritisk"
)

// Steg is one overgang with its kind.
type Steg struct {
	Tilstand Tilstand
	Kode     Kode
}

// Reaksjon is one cell of the table: the overganger to append in order, or the merknad, what is owed next, and who is told.
// A cell with neither overgang nor merknad leaves no trace.
type Reaksjon struct {
	Overganger []Steg
	Merknad    Kode
	Folge      Folge
	Varsles    Varsles
}

var (
	bevist   = Steg{SENDT_FAGSYSTEM, SendtBevist}
	levert   = Steg{LEVERT, BekreftetMottatt}
	tilPrint = Steg{SENDT_PRINT, SendtPrint}
	postlagt = Steg{LEVERT, BrevPostlagt}
	nektet   = Steg{AVVIST_PRINT, BrevAvvist}
	retur    = Steg{AVVIST_PRINT, BrevIRetur}
)

// reaksjoner is the table of design §6: what each answer does in each state. An operator's decisions are not here: they are
// D3's three ways out of AVVIST_PRINT, and notes, holds and resends elsewhere.
var reaksjoner = map[Utfall]map[Tilstand]Reaksjon{
	UtfallMottatt: {
		AKSEPTERT:        {Overganger: []Steg{bevist, levert}, Folge: FolgeSlett},
		SENDT_FAGSYSTEM:  {Overganger: []Steg{levert}, Folge: FolgeSlett},
		AVVIST_FAGSYSTEM: {Overganger: []Steg{levert}, Folge: FolgeSlett},
		SENDT_PRINT:      {Overganger: []Steg{levert}, Folge: FolgeSlett},
		AVVIST_PRINT:     {Overganger: []Steg{levert}, Folge: FolgeSlett},
		LEVERT:           {Merknad: SvarGjentatt},
	},
	UtfallFeilet: {
		AKSEPTERT:        {Overganger: []Steg{bevist, {AVVIST_FAGSYSTEM, AvvistFagsystem}}, Folge: FolgeBrev},
		SENDT_FAGSYSTEM:  {Overganger: []Steg{{AVVIST_FAGSYSTEM, AvvistFagsystem}}, Folge: FolgeBrev},
		AVVIST_FAGSYSTEM: {Merknad: SvarGjentatt},
		SENDT_PRINT:      {Merknad: FeiletEtterPrint},
		AVVIST_PRINT:     {Merknad: FeiletEtterPrint},
		LEVERT:           {Merknad: FeiletEtterLevert, Varsles: OperatorKritisk},
	},
	UtfallServerfeil: {
		AKSEPTERT:        {Overganger: []Steg{bevist}, Merknad: Serverfeil, Folge: FolgeSendPaNytt},
		SENDT_FAGSYSTEM:  {Merknad: Serverfeil, Folge: FolgeSendPaNytt},
		AVVIST_FAGSYSTEM: {Merknad: Serverfeil},
		SENDT_PRINT:      {Merknad: Serverfeil},
		AVVIST_PRINT:     {Merknad: Serverfeil},
		LEVERT:           {Merknad: Serverfeil},
	},
	UtfallTidsavbrudd: {
		AKSEPTERT:        {Overganger: []Steg{bevist}, Merknad: Tidsavbrudd, Folge: FolgeSjekkFrist},
		SENDT_FAGSYSTEM:  {Merknad: Tidsavbrudd, Folge: FolgeSjekkFrist},
		AVVIST_FAGSYSTEM: {Merknad: Tidsavbrudd},
		SENDT_PRINT:      {Merknad: Tidsavbrudd},
		AVVIST_PRINT:     {Merknad: Tidsavbrudd},
		LEVERT:           {Merknad: Tidsavbrudd},
	},
	UtfallFrist: {
		AKSEPTERT:        {Merknad: FristUtlopt, Folge: FolgeBrev, Varsles: Operator},
		SENDT_FAGSYSTEM:  {Merknad: FristUtlopt, Folge: FolgeBrev},
		AVVIST_FAGSYSTEM: {}, // the letter is owed already
		SENDT_PRINT:      {},
		AVVIST_PRINT:     {},
		LEVERT:           {},
	},
	UtfallOvertatt: {
		AKSEPTERT:        {Overganger: []Steg{tilPrint}},
		SENDT_FAGSYSTEM:  {Overganger: []Steg{tilPrint}},
		AVVIST_FAGSYSTEM: {Overganger: []Steg{tilPrint}},
		SENDT_PRINT:      {Merknad: BrevsvarGjentatt},
		AVVIST_PRINT:     {Merknad: BrevsvarGjentatt},
		LEVERT:           {Merknad: BrevEtterLevert},
	},
	UtfallPostlagt: {
		AKSEPTERT:        {Overganger: []Steg{tilPrint, postlagt}, Folge: FolgeSlett},
		SENDT_FAGSYSTEM:  {Overganger: []Steg{tilPrint, postlagt}, Folge: FolgeSlett},
		AVVIST_FAGSYSTEM: {Overganger: []Steg{tilPrint, postlagt}, Folge: FolgeSlett},
		SENDT_PRINT:      {Overganger: []Steg{postlagt}, Folge: FolgeSlett},
		AVVIST_PRINT:     {Merknad: BrevsvarStrider, Varsles: Operator},
		LEVERT:           {Merknad: PostlagtEtterLevert},
	},
	UtfallBrevAvvist: {
		AKSEPTERT:        {Overganger: []Steg{tilPrint, nektet}, Varsles: OperatorKritisk},
		SENDT_FAGSYSTEM:  {Overganger: []Steg{tilPrint, nektet}, Varsles: OperatorKritisk},
		AVVIST_FAGSYSTEM: {Overganger: []Steg{tilPrint, nektet}, Varsles: OperatorKritisk},
		SENDT_PRINT:      {Overganger: []Steg{nektet}, Varsles: OperatorKritisk},
		AVVIST_PRINT:     {Merknad: BrevsvarGjentatt},
		LEVERT:           {Merknad: AvvistEtterLevert},
	},
	UtfallRetur: {
		AKSEPTERT:        {Overganger: []Steg{tilPrint, retur}, Varsles: OperatorKritisk},
		SENDT_FAGSYSTEM:  {Overganger: []Steg{tilPrint, retur}, Varsles: OperatorKritisk},
		AVVIST_FAGSYSTEM: {Overganger: []Steg{tilPrint, retur}, Varsles: OperatorKritisk},
		SENDT_PRINT:      {Overganger: []Steg{retur}, Varsles: OperatorKritisk},
		AVVIST_PRINT:     {Merknad: BrevsvarGjentatt},
		LEVERT:           {Merknad: ReturEtterLevert, Varsles: OperatorKritisk},
	},
	UtfallOperator: {
		AKSEPTERT:        {Merknad: Notat},
		SENDT_FAGSYSTEM:  {Merknad: Notat},
		AVVIST_FAGSYSTEM: {Merknad: Notat},
		SENDT_PRINT:      {Merknad: Notat},
		AVVIST_PRINT:     {Merknad: Notat},
		LEVERT:           {Merknad: Notat},
	},
}

// Reager is the cell for one answer in one state.
func Reager(t Tilstand, u Utfall) Reaksjon { return reaksjoner[u][t] }

// ReagerPaBrev is Reager for an answer about a letter. In AVVIST_PRINT an operator may have ordered a new letter (D3); then, and
// only then, the vendor's word about that open attempt moves the report on: an answer about the old letter never does.
func ReagerPaBrev(t Tilstand, u Utfall, apent bool) Reaksjon {
	if t != AVVIST_PRINT || !apent {
		return Reager(t, u)
	}
	return Reager(AVVIST_FAGSYSTEM, u)
}
