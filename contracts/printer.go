package contracts

import (
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Printerrigg is a Printer and a handle on its vendor. By itself the vendor takes every letter and says no more about it.
type Printerrigg struct {
	Printer ports.Printer
	// Brev gives the letters the vendor would print under a job id: one at most, if the promise is kept.
	Brev func(t *testing.T, id melding.ForsokID) [][]byte
	// Meld makes the vendor say a status of a letter it has.
	Meld func(t *testing.T, id melding.ForsokID, s levering.Brevstatus)
	// Nede makes every call fail until Oppe.
	Nede, Oppe func(t *testing.T)
	// MistSvar lets the next Submit be taken while its answer is lost.
	MistSvar func(t *testing.T)
}

func etBrev() levering.Brev {
	b := Tilfeldig(4000)
	return levering.Brev{ID: melding.ForsokID(UUID()), Melding: MeldingID(Start),
		Til:     kommune.Postadresse{Navn: "Barneverntjenesten", Linje1: "Gata 1", Postnummer: "0001", Poststed: "Oslo"},
		Retur:   kommune.Postadresse{Navn: "Portalen", Linje1: "Veien 2", Postnummer: "0002", Poststed: "Oslo"},
		Innhold: Forseglet(b), SHA256: sha256.Sum256(b), Nokkel: []string{"1f"}, Tosidig: true}
}

// TestPrinter is the contract of ports.Printer.
func TestPrinter(t *testing.T, rigg func(t *testing.T) Printerrigg) {
	usikker := func(err error) bool {
		return err != nil && !errors.Is(err, ports.ErrRefused) && !errors.Is(err, ports.ErrNotFound)
	}

	t.Run("P1 one job id is one letter", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		b := etBrev()
		is.NoErr(r.Printer.Submit(t.Context(), b))
		is.NoErr(r.Printer.Submit(t.Context(), b))
		samtidig(4, func(int) {
			if err := r.Printer.Submit(t.Context(), b); err != nil {
				t.Errorf("Submit: %v", err)
			}
		})
		hos := r.Brev(t, b.ID)
		is.Equal(len(hos), 1)
		is.Equal(hos[0], bytesAv(t, b.Innhold))
		j, err := r.Printer.Status(t.Context(), b.ID)
		is.NoErr(err)
		is.Equal(j.ID, b.ID)
		is.Equal(j.Status, levering.BrevMottatt)
		is.NoErr(r.Printer.Submit(t.Context(), etBrev()))
	})

	t.Run("P1 also after an answer was lost", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		b := etBrev()
		r.MistSvar(t)
		is.True(usikker(r.Printer.Submit(t.Context(), b)))
		is.NoErr(r.Printer.Submit(t.Context(), b))
		is.Equal(len(r.Brev(t, b.ID)), 1)
	})

	t.Run("P2 ErrNotFound only when the vendor never got the job", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		b := etBrev()
		_, err := r.Printer.Status(t.Context(), b.ID)
		is.True(errors.Is(err, ports.ErrNotFound))
		r.Nede(t)
		_, err = r.Printer.Status(t.Context(), b.ID)
		is.True(usikker(err)) // nobody knows
		is.True(usikker(r.Printer.Submit(t.Context(), b)))
		_, err = r.Printer.Cancel(t.Context(), b.ID)
		is.True(usikker(err))
		r.Oppe(t)
		_, err = r.Printer.Status(t.Context(), b.ID)
		is.True(errors.Is(err, ports.ErrNotFound))
		is.Equal(len(r.Brev(t, b.ID)), 0)
		r.MistSvar(t)
		is.True(usikker(r.Printer.Submit(t.Context(), b)))
		j, err := r.Printer.Status(t.Context(), b.ID)
		is.NoErr(err) // the question that an unknown outcome asks
		is.Equal(j.Status, levering.BrevMottatt)
	})

	t.Run("P3 events since a cursor, at least once", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		a, b := etBrev(), etBrev()
		is.NoErr(r.Printer.Submit(t.Context(), a))
		is.NoErr(r.Printer.Submit(t.Context(), b))
		har := func(jj []levering.Jobb, id melding.ForsokID, s levering.Brevstatus) bool {
			for _, j := range jj {
				if j.ID == id && j.Status == s && !j.Tid.IsZero() {
					return true
				}
			}
			return false
		}
		_, start, err := r.Printer.Events(t.Context(), "")
		is.NoErr(err)
		r.Meld(t, a.ID, levering.BrevPostlagt)
		r.Meld(t, b.ID, levering.BrevAvvist)
		jj, neste, err := r.Printer.Events(t.Context(), start)
		is.NoErr(err)
		is.True(har(jj, a.ID, levering.BrevPostlagt))
		is.True(har(jj, b.ID, levering.BrevAvvist))
		r.Meld(t, a.ID, levering.BrevRetur)
		r.Nede(t)
		_, _, err = r.Printer.Events(t.Context(), neste)
		is.True(usikker(err))
		r.Oppe(t)
		jj, _, err = r.Printer.Events(t.Context(), neste)
		is.NoErr(err)
		is.True(har(jj, a.ID, levering.BrevRetur))
		jj, _, err = r.Printer.Events(t.Context(), start) // a cursor that was never stored: everything again
		is.NoErr(err)
		is.True(har(jj, a.ID, levering.BrevPostlagt))
		is.True(har(jj, a.ID, levering.BrevRetur))
		j, err := r.Printer.Status(t.Context(), a.ID)
		is.NoErr(err)
		is.Equal(j.Status, levering.BrevRetur)
	})

	t.Run("P4 cancel says whether it was in time", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		_, err := r.Printer.Cancel(t.Context(), melding.ForsokID(UUID()))
		is.True(errors.Is(err, ports.ErrNotFound))
		a, b := etBrev(), etBrev()
		is.NoErr(r.Printer.Submit(t.Context(), a))
		is.NoErr(r.Printer.Submit(t.Context(), b))
		r.Meld(t, a.ID, levering.BrevPostlagt)
		stanset, err := r.Printer.Cancel(t.Context(), a.ID)
		is.NoErr(err)
		is.True(!stanset)
		for range 2 { // asked again after an unknown outcome, the answer is the same
			stanset, err = r.Printer.Cancel(t.Context(), b.ID)
			is.NoErr(err)
			is.True(stanset)
		}
		j, err := r.Printer.Status(t.Context(), b.ID)
		is.NoErr(err)
		is.Equal(j.Status, levering.BrevAnnullert)
	})
}
