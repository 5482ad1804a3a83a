package world

import (
	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/domain/kommune"
)

// Registrer makes every sender, every receiver and the portal a client of the token issuer.
func Registrer(mp *sim.Maskinporten, d *Deltakere) error {
	for _, a := range []Avsenderdata{d.Avsender, d.AnnenAvsender} {
		if err := mp.Registrer(sim.Klient{ID: a.KlientID, Orgnr: kommune.Orgnr(a.Orgnr), Sertifikat: a.Sert.Cert}); err != nil {
			return err
		}
	}
	if err := mp.Registrer(sim.Klient{ID: d.PortalLogin.KlientID, Orgnr: portalOrgnr, Sertifikat: d.Portal.Cert}); err != nil {
		return err
	}
	for _, m := range d.Mottakere {
		if err := mp.Registrer(sim.Klient{ID: m.KlientID, Orgnr: kommune.Orgnr(d.Kommune(m.Kommunenummer).Orgnr), Sertifikat: m.Sert.Cert}); err != nil {
			return err
		}
	}
	return nil
}

// portalOrgnr is the organisation that runs the portal.
var portalOrgnr = sim.Orgnr(31)
