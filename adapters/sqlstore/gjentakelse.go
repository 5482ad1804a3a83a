package sqlstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// nokkelRad is one Idempotency-Key and the report it belongs to.
type nokkelRad struct {
	bun.BaseModel `bun:"table:idempotensnokkel,alias:n"`

	FraFiksOrgID kommune.FiksOrgID `bun:"fra_fiks_org_id,pk"`
	Sum          []byte            `bun:",pk"`
	Melding      melding.ID
}

// nyNokkelRad is nil when no key was sent.
func nyNokkelRad(n ports.Ny) *nokkelRad {
	if n.Nokkel == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(n.Nokkel))
	return &nokkelRad{FraFiksOrgID: n.Fakta.FraFiksOrgID, Sum: sum[:], Melding: n.Fakta.ID}
}

// gjentakelse finds the report that a unique index protects, in the order in which the port lists its answers.
func (s *Store) gjentakelse(ctx context.Context, n *meldingRad, nokkel *nokkelRad) (melding.ID, error) {
	hva := "melding " + string(n.ID)
	r, err := s.finnRad(ctx, hva, "m.id = ?", n.ID)
	if err == nil {
		return r.ID, fmt.Errorf("%s: %w", hva, ports.ErrExists)
	}
	if nokkel != nil && errors.Is(err, ports.ErrNotFound) {
		if r, err = s.finnNokkel(ctx, hva, nokkel); err == nil {
			return n.somForst(r)
		}
	}
	if errors.Is(err, ports.ErrNotFound) {
		r, err = s.finnRad(ctx, hva, "m.fra_fiks_org_id = ? AND m.ressurs_id = ? AND m.slag = ? AND m.versjon = ? AND m.sha_asice = ? AND m.sha_pdf = ? AND NOT m.slettet",
			n.FraFiksOrgID, n.RessursID, n.Slag, n.Versjon, n.ShaAsice, n.ShaPDF)
	}
	switch {
	case errors.Is(err, ports.ErrNotFound):
		// The one in the way was erased between the insert and this look. A repeat will be accepted.
		return "", fmt.Errorf("%s: %w", hva, ports.ErrUnavailable)
	case err != nil:
		return "", err
	case nokkel != nil:
		if r, err = s.huskNokkel(ctx, hva, nokkel, r); err != nil {
			return "", err
		}
	}
	return n.somForst(r)
}

// huskNokkel makes a key that came with a repeat belong to the report that was repeated, and gives the report it belongs to
// afterwards: another when somebody took the key a moment before. A crash after the commit leaves the key with its report, where the
// next repeat finds it.
func (s *Store) huskNokkel(ctx context.Context, hva string, nokkel *nokkelRad, r *meldingRad) (*meldingRad, error) {
	var ny int64
	err := s.iSkriv(ctx, hva, func(tx bun.Tx) error {
		rad := *nokkel
		rad.Melding = r.ID
		res, err := tx.NewInsert().Model(&rad).On("CONFLICT DO NOTHING").Exec(ctx)
		if err == nil {
			ny = endret(res)
		}
		return s.feil(hva, err)
	})
	if err != nil || ny > 0 {
		return r, err
	}
	return s.finnNokkel(ctx, hva, nokkel)
}

func (s *Store) finnRad(ctx context.Context, hva, hvor string, args ...any) (*meldingRad, error) {
	var r meldingRad
	err := s.les.NewSelect().Model(&r).Where(hvor, args...).Scan(ctx)
	return &r, s.feil(hva, err)
}

func (s *Store) finnNokkel(ctx context.Context, hva string, n *nokkelRad) (*meldingRad, error) {
	return s.finnRad(ctx, hva, "m.id = (SELECT n.melding FROM idempotensnokkel n WHERE n.fra_fiks_org_id = ? AND n.sum = ?)", n.FraFiksOrgID, n.Sum)
}

// somForst is the answer to n when r came first.
func (n *meldingRad) somForst(r *meldingRad) (melding.ID, error) {
	if r.RessursID == n.RessursID && r.Slag == n.Slag && r.Versjon == n.Versjon &&
		bytes.Equal(r.ShaAsice, n.ShaAsice) && bytes.Equal(r.ShaPDF, n.ShaPDF) {
		return r.ID, fmt.Errorf("melding %s er sendt før som %s: %w", n.ID, r.ID, ports.ErrExists)
	}
	return r.ID, fmt.Errorf("melding %s har nøkkelen til %s: %w", n.ID, r.ID, ports.ErrConflict)
}
