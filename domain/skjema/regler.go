package skjema

import (
	"regexp"
	"strconv"
	"strings"
)

// Brudd is one breach: where (a JSON Pointer, RFC 6901; "" is the whole document) and of which rule. It never holds a value.
type Brudd struct{ Sti, Regel string }

// The rules that can be broken. They are stable: a form maps them to sentences in its own language.
const (
	RegelMangler   = "mangler"
	RegelTekst     = "skal være tekst"
	RegelJaNei     = "skal være true eller false"
	RegelObjekt    = "skal være et objekt"
	RegelListe     = "skal være en liste"
	RegelMinstEn   = "skal ha minst ett element"
	RegelEnEllerTo = "skal ha ett eller to elementer"
	RegelFireSifre = "skal ha fire sifre"
	RegelToSifre   = "skal ha to sifre"
	RegelEnLinje   = "skal være på én linje"
	RegelTidspunkt = "skal være dato og klokkeslett"
	// RegelTelefon: digits, a plus in front, single blanks or hyphens between groups. No brackets.
	RegelTelefon = "skal være et telefonnummer"
	// RegelEpost: the protocol's pattern refuses addresses that work, with + or ' or accents other than æøå. A form must ask for
	// another address; nothing may be cut out of one.
	RegelEpost   = "skal være en e-postadresse som protokollen godtar"
	RegelBareV2  = "finnes bare i versjon 2"
	RegelJSON    = "skal være JSON"
	RegelUTF8    = "skal være UTF-8"
	RegelVersjon = "versjonen skal være 1 eller 2"
	RegelSlag    = "skjemaet skal være privat eller offentlig"
)

// Feil is every breach found in a document, at most maksBrudd of them.
type Feil struct{ Brudd []Brudd }

func (f *Feil) Error() string {
	deler := make([]string, len(f.Brudd))
	for i, b := range f.Brudd {
		deler[i] = strconv.Quote(b.Sti) + " " + b.Regel
	}
	return "skjema: " + strings.Join(deler, ", ")
}

// maksBrudd bounds the answer to a document that is wrong ten thousand times over.
const maksBrudd = 100

type sjekk struct{ funn []Brudd }

func (s *sjekk) brudd(sti, regel string) {
	if len(s.funn) < maksBrudd {
		s.funn = append(s.funn, Brudd{sti, regel})
	}
}

func (s *sjekk) feil() error {
	if len(s.funn) == 0 {
		return nil
	}
	return &Feil{Brudd: s.funn}
}

// regel is one rule about a text.
type regel struct {
	navn  string
	ok    func(string) bool // nil = any text
	krevd bool              // must be there, if only as ""
	brett bool              // line breaks are folded when written
}

var (
	krevd     = regel{navn: RegelMangler, krevd: true}
	enLinje   = regel{navn: RegelEnLinje, ok: utenLinjeskift, brett: true}
	fireSifre = regel{navn: RegelFireSifre, ok: regexp.MustCompile(`^[0-9]{4}$`).MatchString}
	toSifre   = regel{navn: RegelToSifre, ok: regexp.MustCompile(`^[0-9]{2}$`).MatchString}
	telefon   = regel{navn: RegelTelefon, ok: regexp.MustCompile(`^[+]?[0-9]+([- ][0-9]+)*$`).MatchString}
	epost     = regel{navn: RegelEpost, ok: regexp.MustCompile(
		`^[A-Za-zæøåÆØÅ0-9-_]+(\.[A-Za-zæøåÆØÅ0-9-_]+)*@[A-Za-zæøåÆØÅ0-9-]+(\.[A-Za-zæøåÆØÅ0-9-]+)*(\.[A-Za-z]{2,})$`).MatchString}
)

// utenLinjeskift is ^(.*)$ as JSON Schema means it: the dot matches all but ECMA-262's line terminators.
func utenLinjeskift(s string) bool { return !strings.ContainsAny(s, "\n\r\u2028\u2029") }

// paEnLinje folds each run of line breaks, with the blanks around it, to one blank. It folds U+0085 too, which Java's dot does not match.
func paEnLinje(s string) string {
	linjer := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("\n\r\u0085\u2028\u2029", r) })
	if len(linjer) == 1 && linjer[0] == s {
		return s
	}
	ut := linjer[:0]
	for _, l := range linjer {
		if l = strings.TrimSpace(l); l != "" {
			ut = append(ut, l)
		}
	}
	return strings.Join(ut, " ")
}
