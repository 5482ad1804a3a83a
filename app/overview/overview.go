// Package overview reads: one report's history, lists and counts. It changes nothing.
package overview

import (
	"context"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Service is the use case. Safe for concurrent use.
type Service struct {
	Store    ports.Store
	Access   ports.Access
	Overview ports.Overview
}

// Status is what the sender sees: overganger only, ascending. ports.ErrNotFound for an unknown id, for another organisation's
// report and for an organisation that is not the integration's: one answer and the same work (D11).
func (s *Service) Status(ctx context.Context, fra kommune.FiksOrgID, i kommune.IntegrasjonID, id melding.ID) ([]melding.Hendelse, error) {
	har, err := s.Access.Har(ctx, i, fra, kommune.TilgangSende)
	if err != nil {
		return nil, err
	}
	u, err := s.Store.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if !har || u.Melding.Fakta.FraFiksOrgID != fra {
		return nil, ports.ErrNotFound
	}
	var ut []melding.Hendelse
	for _, h := range u.Melding.Historikk {
		if h.Art == melding.Overgang {
			ut = append(ut, h)
		}
	}
	return ut, nil
}

// Historikk is everything about one report, for operators.
func (s *Service) Historikk(ctx context.Context, id melding.ID) (ports.Utgave, error) {
	return s.Store.Get(ctx, id)
}

// Liste is one page of reports.
func (s *Service) Liste(ctx context.Context, f ports.Filter, etter melding.ID, maks int) ([]ports.Rad, error) {
	return s.Overview.List(ctx, f, etter, maks)
}

// Saker lists alarms, open first.
func (s *Service) Saker(ctx context.Context, bareApne bool, maks int) ([]levering.Sak, error) {
	return s.Overview.Cases(ctx, bareApne, maks)
}

// Tall is what metrics show.
type Tall struct {
	Grupper []ports.Gruppe
	Saker   map[levering.Saksart]int // open, by kind; every kind is there
	Eldste  time.Time                // innsendt of the oldest not LEVERT; zero = none
	Brudd   int                      // breaches of "always owed", at most 100
}

// Tall counts now.
func (s *Service) Tall(ctx context.Context) (Tall, error) {
	t := Tall{Saker: map[levering.Saksart]int{}}
	var err error
	if t.Grupper, err = s.Overview.Groups(ctx); err != nil {
		return t, err
	}
	if t.Eldste, err = s.Overview.Oldest(ctx); err != nil {
		return t, err
	}
	saker, err := s.Overview.Cases(ctx, true, 10_000)
	if err != nil {
		return t, err
	}
	for _, a := range levering.Saksarter() {
		t.Saker[a] = 0
	}
	for _, sak := range saker {
		t.Saker[sak.Art]++
	}
	brudd, err := s.Store.Breaches(ctx, 100)
	t.Brudd = len(brudd)
	return t, err
}
