package fakeprint_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"portal.example/bekymringsmelding/adapters/fakeprint"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

func TestContract(t *testing.T) {
	contracts.TestPrinter(t, func(t *testing.T) contracts.Printerrigg {
		b := setup(t, alltid(fakeprint.PosterAldri()))
		return contracts.Printerrigg{
			Printer: b.p,
			Brev: func(t *testing.T, id melding.ForsokID) [][]byte {
				rad, err := os.ReadFile(filepath.Join(b.mappe, string(id)+".cms"))
				if errors.Is(err, fs.ErrNotExist) {
					return nil
				}
				return [][]byte{rad}
			},
			Meld: func(t *testing.T, id melding.ForsokID, s levering.Brevstatus) {
				if err := b.p.Meld(id, s, ""); err != nil {
					t.Fatal(err)
				}
			},
			Nede:     func(*testing.T) { b.p.Nede(time.Time{}) },
			Oppe:     func(*testing.T) { b.p.Oppe() },
			MistSvar: func(*testing.T) { b.p.MistSvar(1) },
		}
	})
}
