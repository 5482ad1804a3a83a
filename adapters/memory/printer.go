package memory

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Brevmanus is how the vendor treats one letter. The zero value takes it and is never heard of again.
type Brevmanus struct {
	Nekter bool // Submit answers ErrRefused: there is no job
	Steg   []Brevsteg
}

// Brevsteg is one status, this long after the job came in.
type Brevsteg struct {
	Etter  time.Duration
	Status levering.Brevstatus
	Arsak  string
}

// Posterer posts each letter after d.
func Posterer(d time.Duration) func(levering.Brev) Brevmanus {
	return func(levering.Brev) Brevmanus {
		return Brevmanus{Steg: []Brevsteg{{Etter: d, Status: levering.BrevPostlagt}}}
	}
}

// Printer is a print vendor in memory. A step of its script is taken by the first call that finds its time has come.
type Printer struct {
	klokke ports.Clock

	mu        sync.Mutex
	manus     func(levering.Brev) Brevmanus
	jobber    map[melding.ForsokID]*jobb
	orden     []melding.ForsokID
	hendelser []levering.Jobb
	nede      bool
	mist      int
}

type jobb struct {
	brev   levering.Brev
	innen  time.Time
	steg   []Brevsteg
	siste  levering.Jobb
	sendt  bool // posted once: too late to stop
	stanse bool // cancelled or refused: will not come
}

var _ ports.Printer = (*Printer)(nil)

// NyPrinter takes every letter and says no more until Manus or Meld makes it.
func NyPrinter(k ports.Clock) *Printer {
	return &Printer{klokke: k, manus: func(levering.Brev) Brevmanus { return Brevmanus{} }, jobber: map[melding.ForsokID]*jobb{}}
}

// Manus decides how letters that come from now on are treated.
func (p *Printer) Manus(m func(levering.Brev) Brevmanus) { p.mu.Lock(); p.manus = m; p.mu.Unlock() }

// Nede makes every call fail, nothing done, until it is called with false.
func (p *Printer) Nede(nede bool) { p.mu.Lock(); p.nede = nede; p.mu.Unlock() }

// MistSvar lets the next n calls of Submit that would succeed take their job and fail all the same.
func (p *Printer) MistSvar(n int) { p.mu.Lock(); p.mist = n; p.mu.Unlock() }

// Brev gives a letter the vendor has.
func (p *Printer) Brev(id melding.ForsokID) (levering.Brev, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j := p.jobber[id]
	if j == nil {
		return levering.Brev{}, false
	}
	return j.brev, true
}

// Jobber lists every job id in the order they came.
func (p *Printer) Jobber() []melding.ForsokID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]melding.ForsokID(nil), p.orden...)
}

// Meld makes the vendor say a status now; the rest of the letter's script will not happen. Any status may follow any other.
func (p *Printer) Meld(id melding.ForsokID, s levering.Brevstatus, arsak string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	j := p.jobber[id]
	if j == nil {
		return fmt.Errorf("brev %s: %w", id, ports.ErrNotFound)
	}
	p.fram()
	j.steg = nil
	p.si(j, s, p.klokke.Now(), arsak)
	return nil
}

// si is one word from the vendor. The caller holds mu.
func (p *Printer) si(j *jobb, s levering.Brevstatus, nar time.Time, arsak string) {
	j.siste = levering.Jobb{ID: j.brev.ID, Status: s, Tid: nar, Arsak: arsak}
	j.sendt = j.sendt || s == levering.BrevPostlagt || s == levering.BrevRetur
	j.stanse = j.stanse || s == levering.BrevAnnullert || s == levering.BrevAvvist
	p.hendelser = append(p.hendelser, j.siste)
}

// fram takes the steps whose time has come. The caller holds mu.
func (p *Printer) fram() {
	na := p.klokke.Now()
	for _, id := range p.orden {
		j := p.jobber[id]
		for len(j.steg) > 0 && !j.innen.Add(j.steg[0].Etter).After(na) {
			s := j.steg[0]
			j.steg = j.steg[1:]
			p.si(j, s.Status, j.innen.Add(s.Etter), s.Arsak)
		}
	}
}

// svarer says whether the vendor answers, and lets time do its work. The caller holds mu.
func (p *Printer) svarer(ctx context.Context, id melding.ForsokID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.nede {
		return fmt.Errorf("brev %s: print er nede: %w", id, ports.ErrUnavailable)
	}
	p.fram()
	return nil
}

// Submit: see ports.Printer. It checks the bytes against their SHA-256, as a vendor should.
func (p *Printer) Submit(ctx context.Context, b levering.Brev) error {
	innhold, err := b.Innhold.Bytes()
	if err != nil {
		return fmt.Errorf("brev %s: %w", b.ID, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.svarer(ctx, b.ID); err != nil {
		return err
	}
	if gammel := p.jobber[b.ID]; gammel != nil {
		if gammel.brev.SHA256 != b.SHA256 {
			return fmt.Errorf("brev %s har fått annet innhold: %w", b.ID, ports.ErrConflict)
		}
		return p.svarTapt(b.ID)
	}
	m := p.manus(b)
	if m.Nekter || sha256.Sum256(innhold) != b.SHA256 {
		return fmt.Errorf("brev %s: %w", b.ID, ports.ErrRefused)
	}
	b.Innhold = melding.ForsegletBytes(b.Innhold.Forsegling(), innhold)
	j := &jobb{brev: b, innen: p.klokke.Now(), steg: m.Steg}
	p.jobber[b.ID], p.orden = j, append(p.orden, b.ID)
	p.si(j, levering.BrevMottatt, j.innen, "")
	return p.svarTapt(b.ID)
}

func (p *Printer) svarTapt(id melding.ForsokID) error {
	if p.mist == 0 {
		return nil
	}
	p.mist--
	return fmt.Errorf("brev %s: svaret gikk tapt: %w", id, ports.ErrUnavailable)
}

func (p *Printer) finn(ctx context.Context, id melding.ForsokID) (*jobb, error) {
	if err := p.svarer(ctx, id); err != nil {
		return nil, err
	}
	if j := p.jobber[id]; j != nil {
		return j, nil
	}
	return nil, fmt.Errorf("brev %s: %w", id, ports.ErrNotFound)
}

// Status: see ports.Printer.
func (p *Printer) Status(ctx context.Context, id melding.ForsokID) (levering.Jobb, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j, err := p.finn(ctx, id)
	if err != nil {
		return levering.Jobb{}, err
	}
	return j.siste, nil
}

// Cancel: see ports.Printer. A letter the vendor refused by itself will not come either.
func (p *Printer) Cancel(ctx context.Context, id melding.ForsokID) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j, err := p.finn(ctx, id)
	if err != nil {
		return false, err
	}
	if j.sendt || j.stanse {
		return !j.sendt, nil
	}
	j.steg = nil
	p.si(j, levering.BrevAnnullert, p.klokke.Now(), "")
	return true, nil
}

// Events: see ports.Printer. The cursor counts events.
func (p *Printer) Events(ctx context.Context, cursor string) ([]levering.Jobb, string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.svarer(ctx, ""); err != nil {
		return nil, cursor, err
	}
	fra := 0
	if cursor != "" {
		var err error
		if fra, err = strconv.Atoi(cursor); err != nil || fra < 0 || fra > len(p.hendelser) {
			return nil, cursor, fmt.Errorf("print, markør: %w", ports.ErrRefused)
		}
	}
	return append([]levering.Jobb(nil), p.hendelser[fra:]...), strconv.Itoa(len(p.hendelser)), nil
}
