package skjema

import (
	"time"

	"portal.example/bekymringsmelding/domain/melding"
)

// Offentlig is a report from somebody who reports at work. v2 adds AndreSynspunkter and nothing else.
type Offentlig struct {
	skjerm
	Versjon              melding.Versjon // not in the JSON: the message type carries it
	Mottaker             Mottaker
	Melder               OffentligMelder
	Barn                 []OffentligBarn // at least one
	Foresatte            []Foresatt      // one or two: the protocol knows neither none nor three
	BehovForTolk         Tekst
	AndreHjelpeinstanser Tekst
	Melding              Bekymring
	Sendingstidspunkt    time.Time
	Leveringskanal       string // the organisation it was sent from; no secret: the report's own facts name it
}

// OffentligMelder is who reports.
type OffentligMelder struct {
	skjerm
	Personnavn    Tekst
	Rolle         Tekst
	Telefonnummer Tekst
	Epost         Tekst // narrower than what is valid: see RegelEpost
	Virksomhet    Virksomhet
}

// Virksomhet is where the reporter works.
type Virksomhet struct {
	skjerm
	Navn    Tekst
	Orgnr   Tekst
	Adresse Adresse
}

// OffentligBarn is a child, or one that is not born yet.
type OffentligBarn struct {
	skjerm
	Fnr            Tekst // free text: fødselsnummer, date of birth, expected date, or that it is unknown
	Ufoedt         bool
	Personnavn     Tekst
	Telefonnummer  Tekst
	Adresse        Adresse
	Orientert      bool // has been told about the report
	OrientertGrunn Tekst
}

// Foresatt is a parent or another guardian.
type Foresatt struct {
	skjerm
	Personnavn     Tekst
	Telefonnummer  Tekst
	Orientert      bool
	OrientertGrunn Tekst
}

// Bekymring is the report's own words; they may have line breaks.
type Bekymring struct {
	skjerm
	Melding          Tekst
	Historie         Tekst
	AndreSynspunkter Tekst // v2 only
}

func (o *Offentlig) felt() []felt {
	return append(o.Mottaker.felt(krevd, enLinje),
		objekt("offentligMelder", o.Melder.felt()),
		liste("offentligBarn", &o.Barn, (*OffentligBarn).felt, false),
		liste("foresatte", &o.Foresatte, (*Foresatt).felt, true),
		tekst("behovForTolk", &o.BehovForTolk),
		tekst("andreHjelpeinstanser", &o.AndreHjelpeinstanser),
		objekt("melding", o.Melding.felt(o.Versjon)),
		tidspunkt("sendingstidspunkt", &o.Sendingstidspunkt),
		apen("leveringskanal", &o.Leveringskanal, krevd),
	)
}

func (m *OffentligMelder) felt() []felt {
	return []felt{
		tekst("personnavn", &m.Personnavn, krevd, enLinje),
		tekst("rolle", &m.Rolle, krevd, enLinje),
		tekst("telefonnummer", &m.Telefonnummer, krevd, telefon),
		tekst("epost", &m.Epost, krevd, epost),
		objekt("virksomhet", m.Virksomhet.felt()),
	}
}

func (v *Virksomhet) felt() []felt {
	return []felt{
		tekst("navn", &v.Navn, krevd, enLinje),
		tekst("orgnr", &v.Orgnr, enLinje),
		objekt("adresse", v.Adresse.felt()),
	}
}

func (b *OffentligBarn) felt() []felt {
	return []felt{
		tekst("fnr", &b.Fnr, krevd),
		jaNei("ufoedt", &b.Ufoedt),
		tekst("personnavn", &b.Personnavn, krevd, enLinje),
		tekst("telefonnummer", &b.Telefonnummer), // without a pattern in both versions
		objekt("adresse", b.Adresse.felt()),
		jaNei("orientert", &b.Orientert),
		tekst("orientertGrunn", &b.OrientertGrunn, enLinje),
	}
}

func (f *Foresatt) felt() []felt {
	return []felt{
		tekst("personnavn", &f.Personnavn, krevd, enLinje),
		tekst("telefonnummer", &f.Telefonnummer, enLinje), // any text of one line
		jaNei("orientert", &f.Orientert),
		tekst("orientertGrunn", &f.OrientertGrunn, enLinje),
	}
}

func (b *Bekymring) felt(v melding.Versjon) []felt {
	f := []felt{
		tekst("melding", &b.Melding, krevd),
		tekst("historie", &b.Historie, krevd),
	}
	if v == melding.V2 {
		f = append(f, tekst("andreSynspunkter", &b.AndreSynspunkter))
	}
	return f
}

func (Offentlig) Slag() melding.Slag { return melding.Offentlig }
func (Offentlig) skjemadokument()    {}

// JSON is bekymringsmelding.json for o.Versjon. AndreSynspunkter in a v1 document is a breach: left out without a word, the reporter
// would think it had been sent.
func (o Offentlig) JSON() (melding.Klartekst, error) {
	s := &sjekk{}
	if o.Versjon != melding.V1 && o.Versjon != melding.V2 {
		s.brudd("", RegelVersjon)
	}
	if o.Versjon == melding.V1 && !o.Melding.AndreSynspunkter.Tom() {
		s.brudd("/melding/andreSynspunkter", RegelBareV2)
	}
	if err := s.feil(); err != nil {
		return melding.Klartekst{}, err
	}
	kontroll := Offentlig{Versjon: o.Versjon}
	return skriv(o.felt(), kontroll.felt())
}
