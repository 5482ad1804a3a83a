package main

import (
	"context"
	"strings"

	"portal.example/bekymringsmelding/adapters/fagsystem"
	"portal.example/bekymringsmelding/domain/virketid"
)

type mottaKommando struct {
	Kommune string `help:"Kommunenummer, fire sifre." placeholder:"4601"`
	Bydel   string `default:"00" help:"Bydelsnummer, to sifre. 00 der kommunen ikke er delt." placeholder:"00"`
	Konto   string `help:"Kontoen, i stedet for kommune og bydel: slik velges den i fiks-sim.json." placeholder:"UUID"`
	Mappe   string `required:"" help:"Mappe der meldingene lagres åpnet, en mappe for hver." placeholder:"MAPPE"`
	Status  bool   `help:"Vis hva mappen har tatt imot, og avslutt."`
	En      bool   `help:"Stopp etter én melding."`
}

// Run is called by kong.
func (k *mottaKommando) Run(p *program) error {
	if k.Status {
		return visTelling(p, k.Mappe)
	}
	c, err := k.oppsett(p)
	if err != nil {
		return err
	}
	if err := lagMappe(k.Mappe); err != nil {
		return bruk("%s kan ikke lages: %v.", k.Mappe, grunn(err))
	}
	t, err := lesTelling(k.Mappe)
	if err != nil {
		return err
	}
	ctx, stopp := context.WithCancel(p.ctx)
	defer stopp()
	c.Lager = fagsystem.Mappe(k.Mappe)
	c.Meld = func(h fagsystem.Hendelse) {
		igjen := h.Art == fagsystem.Utsatt || h.Art == fagsystem.Frakoblet
		if igjen && ctx.Err() != nil {
			return // put off because the program ends: no news
		}
		p.visHendelse(h)
		if _, telles := t[h.Art]; telles {
			t[h.Art]++
			if err := t.skriv(k.Mappe); err != nil {
				p.merk("Tellingen kan ikke lagres: %v. Meldingene er ikke berørt.", grunn(err))
			}
		}
		if k.En && !igjen {
			stopp() // the ack still goes: Motta waits for it
		}
	}
	if k.En {
		c.Forhand = 1 // a message fetched and left would have spent one of its deliveries
	}
	klient, err := fagsystem.New(c)
	if err != nil {
		return bruk("%v", err)
	}
	p.merk("Lytter på konto %s. Avbryt med Ctrl-C.", c.Konto)
	klient.Motta(ctx)
	return nil
}

// visHendelse says what came of one message, on one line and with ids only.
func (p *program) visHendelse(h fagsystem.Hendelse) {
	tid, svar := p.klokke.Now().In(virketid.Oslo()).Format("15:04:05"), "melding-id "+rent(h.MeldingID)
	feil := ""
	if h.Feil != nil {
		feil = rent(strings.ReplaceAll(h.Feil.Error(), "\n", "; ")) // of errors.Join
	}
	switch h.Art {
	case fagsystem.Lagret:
		p.si("%s  lagret og kvittert         %s  %s", tid, h.ID, svar)
	case fagsystem.Gjentatt:
		p.si("%s  lagret fra før, kvittert   %s  %s", tid, h.ID, svar)
	case fagsystem.Avvist:
		p.si("%s  avvist                     %s  %s  (%s)", tid, h.ID, svar, feil)
	case fagsystem.Fremmed:
		p.si("%s  ikke fra portalen          %s  %s  (%s)", tid, h.ID, svar, feil)
	case fagsystem.Tidsavbrudd, fagsystem.Serverfeil:
		p.si("%s  et svar kom ikke fram    %s  (%s), %s", tid, h.ID, h.Art, svar)
	case fagsystem.Utsatt:
		p.merk("%s  utsatt, prøves igjen       %s  %s  (%s)", tid, h.ID, svar, feil)
	case fagsystem.Frakoblet:
		p.merk("%s  ikke tilkoblet, prøver igjen (%s)", tid, feil)
	default:
		p.si("%s  kvittering, ikke besvart  %s  %s", tid, h.ID, svar)
	}
}
