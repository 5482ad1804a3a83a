package virketid_test

import (
	"testing"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"portal.example/bekymringsmelding/domain/virketid"
)

var tiAr = norge(2024, 2034)

// instant draws a second in the ten years from 2024, half the time close to where rules meet: midnights, clock changes, holidays.
func instant(r *rapid.T, navn string) time.Time {
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, virketid.Oslo())
	dag := rapid.IntRange(0, 3652).Draw(r, navn+" dag")
	t := start.AddDate(0, 0, dag)
	if rapid.Bool().Draw(r, navn+" nær påske") {
		t = paskedag(2024+dag%10).AddDate(0, 0, dag%12-8).In(virketid.Oslo())
	}
	return t.Add(time.Duration(rapid.IntRange(-3, 26*3600).Draw(r, navn+" sekund")) * time.Second)
}

// fasit counts the working time the slow way: every quarter of an hour by itself, asking only which day it is.
func fasit(k virketid.Kalender, fra, til time.Time) time.Duration {
	var sum time.Duration
	for t := fra; t.Before(til); t = t.Add(15 * time.Minute) {
		if k.Virkedag(t) {
			sum += 15 * time.Minute
		}
	}
	return sum
}

func TestVirketimerMotFasit(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		fra := instant(r, "fra").Truncate(15 * time.Minute)
		til := fra.Add(time.Duration(rapid.IntRange(-8, 14*24*4).Draw(r, "kvarter")) * 15 * time.Minute)
		if got, vil := tiAr.Virketimer(fra, til), fasit(tiAr, fra, til); got != vil {
			r.Fatalf("%s–%s: %s, fasit %s", fra, til, got, vil)
		}
	})
}

// The frist is the earliest instant with n counted hours behind it: exactly n then, less just before.
func TestFristenErEksakt(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		fra := instant(r, "fra")
		n := rapid.IntRange(1, 300).Draw(r, "timer")
		til := tiAr.PlussVirketimer(fra, n)
		vil := time.Duration(n) * time.Hour
		if got := tiAr.Virketimer(fra, til); got != vil {
			r.Fatalf("%s + %d h = %s, men mellom dem er %s", fra, n, til, got)
		}
		if got := tiAr.Virketimer(fra, til.Add(-time.Nanosecond)); got >= vil {
			r.Fatalf("%s + %d h = %s er ikke det første", fra, n, til)
		}
		if til.Location() != time.UTC {
			r.Fatal("fristen er ikke i UTC")
		}
	})
}

func TestMonoton(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b := instant(r, "a"), instant(r, "b")
		if b.Before(a) {
			a, b = b, a
		}
		n := rapid.IntRange(0, 100).Draw(r, "timer")
		if tiAr.PlussVirketimer(b, n).Before(tiAr.PlussVirketimer(a, n)) {
			r.Fatalf("senere innsendt, tidligere frist: %s, %s, %d", a, b, n)
		}
		if !tiAr.PlussVirketimer(a, n).Before(tiAr.PlussVirketimer(a, n+1)) {
			r.Fatalf("flere timer, ikke senere frist: %s, %d", a, n)
		}
		if !tiAr.PlussVirketimer(a, 40).Before(tiAr.PlussVirketimer(a, 48)) {
			r.Fatalf("40 virketimer slutter ikke før 48: %s", a)
		}
		if tiAr.PlussKontortimer(b, n, 8, 16).Before(tiAr.PlussKontortimer(a, n, 8, 16)) {
			r.Fatalf("kontortimer: senere innsendt, tidligere frist: %s, %s, %d", a, b, n)
		}
		if tiAr.PlussKontortimer(a, n, 8, 16).Before(tiAr.PlussVirketimer(a, n)) {
			r.Fatalf("kontortimer går fortere enn virketimer: %s, %d", a, n)
		}
	})
}

// What ties "40 virketimer" to "2 virkedager" (design D1): a report accepted on a working day is on its way as a letter no later
// than at the same clock time two working days on, and in exactly that second with 48.
func TestToVirkedager(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		fra := instant(r, "fra").In(virketid.Oslo())
		if !tiAr.Virkedag(fra) {
			r.Skip("ikke virkedag")
		}
		h, m, s := fra.Clock()
		til := fra
		for dager := 0; dager < 2; {
			ar, mnd, d := til.Date()
			til = time.Date(ar, mnd, d+1, h, m, s, 0, virketid.Oslo())
			if tiAr.Virkedag(til) {
				dager++
			}
		}
		if til40 := tiAr.PlussVirketimer(fra, 40); til40.After(til) {
			r.Fatalf("%s: brevet går %s, etter %s", fra, til40, til)
		}
		// At midnight sharp the 48th hour ends with the second working day, which may be before a weekend: then "no later".
		til48 := tiAr.PlussVirketimer(fra, 48)
		if midnatt := h == 0 && m == 0 && s == 0; !midnatt && !til48.Equal(til) || til48.After(til) {
			r.Fatalf("%s: 48 virketimer er %s, ikke %s", fra, til48, til)
		}
	})
}

// The switch is on Sundays in every year, so no working day is 23 or 25 hours long; were the law to change, this would tell.
func TestVirkedagerHarAlltid24Timer(t *testing.T) {
	is := is.New(t)
	for d := time.Date(2024, 1, 1, 0, 0, 0, 0, virketid.Oslo()); d.Year() < 2034; d = d.AddDate(0, 0, 1) {
		if tiAr.Virkedag(d) {
			is.Equal(tiAr.Virketimer(d, d.AddDate(0, 0, 1)), 24*time.Hour)
		}
	}
}

func BenchmarkPlussVirketimer(b *testing.B) {
	fra := time.Date(2027, 3, 24, 14, 0, 0, 0, time.UTC)
	for b.Loop() {
		tiAr.PlussVirketimer(fra, 40)
	}
}
