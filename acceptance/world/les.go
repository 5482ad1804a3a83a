package world

import (
	"context"
	"strings"

	"portal.example/bekymringsmelding/adapters/fakeprint"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

// Utgave reads a report as an operator would.
func (v *Verden) Utgave(id melding.ID) levering.Utgave {
	v.T.Helper()
	u, err := v.Lager.Get(context.Background(), id)
	v.ma(err)
	return u
}

// Tilstander is the report's history of states as its sender sees it, in one text.
func (v *Verden) Tilstander(id melding.ID) string {
	v.T.Helper()
	rader, err := v.Avsender.Status(context.Background(), id)
	v.ma(err)
	var s []string
	for _, r := range rader {
		s = append(s, r.Tilstand)
	}
	return strings.Join(s, " ")
}

// ApneSaker lists the kinds of the open cases of a report; id "" = those of no report.
func (v *Verden) ApneSaker(id melding.ID) (ut []levering.Saksart) {
	v.T.Helper()
	saker, err := v.Lager.Cases(context.Background(), true, 1000)
	v.ma(err)
	for _, s := range saker {
		if s.Melding == id {
			ut = append(ut, s.Art)
		}
	}
	return ut
}

// Brev lists the letters of a report at the vendor.
func (v *Verden) Brev(id melding.ID) (ut []fakeprint.Jobbark) {
	v.T.Helper()
	alle, err := v.Print.Brevene()
	v.ma(err)
	for _, b := range alle {
		if b.Referanse == id {
			ut = append(ut, b)
		}
	}
	return ut
}

// KontoID of a receiver.
func (v *Verden) KontoID(kommunenr, bydel string) kommune.KontoID {
	return kommune.KontoID(v.D.Finn(kommunenr, bydel).KontoID)
}
