package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/domain/melding"
)

// prove is one report of the demo and what is meant to happen to it.
type prove struct{ kommune, bydel, hva string }

var prover = []prove{
	{"4601", "01", "fagsystemet bekrefter"},
	{"5501", "00", "fagsystemet avviser, og meldingen går som brev"},
	{"4204", "00", "fagsystemet svarer ikke, og meldingen går som brev når fristen er ute"},
}

// vis sends three real reports through the public API and prints each history as it grows, then where to click.
func (d *demo) vis(ctx context.Context) {
	a, err := d.avsender(d.d.Avsender)
	if err != nil {
		d.s.linje("Kan ikke sende: %v", err)
		return
	}
	d.s.linje("")
	d.s.linje("%s sender tre meldinger gjennom %s/bekymringsmelding:", d.d.Avsender.Navn, d.adr)
	d.frister()
	var folg []func()
	for _, p := range prover {
		id, err := d.send(ctx, a, p, melding.V2)
		if err != nil {
			d.s.linje("  %s/%s  %v", p.kommune, p.bydel, err)
			continue
		}
		d.s.linje("  %s  %s  til %s: %s", p.kommune+"/"+p.bydel, id, d.d.Kommune(p.kommune).Navn["nb"], p.hva)
		folg = append(folg, func() { d.folg(ctx, a, p, id) })
	}
	if kommune, bydel, ok := strings.Cut(d.f.Ekstra, "/"); ok {
		if id, err := d.send(ctx, a, prove{kommune: kommune, bydel: bydel}, melding.V1); err != nil {
			d.s.linje("  %s  %v", d.f.Ekstra, err)
		} else {
			d.s.linje("  %s  %s", d.f.Ekstra, id)
		}
	}
	d.s.linje("")
	var wg sync.WaitGroup
	for _, f := range folg {
		wg.Go(f)
	}
	wg.Wait()
	if ctx.Err() == nil {
		d.lenker()
	}
}

// frister says which deadlines the demo uses, beside the instants of the real ones.
func (d *demo) frister() {
	na := d.clock.Now()
	ekte := d.policy.Digital.Etter(d.policy.Kalender, na)
	d.s.linje("%s", d.s.svak("  Demoen har korte frister. Brevet til 4204/00 går "+klokkeslett(na.Add(fristTaus))+", "+sekunder(fristTaus)+" fra nå. 4601/01 og 5501/00 har "+sekunder(kortFrist)+", og 4601/02 den ekte."))
	d.s.linje("%s", d.s.svak("  I drift er fristen 40 virketimer: "+dato(ekte)+". Trykkeriet her poster etter "+sekunder(postFrist)+"."))
}

func (d *demo) send(ctx context.Context, a *world.Avsender, p prove, v melding.Versjon) (melding.ID, error) {
	n, err := a.HentNokler(ctx, p.kommune, p.bydel)
	if err != nil {
		return "", err
	}
	k := d.d.Kommune(p.kommune)
	s, err := world.Eksempel(ctx, a, n, world.Sending{Kommune: p.kommune, Bydel: p.bydel, Slag: melding.Offentlig, Versjon: v}, k.Navn["nb"], k.Bydelsnavn[p.bydel]["nb"])
	if err != nil {
		return "", err
	}
	return a.Post(ctx, s)
}

// folg prints each new line of a report's history until LEVERT.
func (d *demo) folg(ctx context.Context, a *world.Avsender, p prove, id melding.ID) {
	sett := 0
	for ctx.Err() == nil {
		rader, err := a.Status(ctx, id)
		var f *world.Feil
		if err != nil && !errors.As(err, &f) && ctx.Err() == nil {
			d.s.linje("  %s/%s  %v", p.kommune, p.bydel, err)
		}
		for ; sett < len(rader); sett++ {
			r := rader[sett]
			tilstand := r.Tilstand + strings.Repeat(" ", max(0, 17-len(r.Tilstand)))
			if r.Tilstand == string(melding.LEVERT) {
				tilstand = d.s.gronn(tilstand)
			}
			_, kl, _ := strings.Cut(r.Tidspunkt, "T")
			kl, _, _ = strings.Cut(kl, ".")
			d.s.linje("  %s/%s  %s  %s %s", p.kommune, p.bydel, kl, tilstand, r.Beskrivelse)
			if r.Tilstand == string(melding.LEVERT) {
				return
			}
		}
		klar, stopp := d.clock.At(d.clock.Now().Add(250 * time.Millisecond))
		select {
		case <-ctx.Done():
			stopp()
		case <-klar:
		}
	}
}

func (d *demo) lenker() {
	d.s.linje("")
	d.s.linje("%s", d.s.fet("Se selv"))
	d.s.linje("  API-dokumentasjon   %s/docs", d.adr)
	d.s.linje("  Fiks IO-simulatoren %s/  (kontoer, køer og meldinger)", d.fiks.API)
	d.s.linje("  Målinger            %s/metrics", d.adr)
	d.s.linje("  Brev (forseglet)    %s", d.brev)
	d.s.linje("  Tilkoblingsark      %s/demo.json", d.f.Data)
	d.s.linje("  Portalens logg      %s/portal.log", d.f.Data)
	d.s.linje("")
	d.s.linje("Send en melding til 4601/02, der ingen henter fra køen, og ta imot den:")
	d.s.linje("  go run ./cmd/meldingctl --ark %s/demo.json send --kommune 4601 --bydel 02 --pdf %s/prove/melding.pdf --json %s/prove/melding.json", d.f.Data, d.f.Data, d.f.Data)
	d.s.linje("  go run ./cmd/meldingctl --ark %s/demo.json motta --kommune 4601 --bydel 02 --mappe %s/mottatt", d.f.Data, d.f.Data)
	d.s.linje("Stopp med Ctrl-C.")
}
