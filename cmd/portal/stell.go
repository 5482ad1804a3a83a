package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/app/onboarding"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/virketid"
	"portal.example/bekymringsmelding/ports"
)

type migrateCmd struct{ lagervalg }

func (c *migrateCmd) Run(ctx context.Context) error {
	l, err := compose.ApneLager(ctx, c.config(), false)
	if err != nil {
		return err
	}
	fmt.Println("Databasen er klar.")
	return l.Close()
}

type oppsettCmd struct {
	lagervalg
	Fil string `arg:"" help:"Oppsettfil (JSON). Se docs/drift/oppsett.md." type:"existingfile"`
}

func (c *oppsettCmd) Run(ctx context.Context) (err error) {
	hemmelig, err := c.config().HemmeligNokkel()
	if err != nil {
		return err
	}
	f, err := os.Open(c.Fil)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	fil, err := onboarding.Les(f)
	if err != nil {
		return err
	}
	l, err := compose.ApneLager(ctx, c.config(), false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	s := &onboarding.Service{Registry: l, Access: l, Certs: l, Clock: sysclock.Clock{}, Hemmelighet: hemmelig, Dev: c.Dev}
	nye, err := s.Bruk(ctx, fil)
	for id, passord := range nye {
		fmt.Printf("Nytt passord for integrasjon %s, vises bare nå: %s\n", id, passord)
	}
	if err != nil {
		return err
	}
	fmt.Println("Oppsettet er tatt i bruk.")
	return nil
}

type sakerCmd struct {
	lagervalg
	Alle  bool   `help:"Vis også lukkede saker."`
	ID    string `name:"melding" help:"Vis én melding: hele historikken, det som er planlagt, og sakene." placeholder:"UUID"`
	Antal int    `name:"antall" help:"Hvor mange." default:"100"`
}

func (c *sakerCmd) Run(ctx context.Context) (err error) {
	l, err := compose.LesLager(ctx, c.config())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if c.ID != "" {
		return visMelding(ctx, l, melding.ID(strings.ToLower(c.ID)))
	}
	saker, err := l.Cases(ctx, !c.Alle, c.Antal)
	if err != nil {
		return err
	}
	if len(saker) == 0 {
		fmt.Println("Ingen åpne saker.")
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ART\tKRITISK\tÅPNET\tFRIST\tLUKKET\tSAK\tHVA")
	for _, s := range saker {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Art, ja(s.Kritisk), lokal(s.Apnet), lokal(s.Frist), lokal(s.Lukket), s.ID, s.Grunn)
	}
	return w.Flush()
}

func visMelding(ctx context.Context, l ports.Store, id melding.ID) error {
	u, err := l.Get(ctx, id)
	if err != nil {
		return err
	}
	f := u.Melding.Fakta
	fmt.Printf("Melding %s: %s %s til %s/%s, tilstand %s, frist %s\n\n", f.ID, f.Slag, f.Versjon, f.Kommune, f.Bydel, u.Melding.Tilstand(), lokal(f.Frist))
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	for _, h := range u.Melding.Historikk {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", h.Sekvens, lokal(h.Tidspunkt), h.Tilstand, h.Kode.Beskrivelse(), h.Aktor, strings.Join(ikkeTomme(string(h.Arsak), h.Grunn), "; "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Println()
	for _, o := range u.Owed {
		fmt.Printf("Planlagt: %s %s\n", o.Ko, lokal(o.Forfall))
	}
	for _, s := range u.Saker {
		fmt.Printf("Sak: %s, åpnet %s, lukket %s %s\n", s.ID, lokal(s.Apnet), lokal(s.Lukket), s.Grunn)
	}
	return nil
}

type verifyCmd struct{ lagervalg }

// Run exits with an error when anything was wrong, so that a scheduler sees it.
func (c *verifyCmd) Run(ctx context.Context) (err error) {
	l, err := compose.LesLager(ctx, c.config())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	feil := 0
	if err := l.Kontroller(ctx, func(id melding.ID, problem string) {
		feil++
		fmt.Printf("%s: %s\n", id, problem)
	}); err != nil {
		return err
	}
	if feil > 0 {
		return fmt.Errorf("%d feil i lageret", feil)
	}
	fmt.Println("Historikk, avledede rader og lagret innhold stemmer.")
	return nil
}

func lokal(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(virketid.Oslo()).Format("2006-01-02 15:04:05")
}

func ja(b bool) string {
	if b {
		return "ja"
	}
	return "nei"
}

func ikkeTomme(s ...string) (ut []string) {
	for _, x := range s {
		if x != "" {
			ut = append(ut, x)
		}
	}
	return ut
}
