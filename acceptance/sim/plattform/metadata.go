package plattform

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"portal.example/bekymringsmelding/domain/protokoll"
)

// metadata is the part of that name (§2.2). UUIDs are in lower case.
type metadata struct {
	avsender, mottaker string
	meldingstype       string
	svarPa             string // "" = none
	ttl                time.Duration
	headere            map[string]string // never nil; as sent
}

const (
	minTTL       = time.Second
	standardTTL  = 7 * 24 * time.Hour
	maksTTL      = math.MaxUint32 * time.Millisecond // the longest a RabbitMQ queue takes
	maksType     = 255
	maksNavn     = 255 - len(protokoll.HeaderEgendefinert) // an AMQP field name has one octet for its length
	maksHodesum  = 16 << 10                                // with the platform's own headers it fits any frame a broker sends
	metadatafelt = "avsenderKontoId mottakerKontoId meldingType svarPaMelding ttl headere"
)

// lesMetadata reads the JSON. Names are exact: Go's own decoder would take .NET's PascalCase dump for the wire format. Members it does
// not know are ignored.
func lesMetadata(b []byte, l Lempelig) (metadata, error) {
	felt, err := lesObjekt(b, l.DobleMedlemmer)
	if err != nil {
		return metadata{}, feilMetadata.fordi(err)
	}
	m := metadata{headere: map[string]string{}}
	var ok [4]bool
	m.avsender, ok[0] = lesUUID(tekst(felt["avsenderKontoId"]))
	m.mottaker, ok[1] = lesUUID(tekst(felt["mottakerKontoId"]))
	m.meldingstype = tekst(felt["meldingType"])
	ok[2] = m.meldingstype != "" && len(m.meldingstype) <= maksType && !strings.ContainsFunc(m.meldingstype, utenforType)
	m.svarPa, ok[3] = lesUUID(tekst(felt["svarPaMelding"]))
	if s := felt["svarPaMelding"]; s == nil || string(s) == "null" {
		ok[3] = true
	}
	for i, bra := range ok {
		if !bra {
			f := feilMetadata.feil()
			f.melding = strings.Fields(metadatafelt)[i] + " mangler eller har ikke riktig form."
			return metadata{}, f
		}
	}
	if m.ttl, err = lesTTL(felt["ttl"], l); err != nil {
		return metadata{}, err
	}
	if h := felt["headere"]; h != nil && string(h) != "null" {
		if err := m.lesHeadere(h, l); err != nil {
			return metadata{}, err
		}
	}
	return m, nil
}

func utenforType(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// lesObjekt gives the members of exactly one JSON object, as they stand.
func lesObjekt(b []byte, doble bool) (map[string]json.RawMessage, error) {
	if !utf8.Valid(b) {
		return nil, errors.New("ikke UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("ikke et objekt")
	}
	ut := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, errors.New("ikke JSON")
		}
		navn, _ := t.(string) // a member's name always is one
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, errors.New("ikke JSON")
		}
		if _, dobbel := ut[navn]; dobbel && !doble {
			return nil, errors.New("to like medlemmer")
		}
		ut[navn] = v
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("ikke avsluttet")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("mer etter objektet")
	}
	return ut, nil
}

// tekst is a JSON string, or "" for anything else.
func tekst(b json.RawMessage) string {
	var s *string
	if json.Unmarshal(b, &s) != nil || s == nil {
		return ""
	}
	return *s
}

// lesTTL takes whole milliseconds written as digits, or null, or nothing: then it is seven days (§2.2).
func lesTTL(b json.RawMessage, l Lempelig) (time.Duration, error) {
	if b == nil || string(b) == "null" {
		return standardTTL, nil
	}
	ms, err := strconv.ParseUint(string(b), 10, 32)
	if s := tekst(b); l.Verdier && err != nil {
		if s == "" {
			s = string(b)
		}
		var f float64
		if f, err = strconv.ParseFloat(s, 64); f >= 0 && f <= math.MaxUint32 {
			ms = uint64(f)
		}
	}
	ttl := time.Duration(ms) * time.Millisecond
	if err != nil || ttl < minTTL {
		return 0, feilTTL.feil()
	}
	return ttl, nil
}

// headerverdi is the text of a header. With lenient reading a number and a truth value are the text they are written with, and null is
// none (ok is true and har false).
func headerverdi(v json.RawMessage, l Lempelig) (s string, har, ok bool) {
	var p *string
	switch err := json.Unmarshal(v, &p); {
	case err == nil && p != nil:
		return *p, true, true
	case err == nil:
		return "", false, l.Verdier
	}
	return string(v), true, l.Verdier && v[0] != '{' && v[0] != '['
}

func (m *metadata) lesHeadere(b json.RawMessage, l Lempelig) error {
	felt, err := lesObjekt(b, l.DobleMedlemmer)
	if err != nil {
		return feilHeadere.fordi(err)
	}
	sum := 0
	for navn, v := range felt {
		s, har, ok := headerverdi(v, l)
		if !ok || navn == "" || len(navn) > maksNavn || strings.ContainsFunc(navn, unicode.IsControl) {
			return feilHeadere.feil()
		}
		if sum += len(navn) + len(s); sum > maksHodesum {
			return feilHeadere.feil()
		}
		if har {
			m.headere[navn] = s
		}
	}
	if l.KlientHeadere {
		return nil
	}
	if id, har := m.headere[protokoll.HeaderKlientMelding]; har {
		if _, ok := lesUUID(id); !ok {
			return feilKlientHode.feil()
		}
	}
	ny, harNy := m.headere[protokoll.HeaderKorrelasjon]
	gammel, harGammel := m.headere[protokoll.HeaderKorrelasjonOld]
	if harNy && harGammel && ny != gammel {
		return feilKlientHode.feil()
	}
	return nil
}
