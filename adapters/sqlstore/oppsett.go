package sqlstore

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

// Apply: see ports.Registry. Everything is written first and the whole directory judged afterwards, so that a bydel that moves to
// another kommune is judged in both; a refusal rolls all of it back.
func (s *Store) Apply(ctx context.Context, o ports.Oppsett) error {
	return s.iSkriv(ctx, "oppsett", func(tx bun.Tx) error {
		// Two set-ups at once could each be right and together wrong.
		if err := s.alene(ctx, tx, "mottaker"); err != nil {
			return err
		}
		for _, x := range o.Organisasjoner {
			if err := s.settInn(ctx, tx, "organisasjon "+string(x.FiksOrgID), &organisasjonRad{FiksOrgID: x.FiksOrgID, Orgnr: x.Orgnr, Navn: x.Navn},
				"fiks_org_id", "orgnr", "navn"); err != nil {
				return err
			}
		}
		for _, x := range o.Kommuner {
			if err := s.settInn(ctx, tx, "kommune "+string(x.Nummer), nyKommuneRad(x),
				"nummer", "navn", "fylke", "fylke_navn", "fiks_org_id", "organisasjon"); err != nil {
				return err
			}
		}
		for _, x := range o.Mottakere {
			if x.Bydel.Aktiv && !x.Adresse.Hel() {
				return fmt.Errorf("mottaker %s er aktiv uten brevadresse: %w", x.Bydel.RessursID, ports.ErrRefused)
			}
			if err := s.settInn(ctx, tx, "mottaker "+string(x.Bydel.RessursID), nyMottakerRad(x),
				"ressurs_id", "kommunenummer", "bydelsnummer", "navn", "standard_mottaker", "versjon", "aktiv", "kommunenavn", "fiks_org_id",
				"orgnr", "kanal", "konto_id", "konto_aktiv", "adresse", "frist_sekunder", "oppbevar_dager", "tar_gcm"); err != nil {
				return err
			}
		}
		if err := s.settTilganger(ctx, tx, o); err != nil {
			return err
		}
		return s.domKommuner(ctx, tx)
	})
}

// settInn writes a row or makes the one that is there say the same; the first column is the key.
func (s *Store) settInn(ctx context.Context, tx bun.Tx, hva string, rad any, nokkel string, felt ...string) error {
	q := tx.NewInsert().Model(rad).On("CONFLICT (?) DO UPDATE", bun.Ident(nokkel))
	for _, f := range felt {
		q = q.Set("? = EXCLUDED.?", bun.Ident(f), bun.Ident(f))
	}
	_, err := q.Exec(ctx)
	return s.feil(hva, err)
}

// settTilganger makes the grants of every integration that is described exactly those listed: what is left out is withdrawn. A line
// for an integration that is not described only adds.
func (s *Store) settTilganger(ctx context.Context, tx bun.Tx, o ports.Oppsett) error {
	for _, x := range o.Integrasjoner {
		if err := s.settInn(ctx, tx, "integrasjon "+string(x.ID), &integrasjonRad{ID: x.ID, Orgnr: x.Orgnr, PassordMAC: x.PassordMAC, Aktiv: x.Aktiv},
			"id", "orgnr", "passord_mac", "aktiv"); err != nil {
			return err
		}
		if _, err := tx.NewRaw("DELETE FROM tilgang WHERE integrasjon = ?", x.ID).Exec(ctx); err != nil {
			return s.feil("integrasjon "+string(x.ID), err)
		}
	}
	for _, x := range o.Tilganger {
		if _, err := tx.NewInsert().Model(&tilgangRad{Integrasjon: x.Integrasjon, Org: x.Org, Tilgang: x.Tilgang}).
			On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return s.feil("integrasjon "+string(x.Integrasjon), err)
		}
	}
	return nil
}

// domKommuner refuses an active kommune without exactly one active standardMottaker [R3].
func (s *Store) domKommuner(ctx context.Context, tx bun.Tx) error {
	var feil []kommune.Kommunenummer
	if err := tx.NewRaw(`SELECT kommunenummer FROM mottaker WHERE aktiv GROUP BY kommunenummer
HAVING sum(CASE WHEN standard_mottaker THEN 1 ELSE 0 END) <> 1 ORDER BY kommunenummer LIMIT 1`).Scan(ctx, &feil); err != nil {
		return s.feil("oppsett", err)
	}
	if len(feil) > 0 {
		return fmt.Errorf("kommune %s har ikke nøyaktig én aktiv standardmottaker: %w", feil[0], ports.ErrRefused)
	}
	return nil
}
