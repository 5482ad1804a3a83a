package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// rad derives the row from the history each time it is asked for: it can never lag.
func rad(r *lagret) ports.Rad {
	m := melding.Melding{Fakta: r.fakta, Historikk: r.historikk}
	f := r.fakta
	ut := ports.Rad{ID: f.ID, Tilstand: m.Tilstand(), Slag: f.Slag, Versjon: f.Versjon, Kilde: f.Kilde, Kanal: f.Kanal, FraOrg: f.FraFiksOrgID,
		RessursID: f.RessursID, Kommune: f.Kommune, Bydel: f.Bydel, Innsendt: f.Innsendt, Frist: f.Frist, Slettet: r.slettet}
	for _, h := range r.historikk {
		ut.Endret = h.Tidspunkt
		if h.Art == melding.Overgang && h.Kanal != "" {
			ut.Kanal = h.Kanal
		}
	}
	return ut
}

func passer(f ports.Filter, r ports.Rad) bool {
	return (f.RessursID == "" || f.RessursID == r.RessursID) && (f.FraOrg == "" || f.FraOrg == r.FraOrg) &&
		(f.Tilstand == "" || f.Tilstand == r.Tilstand) && (f.Kanal == "" || f.Kanal == r.Kanal) && (f.Slag == "" || f.Slag == r.Slag) &&
		(f.InnsendtFra.IsZero() || !r.Innsendt.Before(f.InnsendtFra)) && (f.InnsendtTil.IsZero() || r.Innsendt.Before(f.InnsendtTil)) &&
		(f.FristFra.IsZero() || !r.Frist.Before(f.FristFra)) && (f.FristTil.IsZero() || r.Frist.Before(f.FristTil)) &&
		(f.EndretFra.IsZero() || !r.Endret.Before(f.EndretFra))
}

// rader lists the rows that fit, by id. The caller holds mu.
func (l *Lager) rader(f ports.Filter) []ports.Rad {
	var ut []ports.Rad
	for _, r := range l.meldinger {
		if x := rad(r); passer(f, x) {
			ut = append(ut, x)
		}
	}
	slices.SortFunc(ut, func(a, b ports.Rad) int { return cmp.Compare(a.ID, b.ID) })
	return ut
}

// List: see ports.Overview.
func (l *Lager) List(ctx context.Context, f ports.Filter, after melding.ID, max int) ([]ports.Rad, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	alle := l.rader(f)
	fra, _ := slices.BinarySearchFunc(alle, after, func(r ports.Rad, id melding.ID) int {
		if r.ID <= id {
			return -1
		}
		return 1
	})
	alle = alle[fra:]
	return alle[:min(max, len(alle))], ctx.Err()
}

// Count: see ports.Overview.
func (l *Lager) Count(ctx context.Context, f ports.Filter) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.rader(f)), ctx.Err()
}

// Groups: see ports.Overview.
func (l *Lager) Groups(ctx context.Context) ([]ports.Gruppe, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	talt := map[ports.Gruppe]int{}
	for _, r := range l.rader(ports.Filter{}) {
		talt[ports.Gruppe{Tilstand: r.Tilstand, Kanal: r.Kanal}]++
	}
	var ut []ports.Gruppe
	for g, n := range talt {
		g.Antall = n
		ut = append(ut, g)
	}
	slices.SortFunc(ut, func(a, b ports.Gruppe) int {
		return cmp.Or(cmp.Compare(a.Tilstand, b.Tilstand), cmp.Compare(a.Kanal, b.Kanal))
	})
	return ut, ctx.Err()
}

// Cases: see ports.Overview.
func (l *Lager) Cases(ctx context.Context, openOnly bool, max int) ([]levering.Sak, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	alle := slices.Collect(maps.Values(l.saker))
	for _, r := range l.meldinger {
		alle = append(alle, r.saker...)
	}
	if openOnly {
		alle = slices.DeleteFunc(alle, func(s levering.Sak) bool { return !s.Apen() })
	}
	lukket := func(s levering.Sak) int {
		if s.Apen() {
			return 0
		}
		return 1
	}
	slices.SortFunc(alle, func(a, b levering.Sak) int {
		return cmp.Or(lukket(a)-lukket(b), b.Apnet.Compare(a.Apnet), cmp.Compare(a.ID, b.ID))
	})
	return alle[:min(max, len(alle))], ctx.Err()
}

// Oldest: see ports.Overview.
func (l *Lager) Oldest(ctx context.Context) (time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var eldst time.Time
	for id := range l.levende {
		r := rad(l.meldinger[id])
		if r.Tilstand != melding.LEVERT && (eldst.IsZero() || r.Innsendt.Before(eldst)) {
			eldst = r.Innsendt
		}
	}
	return eldst, ctx.Err()
}
