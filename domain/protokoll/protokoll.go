// Package protokoll names everything that stands on the Fiks IO wire: message types, headers, file names, queue names.
//
// Sources: KS's public protocol description and clients; see docs/ordliste.md. Spelling is theirs, also where it is odd.
package protokoll

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"portal.example/bekymringsmelding/domain/melding"
)

const prefiks = "no.ks.fiks.bekymringsmelding."

// Protocol names in the catalogue.
const (
	ProtokollV1 = prefiks + "v1"
	ProtokollV2 = prefiks + "v2"
)

// Answers. They are v1 for reports of both versions.
const (
	Mottatt = prefiks + "mottatt.v1"
	Feilet  = prefiks + "feilet.v1"
)

// Receipts made by the platform itself.
const (
	Tidsavbrudd = "no.ks.fiks.kvittering.tidsavbrudd" // no version, unlike the other
	Serverfeil  = "no.ks.fiks.kvittering.serverfeil.v1"
)

// Headers of a message on the wire.
const (
	HeaderMeldingID      = "melding-id"
	HeaderAvsenderID     = "avsender-id"
	HeaderType           = "type"
	HeaderSvarTil        = "svar-til"
	HeaderSvarTilType    = "svar-til-type"
	HeaderDokumentlager  = "dokumentlager-id"
	HeaderEgendefinert   = "egendefinert-header." // prefix of everything below
	HeaderBydelRessurs   = "bydel-ressurs-id"
	HeaderBekymring      = "bekymringsmelding-id"
	HeaderKlientMelding  = "klientMeldingId"
	HeaderKorrelasjon    = "klientKorrelasjonsId"
	HeaderKorrelasjonOld = "klientKorrelasjonId" // the spelling older Java clients know; both are sent
)

// Parts and files.
const (
	DelPDF          = "bekymringsmelding"
	DelAsice        = "asice"
	FilPDF          = "bekymringsmelding.pdf"
	FilJSON         = "bekymringsmelding.json"
	FilAsice        = "asice.zip"
	FilFeilmelding  = "feilmelding.json"
	KoPrefiks       = "fiksio.konto."
	kvitteringsNavn = "no.ks.fiks.kvittering."
)

// Meldingstype is the name a report travels under.
func Meldingstype(s melding.Slag, v melding.Versjon) string {
	return prefiks + string(s) + ".v" + strconv.Itoa(int(v))
}

// ErrType says that a name is not a report's.
var ErrType = errors.New("ukjent meldingstype")

// ParseMeldingstype reads a report's name back; case does not matter, as in the clients in use.
func ParseMeldingstype(s string) (melding.Slag, melding.Versjon, error) {
	for _, slag := range []melding.Slag{melding.Privat, melding.Offentlig} {
		for _, v := range []melding.Versjon{melding.V1, melding.V2} {
			if strings.EqualFold(s, Meldingstype(slag, v)) {
				return slag, v, nil
			}
		}
	}
	return "", 0, ErrType
}

// ErKvittering says whether a message is an answer or a receipt: nothing may be answered to it.
func ErKvittering(s string) bool {
	return s == Mottatt || s == Feilet || strings.HasPrefix(s, kvitteringsNavn)
}

// Filnavn is the documented name of the data part.
func Filnavn(fiksOrgID, bydelsnummer string) string {
	return "FiksIO_encrypted_" + fiksOrgID + "_" + bydelsnummer + ".zip"
}

// Feilmelding is the body of a feilet answer.
type Feilmelding struct {
	Melding string `json:"melding,omitempty"`
}

// JSON is feilmelding.json.
func (f Feilmelding) JSON() []byte {
	b, _ := json.Marshal(f)
	return b
}
