package sqlstore

import (
	"context"
	"errors"
	"maps"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// kontrollside is how many ids Kontroller holds at a time.
const kontrollside = 200

// Kontroller reads every report, one at a time: its history is folded again and compared with the derived row and the list of open
// attempts, "always owed" is judged, and every kept part is read and summed. What is wrong goes to funn, ids and codes only; the
// error is about the reading itself.
func (s *Store) Kontroller(ctx context.Context, funn func(id melding.ID, problem string)) error {
	var etter melding.ID
	for {
		var ider []melding.ID
		if err := s.les.NewRaw("SELECT id FROM melding WHERE id > ? ORDER BY id LIMIT ?", etter, kontrollside).Scan(ctx, &ider); err != nil {
			return s.feil("kontroll", err)
		}
		for _, id := range ider {
			if err := s.kontrollerEn(ctx, id, func(p string) { funn(id, p) }); err != nil {
				return err
			}
			etter = id
		}
		if len(ider) < kontrollside {
			return nil
		}
	}
}

func (s *Store) kontrollerEn(ctx context.Context, id melding.ID, funn func(string)) error {
	var u ports.Utgave
	var rad *meldingRad
	apne := map[melding.ForsokID]melding.Forsoksart{}
	var deler []melding.Del
	err := s.iLes(ctx, "melding "+string(id), func(tx bun.Tx) error {
		var err error
		if u, rad, err = s.utgave(ctx, tx, id); err != nil {
			return err
		}
		var aa []apentForsokRad
		if err := tx.NewSelect().Model(&aa).Where("a.melding = ?", id).Scan(ctx); err != nil {
			return s.feil("melding "+string(id), err)
		}
		for _, a := range aa {
			apne[a.Forsok] = a.Art
		}
		return s.feil("melding "+string(id), tx.NewRaw("SELECT del FROM del WHERE melding = ? ORDER BY del", id).Scan(ctx, &deler))
	})
	if errors.Is(err, ports.ErrCorrupt) {
		funn("fakta kan ikke leses")
		return nil
	}
	if err != nil {
		return err
	}
	if err := levering.Kontroller(u); err != nil {
		funn(err.Error())
	}
	if avled(u.Melding, u.Melding.InnholdErSlettet()) != rad.avledet {
		funn("raden stemmer ikke med historikken")
	}
	venter := map[melding.ForsokID]melding.Forsoksart{}
	for _, f := range u.Melding.Forsokene() {
		if !f.Avsluttet {
			venter[f.ID] = f.Art
		}
	}
	if !maps.Equal(apne, venter) {
		funn("listen over åpne forsøk stemmer ikke med historikken")
	}
	return s.kontrollerDeler(ctx, u, deler, funn)
}

// kontrollerDeler opens every part through the vault's own check.
func (s *Store) kontrollerDeler(ctx context.Context, u ports.Utgave, deler []melding.Del, funn func(string)) error {
	id := u.Melding.Fakta.ID
	finnes := map[melding.Del]bool{}
	for _, d := range deler {
		finnes[d] = true
		_, err := s.Open(ctx, id, d)
		switch {
		case err == nil && u.Slettet:
			funn("del " + string(d) + " skulle vært slettet")
		case errors.Is(err, ports.ErrErased) && !u.Slettet:
			funn("del " + string(d) + " er borte")
		case errors.Is(err, ports.ErrCorrupt):
			funn("del " + string(d) + " stemmer ikke med sin SHA-256")
		case err != nil && !errors.Is(err, ports.ErrErased):
			return err
		}
	}
	for d := range u.Melding.Fakta.Deler {
		if !finnes[d] {
			funn("del " + string(d) + " mangler")
		}
	}
	for _, h := range u.Melding.Historikk {
		if h.Del != "" && !finnes[h.Del] {
			funn("del " + string(h.Del) + " mangler")
		}
	}
	return nil
}
