package fakeprint

import (
	"time"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

// Manus is how the vendor treats one letter. It is written to the job sheet when the job comes in, so a restart does not change it.
type Manus struct {
	Nekter bool   // Submit answers ErrRefused: there is no job
	Steg   []Steg // in time order; none = received and never heard of again
}

// Steg is one status, this long after the job came in.
type Steg struct {
	Status levering.Brevstatus
	Etter  time.Duration
	Arsak  string // the vendor's code
}

// Poster receives the letter and posts it after d.
func Poster(d time.Duration) Manus {
	return Manus{Steg: []Steg{{Status: levering.BrevPostlagt, Etter: d}}}
}

// PosterAldri receives the letter and is silent for ever.
func PosterAldri() Manus { return Manus{} }

// Nekter does not take the letter at all.
func Nekter() Manus { return Manus{Nekter: true} }

// Avviser takes the letter and finds after d that it cannot be printed.
func Avviser(d time.Duration) Manus {
	return Manus{Steg: []Steg{{Status: levering.BrevAvvist, Etter: d, Arsak: "IKKE_SKRIVBAR"}}}
}

// Returnerer posts the letter after d, and gets it back after retur (both counted from the job's start).
func Returnerer(d, retur time.Duration) Manus {
	return Manus{Steg: []Steg{
		{Status: levering.BrevPostlagt, Etter: d},
		{Status: levering.BrevRetur, Etter: retur, Arsak: "UKJENT_ADRESSE"},
	}}
}

// Nede makes every call answer ErrUnavailable, and nothing is stored, until the clock is at til; the zero time = until Oppe.
func (p *Printer) Nede(til time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nede, p.nedeTil = true, til
}

// Oppe ends Nede.
func (p *Printer) Oppe() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nede = false
}

// MistSvar lets the next n calls of Submit that succeed store their job and answer ErrUnavailable all the same.
func (p *Printer) MistSvar(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mistSvar = n
}

// SettManus replaces how letters that come from now on are treated.
func (p *Printer) SettManus(m func(levering.Brev) Manus) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.manus = m
}

// Meld is the vendor's own hand on the job: it says this status now, and nothing of the Manus that had not happened yet will. Any
// status may follow any other: a vendor can be wrong too.
func (p *Printer) Meld(id melding.ForsokID, s levering.Brevstatus, arsak string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	ark := p.jobber[id]
	if ark == nil {
		return ukjent(id)
	}
	if err := p.fram(ark); err != nil {
		return err
	}
	return p.hendt(ark, s, arsak)
}
