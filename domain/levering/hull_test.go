package levering_test

import (
	"testing"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

// Only a silence that ended after the receiver was asked can have cost its receipt.
func TestALetterSaysWhenAReceiptMayBeLost(t *testing.T) {
	for _, p := range []struct {
		navn    string
		hull    []levering.Hull
		merknad bool
	}{
		{"ingen stillhet", nil, false},
		{"stille før meldingen ble sendt", []levering.Hull{{Fra: t0.Add(-2 * time.Hour), Til: t0.Add(-time.Hour)}}, false},
		{"stille etterpå", []levering.Hull{{Fra: t0.Add(time.Hour), Til: t0.Add(2 * time.Hour)}}, true},
		{"stille da den ble sendt", []levering.Hull{{Fra: t0.Add(-time.Hour), Til: t0.Add(time.Hour)}}, true},
	} {
		t.Run(p.navn, func(t *testing.T) {
			v := ny(t).sendt()
			o := v.oppdrag(levering.KoFrist)
			v.na = o.Forfall
			v.gjor(levering.FristUtloptMed(p.hull)(v.u, o, policy, v.na))
			v.is.Equal(v.u.Melding.Har(melding.KvitteringKanVaereTapt), p.merknad)
			v.is.True(v.u.Melding.Har(melding.VenterPaPrint)) // the letter goes all the same
		})
	}
	t.Run("aldri sendt", func(t *testing.T) {
		v := ny(t)
		o := v.oppdrag(levering.KoFrist)
		v.na = o.Forfall
		v.gjor(levering.FristUtloptMed([]levering.Hull{{Fra: t0, Til: v.na}})(v.u, o, policy, v.na))
		v.is.True(!v.u.Melding.Har(melding.KvitteringKanVaereTapt)) // nobody was asked
	})
	t.Run("før fristen skjer ingenting", func(t *testing.T) {
		v := ny(t).sendt()
		e, err := levering.FristUtloptMed([]levering.Hull{{Fra: t0, Til: t0.Add(time.Hour)}})(v.u, v.oppdrag(levering.KoFrist), policy, t0.Add(time.Hour))
		v.is.NoErr(err)
		v.is.True(e.Tom())
	})
}
