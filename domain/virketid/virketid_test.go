package virketid_test

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/virketid"
)

// norge is a calendar of our own making: domain may not know adapters/kalender, and two sources that agree say more than one.
func norge(fra, til int) virketid.Kalender {
	var fri []virketid.Dato
	for ar := fra; ar <= til; ar++ {
		paske := paskedag(ar)
		for _, d := range []int{-3, -2, 0, 1, 39, 49, 50} {
			fri = append(fri, dato(paske.AddDate(0, 0, d)))
		}
		for _, d := range []virketid.Dato{{Maned: 1, Dag: 1}, {Maned: 5, Dag: 1}, {Maned: 5, Dag: 17}, {Maned: 12, Dag: 25}, {Maned: 12, Dag: 26}} {
			d.Ar = ar
			fri = append(fri, d)
		}
	}
	return virketid.Ny(fri)
}

// paskedag is Gauss's rule as corrected for the Gregorian calendar.
func paskedag(ar int) time.Time {
	a, b, c, k := ar%19, ar%4, ar%7, ar/100
	p := (13 + 8*k) / 25
	m, n := (15-p+k-k/4)%30, (4+k-k/4)%7
	d := (19*a + m) % 30
	e := (2*b + 4*c + 6*d + n) % 7
	if d == 29 && e == 6 || d == 28 && e == 6 && (11*m+11)%30 < 19 {
		e -= 7
	}
	return time.Date(ar, 3, 22+d+e, 12, 0, 0, 0, time.UTC)
}

func dato(t time.Time) virketid.Dato {
	ar, m, d := t.Date()
	return virketid.Dato{Ar: ar, Maned: m, Dag: d}
}

func kl(t *testing.T, s string) time.Time {
	t.Helper()
	ut, err := time.ParseInLocation("2006-01-02 15:04", s, virketid.Oslo())
	if err != nil {
		t.Fatal(err)
	}
	return ut
}

// Scenario 28 and its neighbours, each counted by hand. In 2027 Easter Sunday is 28 March, which is also the night summer time
// begins; skjærtorsdag is the 25th, langfredag the 26th, andre påskedag Monday the 29th.
func TestPlussVirketimer(t *testing.T) {
	k := norge(2024, 2033)
	for _, tt := range []struct{ navn, fra, til string }{
		// Friday 9 h (15–24), Monday 24 h = 33, Tuesday 7 h: 07:00. The whole count is over before Easter.
		{"scenario 28, fredag før palmesøndag", "2027-03-19 15:00", "2027-03-23 07:00"},
		// Good Friday does not count. Nothing counts until Tuesday 30 March 00:00: 24 h that day, 16 h on Wednesday.
		{"scenario 28, langfredag", "2027-03-26 15:00", "2027-03-31 16:00"},
		// Wednesday 9 h (15–24), five free days with the clock change among them, Tuesday 24 h = 33, Wednesday 7 h.
		{"onsdag før påske, over sommertid", "2027-03-24 15:00", "2027-03-31 07:00"},
		// Friday 9 h, Monday 24 h, Tuesday 7 h; the night to Sunday 25 October 2026 has 25 hours and none counts.
		{"fredag før vintertid", "2026-10-23 15:00", "2026-10-27 07:00"},
		{"fredag før sommertid", "2025-03-28 15:00", "2025-04-01 07:00"},
		{"mandag morgen", "2026-11-23 08:00", "2026-11-25 00:00"},
		{"torsdag kl. 8: fristen er midnatt etter fredag", "2026-11-26 08:00", "2026-11-28 00:00"},
		{"lørdag teller fra mandag", "2026-11-28 11:11", "2026-12-01 16:00"},
		// 17 May 2027 is a Monday.
		{"grunnlovsdagen", "2027-05-14 23:00", "2027-05-19 15:00"},
		// 24 December 2026 is a Thursday and counts in full: 12 h. Friday 25, Saturday 26, Sunday 27 do not; Monday 24 h, Tuesday 4 h.
		{"julaften er en hel virkedag", "2026-12-24 12:00", "2026-12-29 04:00"},
		// 31 December 2026 is a Thursday: 12 h. 1 January is a Friday. Monday 4 January 24 h, Tuesday 4 h.
		{"nyttårsaften er en hel virkedag", "2026-12-31 12:00", "2027-01-05 04:00"},
	} {
		t.Run(tt.navn, func(t *testing.T) {
			is := is.New(t)
			fra, til := kl(t, tt.fra), kl(t, tt.til)
			is.Equal(k.PlussVirketimer(fra, 40), til.UTC())
			is.Equal(k.Virketimer(fra, til), 40*time.Hour)
		})
	}
}

