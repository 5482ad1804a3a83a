package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"

	"portal.example/bekymringsmelding/cmd/compose"
)

type nokkelnyCmd struct {
	lagervalg
	mappevalg
	Grunn string `required:"" help:"Begrunnelsen. Den blir stående i saken." placeholder:"TEKST"`
	Hvem  string `help:"Hvem som bytter nøkkelen; uten dette brukes innlogget bruker." placeholder:"NAVN"`
}

func (c *nokkelnyCmd) Run(ctx context.Context) error { return c.bytt(ctx, os.Stdout) }

func (c *nokkelnyCmd) bytt(ctx context.Context, w io.Writer) (err error) {
	if err := hvemOgHvorfor(&c.Hvem, &c.Grunn); err != nil {
		return err
	}
	cfg := c.med(c.config())
	l, err := compose.ApneLager(ctx, cfg, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	b, err := compose.BytterNokkel(ctx, cfg, l, c.Hvem, c.Grunn)
	if err != nil {
		return err
	}
	switch {
	case !b.Begynt:
		fmt.Fprintln(w, "Et bytte er alt i gang: katalogen har ikke den nye nøkkelen ennå. Ingen ny er laget.")
	case b.Fra == nil:
		fmt.Fprintln(w, "Portalens første nøkkel er laget.")
	default:
		fmt.Fprintln(w, "Portalens nye nøkkel er laget. Den gamle gjelder til katalogen har den nye, og kan leses i 14 dager etter det.")
	}
	fmt.Fprintf(w, "Serienummer %s, gyldig til %s.\n\n", b.Sertifikat.SerialNumber.Text(16), lokal(b.Sertifikat.NotAfter))
	fmt.Fprintln(w, "Ta sikkerhetskopi av nøkkelmappen nå. En portal som kjører, legger sertifikatet under i katalogen innen fem minutter")
	fmt.Fprintln(w, "og lukker saken «nokkelbytte». Blir saken stående, legg det inn for hånd (docs/drift/nokler.md).")
	fmt.Fprintln(w)
	return pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: b.Sertifikat.Raw})
}
