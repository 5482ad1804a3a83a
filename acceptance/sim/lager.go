package sim

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"portal.example/bekymringsmelding/domain/melding"
)

const (
	seglEndelse = ".cms"
	uferdig     = ".uferdig-" // prefix of a file that is being written
)

// lagre keeps a report once, by its id. The same report sealed anew is the same report: what came first stays.
func (f *Fagsystem) lagre(l Lagret, b []byte) error {
	if _, ok := f.lagret[l.ID]; ok {
		return nil
	}
	if f.c.Mappe != "" {
		if err := skriv(f.c.Mappe, string(l.ID)+seglEndelse, b); err != nil {
			return err
		}
	}
	f.lagret[l.ID] = l
	f.rekke = append(f.rekke, l.ID)
	return nil
}

// lesMappe opens every stored report again, so that a second start knows, and can still read, what the first answered for. The
// platform's message ids are not on disk.
func (f *Fagsystem) lesMappe() error {
	if f.c.Mappe == "" {
		return nil
	}
	if err := os.MkdirAll(f.c.Mappe, 0o700); err != nil {
		return err
	}
	filer, err := os.ReadDir(f.c.Mappe)
	if err != nil {
		return err
	}
	for _, fil := range filer {
		sti := filepath.Join(f.c.Mappe, fil.Name())
		if strings.HasPrefix(fil.Name(), uferdig) {
			_ = os.Remove(sti) // never renamed, so never answered for
			continue
		}
		navn, ok := strings.CutSuffix(fil.Name(), seglEndelse)
		id, err := melding.ParseID(navn)
		if !ok || err != nil {
			continue
		}
		b, err := os.ReadFile(sti)
		if err != nil {
			return err
		}
		l, err := f.apne(id, "", b)
		if err != nil {
			return err
		}
		f.lagret[id] = l
		f.rekke = append(f.rekke, id)
	}
	slices.Sort(f.rekke)
	return nil
}

// skriv makes a file appear whole or not at all, and durably: mottatt is answered on the strength of it.
func skriv(mappe, navn string, b []byte) (err error) {
	f, err := os.CreateTemp(mappe, uferdig) // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(b); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(mappe, navn)); err != nil {
		return err
	}
	d, err := os.Open(mappe)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}
