package skjema

import (
	"time"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/virketid"
)

// EksempelPrivat and EksempelOffentlig are filled-in reports about people who do not exist: names as in Skatteetaten's Tenor test
// data, its fødselsnumre with 80 added to the month, telephone numbers that begin with 0, the reserved domain .example. A demo
// puts its own Mottaker and Sendingstidspunkt in them.
func EksempelPrivat() Privat {
	return Privat{
		Mottaker: eksempelmottaker,
		Melder: PrivatMelder{
			Personnavn: NyTekst("Rolig Furuskog"), Telefonnummer: NyTekst("+47 00 00 00 01"), Adresse: eksempeladresse("Eksempelveien 1"),
		},
		Barn: []PrivatBarn{
			{
				Personnavn: NyTekst("Blid Havørn"), AntattAlder: NyTekst("10 år"), Relasjon: NyTekst("Nabo"),
				Adresse: eksempeladresse("Eksempelveien 3"),
			},
			{
				Personnavn: NyTekst("Kvikk Havørn"), AntattAlder: NyTekst("7 år"), Relasjon: NyTekst("Nabo"),
				Adresse: eksempeladresse("Eksempelveien 3"),
			},
		},
		Melding: NyTekst("Dette er en oppdiktet melding som bare brukes til å vise hvordan portalen virker.\n\n" +
			"Barna er ofte ute alene sent på kvelden, også på hverdager. De sier at det ikke er noen voksne hjemme."),
		Sendingstidspunkt: eksempeltid,
		Leveringskanal:    "Nasjonal portal for bekymringsmelding",
	}
}

// EksempelOffentlig has andre synspunkter in v2 only.
func EksempelOffentlig(v melding.Versjon) Offentlig {
	o := Offentlig{
		Versjon:  v,
		Mottaker: eksempelmottaker,
		Melder: OffentligMelder{
			Personnavn: NyTekst("Stødig Fjellbjørk"), Rolle: NyTekst("Kontaktlærer"), Telefonnummer: NyTekst("+47 00 00 00 02"),
			Epost: NyTekst("stodig.fjellbjork@eksempelskolen.example"),
			Virksomhet: Virksomhet{
				Navn: NyTekst("Eksempelskolen"), Orgnr: NyTekst("310000019"), Adresse: eksempeladresse("Skoleveien 2"),
			},
		},
		Barn: []OffentligBarn{
			{
				Fnr: NyTekst("14831691965"), Personnavn: NyTekst("Blid Havørn"), Telefonnummer: NyTekst("+47 00 00 00 03"),
				Adresse: eksempeladresse("Eksempelveien 3"), Orientert: true,
			},
			{
				Fnr: NyTekst("02911991937"), Personnavn: NyTekst("Kvikk Havørn"), Adresse: eksempeladresse("Eksempelveien 3"),
				OrientertGrunn: NyTekst("Barnet er sju år. Vi vil snakke med barneverntjenesten først."),
			},
		},
		Foresatte: []Foresatt{{
			Personnavn: NyTekst("Travel Havørn"), Telefonnummer: NyTekst("+47 00 00 00 04"),
			OrientertGrunn: NyTekst("Vi er usikre på hvordan hjemmet vil reagere."),
		}},
		BehovForTolk:         NyTekst("Nei"),
		AndreHjelpeinstanser: NyTekst("Helsesykepleieren på skolen kjenner saken."),
		Melding: Bekymring{
			Melding: NyTekst("Dette er en oppdiktet melding som bare brukes til å vise hvordan portalen virker.\n\n" +
				"Barna kommer ofte sultne på skolen og har ikke klær etter været. Den eldste sier at de er mye alene."),
			Historie: NyTekst("Vi har sett dette siden skolestart i august. Vi har hatt to samtaler med hjemmet uten at noe er blitt bedre."),
		},
		Sendingstidspunkt: eksempeltid,
		Leveringskanal:    "Eksempelskolen",
	}
	if v == melding.V2 {
		o.Melding.AndreSynspunkter = NyTekst("Den eldste har sagt til helsesykepleieren at det er greit at skolen melder fra.")
	}
	return o
}

var (
	eksempelmottaker = Mottaker{Kommunenummer: "4601", Kommunenavn: "Bergen", Bydelsnummer: "01", Bydelsnavn: "Bydel 01"}
	eksempeltid      = time.Date(2026, time.November, 24, 9, 30, 0, 0, virketid.Oslo()).UTC()
)

func eksempeladresse(linje1 string) Adresse {
	return Adresse{Adresselinje1: NyTekst(linje1), Postnummer: NyTekst("0000"), Poststed: NyTekst("Eksempelby")}
}
