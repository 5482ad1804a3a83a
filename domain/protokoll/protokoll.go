// Package protokoll names everything that stands on the Fiks IO wire: message types, headers, file names, queue names, and the body
// of a rejection. Spelling is KS's, also where it is odd.
//
// Meldingstype names an outgoing report and ParseMeldingstype reads it back; Kanonisk reads the type of an incoming answer;
// ErKvittering must be asked before anything is answered. Sources, all public: the repository
// ks-no/fiks-io-bekymringsmelding-protokoll (types, feilmelding.json), developers.fiks.ks.no/tjenester/bekymringsmelding
// (headers, file name), ks-no/fiks-io-commons FiksIOHeaders.java (queue and header names).
package protokoll

import (
	"errors"
	"strconv"
	"strings"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
)

const prefiks = "no.ks.fiks.bekymringsmelding."

// Protocol names in the catalogue. Whoever reads V2 also reads V1.
const (
	ProtokollV1 = prefiks + "v1"
	ProtokollV2 = prefiks + "v2"
)

// Answers. They are v1 for reports of both versions; Mottatt has no body, Feilet has a Feilmelding.
const (
	Mottatt = prefiks + "mottatt.v1"
	Feilet  = prefiks + "feilet.v1"
)

// Receipts made by the platform itself (Fiks IO documentation, fiksio.md). A tidsavbrudd has no version, unlike the other.
const (
	Tidsavbrudd = kvittering + "tidsavbrudd"
	Serverfeil  = kvittering + "serverfeil.v1"
)

// Receipts that receivers of other protocols sent until 2022; they are gone from KS's clients. We send none and understand none,
// but they are receipts, so nothing may be answered to one.
const (
	Ugyldigforesporsel = kvittering + "ugyldigforespoersel.v1"
	Ikkefunnet         = kvittering + "ikkefunnet.v1"
)

const kvittering = "no.ks.fiks.kvittering."

// Headers of a message on the wire.
const (
	HeaderMeldingID     = "melding-id"
	HeaderAvsenderID    = "avsender-id"
	HeaderType          = "type"
	HeaderSvarTil       = "svar-til"
	HeaderSvarTilType   = "svar-til-type" // on tidsavbrudd: the type that timed out
	HeaderDokumentlager = "dokumentlager-id"
)

// Members of the send API's headere. On the wire each comes out with HeaderEgendefinert before it; the Java and .NET clients show
// their callers only these, without it (FiksIOHeaders.extractEgendefinerteHeadere).
const (
	HeaderEgendefinert  = "egendefinert-header."
	HeaderBydelRessurs  = "bydel-ressurs-id"
	HeaderBekymring     = "bekymringsmelding-id"
	HeaderKlientMelding = "klientMeldingId"
	HeaderKorrelasjon   = "klientKorrelasjonsId"
	// HeaderKorrelasjonOld is the same without the s. Java's 3.5.0 and .NET know only the spelling with it, Java's newest source
	// reads and writes both: so both are sent and either is read.
	HeaderKorrelasjonOld = "klientKorrelasjonId"
)

// Parts of the producer's multipart body, and the files in them. In the ASiC-E the JSON comes first (it is the root), then the PDF.
const (
	DelPDF         = "bekymringsmelding"
	DelAsice       = "asice"
	FilPDF         = "bekymringsmelding.pdf"
	FilJSON        = "bekymringsmelding.json"
	FilAsice       = "asice.zip"
	FilFeilmelding = "feilmelding.json"
)

// KoPrefiks stands before the account's id in the name of its queue, which is also the routing key clients read the id from.
const KoPrefiks = "fiksio.konto."

// Konavn is the name of an account's queue.
func Konavn(k kommune.KontoID) string { return KoPrefiks + strings.ToLower(string(k)) }

// ParseKonavn gives the account a queue belongs to; ok is false for a name of another shape.
func ParseKonavn(navn string) (k kommune.KontoID, ok bool) {
	s, ok := strings.CutPrefix(navn, KoPrefiks)
	if !ok {
		return "", false
	}
	id, err := melding.ParseID(s) // only its reading of UUIDs is used
	return kommune.KontoID(id), err == nil
}

// Meldingstype is the name a report travels under. The sender's URL decides it, for nobody can look inside the package.
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

// Kanonisk gives an answer's type as one of the constants here, so that it can be compared with ==: case does not matter, and
// the abandoned catalogue's names (ks-no/fiks-svarinn2-meldingstype-katalog), which had one of each answer per form, mean the same as
// today's. Any other name comes back as it is.
func Kanonisk(meldingstype string) string {
	s := strings.ToLower(meldingstype)
	for _, slag := range []melding.Slag{melding.Privat, melding.Offentlig} {
		if rest, ok := strings.CutPrefix(s, prefiks+string(slag)+"."); ok {
			s = prefiks + rest
		}
	}
	switch s {
	case Mottatt, Feilet, Tidsavbrudd, Serverfeil, Ugyldigforesporsel, Ikkefunnet:
		return s
	}
	return meldingstype
}

// ErKvittering says whether a message is an answer or a receipt: nothing may be answered to it, or two systems would answer each
// other for ever. Every name under the platform's prefix counts, also the ones we do not know.
func ErKvittering(meldingstype string) bool {
	s := Kanonisk(meldingstype)
	return s == Mottatt || s == Feilet || strings.HasPrefix(strings.ToLower(s), kvittering)
}

// Filnavn is the documented name of the data part: FiksIO_encrypted_<FIKS_ORG_ID>_<BYDELSNUMMER>.zip. bydelsnummer has two digits,
// "00" for a kommune without bydeler.
func Filnavn(fiksOrgID, bydelsnummer string) string {
	return "FiksIO_encrypted_" + fiksOrgID + "_" + bydelsnummer + ".zip"
}
