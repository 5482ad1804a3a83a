// Package melding holds one concern report as the portal knows it: facts that never change, a history that only grows,
// and the state that follows from the history.
//
// Start with Melding: Tilstand, Overgang and Merknad read and extend its history. Reager (svar.go) says what each answer
// from the world does in each state. Nothing here knows the time, the network or a database; instants come in as arguments.
package melding

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
)

// ID is the report's UUID in lower case (UUIDv7 when made here). It is the sender's reference and the world's bekymringsmelding-id.
type ID string

// ForsokID is the UUID of one attempt to do something in the world: one send, one letter. It travels with the act, so a repeat
// is recognised: klientMeldingId on Fiks IO, job id at the print vendor.
type ForsokID string

// ErrID says that a text is not a UUID.
var ErrID = errors.New("er ikke en UUID")

// ParseID takes a UUID in any case.
func ParseID(s string) (ID, error) {
	if len(s) != 36 {
		return "", ErrID
	}
	b := []byte(s)
	for i, c := range b {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return "", ErrID
			}
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'f':
		case c >= 'A' && c <= 'F':
			b[i] = c + 'a' - 'A'
		default:
			return "", ErrID
		}
	}
	return ID(b), nil
}

// NyForsokID is the id of attempt number n of a kind for a report: the same every time it is computed, so a pure function can
// name an attempt before it is made. UUIDv8 (RFC 9562 §5.8) over SHA-256.
func NyForsokID(id ID, slag string, n int) ForsokID {
	h := sha256.Sum256([]byte(string(id) + "/" + slag + "/" + strconv.Itoa(n)))
	h[6] = h[6]&0x0f | 0x80
	h[8] = h[8]&0x3f | 0x80
	x := hex.EncodeToString(h[:16])
	return ForsokID(x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:])
}

// Slag is which form the report is: from a private person or from a public reporter.
type Slag string

const (
	Privat    Slag = "privat"
	Offentlig Slag = "offentlig"
)

// Versjon is the version of the form's schema, chosen by the URL it was sent to.
type Versjon int

const (
	V1 Versjon = 1
	V2 Versjon = 2
)

func (v Versjon) String() string { return "v" + strconv.Itoa(int(v)) }

// Kilde says how the report came in.
type Kilde string

const (
	Skjema    Kilde = "skjema"
	Fagsystem Kilde = "fagsystem"
)

// Del names one sealed part of a report.
type Del string

const (
	DelAsice Del = "asice"             // ASiC-E sealed for the receiver
	DelPDF   Del = "bekymringsmelding" // PDF sealed for the printer
)

// DelSvar is the n-th answer body as received; kept with the report and erased with it.
func DelSvar(n int) Del { return Del("svar-" + strconv.Itoa(n)) }

// MaksSvar is how much of an answer's body is kept.
const MaksSvar = 64 << 10

// Delfakta is what is known about a sealed part without opening it.
type Delfakta struct {
	Storrelse   int64
	SHA256      [32]byte
	Forsegling  Forsegling
	Nokkelserie []string // serials (hex) of the certificates it is sealed for
}

// Fakta is what a report is, fixed when it is accepted: nothing here can be filled in later.
type Fakta struct {
	ID            ID
	Slag          Slag
	Versjon       Versjon
	Kilde         Kilde
	FraFiksOrgID  kommune.FiksOrgID
	FraOrgnr      kommune.Orgnr
	IntegrasjonID kommune.IntegrasjonID
	TilFiksOrgID  kommune.FiksOrgID
	Kommune       kommune.Kommunenummer
	Bydel         kommune.Bydelsnummer
	RessursID     kommune.RessursID
	Kanal         kommune.Kanal
	KontoID       kommune.KontoID
	Innsendt      time.Time
	Frist         time.Time // when the letter leaves unless reception is confirmed
	Deler         map[Del]Delfakta
	Oppbevar      time.Duration // how long content is kept after LEVERT
	MuligDublett  ID            // an earlier report this one resembles (D10); "" = none
	UtloptPrint   bool          // sealed for a print certificate that had expired
}

// Melding is a report: its facts and its whole history, oldest first.
type Melding struct {
	Fakta     Fakta
	Historikk []Hendelse
}

// Tilstand is the state the history leads to.
func (m Melding) Tilstand() Tilstand {
	for i := len(m.Historikk) - 1; i >= 0; i-- {
		if m.Historikk[i].Art == Overgang {
			return m.Historikk[i].Tilstand
		}
	}
	return ""
}

// Kontroller folds the history from the start and says whether every step was legal, gapless and in time order.
func (m Melding) Kontroller() error {
	var t Tilstand
	var forrige time.Time
	for i, h := range m.Historikk {
		if h.Sekvens != i+1 {
			return fmt.Errorf("melding %s: sekvens %d på plass %d: %w", m.Fakta.ID, h.Sekvens, i+1, ErrHistorikk)
		}
		if h.Tidspunkt.Before(forrige) {
			return fmt.Errorf("melding %s: sekvens %d er tidligere enn den forrige: %w", m.Fakta.ID, h.Sekvens, ErrHistorikk)
		}
		forrige = h.Tidspunkt
		if !h.Kode.kjent() {
			return fmt.Errorf("melding %s: sekvens %d har ukjent kode: %w", m.Fakta.ID, h.Sekvens, ErrHistorikk)
		}
		if h.Art == Overgang {
			if !Lovlig(t, h.Tilstand) {
				return &OvergangError{Melding: m.Fakta.ID, Fra: t, Til: h.Tilstand}
			}
			t = h.Tilstand
		} else if h.Tilstand != "" {
			return fmt.Errorf("melding %s: sekvens %d er merknad med tilstand: %w", m.Fakta.ID, h.Sekvens, ErrHistorikk)
		}
	}
	return nil
}

// ErrHistorikk says that a history is not one this package could have made.
var ErrHistorikk = errors.New("historikken henger ikke sammen")

// Har says whether the history holds an event of this kind.
func (m Melding) Har(k Kode) bool { return m.Antall(k) > 0 }

// Antall counts events of a kind.
func (m Melding) Antall(k Kode) (n int) {
	for _, h := range m.Historikk {
		if h.Kode == k {
			n++
		}
	}
	return n
}

// HarSvar says whether an event of the answer with this id is in the history. What else in it has the same id is no answer: a receiver
// knows the platform's id of our message, and could name its own after it.
func (m Melding) HarSvar(id string) bool {
	return slices.ContainsFunc(m.Historikk, func(h Hendelse) bool { return h.Referanse == id && h.Kode.Referanseslag() == RefSvar })
}

// SendtSom says whether the platform gave one of the report's messages this id.
func (m Melding) SendtSom(ref string) bool {
	return slices.ContainsFunc(m.Historikk, func(h Hendelse) bool { return h.Referanse == ref && h.Kode.Referanseslag() == RefSending })
}

// Levert is when the report became LEVERT; zero while it is not.
func (m Melding) Levert() time.Time {
	for _, h := range m.Historikk {
		if h.Art == Overgang && h.Tilstand == LEVERT {
			return h.Tidspunkt
		}
	}
	return time.Time{}
}
