package plattform

import (
	"context"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// kvitter tells the sender of a dead message (§4). nil = done with it.
//
// About a receipt nothing is ever sent: Trondheim's client answers whatever it gets, and two systems would go on for ever. A message
// that a receiver rejected gives none either, and neither does one whose sender is unknown here.
func (p *Plattform) kvitter(ctx context.Context, d broker.Dod) error {
	h := d.Melding.Headere
	id, slag := h[protokoll.HeaderMeldingID], h[protokoll.HeaderType]
	nytt := Sendt{MeldingID: nyKvitteringsID(id, d.Arsak), SvarPa: id, TTL: standardTTL, Headere: map[string]string{}, Tid: p.na()}
	switch d.Arsak {
	case broker.Utlopt:
		p.bok.sett(id, Utlopt)
		nytt.Meldingstype = protokoll.Tidsavbrudd
	case broker.Oppgitt:
		p.bok.sett(id, Oppgitt)
		nytt.Meldingstype = protokoll.Serverfeil
	default:
		p.bok.sett(id, Avvist)
		return nil
	}
	til := p.konto(h[protokoll.HeaderAvsenderID])
	fra, ok := protokoll.ParseKonavn(d.Ko)
	if protokoll.ErKvittering(slag) || til == nil || !ok {
		return nil
	}
	if _, kjent := p.bok.finn(nytt.MeldingID); kjent {
		return nil // the broker lost our word that it was done
	}
	nytt.Fra, nytt.Til = string(fra), til.ID
	for _, navn := range []string{protokoll.HeaderKorrelasjon, protokoll.HeaderKorrelasjonOld, protokoll.HeaderKlientMelding} {
		if v, har := h[protokoll.HeaderEgendefinert+navn]; har {
			nytt.Headere[navn] = v
		}
	}
	ut := headere(nytt, p.navn(fra))
	ut[protokoll.HeaderSvarTilType] = slag
	b, err := p.megler()
	if err != nil {
		return err
	}
	// A crash after Legg and before the log knows it: the same receipt once more, with the same id.
	if err := b.Legg(ctx, til.ko, broker.Melding{Headere: ut, TTL: standardTTL}); err != nil {
		return err
	}
	p.bok.skriv(nytt, nil)
	p.bok.sett(nytt.MeldingID, IKo)
	return nil
}

func (p *Plattform) navn(id kommune.KontoID) string {
	if k := p.konto(string(id)); k != nil {
		return k.Navn
	}
	return "Ukjent konto"
}
