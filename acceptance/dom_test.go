package acceptance_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// dom is what must hold of one report at rest, whichever one writing call failed on the way. The zero dom: LEVERT once, confirmed by
// the receiver, who has it; no letter, no open case, the content kept.
type dom struct {
	slutt   []melding.Tilstand // where it may rest; nil = LEVERT
	apne    []levering.Saksart // cases that must be open
	kan     []levering.Saksart // cases that may be open as well
	forsok  int                // most attempts the receiver may have seen, each with an id of its own; 0 = one
	brev    int                // most letters that left the vendor or may still
	slettet bool
	lyver   bool // the receiver confirmed and has nothing: nobody but the receiver can know
}

// domme judges the world at rest and says what is wrong; "" = nothing.
func (s scenario) domme(l *liv) string {
	ctx := context.Background()
	rader, err := l.Lager.List(ctx, ports.Filter{}, "", 100)
	if err != nil {
		return err.Error()
	}
	lagret := map[melding.ID]bool{}
	gale := l.gale
	gal := func(format string, a ...any) { gale = append(gale, fmt.Sprintf(format, a...)) }
	for _, r := range rader {
		lagret[r.ID] = true
		for _, g := range s.domFor(l, r.ID).rapport(l, r.ID) {
			gal("melding %d: %s", l.nummer(r.ID), g)
		}
	}
	// Nothing stored and no 201; stored without a 201 is a report like any other, judged above.
	for i, p := range l.poster {
		if p.id != "" && !lagret[p.id] {
			gal("melding %d fikk en id og er ikke lagret", i)
		}
	}
	if len(rader) > len(l.poster) {
		gal("%d innsendinger ble %d meldinger", len(l.poster), len(rader))
	}
	if brudd, err := l.Lager.Breaches(ctx, 10); err != nil || len(brudd) > 0 {
		gal("brudd på alltid skyldig: %v %v", brudd, err)
	}
	apne := l.ApneSaker("")
	for _, a := range apne {
		if !slices.Contains(s.losSaker, a) {
			gal("åpen sak uten melding: %s", a)
		}
	}
	for _, a := range s.losSaker {
		if !slices.Contains(apne, a) && !slices.ContainsFunc(l.poster, func(p post) bool { return p.id == "" }) {
			gal("saken %s er ikke åpen", a) // and nobody's report was refused, which might have been what it is about
		}
	}
	for _, h := range hemmeligheter() {
		if strings.Contains(l.Logg.String(), h) {
			gal("%q står i loggen", h)
		}
	}
	return strings.Join(gale, "; ")
}

// nummer says which submission became the report; -1 = the one that was never answered.
func (l *liv) nummer(id melding.ID) int {
	return slices.IndexFunc(l.poster, func(p post) bool { return p.id == id })
}

func (s scenario) domFor(l *liv, id melding.ID) dom {
	switch n := l.nummer(id); {
	case len(s.slutt) == 0:
		return dom{}
	case n > 0 && n < len(s.slutt):
		return s.slutt[n]
	}
	return s.slutt[0]
}

// rapport judges one report.
func (d dom) rapport(l *liv, id melding.ID) (gale []string) {
	gal := func(format string, a ...any) { gale = append(gale, fmt.Sprintf(format, a...)) }
	u := l.Utgave(id)
	if err := levering.Kontroller(u); err != nil {
		gal("%v", err)
	}
	var sti []string
	levert := 0
	for _, h := range u.Melding.Historikk {
		if h.Art == melding.Overgang {
			sti = append(sti, string(h.Tilstand))
			if h.Tilstand == melding.LEVERT {
				levert++
			}
		}
	}
	t := u.Melding.Tilstand()
	slutt := d.slutt
	if slutt == nil {
		slutt = []melding.Tilstand{melding.LEVERT}
	}
	if !slices.Contains(slutt, t) || levert > 1 {
		gal("endte som %s", strings.Join(sti, " "))
	}
	if t == melding.LEVERT && !d.lyver && !l.framme(u) {
		gal("LEVERT, og ingen har den")
	}
	for _, s := range u.Saker {
		if s.Apen() && !slices.Contains(d.apne, s.Art) && !slices.Contains(d.kan, s.Art) {
			gal("åpen sak: %s", s.Art)
		}
	}
	for _, art := range d.apne {
		if _, ok := u.ApenSak(art); !ok {
			gal("saken %s er ikke åpen", art)
		}
	}
	for _, o := range u.Owed {
		if !o.Forfall.After(l.Klokke.Now()) || t == melding.LEVERT && o.Ko != levering.KoSlett {
			gal("skylder fortsatt %s", o.ID)
		}
	}
	sendt := map[melding.ForsokID]bool{}
	for _, s := range l.Nett.Sendte(id) {
		sendt[s.Forsok] = true
	}
	if len(sendt) > max(1, d.forsok) {
		gal("mottakeren har sett %d forsøk", len(sendt))
	}
	return append(gale, d.papirOgInnhold(l, u)...)
}

// papirOgInnhold judges letters and what is kept.
func (d dom) papirOgInnhold(l *liv, u levering.Utgave) (gale []string) {
	id := u.Melding.Fakta.ID
	jobber, brev := map[melding.ForsokID]int{}, 0
	for _, b := range l.Brev(id) {
		if jobber[b.Jobb]++; jobber[b.Jobb] > 1 {
			gale = append(gale, "to brev for ett forsøk")
		}
		if siste := b.Hendelser[len(b.Hendelser)-1].Status; siste != levering.BrevAnnullert && siste != levering.BrevAvvist {
			brev++
		}
	}
	if brev > d.brev {
		gale = append(gale, fmt.Sprintf("%d brev", brev))
	}
	if u.Slettet != d.slettet {
		gale = append(gale, fmt.Sprintf("slettet: %v", u.Slettet))
	}
	for _, del := range []melding.Del{melding.DelAsice, melding.DelPDF} {
		if _, err := l.Lager.Open(context.Background(), id, del); (err == nil) == d.slettet {
			gale = append(gale, fmt.Sprintf("del %s: %v", del, err))
		}
	}
	return gale
}

// framme says whether somebody has a report that is LEVERT: the case system stored it, its letter was posted, or a person says so.
func (l *liv) framme(u levering.Utgave) bool {
	f := u.Melding.Fakta
	if fs := l.Fagsystem[string(f.Kommune)+"/"+string(f.Bydel)]; fs != nil && fs.Har(f.ID) || u.Melding.Har(melding.LevertForHand) {
		return true
	}
	for _, b := range l.Brev(f.ID) {
		for _, h := range b.Hendelser {
			if h.Status == levering.BrevPostlagt {
				return true
			}
		}
	}
	return false
}
