// Package kommune names the places a report can go: kommuner, their bydeler, and the accounts that receive for them.
//
// Numbers are kept as the text the APIs carry, because leading zeros matter ("0301", "00"). Parse functions are the
// only way in from outside; they judge form, never whether the place exists.
package kommune

import (
	"errors"
	"fmt"
)

// ErrForm is what every Parse function returns for text of the wrong form. The text itself is not repeated.
var ErrForm = errors.New("har ikke riktig form")

// Kommunenummer is four digits (SSB's classification).
type Kommunenummer string

// Bydelsnummer is two digits; "00" is the number of an undivided kommune.
type Bydelsnummer string

// Fylkesnummer is two digits.
type Fylkesnummer string

// Orgnr is nine digits (Enhetsregisteret). The check digit is not judged: KS's own examples fail it.
type Orgnr string

// FiksOrgID is a Fiks organisation's UUID in lower case.
type FiksOrgID string

// RessursID is the resource UUID of one bydel's reception; it survives a new number or name.
type RessursID string

// KontoID is the UUID of a Fiks IO account, or of its SvarInn or manual counterpart.
type KontoID string

// IntegrasjonID is the UUID a case system logs in as.
type IntegrasjonID string

func ParseKommunenummer(s string) (Kommunenummer, error) {
	return parse[Kommunenummer](s, "kommunenummer", 4)
}
func ParseBydelsnummer(s string) (Bydelsnummer, error) {
	return parse[Bydelsnummer](s, "bydelsnummer", 2)
}
func ParseFylkesnummer(s string) (Fylkesnummer, error) {
	return parse[Fylkesnummer](s, "fylkenummer", 2)
}
func ParseOrgnr(s string) (Orgnr, error) { return parse[Orgnr](s, "organisasjonsnummer", 9) }

func parse[T ~string](s, what string, n int) (T, error) {
	if len(s) != n {
		return "", fmt.Errorf("%s: %w", what, ErrForm)
	}
	for i := range n {
		if s[i] < '0' || s[i] > '9' {
			return "", fmt.Errorf("%s: %w", what, ErrForm)
		}
	}
	return T(s), nil
}

// Kommune as the directory shows it. Navn holds the name by language (nb, nn, se, en); nb is always there.
type Kommune struct {
	Nummer       Kommunenummer
	Navn         Navn
	Fylke        Fylkesnummer
	FylkeNavn    Navn
	FiksOrgID    FiksOrgID
	Organisasjon Orgnr
}

// Navn is one name in several languages, keyed by sprakKode.
type Navn map[string]string

// Pa gives the name in the language, else in bokmål.
func (n Navn) Pa(sprakKode string) string {
	if s := n[sprakKode]; s != "" {
		return s
	}
	return n["nb"]
}

// Bydel is one receiver of reports as senders see it.
type Bydel struct {
	RessursID        RessursID
	Kommunenummer    Kommunenummer
	Bydelsnummer     Bydelsnummer
	Navn             Navn
	StandardMottaker bool
	Versjon          int // newest version its case system reads: 1 or 2
	Aktiv            bool
}

// Kanal is how a receiver gets its reports. Print is never configured: it is what remains.
type Kanal string

const (
	FiksIO  Kanal = "FIKS_IO"
	SvarInn Kanal = "SVARINN"
	Manuell Kanal = "MANUELL_MOTTAK"
	Print   Kanal = "PRINT"
)

// Gyldig says whether k can be a receiver's channel.
func (k Kanal) Gyldig() bool { return k == FiksIO || k == SvarInn || k == Manuell }

// Postadresse is where the letter goes when nothing digital is confirmed. It is an office's address, never a person's.
type Postadresse struct {
	Navn       string `json:"navn"`
	Linje1     string `json:"linje1"`
	Linje2     string `json:"linje2,omitempty"`
	Linje3     string `json:"linje3,omitempty"`
	Postnummer string `json:"postnummer"`
	Poststed   string `json:"poststed"`
}

// Hel says whether a letter can be addressed with it.
func (p Postadresse) Hel() bool {
	return p.Navn != "" && p.Linje1 != "" && p.Postnummer != "" && p.Poststed != ""
}

// Mottakerkonto is where one bydel's reports go now, read anew at every attempt.
type Mottakerkonto struct {
	Bydel       Bydel
	Kommunenavn Navn
	FiksOrgID   FiksOrgID
	Orgnr       Orgnr
	Kanal       Kanal
	KontoID     KontoID
	KontoAktiv  bool
	Adresse     Postadresse
	// FristOverstyrt replaces the policy's frist for this receiver as a plain duration in seconds; 0 = the policy's.
	// Only the demo and --dev set it.
	FristSekunder int
	// OppbevarDager lengthens retention for this receiver; 0 = the policy's.
	OppbevarDager int
	// TarGCM says that the receiver has opted in to AuthEnvelopedData (AES-GCM).
	TarGCM bool
}

// Eier names whose certificate or key something is: a receiving bydel, the printer, or the platform's own account.
type Eier struct {
	Art string // "mottaker", "print", "portal"
	ID  string // RessursID of the bydel; "" for print and portal, "neste" for the portal's next
}

var (
	Printleverandor = Eier{Art: "print"}
	Portalen        = Eier{Art: "portal"}
	// PortalenNeste is what Portalen is about to change to: the key is here, and the catalogue may have it already or not yet.
	PortalenNeste = Eier{Art: "portal", ID: "neste"}
)

// MottakerEier is the owner of what seals for one bydel.
func MottakerEier(r RessursID) Eier { return Eier{Art: "mottaker", ID: string(r)} }

func (e Eier) String() string {
	if e.ID == "" {
		return e.Art
	}
	return e.Art + "/" + e.ID
}

// Tilgang is one integration's right to act for a Fiks organisation.
type Tilgang string

const (
	TilgangSende Tilgang = "bekymringsmelding.send" // submit reports and read their status
	TilgangMotta Tilgang = "bekymringsmelding.motta"
)

// Integrasjon is a case system's login. Passord is HMAC-SHA-256 of the issued password under the server's key (D19).
type Integrasjon struct {
	ID         IntegrasjonID
	Orgnr      Orgnr // consumer organisation its token must carry
	PassordMAC []byte
	Aktiv      bool
}

// Organisasjon is one Fiks organisation.
type Organisasjon struct {
	FiksOrgID FiksOrgID
	Orgnr     Orgnr
	Navn      string
}
