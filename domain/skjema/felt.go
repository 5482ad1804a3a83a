package skjema

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"portal.example/bekymringsmelding/domain/virketid"
)

// felt binds one JSON member to a place in a document. A form is a list of them, in KS's order; the same list writes, reads and checks.
type felt struct {
	navn  string
	krevd bool
	tom   func() bool // nothing to write; asked only when not krevd
	skriv func(s *sjekk, b *bytes.Buffer, sti string)
	les   func(s *sjekk, sti string, v any)
}

func (s *sjekk) objekt(sti string, v any, felter []felt) {
	m, ok := v.(map[string]any)
	if !ok {
		s.brudd(sti, RegelObjekt)
		return
	}
	for _, f := range felter {
		switch v, finnes := m[f.navn]; {
		case finnes:
			f.les(s, sti+"/"+f.navn, v)
		case f.krevd:
			s.brudd(sti+"/"+f.navn, RegelMangler)
		}
	}
}

func (s *sjekk) skrivObjekt(b *bytes.Buffer, sti string, felter []felt) {
	skille := byte('{')
	for _, f := range felter {
		if !f.krevd && f.tom() {
			continue
		}
		b.WriteByte(skille)
		skille = ','
		b.WriteString(`"` + f.navn + `":`)
		f.skriv(s, b, sti+"/"+f.navn)
	}
	b.WriteByte('}') // every object has a required member, so it has been opened
}

// tekst is a member somebody wrote. Without krevd it is left out when empty.
func tekst(navn string, t *Tekst, regler ...regel) felt {
	return streng(navn, t.Verdi, func(s string) { *t = NyTekst(s) }, regler)
}

// apen is a member that says nothing about a person.
func apen[T ~string](navn string, t *T, regler ...regel) felt {
	return streng(navn, func() string { return string(*t) }, func(s string) { *t = T(s) }, regler)
}

func streng(navn string, hent func() string, sett func(string), regler []regel) felt {
	f := felt{navn: navn}
	brett := false
	for _, r := range regler {
		f.krevd = f.krevd || r.krevd
		brett = brett || r.brett
	}
	skrevet := func() string { // as it will stand in the JSON: a lone line break is no content
		if brett {
			return paEnLinje(hent())
		}
		return hent()
	}
	f.tom = func() bool { return skrevet() == "" }
	f.skriv = func(s *sjekk, b *bytes.Buffer, sti string) {
		v := skrevet()
		if !utf8.ValidString(v) {
			s.brudd(sti, RegelUTF8)
		}
		skrivTekst(b, v)
	}
	f.les = func(s *sjekk, sti string, v any) {
		t, ok := v.(string)
		if !ok {
			s.brudd(sti, RegelTekst)
			return
		}
		for _, r := range regler {
			if r.ok != nil && !r.ok(t) {
				s.brudd(sti, r.navn)
			}
		}
		sett(t)
	}
	return f
}

// skrivTekst writes a JSON string that reads like the text itself: < > & stay as they are.
func skrivTekst(b *bytes.Buffer, v string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)         // cannot fail: a string into a buffer
	b.Truncate(b.Len() - 1) // Encode's line break
}

// jaNei is a required true or false.
func jaNei(navn string, v *bool) felt {
	return felt{
		navn: navn, krevd: true,
		skriv: func(_ *sjekk, b *bytes.Buffer, _ string) { b.WriteString(strconv.FormatBool(*v)) },
		les: func(s *sjekk, sti string, x any) {
			var ok bool
			if *v, ok = x.(bool); !ok {
				s.brudd(sti, RegelJaNei)
			}
		},
	}
}

// objekt is a required member with members.
func objekt(navn string, felter []felt) felt {
	return felt{
		navn: navn, krevd: true,
		skriv: func(s *sjekk, b *bytes.Buffer, sti string) { s.skrivObjekt(b, sti, felter) },
		les:   func(s *sjekk, sti string, v any) { s.objekt(sti, v, felter) },
	}
}

// valgfri is f, left out when tom.
func valgfri(f felt, tom func() bool) felt {
	f.krevd, f.tom = false, tom
	return f
}

// liste is a required list of one or more objects, at most two when hoyst2 says so.
func liste[T any](navn string, l *[]T, felter func(*T) []felt, hoyst2 bool) felt {
	return felt{
		navn: navn, krevd: true,
		skriv: func(s *sjekk, b *bytes.Buffer, sti string) {
			b.WriteByte('[')
			for i := range *l {
				if i > 0 {
					b.WriteByte(',')
				}
				s.skrivObjekt(b, sti+"/"+strconv.Itoa(i), felter(&(*l)[i]))
			}
			b.WriteByte(']')
		},
		les: func(s *sjekk, sti string, v any) {
			x, ok := v.([]any)
			switch {
			case !ok:
				s.brudd(sti, RegelListe)
				return
			case hoyst2 && (len(x) == 0 || len(x) > 2):
				s.brudd(sti, RegelEnEllerTo)
			case len(x) == 0:
				s.brudd(sti, RegelMinstEn)
			}
			*l = make([]T, len(x))
			for i := range x {
				s.objekt(sti+"/"+strconv.Itoa(i), x[i], felter(&(*l)[i]))
			}
		},
	}
}

// What is read as a time, in this order: with an offset, and as Java's LocalDateTime prints it, which drops seconds that are 0.
var tidsformer = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04"}

// tidspunkt is a required instant, written as Norwegian clock time without an offset.
func tidspunkt(navn string, t *time.Time) felt {
	return felt{
		navn: navn, krevd: true,
		skriv: func(s *sjekk, b *bytes.Buffer, sti string) {
			if t.IsZero() {
				s.brudd(sti, RegelMangler)
			}
			skrivTekst(b, t.In(virketid.Oslo()).Format("2006-01-02T15:04:05"))
		},
		les: func(s *sjekk, sti string, v any) {
			tekst, ok := v.(string)
			if !ok {
				s.brudd(sti, RegelTekst)
				return
			}
			tekst = strings.ToUpper(tekst) // RFC 3339 §5.6: t and z too
			for _, form := range tidsformer {
				if lest, err := time.ParseInLocation(form, tekst, virketid.Oslo()); err == nil {
					*t = lest.UTC()
					return
				}
			}
			s.brudd(sti, RegelTidspunkt)
		},
	}
}
