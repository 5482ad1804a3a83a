// Package memory holds every port in memory, for tests and demonstrations: what it holds dies with the process.
//
// Lager is the store (Store, Vault, Work, Ledger, Certificates, Directory, Registry, Access, Overview) behind one mutex, judged by the
// same levering.Anvend as the real ones. It is stricter than they are: it calls each Update function twice and refuses one that is not
// pure. Nett is a digital channel whose far side delays, loses, doubles and reorders by script; Printer is a vendor that can have bad
// days; Klokke moves only when a test moves it. None of them sleeps or starts a goroutine.
//
// To make writes fail, wrap any implementation, this one or a database, with package feil.
package memory

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// ErrUren says that a function given to Update answered the same question in two ways. The promise S6 lets a store call it several
// times, so it must be pure.
var ErrUren = errors.New("funksjonen i Update er ikke ren")

// Lager is the store. The zero value is not usable: see NyttLager.
type Lager struct {
	klokke ports.Clock

	mu        sync.Mutex
	meldinger map[melding.ID]*lagret
	levende   map[melding.ID]bool // not LEVERT, or with an attempt not ended: all that Breaches looks at
	nokler    map[nokkel]melding.ID
	refs      map[string]melding.ID
	oppdrag   map[levering.OppdragID]*ting
	sett      map[levering.OppdragID]bool // ids that came through Add, settled or not
	seq       int
	saker     map[levering.SakID]levering.Sak // of the Ledger
	merker    map[string]string
	certs     []*sertifikat
	katalog   katalog
}

// lagret is one report. versjon moves with everything that a reading of it would show.
type lagret struct {
	fakta     melding.Fakta
	historikk []melding.Hendelse
	saker     []levering.Sak
	slettet   bool
	deler     map[melding.Del]*del
	versjon   int
}

// nokkel is an Idempotency-Key, which nobody needs in clear.
type nokkel struct {
	fra kommune.FiksOrgID
	sum [32]byte
}

var (
	_ ports.Store        = (*Lager)(nil)
	_ ports.Vault        = (*Lager)(nil)
	_ ports.Work         = (*Lager)(nil)
	_ ports.Ledger       = (*Lager)(nil)
	_ ports.Certificates = (*Lager)(nil)
	_ ports.Directory    = (*Lager)(nil)
	_ ports.Registry     = (*Lager)(nil)
	_ ports.Access       = (*Lager)(nil)
	_ ports.Overview     = (*Lager)(nil)
)

// NyttLager is an empty store; the clock only answers Ledger.Now.
func NyttLager(k ports.Clock) *Lager {
	return &Lager{
		klokke: k, meldinger: map[melding.ID]*lagret{}, levende: map[melding.ID]bool{}, nokler: map[nokkel]melding.ID{},
		refs: map[string]melding.ID{}, oppdrag: map[levering.OppdragID]*ting{}, sett: map[levering.OppdragID]bool{},
		saker: map[levering.SakID]levering.Sak{}, merker: map[string]string{}, katalog: nyKatalog(),
	}
}

func mikro(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

func kopiFakta(f melding.Fakta) melding.Fakta {
	f.Deler = maps.Clone(f.Deler)
	for k, d := range f.Deler {
		d.Nokkelserie = slices.Clone(d.Nokkelserie)
		f.Deler[k] = d
	}
	f.Innsendt, f.Frist = mikro(f.Innsendt), mikro(f.Frist)
	return f
}

func kopiSak(s levering.Sak) levering.Sak {
	s.Apnet, s.Frist, s.Lukket = mikro(s.Apnet), mikro(s.Frist), mikro(s.Lukket)
	return s
}

// kopiOppdrag gives an item nobody else holds. Sealed bytes never change, so they may be shared once they are our own.
func kopiOppdrag(o levering.Oppdrag) levering.Oppdrag {
	o.Forfall = mikro(o.Forfall)
	if o.Svar != nil {
		s := *o.Svar
		s.Mottatt = mikro(s.Mottatt)
		o.Svar = &s
	}
	if o.Jobb != nil {
		j := *o.Jobb
		j.Tid = mikro(j.Tid)
		o.Jobb = &j
	}
	return o
}

// utgave is one consistent reading, the caller's own. The caller holds mu.
func (l *Lager) utgave(r *lagret) ports.Utgave {
	u := ports.Utgave{
		Melding: melding.Melding{Fakta: kopiFakta(r.fakta), Historikk: slices.Clone(r.historikk)},
		Saker:   slices.Clone(r.saker), Slettet: r.slettet,
	}
	for _, x := range l.ordnet(func(x *ting) bool { return x.o.Melding == r.fakta.ID }) {
		u.Owed = append(u.Owed, kopiOppdrag(x.o))
	}
	return u
}
