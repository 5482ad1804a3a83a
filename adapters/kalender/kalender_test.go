package kalender

import (
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/virketid"
)

// paskedag is the rule of Lilius and Clavius as Knuth gives it (TAOCP 1.3.2, exercise 14): golden number, century, epact. cal
// uses the anonymous Gregorian rule, so the two share nothing but the answer.
func paskedag(ar int) time.Time {
	gyllental, arhundre := ar%19+1, ar/100+1
	utelatte := 3*arhundre/4 - 12
	sondag := 5*ar/4 - utelatte - 10
	epakt := ((11*gyllental+20+(8*arhundre+5)/25-5-utelatte)%30 + 30) % 30
	if epakt == 25 && gyllental > 11 || epakt == 24 {
		epakt++
	}
	n := 44 - epakt
	if n < 21 {
		n += 30
	}
	return time.Date(ar, time.March, n+7-(sondag+n)%7, 0, 0, 0, 0, time.UTC)
}

// Dates anybody can look up, so that the computus of the test is itself tested: among them the earliest and the latest in reach.
func TestComputus(t *testing.T) {
	is := is.New(t)
	for ar, dag := range map[int]string{2020: "04-12", 2024: "03-31", 2025: "04-20", 2026: "04-05", 2027: "03-28", 2028: "04-16", 2029: "04-01",
		2030: "04-21", 2035: "03-25", 2038: "04-25", 2049: "04-18"} {
		is.Equal(paskedag(ar).Format("01-02"), dag)
	}
}

// Exactly the twelve holidays of every year, and no day beside them.
func TestHelligdager(t *testing.T) {
	for ar := 2020; ar <= 2060; ar++ {
		is := is.New(t)
		p := paskedag(ar)
		var vil []virketid.Dato
		for _, d := range []int{-3, -2, 0, 1, 39, 49, 50} {
			a, m, dag := p.AddDate(0, 0, d).Date()
			vil = append(vil, virketid.Dato{Ar: a, Maned: m, Dag: dag})
		}
		for _, d := range [][2]int{{1, 1}, {5, 1}, {5, 17}, {12, 25}, {12, 26}} {
			vil = append(vil, virketid.Dato{Ar: ar, Maned: time.Month(d[0]), Dag: d[1]})
		}
		is.Equal(ordnet(helligdager(ar, ar)), ordnet(vil))
	}
}

// ordnet sorts and drops repeats: two holidays may meet, as andre pinsedag and 17 May do in 2027.
func ordnet(d []virketid.Dato) []virketid.Dato {
	slices.SortFunc(d, func(a, b virketid.Dato) int {
		return (a.Ar*400 + int(a.Maned)*32 + a.Dag) - (b.Ar*400 + int(b.Maned)*32 + b.Dag)
	})
	return slices.Compact(d)
}

func TestNorge(t *testing.T) {
	is := is.New(t)
	k := Norge(2026, 2028)
	is.True(!k.Dekker(2025))
	is.True(k.Dekker(2026))
	is.True(k.Dekker(2028))
	is.True(!k.Dekker(2029))
	dag := func(m time.Month, d int) time.Time { return time.Date(2026, m, d, 12, 0, 0, 0, virketid.Oslo()) }
	is.True(!k.Virkedag(dag(4, 3)))  // langfredag
	is.True(!k.Virkedag(dag(5, 25))) // andre pinsedag
	is.True(k.Virkedag(dag(12, 24))) // julaften is a whole virkedag
	is.True(k.Virkedag(dag(12, 31)))
	is.True(!k.Virkedag(dag(12, 25)))
}
