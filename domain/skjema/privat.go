package skjema

import (
	"time"

	"portal.example/bekymringsmelding/domain/melding"
)

// Privat is a report from a private person. v1 and v2 are the same.
type Privat struct {
	skjerm
	Mottaker          Mottaker
	Melder            PrivatMelder
	Barn              []PrivatBarn // at least one
	Melding           Tekst        // may have line breaks
	Sendingstidspunkt time.Time
	Leveringskanal    string // what it was sent with, for instance "Fagsystem"
}

// PrivatMelder is who reports. The name comes from the login.
type PrivatMelder struct {
	skjerm
	Personnavn    Tekst
	Telefonnummer Tekst
	Adresse       Adresse // left out when empty
}

// PrivatBarn is a child as the reporter knows it.
type PrivatBarn struct {
	skjerm
	Personnavn  Tekst
	AntattAlder Tekst // free text
	Relasjon    Tekst // what the reporter is to the child, free text
	Adresse     Adresse
}

func (p *Privat) felt() []felt {
	return append(p.Mottaker.felt(krevd),
		objekt("privatMelder", p.Melder.felt()),
		liste("privatBarn", &p.Barn, (*PrivatBarn).felt, false),
		tekst("melding", &p.Melding, krevd),
		tidspunkt("sendingstidspunkt", &p.Sendingstidspunkt),
		apen("leveringskanal", &p.Leveringskanal, krevd),
	)
}

func (m *PrivatMelder) felt() []felt {
	return []felt{
		tekst("personnavn", &m.Personnavn, krevd),
		tekst("telefonnummer", &m.Telefonnummer, telefon),
		valgfri(objekt("adresse", m.Adresse.felt()), m.Adresse.Tom),
	}
}

func (b *PrivatBarn) felt() []felt {
	return []felt{
		tekst("personnavn", &b.Personnavn, krevd),
		tekst("antattAlder", &b.AntattAlder),
		tekst("relasjon", &b.Relasjon),
		objekt("adresse", b.Adresse.felt()),
	}
}

func (Privat) Slag() melding.Slag { return melding.Privat }
func (Privat) skjemadokument()    {}

// JSON is bekymringsmelding.json for v1 and v2.
func (p Privat) JSON() (melding.Klartekst, error) {
	var kontroll Privat
	return skriv(p.felt(), kontroll.felt())
}
