package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"portal.example/bekymringsmelding/adapters/fagsystem"
)

// telling counts what a folder has taken. It is for people: a crash between a report and its count can make it one off, and nothing
// is decided by it.
type telling map[fagsystem.Art]int

var tellesSom = []struct {
	art   fagsystem.Art
	tekst string
}{
	{fagsystem.Lagret, "lagret og kvittert"},
	{fagsystem.Gjentatt, "gjentatt, kvittert på nytt"},
	{fagsystem.Avvist, "avvist"},
	{fagsystem.Fremmed, "fra en annen konto enn portalens: ikke lagret"},
	{fagsystem.Tidsavbrudd, "tidsavbrudd: et svar ble ikke hentet i tide"},
	{fagsystem.Serverfeil, "serverfeil: et svar kunne ikke leveres"},
}

const tellefil = "status.json"

// lesTelling gives zeroes where nothing is counted yet.
func lesTelling(mappe string) (telling, error) {
	t := telling{}
	for _, x := range tellesSom {
		t[x.art] = 0
	}
	b, err := os.ReadFile(filepath.Join(mappe, tellefil))
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	if err != nil {
		return nil, bruk("%s i %s kan ikke leses: %v.", tellefil, mappe, grunn(err))
	}
	return t, nil
}

// skriv replaces the file by rename: a reader sees the old counts or the new.
func (t telling) skriv(mappe string) error {
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	fil := filepath.Join(mappe, tellefil)
	if err := os.WriteFile(fil+".ny", append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(fil+".ny", fil)
}

func visTelling(p *program, mappe string) error {
	if _, err := os.Stat(mappe); err != nil {
		return bruk("%s kan ikke leses: %v.", mappe, grunn(err))
	}
	t, err := lesTelling(mappe)
	if err != nil {
		return err
	}
	for _, x := range tellesSom {
		p.si("%6d  %s", t[x.art], x.tekst)
	}
	return nil
}

// lagMappe makes the folder, for its owner only, so that it survives a power cut: a report is safe in it only then.
func lagMappe(mappe string) error {
	if err := os.MkdirAll(mappe, 0o700); err != nil {
		return err
	}
	abs, err := filepath.Abs(mappe)
	if err != nil {
		return err
	}
	over, err := os.Open(filepath.Dir(abs))
	if err != nil {
		return err
	}
	return errors.Join(over.Sync(), over.Close())
}
