package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/app/delivery"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/kommune"
)

type nokkelCmd struct {
	Liste nokkellisteCmd `cmd:"" help:"Vis nøklene til mottakerne, trykkeriet og portalen: serienummer, utløp, og hva de er nå."`
	Trekk nokkeltrekkCmd `cmd:"" help:"Trekk tilbake nøkkelen til en mottaker eller trykkeriet. Det kan ikke gjøres om."`
	Ny    nokkelnyCmd    `cmd:"" help:"Bytt portalens egen nøkkel: lag en ny, og vis sertifikatet."`
}

type nokkellisteCmd struct{ lagervalg }

func (c *nokkellisteCmd) Run(ctx context.Context) error { return c.vis(ctx, os.Stdout) }

func (c *nokkellisteCmd) vis(ctx context.Context, w io.Writer) (err error) {
	l, err := compose.LesLager(ctx, c.config())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	rader, err := nokkeldrift(l).Nokler(ctx)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "HVEM\tKONTO\tSERIENUMMER\tGYLDIG TIL\tSTATUS")
	for _, r := range rader {
		if r.Status != delivery.NokkelTidligere {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", hvis(r), strek(string(r.Konto.KontoID)), strek(r.Serie), gyldigTil(r), nokkelstatus(r, sysclock.Clock{}.Now()))
		}
	}
	return t.Flush()
}

type nokkeltrekkCmd struct {
	lagervalg
	Nokkel string `arg:"" name:"serienummer-eller-konto" help:"Nøkkelens serienummer, eller kontoen den hører til (portal nokkel liste)."`
	Grunn  string `required:"" help:"Begrunnelsen. Den blir stående i saken. Skriv ikke navn eller innhold fra en melding." placeholder:"TEKST"`
	Hvem   string `help:"Hvem som trekker nøkkelen; uten dette brukes innlogget bruker." placeholder:"NAVN"`
}

func (c *nokkeltrekkCmd) Run(ctx context.Context) error { return c.trekk(ctx, os.Stdout) }

func (c *nokkeltrekkCmd) trekk(ctx context.Context, w io.Writer) (err error) {
	if err := hvemOgHvorfor(&c.Hvem, &c.Grunn); err != nil {
		return err
	}
	l, err := compose.ApneLager(ctx, c.config(), false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	d := nokkeldrift(l)
	rader, err := d.Nokler(ctx)
	if err != nil {
		return err
	}
	valgt, err := delivery.FinnNokkel(rader, c.Nokkel)
	if err != nil {
		return fmt.Errorf("%w (portal nokkel liste viser dem)", err)
	}
	if err := d.TrekkNokkel(ctx, valgt, c.Hvem, c.Grunn); errors.Is(err, delivery.ErrEgenNokkel) {
		return fmt.Errorf("%w (portal nokkel ny)", err)
	} else if err != nil {
		return err
	}
	fmt.Fprintf(w, "Nøkkelen med serienummer %s er trukket tilbake.\n", valgt[0].Serie)
	if rader, err = d.Nokler(ctx); err != nil {
		return fmt.Errorf("nøkkelen er trukket, men det som gjelder nå, kan ikke leses: %w", err)
	}
	for _, r := range valgt {
		fmt.Fprintf(w, "%s: %s\n", hvis(r), hvaNa(rader, r))
	}
	return nil
}

// hvaNa says what a revocation has led to for one owner.
func hvaNa(rader []delivery.Nokkelrad, trukket delivery.Nokkelrad) string {
	i := slices.IndexFunc(rader, func(r delivery.Nokkelrad) bool { return r.Eier == trukket.Eier && r.Status == delivery.NokkelGjeldende })
	trykkeriet := trukket.Eier == kommune.Printleverandor
	switch {
	case i >= 0:
		return "avsendere får nøkkelen med serienummer " + rader[i].Serie + "."
	case trykkeriet:
		return "ingen nøkkel. Ingen kan sende inn meldinger før en ny er lagt inn med portal oppsett."
	case trukket.Konto.Kanal == kommune.FiksIO:
		return "ingen nøkkel. Ingen kan sende inn meldinger hit før mottakeren har en ny i katalogen."
	}
	return "ingen nøkkel. Ingen kan sende inn meldinger hit før en ny er lagt inn med portal oppsett."
}

func nokkeldrift(l compose.Lager) *delivery.Service {
	return delivery.New(delivery.Config{Ledger: l, Directory: l, Certs: l, Overview: l, Clock: sysclock.Clock{}})
}

func hvis(r delivery.Nokkelrad) string {
	switch r.Eier {
	case kommune.Printleverandor:
		return "trykkeriet"
	case kommune.Portalen, kommune.PortalenNeste:
		return "portalen"
	}
	b := r.Konto.Bydel
	navn := slices.Compact(ikkeTomme(r.Konto.Kommunenavn.Pa("nb"), b.Navn.Pa("nb"))) // an undivided kommune and its bydel have one name
	s := fmt.Sprintf("%s/%s %s", b.Kommunenummer, b.Bydelsnummer, strings.Join(navn, ", "))
	if !b.Aktiv {
		s += " (nedlagt)"
	}
	return s
}

func gyldigTil(r delivery.Nokkelrad) string {
	if r.Sertifikat == nil {
		return "–"
	}
	return lokal(r.Sertifikat.NotAfter)
}

func nokkelstatus(r delivery.Nokkelrad, na time.Time) string {
	switch {
	case r.Status == delivery.NokkelTrukket:
		return "trukket " + lokal(r.Trukket)
	case r.Sertifikat != nil && na.After(r.Sertifikat.NotAfter):
		return string(r.Status) + ", utløpt"
	}
	return string(r.Status)
}

func strek(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
