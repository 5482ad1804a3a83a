package levering

import (
	"encoding/json"
	"slices"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
)

// Hull is a time when this portal took no answers from the digital channel: its connection, or the whole portal, was down. Answers
// wait at the platform meanwhile, but not for ever: a receipt whose own TTL runs out is gone.
type Hull struct {
	Fra time.Time `json:"fra"`
	Til time.Time `json:"til"`
}

// HullFra is the shortest silence that counts. A transport tells that it listens every 30 s.
const HullFra = 2 * time.Minute

// hullHuskes is how long a Hull can matter to a report: longer than any frist.
const hullHuskes = 60 * 24 * time.Hour

// Hullbok is what the Ledger's mark holds: when we last listened, and the silences before that, oldest first.
type Hullbok struct {
	Lyttet time.Time `json:"lyttet"`
	Hull   []Hull    `json:"hull,omitempty"`
}

// LesHullbok takes a mark's text; "" is a book in which nothing is written yet.
func LesHullbok(s string) (Hullbok, error) {
	var b Hullbok
	if s == "" {
		return b, nil
	}
	return b, json.Unmarshal([]byte(s), &b)
}

// Tekst is the mark's text.
func (b Hullbok) Tekst() string {
	t, _ := json.Marshal(b) // times and nothing else
	return string(t)
}

// Med is the book after we listened without a break from fra to til. A silence longer than HullFra before fra is written down. What ends
// before the last one changes nothing: replicas write the same book, and one of them may be late.
func (b Hullbok) Med(fra, til time.Time) Hullbok {
	fra, til = fra.UTC().Truncate(time.Microsecond), til.UTC().Truncate(time.Microsecond)
	if !til.After(b.Lyttet) {
		return b
	}
	if !b.Lyttet.IsZero() && fra.Sub(b.Lyttet) > HullFra {
		b.Hull = append(slices.Clone(b.Hull), Hull{Fra: b.Lyttet, Til: fra})
	}
	b.Hull = slices.DeleteFunc(slices.Clone(b.Hull), func(h Hull) bool { return til.Sub(h.Til) > hullHuskes })
	b.Lyttet = til
	return b
}

// Rettet is the book without what a clock gone wrong has written in it, in a time that is still to come: nothing heard there would ever be
// late, and no silence would be seen. na may be a little ahead.
func (b Hullbok) Rettet(na time.Time) Hullbok {
	if b.Lyttet.After(na) {
		b.Lyttet = time.Time{}
	}
	b.Hull = slices.DeleteFunc(slices.Clone(b.Hull), func(h Hull) bool { return h.Til.After(na) })
	return b
}

// Stille is every silence until now, the one that may be going on too.
func (b Hullbok) Stille(na time.Time) []Hull { return b.Med(na, na).Hull }

// FristUtloptMed is FristUtlopt for a portal that has been deaf at times: the letter of a report whose receiver was asked before such
// a silence, or during it, gets a note that a receipt may have been lost. It is for operators; the letter goes all the same.
func FristUtloptMed(hull []Hull) func(Utgave, Oppdrag, Policy, time.Time) (Endring, error) {
	return func(u Utgave, o Oppdrag, p Policy, na time.Time) (Endring, error) {
		e, err := FristUtlopt(u, o, p, na)
		if err != nil || len(e.Hendelser) == 0 || !kvitteringKanVaereTapt(u.Melding, hull) {
			return e, err
		}
		e.Hendelser = append([]melding.Hendelse{{Tidspunkt: na, Art: melding.Merknad, Kode: melding.KvitteringKanVaereTapt,
			Aktor: melding.AktorPortal, Kanal: kommune.FiksIO}}, e.Hendelser...)
		return e, nil
	}
}

// kvitteringKanVaereTapt: the receiver was asked over Fiks IO, and a silence ended after that.
func kvitteringKanVaereTapt(m melding.Melding, hull []Hull) bool {
	for _, h := range m.Historikk {
		if h.Kode != melding.SendtFagsystem && h.Kode != melding.SendingFullfort && h.Kode != melding.SendingBegynt {
			continue
		}
		if h.Kanal == kommune.FiksIO && slices.ContainsFunc(hull, func(x Hull) bool { return x.Til.After(h.Tidspunkt) }) {
			return true
		}
	}
	return false
}
