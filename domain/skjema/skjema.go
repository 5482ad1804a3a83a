// Package skjema holds the two report forms, privat and offentlig, as they travel in bekymringsmelding.json: every field, every
// rule, JSON both ways.
//
// A sender fills a Privat or an Offentlig and calls JSON, which refuses a document that breaks the protocol. A receiver, or somebody who
// checks another's JSON, calls Les. Both say what is wrong as Brudd: the path and the rule, never the value. Nothing in a document can be
// printed by accident: texts are Tekst, and each type prints as [skjult].
//
// Source of fields, order, patterns and required members: the schemas in ks-no/fiks-io-bekymringsmelding-protokoll (domain/*.json), copied
// in testdata and used as the judge of our output. Where we are stricter or more tolerant than they, the rule says so:
//
//   - at least one child in privat: KS wrote minLength where minItems was meant, so an empty list passes there;
//   - sendingstidspunkt without an offset is read as Norwegian time and is what we write: the schema says date-time, the examples and the
//     documentation have none. Of the hour that comes twice in October nobody can tell which is meant;
//   - line breaks in fields of one line are folded when written: the pattern ^(.*)$ refuses them, and a report is not worth losing for one;
//   - optional members without content are left out: "" does not match the phone pattern;
//   - members we do not know are let through when read, as no KS schema forbids them.
//
// Form only: whether a number is a real fødselsnummer or organisasjonsnummer is not judged (KS's own example fails mod 11).
package skjema

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
)

// Dokument is a Privat or an Offentlig.
type Dokument interface {
	Slag() melding.Slag
	// JSON is bekymringsmelding.json; the error is a *Feil.
	JSON() (melding.Klartekst, error)
	skjemadokument()
}

// Mottaker is the receiving bydel as the form names it. "00" is the number in a kommune without bydeler.
type Mottaker struct {
	Kommunenummer kommune.Kommunenummer
	Kommunenavn   string
	Bydelsnummer  kommune.Bydelsnummer
	Bydelsnavn    string
}

func (m *Mottaker) felt(navneregler ...regel) []felt {
	return []felt{
		apen("kommunenummer", &m.Kommunenummer, krevd, fireSifre),
		apen("kommunenavn", &m.Kommunenavn, navneregler...),
		apen("bydelsnummer", &m.Bydelsnummer, krevd, toSifre),
		apen("bydelsnavn", &m.Bydelsnavn, navneregler...),
	}
}

// Adresse is a postal address. Adresselinje1 has no alternative in the schema: where an address is unknown or protected, write that
// there in words, and never look one up.
type Adresse struct {
	skjerm
	Adresselinje1, Adresselinje2, Adresselinje3 Tekst
	Postnummer, Poststed                        Tekst
}

// Tom says whether nothing is filled in.
func (a Adresse) Tom() bool { return a == Adresse{} }

func (a *Adresse) felt() []felt {
	return []felt{
		tekst("adresselinje1", &a.Adresselinje1, krevd),
		tekst("adresselinje2", &a.Adresselinje2),
		tekst("adresselinje3", &a.Adresselinje3),
		tekst("postnummer", &a.Postnummer),
		tekst("poststed", &a.Poststed),
	}
}

// Les reads and checks a document in protocol mode. The error is a *Feil, and then there is no document.
func Les(slag melding.Slag, v melding.Versjon, k melding.Klartekst) (Dokument, error) {
	if v != melding.V1 && v != melding.V2 {
		return nil, &Feil{Brudd: []Brudd{{Regel: RegelVersjon}}}
	}
	switch slag {
	case melding.Privat:
		var p Privat
		if err := les(k.Bytes(), p.felt()); err != nil {
			return nil, err
		}
		return p, nil
	case melding.Offentlig:
		o := Offentlig{Versjon: v}
		if err := les(k.Bytes(), o.felt()); err != nil {
			return nil, err
		}
		return o, nil
	}
	return nil, &Feil{Brudd: []Brudd{{Regel: RegelSlag}}}
}

func les(b []byte, f []felt) error {
	b = bytes.TrimPrefix(b, []byte("\ufeff")) // .NET writes it; RFC 8259 §8.1 lets a reader ignore it
	s := &sjekk{}
	var v any
	switch {
	case !utf8.Valid(b): // encoding/json would put U+FFFD in its place, and the report would not be what was written
		s.brudd("", RegelUTF8)
	case json.Unmarshal(b, &v) != nil: // its error is not wrapped: it can quote the text
		s.brudd("", RegelJSON)
	default:
		s.objekt("", v, f)
	}
	return s.feil()
}

// skriv makes the JSON from f and reads it back into kontroll, a fresh document's fields, so that one set of rules judges what we write and
// what we read.
func skriv(f, kontroll []felt) (melding.Klartekst, error) {
	var b bytes.Buffer
	s := &sjekk{}
	s.skrivObjekt(&b, "", f)
	if err := s.feil(); err != nil {
		return melding.Klartekst{}, err
	}
	if err := les(b.Bytes(), kontroll); err != nil {
		return melding.Klartekst{}, err
	}
	return melding.NyKlartekst(b.Bytes()), nil
}
