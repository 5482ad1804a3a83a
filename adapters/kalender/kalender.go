// Package kalender gives domain/virketid the Norwegian public holidays, from rickar/cal. Norge is the whole of it.
//
// Easter Sunday and Whit Sunday are missing in cal's list for Norway and are added here: they are holidays in law
// (helligdagsfredloven § 2), and a set that lacks them is wrong for whoever reads it, although a Sunday is never a virkedag.
package kalender

import (
	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/aa"
	"github.com/rickar/cal/v2/no"

	"portal.example/bekymringsmelding/domain/virketid"
)

// Norge is the calendar of the years fraAr to tilAr, both included. Let it reach some years past the longest time the system
// is left running without a restart: see virketid.Kalender.Dekker.
func Norge(fraAr, tilAr int) virketid.Kalender { return virketid.Ny(helligdager(fraAr, tilAr)) }

func helligdager(fraAr, tilAr int) []virketid.Dato {
	var ut []virketid.Dato
	for ar := fraAr; ar <= tilAr; ar++ {
		for _, regel := range append([]*cal.Holiday{aa.Easter, aa.Pentecost}, no.Holidays...) {
			// The actual day: Norway moves no holiday that falls on a weekend.
			dag, _ := regel.Calc(ar)
			a, m, d := dag.Date()
			ut = append(ut, virketid.Dato{Ar: a, Maned: m, Dag: d})
		}
	}
	return ut
}
