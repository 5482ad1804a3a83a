// Package fakeprint is a print vendor made of a folder: ports.Printer for the demo, for tests, and for nothing else. Nobody gets a
// letter by it, so the composition refuses it outside demo and --dev.
//
// Every letter lies in the folder as two files: <job id>.cms, byte for byte what was sealed for the printer, and <job id>.json, its job
// sheet. Neither holds the name of a child or a reporter. The folder is all the state there is: a job exists when, and only when, its
// sheet does, so a Printer opened again on the same folder goes on where the last one stopped.
//
// What the vendor says follows a Manus: steps counted from the moment the job came in, on the clock the Printer was given. No goroutine
// runs; a step is taken by the first call that finds its time has come, and is written to the sheet before anybody hears of it.
// Nede, MistSvar and Meld play the vendor's bad days.
package fakeprint

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Config is what a Printer needs.
type Config struct {
	Mappe  string      // the folder of letters; made, 0700, when it is not there
	Klokke ports.Clock // decides when a step of a Manus has come
	// Manus says how the vendor treats a letter, asked once, when the job comes in. nil = posted after two seconds.
	Manus func(levering.Brev) Manus
}

// Printer is the vendor.
type Printer struct {
	mappe  string
	klokke ports.Clock
	manus  func(levering.Brev) Manus

	mu       sync.Mutex
	jobber   map[melding.ForsokID]*Jobbark
	sisteNr  int
	nede     bool
	nedeTil  time.Time // zero = until Oppe is called
	mistSvar int
}

var _ ports.Printer = (*Printer)(nil)

// Open reads the jobs of the folder.
func Open(c Config) (*Printer, error) {
	if c.Mappe == "" || c.Klokke == nil {
		return nil, errors.New("fakeprint: Mappe og Klokke må være satt")
	}
	if c.Manus == nil {
		c.Manus = func(levering.Brev) Manus { return Poster(2 * time.Second) }
	}
	jobber, sisteNr, err := lesMappe(c.Mappe)
	if err != nil {
		return nil, fmt.Errorf("fakeprint: %w", err)
	}
	return &Printer{mappe: c.Mappe, klokke: c.Klokke, manus: c.Manus, jobber: jobber, sisteNr: sisteNr}, nil
}

// Submit takes a letter. The bytes are compared with their SHA-256 before the job is accepted: a vendor that printed something else
// than what was accepted by the portal would be worse than one that printed nothing.
func (p *Printer) Submit(ctx context.Context, b levering.Brev) error {
	id, err := jobbID(b.ID)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.svarer(ctx); err != nil {
		return err
	}
	if gammel := p.jobber[id]; gammel != nil {
		if gammel.SHA256 != hex.EncodeToString(b.SHA256[:]) {
			return fmt.Errorf("brev %s: %w", id, ports.ErrConflict)
		}
		return p.svarTapt(id)
	}
	m := p.manus(b)
	if m.Nekter {
		return fmt.Errorf("brev %s: %w", id, ports.ErrRefused)
	}
	// A crash from here to the end of skrivCMS leaves at most a letter without a sheet: no job. Status then says ErrNotFound, which is
	// the truth, and the repeat writes the same file again.
	if err := p.skrivCMS(id, b); err != nil {
		return err
	}
	na := p.klokke.Now()
	ark := nyttArk(id, b, na, m.Steg)
	ark.meld(p.nesteNr(), levering.BrevMottatt, na, "")
	// A crash before the rename in skrivArk is the case above; after it the job is there, and only our answer is lost.
	if err := p.skrivArk(ark); err != nil {
		return err
	}
	p.jobber[id] = ark
	return p.svarTapt(id)
}

// Status is the vendor's latest word about a letter.
func (p *Printer) Status(ctx context.Context, id melding.ForsokID) (levering.Jobb, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ark, err := p.finn(ctx, id)
	if err != nil {
		return levering.Jobb{}, err
	}
	return ark.siste(), nil
}

// Cancel stops a letter that is not posted. A letter the vendor refused by itself will not come either: that is true as well.
func (p *Printer) Cancel(ctx context.Context, id melding.ForsokID) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ark, err := p.finn(ctx, id)
	if err != nil {
		return false, err
	}
	switch {
	case ark.harVaert(levering.BrevPostlagt) || ark.harVaert(levering.BrevRetur):
		return false, nil
	case ark.harVaert(levering.BrevAnnullert) || ark.harVaert(levering.BrevAvvist):
		return true, nil
	}
	if err := p.hendt(ark, levering.BrevAnnullert, ""); err != nil {
		return false, err
	}
	return true, nil
}

// Events gives what has happened since cursor, oldest first. "" is the beginning.
func (p *Printer) Events(ctx context.Context, cursor string) ([]levering.Jobb, string, error) {
	etter, err := lesCursor(cursor)
	if err != nil {
		return nil, cursor, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.svarer(ctx); err != nil {
		return nil, cursor, err
	}
	if err := p.framAlle(); err != nil {
		return nil, cursor, err
	}
	jobber, ny := p.hendelserEtter(etter)
	return jobber, ny, nil
}

// finn gives a job with every step taken whose time has come. The caller holds mu.
func (p *Printer) finn(ctx context.Context, id melding.ForsokID) (*Jobbark, error) {
	if err := p.svarer(ctx); err != nil {
		return nil, err
	}
	ark := p.jobber[id]
	if ark == nil {
		return nil, fmt.Errorf("brev %s: %w", id, ports.ErrNotFound)
	}
	return ark, p.fram(ark)
}

// svarer says whether the vendor answers at all now.
func (p *Printer) svarer(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.nede && (p.nedeTil.IsZero() || p.klokke.Now().Before(p.nedeTil)) {
		return fmt.Errorf("fakeprint er nede: %w", ports.ErrUnavailable)
	}
	p.nede = false
	return nil
}

// svarTapt is the end of every Submit that succeeded: the job is stored, and the script may lose the answer.
func (p *Printer) svarTapt(id melding.ForsokID) error {
	if p.mistSvar == 0 {
		return nil
	}
	p.mistSvar--
	return fmt.Errorf("brev %s: svaret kom bort: %w", id, ports.ErrUnavailable)
}

// jobbID keeps everything but a UUID away from file names.
func jobbID(id melding.ForsokID) (melding.ForsokID, error) {
	n, err := melding.ParseID(string(id))
	if err != nil || string(n) != string(id) {
		return "", fmt.Errorf("jobb-id: %w: %w", melding.ErrID, ports.ErrRefused)
	}
	return id, nil
}

// likSHA says whether the digest computed from the bytes is the one the job was ordered with.
func likSHA(regnet []byte, ventet [32]byte) bool { return bytes.Equal(regnet, ventet[:]) }
