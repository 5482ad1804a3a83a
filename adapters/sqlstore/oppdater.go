package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Update: see ports.Store. The report's row is locked from the reading to the commit, so fn runs once and always on the newest.
func (s *Store) Update(ctx context.Context, id melding.ID, fn func(ports.Utgave) (ports.Endring, error)) (ports.Utgave, error) {
	hva := "melding " + string(id)
	var ny ports.Utgave
	err := s.iSkriv(ctx, hva, func(tx bun.Tx) error {
		u, rad, err := s.utgave(ctx, tx, id, s.d.Las)
		if err != nil {
			return err
		}
		e, err := fn(u)
		if err != nil {
			return err // as it is [S7]
		}
		if e.Tom() {
			ny = u
			return nil // the transaction has written nothing
		}
		if err := egne(id, e.Nye, e.Saker); err != nil {
			return err
		}
		if ny, err = levering.Anvend(u, e); err != nil {
			return fmt.Errorf("%w: %w", err, ports.ErrRefused)
		}
		if ny.Slettet && len(e.Deler) > 0 {
			return fmt.Errorf("%s er slettet og tar ikke imot innhold: %w", hva, ports.ErrRefused)
		}
		return s.skrivEndring(ctx, tx, u, e, ny, rad.avledet)
	})
	if err != nil {
		return ports.Utgave{}, err
	}
	return ny, nil
}

// skrivEndring writes the difference between u and ny, and nothing else.
func (s *Store) skrivEndring(ctx context.Context, tx bun.Tx, u ports.Utgave, e ports.Endring, ny ports.Utgave, forst avledet) error {
	id := u.Melding.Fakta.ID
	hva := "melding " + string(id)
	if err := s.skrivHendelser(ctx, tx, id, ny.Melding.Historikk[len(u.Melding.Historikk):]); err != nil {
		return err
	}
	if len(e.Ferdig) > 0 {
		// Also an answer that was matched only now, and so lies here without a report.
		if _, err := tx.NewDelete().Model((*oppdragRad)(nil)).Where("o.id IN (?)", bun.List(e.Ferdig)).
			Where("o.melding = ? OR o.melding IS NULL", id).Exec(ctx); err != nil {
			return s.feil(hva, err)
		}
	}
	var nye []levering.Oppdrag
	for _, o := range e.Nye {
		if !u.Skylder(o.ID) || slices.Contains(e.Ferdig, o.ID) {
			nye = append(nye, o)
		}
	}
	if err := s.leggInn(ctx, tx, nye); err != nil {
		return err
	}
	if err := s.skrivSaker(ctx, tx, e.Saker); err != nil {
		return err
	}
	for _, ref := range e.Referanser {
		if _, err := tx.NewInsert().Model(&referanseRad{Ref: ref, Melding: id}).On("CONFLICT (ref) DO NOTHING").Exec(ctx); err != nil {
			return s.feil(hva, err)
		}
	}
	for d, f := range e.Deler {
		x, err := lesDel(id, d, f)
		if err != nil {
			return err
		}
		if err := s.skrivDel(ctx, tx, id, x); err != nil {
			return err
		}
	}
	if e.Slett {
		// Event and erasure commit together. A crash after this leaves the bytes in dead pages until Vedlikehold.
		if _, err := tx.NewRaw("UPDATE del SET innhold = NULL WHERE melding = ?", id).Exec(ctx); err != nil {
			return s.feil(hva, err)
		}
	}
	if err := s.skrivApneForsok(ctx, tx, id, u.Melding.Forsokene(), ny.Melding); err != nil {
		return err
	}
	if a := avled(ny.Melding, ny.Slettet); a != forst {
		_, err := tx.NewRaw("UPDATE melding SET tilstand = ?, kanal = ?, endret = ?, brev_bestilt = ?, slettet = ? WHERE id = ?",
			a.Tilstand, a.Kanal, a.Endret, a.BrevBestilt, a.Slettet, id).Exec(ctx)
		return s.feil(hva, err)
	}
	return nil
}

func (s *Store) skrivHendelser(ctx context.Context, tx bun.Tx, id melding.ID, hh []melding.Hendelse) error {
	if len(hh) == 0 {
		return nil
	}
	rader := hendelseRader(id, hh)
	_, err := tx.NewInsert().Model(&rader).Exec(ctx)
	return s.feil("melding "+string(id), err)
}

// skrivSaker opens and closes: the same id again replaces what may change.
func (s *Store) skrivSaker(ctx context.Context, tx bun.Tx, ss []levering.Sak) error {
	for _, x := range ss {
		if _, err := tx.NewInsert().Model(nySakRad(x)).
			On("CONFLICT (id) DO UPDATE").
			Set("art = EXCLUDED.art, kritisk = EXCLUDED.kritisk, apnet = EXCLUDED.apnet, frist = EXCLUDED.frist").
			Set("lukket = EXCLUDED.lukket, lukket_av = EXCLUDED.lukket_av, grunn = EXCLUDED.grunn").
			Where("s.melding = EXCLUDED.melding").
			Returning("NULL").Exec(ctx); err != nil {
			return s.feil("sak "+string(x.ID), err)
		}
	}
	return nil
}

type referanseRad struct {
	bun.BaseModel `bun:"table:referanse,alias:r"`

	Ref     string `bun:",pk"`
	Melding melding.ID
}

type apentForsokRad struct {
	bun.BaseModel `bun:"table:apent_forsok,alias:a"`

	Melding melding.ID       `bun:",pk"`
	Forsok  melding.ForsokID `bun:",pk"`
	Art     melding.Forsoksart
}

// skrivApneForsok keeps the list of attempts begun and not ended in step with the history.
func (s *Store) skrivApneForsok(ctx context.Context, tx bun.Tx, id melding.ID, forrige []melding.Forsok, m melding.Melding) error {
	hva := "melding " + string(id)
	var apne []melding.ForsokID
	for _, f := range forrige {
		if !f.Avsluttet {
			apne = append(apne, f.ID)
		}
	}
	for _, f := range m.Forsokene() {
		sto := slices.Contains(apne, f.ID)
		switch {
		case !f.Avsluttet && !sto:
			if _, err := tx.NewInsert().Model(&apentForsokRad{Melding: id, Forsok: f.ID, Art: f.Art}).Exec(ctx); err != nil {
				return s.feil(hva, err)
			}
		case f.Avsluttet && sto:
			if _, err := tx.NewRaw("DELETE FROM apent_forsok WHERE melding = ? AND forsok = ?", id, f.ID).Exec(ctx); err != nil {
				return s.feil(hva, err)
			}
		}
	}
	return nil
}
