// Package virketid counts working time (virkedager, virketimer) in Norway.
//
// Make a Kalender with Ny (adapters/kalender.Norge has the real holidays), then PlussVirketimer is the frist n hours ahead and
// Virketimer the time between two instants. PlussKontortimer is the reading where only office hours count; design D1 makes it
// a policy option and not the default.
//
// A virkedag is Monday to Friday and not a public holiday, by the day in Europe/Oslo. A virketime is any clock hour on a
// virkedag (design D1). 24 and 31 December are ordinary, whole virkedager: neither is a holiday in law (lov om 1. og 17. mai
// and helligdagsfredloven § 2), whatever shops and offices do.
package virketid

import (
	"time"
	_ "time/tzdata" // Europe/Oslo is known also where the machine has no zone files
)

// Dato is a calendar day in Norway.
type Dato struct {
	Ar    int
	Maned time.Month
	Dag   int
}

// Kalender knows which days are holidays. It never changes, so any number may use it at once; the zero value knows only weekends.
type Kalender struct {
	fri map[Dato]bool
	ar  map[int]bool
}

var oslo = func() *time.Location {
	l, err := time.LoadLocation("Europe/Oslo")
	if err != nil { // cannot happen: tzdata is linked in
		panic("virketid: Europe/Oslo mangler: " + err.Error())
	}
	return l
}()

// Oslo is the time zone every rule counts in.
func Oslo() *time.Location { return oslo }

// Ny makes a calendar of public holidays; weekends need not be among them.
func Ny(helligdager []Dato) Kalender {
	k := Kalender{fri: make(map[Dato]bool, len(helligdager)), ar: map[int]bool{}}
	for _, d := range helligdager {
		k.fri[d], k.ar[d.Ar] = true, true
	}
	return k
}

// Dekker says whether the calendar knows the holidays of a year: whether any of them are in it. A year it does not know would
// count every weekday as a virkedag, and letters would leave too early without anybody seeing why. So whoever composes the
// system asks at start for this year and the next, and never counts without.
func (k Kalender) Dekker(ar int) bool { return k.ar[ar] }

// Virkedag says whether the Norwegian day of t is a working day.
func (k Kalender) Virkedag(t time.Time) bool {
	t = t.In(oslo)
	if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
		return false
	}
	ar, m, d := t.Date()
	return !k.fri[Dato{ar, m, d}]
}

// PlussVirketimer is the instant, in UTC, when the given number of clock hours on working days have passed since t. Counting
// starts at t, or at the start of the next working day. With timer ≤ 0 it is t itself.
func (k Kalender) PlussVirketimer(t time.Time, timer int) time.Time {
	return k.pluss(t, timer, 0, 24)
}

// PlussKontortimer is the same where only the hours from fra to til of a working day count. 0 ≤ fra < til ≤ 24, else it panics
// as an index out of range does: no instant would be right.
func (k Kalender) PlussKontortimer(t time.Time, timer, fra, til int) time.Time {
	if fra < 0 || fra >= til || til > 24 {
		panic("virketid: kontortiden er tom eller utenfor døgnet")
	}
	return k.pluss(t, timer, fra, til)
}

// pluss takes one step a day. The elapsed time within a day is measured between instants, never between clock faces, so it
// would be right also on a working day that is 23 or 25 hours long.
func (k Kalender) pluss(t time.Time, timer, fra, til int) time.Time {
	t = t.Round(0).UTC() // without the monotonic reading: it stops while a machine sleeps
	if timer <= 0 {
		return t
	}
	igjen := time.Duration(timer) * time.Hour
	for dag := t; ; dag = nesteDag(dag) {
		if !k.Virkedag(dag) {
			continue
		}
		start, slutt := klokka(dag, fra), klokka(dag, til)
		if dag.After(start) {
			start = dag
		}
		if !start.Before(slutt) {
			continue
		}
		n := slutt.Sub(start)
		if igjen <= n {
			return start.Add(igjen).UTC()
		}
		igjen -= n
	}
}

// Virketimer is the working time between two instants; 0 when til is not after fra.
func (k Kalender) Virketimer(fra, til time.Time) time.Duration {
	fra, til = fra.Round(0), til.Round(0)
	var sum time.Duration
	for dag := fra; dag.Before(til); dag = nesteDag(dag) {
		if !k.Virkedag(dag) {
			continue
		}
		slutt := nesteDag(dag)
		if til.Before(slutt) {
			slutt = til
		}
		sum += slutt.Sub(dag)
	}
	return sum
}

// klokka is the instant the clock shows the hour on t's day in Norway; 24 is the next midnight.
func klokka(t time.Time, time24 int) time.Time {
	ar, m, d := t.In(oslo).Date()
	return time.Date(ar, m, d, time24, 0, 0, 0, oslo)
}

func nesteDag(t time.Time) time.Time { return klokka(t, 24) }