func TestPlussKontortimer(t *testing.T) {
	k := norge(2024, 2033)
	for _, tt := range []struct {
		navn, fra string
		timer     int
		til       string
	}{
		// One hour Friday, eight on Monday to Wednesday before Easter = 25, then Tuesday and the seven that remain on Wednesday after it.
		{"over påske", "2027-03-19 15:00", 40, "2027-03-31 15:00"},
		{"før kontoret åpner", "2026-11-23 06:00", 1, "2026-11-23 09:00"},
		{"etter at det stenger", "2026-11-23 16:00", 1, "2026-11-24 09:00"},
		{"fem hele dager", "2026-11-23 08:00", 40, "2026-11-27 16:00"},
	} {
		t.Run(tt.navn, func(t *testing.T) {
			is := is.New(t)
			is.Equal(k.PlussKontortimer(kl(t, tt.fra), tt.timer, 8, 16), kl(t, tt.til).UTC())
		})
	}
	for _, ap := range [][2]int{{16, 8}, {8, 8}, {-1, 8}, {8, 25}} {
		func() {
			defer func() { is.New(t).True(recover() != nil) }() // an empty office day must not loop for ever
			k.PlussKontortimer(kl(t, "2026-11-23 08:00"), 1, ap[0], ap[1])
		}()
	}
}

func TestVirkedag(t *testing.T) {
	k := norge(2024, 2033)
	for _, tt := range []struct {
		navn string
		t    time.Time
		vil  bool
	}{
		{"en vanlig tirsdag", kl(t, "2026-11-24 12:00"), true},
		{"lørdag", kl(t, "2026-11-28 12:00"), false},
		{"søndag", kl(t, "2026-11-29 12:00"), false},
		{"16. mai 22.30 i UTC er 17. mai i Norge", time.Date(2027, 5, 16, 22, 30, 0, 0, time.UTC), false},
		{"17. mai 22.30 i UTC er 18. mai i Norge", time.Date(2027, 5, 17, 22, 30, 0, 0, time.UTC), true},
		{"1. mai er en tirsdag i 2029", kl(t, "2029-05-01 12:00"), false},
		{"skjærtorsdag", kl(t, "2027-03-25 00:00"), false},
		{"onsdag før skjærtorsdag", kl(t, "2027-03-24 23:59"), true},
		{"andre påskedag", kl(t, "2027-03-29 23:59"), false},
		{"kristi himmelfartsdag", kl(t, "2027-05-06 12:00"), false},
		{"andre pinsedag faller på 17. mai", kl(t, "2027-05-17 12:00"), false},
		{"julaften", kl(t, "2026-12-24 18:00"), true},
		{"første juledag", kl(t, "2026-12-25 12:00"), false},
		{"nyttårsaften", kl(t, "2026-12-31 23:00"), true},
		{"første nyttårsdag", kl(t, "2027-01-01 00:00"), false},
	} {
		t.Run(tt.navn, func(t *testing.T) { is.New(t).Equal(k.Virkedag(tt.t), tt.vil) })
	}
}

func TestDekker(t *testing.T) {
	is := is.New(t)
	k := norge(2026, 2027)
	is.True(!k.Dekker(2025))
	is.True(k.Dekker(2026))
	is.True(k.Dekker(2027))
	is.True(!k.Dekker(2028))
	is.True(!virketid.Kalender{}.Dekker(2026))
}

// A calendar without holidays still has weekends, and no method of it panics.
func TestNullverdi(t *testing.T) {
	is := is.New(t)
	var k virketid.Kalender
	is.True(k.Virkedag(kl(t, "2026-12-25 12:00")))
	is.Equal(k.PlussVirketimer(kl(t, "2026-11-27 20:00"), 8), kl(t, "2026-11-30 04:00").UTC())
}

// No hours to wait is no waiting, also in the middle of a weekend, and never back in time.
func TestIngenTimer(t *testing.T) {
	is := is.New(t)
	k := norge(2026, 2026)
	lordag := kl(t, "2026-11-28 11:11")
	for _, timer := range []int{0, -1} {
		is.Equal(k.PlussVirketimer(lordag, timer), lordag.UTC())
		is.Equal(k.PlussKontortimer(lordag, timer, 8, 16), lordag.UTC())
	}
	is.Equal(k.Virketimer(kl(t, "2026-11-24 12:00"), kl(t, "2026-11-24 11:00")), time.Duration(0))
}
