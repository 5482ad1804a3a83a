package main

import (
	"errors"
	"os"
	"path/filepath"

	"portal.example/bekymringsmelding/acceptance/sim/eksempel"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/skjema"
)

// skrivProve writes a made-up report to 4601/02 that `meldingctl send` can send: what is in it is nobody's, and no report that the demo
// has taken is ever written in plaintext.
func (d *demo) skrivProve() error {
	mappe := filepath.Join(d.f.Data, "prove")
	if err := os.MkdirAll(mappe, 0o700); err != nil {
		return err
	}
	k := d.d.Kommune("4601")
	o := skjema.EksempelOffentlig(melding.V1)
	o.Mottaker = skjema.Mottaker{Kommunenummer: kommune.Kommunenummer(k.Nummer), Kommunenavn: k.Navn["nb"], Bydelsnummer: "02", Bydelsnavn: k.Bydelsnavn["02"]["nb"]}
	o.Sendingstidspunkt, o.Leveringskanal = d.clock.Now(), d.d.Avsender.Navn
	j, err := o.JSON()
	if err != nil {
		return err
	}
	pdf := eksempel.PDF("Bekymringsmelding (prøve)", "Dette er en oppdiktet melding til å prøve med.", "Alle navn og nummer er laget for prøver.")
	return errors.Join(os.WriteFile(filepath.Join(mappe, "melding.json"), j.Bytes(), 0o600), os.WriteFile(filepath.Join(mappe, "melding.pdf"), pdf, 0o600))
}
