package kommune_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"portal.example/bekymringsmelding/domain/kommune"
)

// tolkere is every Parse function, with the number of digits it wants and the word its errors use.
var tolkere = []struct {
	navn  string
	sifre int
	tolk  func(string) (string, error)
}{
	{"kommunenummer", 4, tolk(kommune.ParseKommunenummer)},
	{"bydelsnummer", 2, tolk(kommune.ParseBydelsnummer)},
	{"fylkenummer", 2, tolk(kommune.ParseFylkesnummer)},
	{"organisasjonsnummer", 9, tolk(kommune.ParseOrgnr)},
}

func tolk[T ~string](f func(string) (T, error)) func(string) (string, error) {
	return func(s string) (string, error) {
		v, err := f(s)
		return string(v), err
	}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		navn string
		inn  string
		ok   bool
	}{
		{"kommunenummer", "4601", true},
		{"kommunenummer", "0301", true}, // the zero is part of the number
		{"kommunenummer", "1201", true}, // abolished in 2020, but KS's examples have it: form is all that is judged
		{"kommunenummer", "301", false},
		{"kommunenummer", "46", false}, // scenario 4
		{"kommunenummer", "46010", false},
		{"kommunenummer", " 460", false},
		{"kommunenummer", "4601\n", false},
		{"kommunenummer", "-301", false},
		{"kommunenummer", "４６", false},   // full-width digits
		{"kommunenummer", "٤٦", false},   // four bytes, two Arabic digits
		{"kommunenummer", "../1", false}, // it becomes part of a URL
		{"bydelsnummer", "00", true},
		{"bydelsnummer", "0", false},
		{"fylkenummer", "46", true},
		{"fylkenummer", "", false},
		{"organisasjonsnummer", "123455789", true}, // KS's own example, which fails mod 11
		{"organisasjonsnummer", "123 455 789", false},
		{"organisasjonsnummer", "12345578", false},
	} {
		t.Run(tt.navn+" "+tt.inn, func(t *testing.T) {
			is := is.New(t)
			v, err := tolker(tt.navn)(tt.inn)
			if tt.ok {
				is.NoErr(err)
				is.Equal(v, tt.inn)
				return
			}
			is.Equal(v, "") // whoever forgets the error has nothing to go on with
			is.True(errors.Is(err, kommune.ErrForm))
			is.Equal(err.Error(), tt.navn+": har ikke riktig form") // not what was written: it may be anything
		})
	}
}

func tolker(navn string) func(string) (string, error) {
	for _, t := range tolkere {
		if t.navn == navn {
			return t.tolk
		}
	}
	panic("ukjent: " + navn)
}

// A text is taken exactly when it is the right number of the digits 0–9, and then as it is.
func TestParseFormen(t *testing.T) {
	for _, tt := range tolkere {
		t.Run(tt.navn, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				s := rapid.OneOf(
					rapid.StringOfN(rapid.RuneFrom([]rune("0123456789")), -1, tt.sifre+1, -1),
					rapid.StringOfN(rapid.RuneFrom([]rune("0123456789 /:٣x")), -1, tt.sifre+1, -1),
					rapid.String(),
				).Draw(r, "tekst")
				vil := len(s) == tt.sifre && strings.Trim(s, "0123456789") == ""
				v, err := tt.tolk(s)
				if (err == nil) != vil || vil && v != s || !vil && v != "" {
					r.Fatalf("%q: %q, %v", s, v, err)
				}
			})
		})
	}
}

func TestNavnPa(t *testing.T) {
	is := is.New(t)
	tromso := kommune.Navn{"nb": "Tromsø", "se": "Romsa", "nn": ""}
	is.Equal(tromso.Pa("se"), "Romsa")
	is.Equal(tromso.Pa("nb"), "Tromsø")
	is.Equal(tromso.Pa("en"), "Tromsø") // a language we have no name in
	is.Equal(tromso.Pa("nn"), "Tromsø") // or an empty one
	is.Equal(tromso.Pa(""), "Tromsø")   // no sprakKode in the call
	is.Equal(kommune.Navn(nil).Pa("nb"), "")
}

func TestKanalGyldig(t *testing.T) {
	is := is.New(t)
	for _, k := range []kommune.Kanal{kommune.FiksIO, kommune.SvarInn, kommune.Manuell} {
		is.True(k.Gyldig())
	}
	for _, k := range []kommune.Kanal{kommune.Print, "", "fiks_io"} { // a letter is what remains, never a choice
		is.True(!k.Gyldig())
	}
}

func TestPostadresseHel(t *testing.T) {
	is := is.New(t)
	hel := kommune.Postadresse{Navn: "Barneverntjenesten", Linje1: "Postboks 1", Postnummer: "5020", Poststed: "Bergen"}
	is.True(hel.Hel())
	for _, fjern := range []func(*kommune.Postadresse){
		func(p *kommune.Postadresse) { p.Navn = "" },
		func(p *kommune.Postadresse) { p.Linje1 = "" },
		func(p *kommune.Postadresse) { p.Postnummer = "" },
		func(p *kommune.Postadresse) { p.Poststed = "" },
	} {
		p := hel
		fjern(&p)
		is.True(!p.Hel())
	}
}

func TestEier(t *testing.T) {
	is := is.New(t)
	is.Equal(kommune.MottakerEier("r-1").String(), "mottaker/r-1")
	is.Equal(kommune.Printleverandor.String(), "print")
	is.Equal(kommune.Portalen.String(), "portal")
}
