// Package virketid counts working time (virkedager, virketimer) in Norway.
//
// A virkedag is Monday to Friday and not a Norwegian public holiday, in Europe/Oslo. A virketime is any clock hour on a virkedag
// (design D1). 24 and 31 December are ordinary virkedager in law. The holidays come from outside: adapters/kalender has them.
package virketid

import (
	"time"
	_ "time/tzdata" // the rules must not depend on what the machine has installed
)

// Dato is a calendar day in Norway.
type Dato struct {
	Ar    int
	Maned time.Month
	Dag   int
}

// Kalender knows which days are holidays. It never changes; the zero value knows only weekends.
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
	k := Kalender{fri: map[Dato]bool{}, ar: map[int]bool{}}
	for _, d := range helligdager {
		k.fri[d], k.ar[d.Ar] = true, true
	}
	return k
}

// Dekker says whether the calendar knows the holidays of a year.
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

// PlussVirketimer is the instant when the given number of clock hours on working days have passed since t.
func (k Kalender) PlussVirketimer(t time.Time, timer int) time.Time {
	return k.pluss(t, time.Duration(timer)*time.Hour, 0, 24)
}

// PlussKontortimer is the same with only the hours from fra to til of a working day.
func (k Kalender) PlussKontortimer(t time.Time, timer, fra, til int) time.Time {
	return k.pluss(t, time.Duration(timer)*time.Hour, fra, til)
}

// vindu is the counted part of t's day: by the wall clock, so a day with a clock change is as long as it really is.
func vindu(t time.Time, fra, til int) (time.Time, time.Time) {
	ar, m, d := t.In(oslo).Date()
	return time.Date(ar, m, d, fra, 0, 0, 0, oslo), time.Date(ar, m, d, til, 0, 0, 0, oslo)
}

func nesteDag(t time.Time) time.Time {
	ar, m, d := t.In(oslo).Date()
	return time.Date(ar, m, d+1, 0, 0, 0, 0, oslo)
}

func (k Kalender) pluss(t time.Time, igjen time.Duration, fra, til int) time.Time {
	if igjen <= 0 {
		return t
	}
	for dag := t; ; dag = nesteDag(dag) {
		if !k.Virkedag(dag) {
			continue
		}
		a, b := vindu(dag, fra, til)
		if dag.After(a) {
			a = dag
		}
		if !a.Before(b) {
			continue
		}
		if n := b.Sub(a); igjen > n {
			igjen -= n
			continue
		}
		return a.Add(igjen).UTC()
	}
}

// Virketimer is the working time between two instants; 0 when til is not after fra.
func (k Kalender) Virketimer(fra, til time.Time) time.Duration {
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
