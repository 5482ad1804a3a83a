package sim

import (
	"fmt"

	"portal.example/bekymringsmelding/domain/kommune"
)

// Orgnr gives the n-th organisation number (n from 0) of the 3xx series, which Enhetsregisteret uses for test organisations only.
// The check digit is right (modulus 11), so clients that check it are content.
func Orgnr(n int) kommune.Orgnr {
	for kandidat := 31_100_000; ; kandidat += 137 { // a stride, so that neighbours do not look alike
		s := fmt.Sprintf("%08d", kandidat)
		k := mod11(s, 3, 2, 7, 6, 5, 4, 3, 2)
		if k == 10 {
			continue // has no check digit: never given out
		}
		if n == 0 {
			return kommune.Orgnr(fmt.Sprintf("%s%d", s, k))
		}
		n--
	}
}

// GyldigOrgnr says whether the check digit is right.
func GyldigOrgnr(o kommune.Orgnr) bool {
	p, err := kommune.ParseOrgnr(string(o))
	return err == nil && mod11(string(p[:8]), 3, 2, 7, 6, 5, 4, 3, 2) == int(p[8]-'0')
}

// Person is somebody who does not exist.
type Person struct {
	PID  string // synthetic number in Tenor's style: month + 80
	Navn string
}

// navnene are visibly invented, like Tenor's.
var navnene = []string{"Vennlig Bølge", "Rask Teltduk", "Stille Furukongle", "Blå Regnjakke", "Lystig Brosjyre", "Nøktern Kajakk",
	"Tapper Dørmatte", "Myk Granbar"}

// Personer gives n different people, the same every time.
func Personer(n int) []Person {
	ut := make([]Person, 0, n)
	for i := 0; len(ut) < n; i++ {
		if pid, ok := pid(i); ok {
			navn := navnene[len(ut)%len(navnene)]
			if r := len(ut) / len(navnene); r > 0 {
				navn = fmt.Sprintf("%s %d", navn, r+1)
			}
			ut = append(ut, Person{PID: pid, Navn: navn})
		}
	}
	return ut
}

// pid is a number for somebody born in the 1980s; ok is false where the scheme has no check digits.
func pid(i int) (string, bool) {
	s := fmt.Sprintf("%02d%02d%02d%03d", 1+i%28, 81+i%12, 80+i%10, 100+i%400)
	k1 := mod11(s, 3, 7, 6, 1, 8, 9, 4, 5, 2)
	if k1 == 10 {
		return "", false
	}
	s += fmt.Sprint(k1)
	k2 := mod11(s, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
	if k2 == 10 {
		return "", false
	}
	return s + fmt.Sprint(k2), true
}

// mod11 is the check digit of the digits under the weights; 10 means there is none.
func mod11(sifre string, vekter ...int) int {
	sum := 0
	for i, v := range vekter {
		sum += v * int(sifre[i]-'0')
	}
	return (11 - sum%11) % 11
}
