package fakeprint

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

const (
	cmsEndelse = ".cms"
	arkEndelse = ".json"
	uferdig    = ".uferdig-" // prefix of a file that is being written
)

// lesMappe makes the folder when needed, clears what a crash left half written, and reads the job sheets.
func lesMappe(mappe string) (map[melding.ForsokID]*Jobbark, int, error) {
	if err := os.MkdirAll(mappe, 0o700); err != nil {
		return nil, 0, err
	}
	filer, err := os.ReadDir(mappe)
	if err != nil {
		return nil, 0, err
	}
	jobber, sisteNr := map[melding.ForsokID]*Jobbark{}, 0
	for _, f := range filer {
		navn := f.Name()
		if strings.HasPrefix(navn, uferdig) {
			// Never renamed, so never part of a job.
			if err := os.Remove(filepath.Join(mappe, navn)); err != nil {
				return nil, 0, err
			}
			continue
		}
		id, err := jobbID(melding.ForsokID(strings.TrimSuffix(navn, arkEndelse)))
		if err != nil || !strings.HasSuffix(navn, arkEndelse) {
			continue // a letter, or somebody else's file
		}
		ark, err := lesArk(filepath.Join(mappe, navn))
		if err != nil {
			return nil, 0, err
		}
		if ark.Jobb != id || len(ark.Hendelser) == 0 {
			return nil, 0, fmt.Errorf("%s er ikke et jobbark", navn)
		}
		jobber[id] = ark
		for _, h := range ark.Hendelser {
			sisteNr = max(sisteNr, h.Nr)
		}
	}
	return jobber, sisteNr, nil
}

func lesArk(sti string) (*Jobbark, error) {
	b, err := os.ReadFile(sti)
	if err != nil {
		return nil, err
	}
	ark := new(Jobbark)
	if err := json.Unmarshal(b, ark); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(sti), err)
	}
	return ark, nil
}

// skrivCMS writes the sealed letter as it is, and refuses it when it is not what was ordered.
func (p *Printer) skrivCMS(id melding.ForsokID, b levering.Brev) error {
	return p.skriv(string(id)+cmsEndelse, func(w io.Writer) error {
		h := sha256.New()
		if _, err := io.Copy(io.MultiWriter(w, h), b.Innhold.Les()); err != nil {
			return err
		}
		if !likSHA(h.Sum(nil), b.SHA256) {
			return fmt.Errorf("brev %s: SHA-256 stemmer ikke: %w", id, ports.ErrRefused)
		}
		return nil
	})
}

func (p *Printer) skrivArk(ark *Jobbark) error {
	return p.skriv(string(ark.Jobb)+arkEndelse, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false) // an address with & stays readable
		e.SetIndent("", "  ")
		return e.Encode(ark)
	})
}

// skriv makes a file appear whole or not at all: written under another name, synced, renamed, and the folder synced, so that the
// name survives a power cut too. A crash before the rename leaves a file that Open removes; after it, the whole file.
func (p *Printer) skriv(navn string, innhold func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(p.mappe, uferdig) // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err := innhold(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(p.mappe, navn)); err != nil {
		return err
	}
	return synk(p.mappe)
}

func synk(mappe string) error {
	d, err := os.Open(mappe)
	if err != nil {
		return err
	}
	err = d.Sync()
	if lukk := d.Close(); err == nil {
		err = lukk
	}
	return err
}
