package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/user"
	"strings"
	"time"

	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/app/delivery"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/virketid"
)

type avgjorCmd struct {
	lagervalg
	Valg   string `arg:"" enum:"brev,send,levert,lukk,hold,loft-hold,notat,brevstopp" help:"brev: nytt brev. send: send digitalt på nytt. levert: dokumentert levert. lukk: lukk en sak. hold/loft-hold: stans eller tillat sletting. notat: skriv et notat. brevstopp: hold brev tilbake inntil 4 timer."`
	ID     string `arg:"" optional:"" help:"Meldingens id, eller sakens id for lukk."`
	Grunn  string `required:"" help:"Begrunnelsen. Den blir stående i historikken. Skriv ikke navn eller innhold fra meldingen." placeholder:"TEKST"`
	Hvem   string `help:"Hvem som avgjør; uten dette brukes innlogget bruker." placeholder:"NAVN"`
	Timer  int    `help:"brevstopp: hvor mange timer brev holdes tilbake, 1 til 4." default:"1" placeholder:"TIMER"`
	Opphev bool   `help:"brevstopp: la brevene gå igjen før tiden er ute."`
}

func (c *avgjorCmd) Run(ctx context.Context, logg *slog.Logger) (err error) {
	if err := hvemOgHvorfor(&c.Hvem, &c.Grunn); err != nil {
		return err
	}
	stopp := c.Valg == "brevstopp"
	switch {
	case stopp && c.ID != "":
		return errors.New("brevstopp gjelder alle brev og tar ingen id")
	case !stopp && c.ID == "":
		return errors.New("oppgi meldingens id, eller sakens id for lukk")
	case !stopp && c.Opphev:
		return errors.New("--opphev hører til brevstopp")
	}
	l, err := compose.ApneLager(ctx, c.config(), false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	d := delivery.New(delivery.Config{Store: l, Work: l, Ledger: l, Overview: l, Clock: sysclock.Clock{}, Logg: logg,
		Policy: levering.Standard(virketid.Kalender{})})
	switch {
	case stopp:
		return c.brevstopp(ctx, d)
	case c.Valg == string(levering.ValgLukk) && strings.HasPrefix(c.ID, "ledger/"):
		if err := d.LukkSak(ctx, levering.SakID(c.ID), c.Hvem, c.Grunn); err != nil {
			return fmt.Errorf("saken kan ikke lukkes: %w", err)
		}
		fmt.Println("Saken er lukket.")
		return nil
	}
	mid, _, _ := strings.Cut(c.ID, "/")
	id, err := melding.ParseID(mid)
	if err != nil {
		return fmt.Errorf("oppgi meldingens id, eller sakens id for lukk: %w", err)
	}
	u, err := d.Avgjor(ctx, id, levering.Avgjorelse{Valg: levering.Valg(c.Valg), Hvem: c.Hvem, Grunn: c.Grunn, Sak: levering.SakID(c.ID)})
	if err != nil {
		return err
	}
	fmt.Printf("Melding %s er i %s.\n", id, u.Melding.Tilstand())
	return nil
}

// hvemOgHvorfor fills in who is logged in, and refuses what cannot stand in a history.
func hvemOgHvorfor(hvem, grunn *string) error {
	if u, err := user.Current(); *hvem == "" && err == nil {
		*hvem = u.Username
	}
	*hvem, *grunn = strings.TrimSpace(*hvem), strings.TrimSpace(*grunn)
	if err := levering.KontrollerOperator(*hvem, *grunn); err != nil {
		return fmt.Errorf("%w (--hvem og --grunn)", err)
	}
	return nil
}

func (c *avgjorCmd) brevstopp(ctx context.Context, d *delivery.Service) error {
	if c.Opphev {
		if err := d.SlippBrev(ctx, c.Hvem, c.Grunn); err != nil {
			return err
		}
		fmt.Printf("Brevstoppen er opphevet. Brevene går innen %d minutter.\n", int(delivery.Brevpause.Minutes()))
		return nil
	}
	til, err := d.HoldBrev(ctx, c.Hvem, c.Grunn, time.Duration(c.Timer)*time.Hour)
	if err != nil {
		return err
	}
	fmt.Println("Brev holdes tilbake til", lokal(til))
	return nil
}
