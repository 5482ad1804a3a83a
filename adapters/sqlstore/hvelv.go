package sqlstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// lestDel is one sealed part in memory with its sum.
type lestDel struct {
	navn       melding.Del
	forsegling melding.Forsegling
	innhold    []byte
	sha        [32]byte
}

func lesDel(id melding.ID, navn melding.Del, f melding.Forseglet) (lestDel, error) {
	b, err := f.Bytes()
	if err != nil {
		return lestDel{}, fmt.Errorf("melding %s, del %s kunne ikke leses: %w", id, navn, ports.ErrUnavailable)
	}
	return lestDel{navn, f.Forsegling(), b, sha256.Sum256(b)}, nil
}

// lesDeler reads every part of a new report and holds it against its facts.
func lesDeler(f melding.Fakta, deler map[melding.Del]melding.Forseglet) ([]lestDel, error) {
	var ut []lestDel
	for navn, x := range deler {
		fakta, ok := f.Deler[navn]
		if !ok {
			return nil, fmt.Errorf("melding %s: ingen fakta om del %s: %w", f.ID, navn, ports.ErrRefused)
		}
		d, err := lesDel(f.ID, navn, x)
		if err != nil {
			return nil, err
		}
		if d.sha != fakta.SHA256 || int64(len(d.innhold)) != fakta.Storrelse || d.forsegling != fakta.Forsegling {
			return nil, fmt.Errorf("melding %s, del %s er ikke som fakta sier: %w: %w", f.ID, navn, ports.ErrCorrupt, ports.ErrRefused)
		}
		ut = append(ut, d)
	}
	slices.SortFunc(ut, func(a, b lestDel) int { return len(a.innhold) - len(b.innhold) })
	return ut, nil
}

const delKolonner = "melding, del, storrelse, sha256, forsegling, innhold"

func (d lestDel) verdier(id string) []any {
	innhold := d.innhold
	if innhold == nil {
		innhold = []byte{} // NULL means erased
	}
	return []any{id, string(d.navn), int64(len(innhold)), d.sha[:], string(d.forsegling), innhold}
}

// Open: see ports.Vault. The part is read whole, and held against the sum recorded with the report's facts (an answer's body:
// against its own), before anything is handed out.
func (s *Store) Open(ctx context.Context, id melding.ID, del melding.Del) (melding.Forseglet, error) {
	hva := "melding " + string(id) + ", del " + string(del)
	var d delRad
	err := s.les.DB.QueryRowContext(ctx, s.d.Param("SELECT d.storrelse, d.sha256, d.forsegling, d.innhold, d.innhold IS NOT NULL, m.deler "+
		"FROM del d JOIN melding m ON m.id = d.melding WHERE d.melding = ?1 AND d.del = ?2"),
		s.d.blobargs(string(id), string(del))...).Scan(&d.storrelse, &d.sha, &d.forsegling, &d.innhold, &d.finnes, &d.fakta)
	if err != nil {
		return melding.Forseglet{}, s.feil(hva, err)
	}
	if !d.finnes {
		return melding.Forseglet{}, fmt.Errorf("%s: %w", hva, ports.ErrErased)
	}
	fakta, err := (&meldingRad{ID: id, Deler: d.fakta}).fakta()
	if err != nil {
		return melding.Forseglet{}, err
	}
	sum := sha256.Sum256(d.innhold)
	if f, ok := fakta.Deler[del]; ok && (sum != f.SHA256 || int64(len(d.innhold)) != f.Storrelse) ||
		int64(len(d.innhold)) != d.storrelse || !bytes.Equal(sum[:], d.sha) {
		return melding.Forseglet{}, fmt.Errorf("%s: %w", hva, ports.ErrCorrupt)
	}
	return melding.ForsegletBytes(melding.Forsegling(d.forsegling), d.innhold), nil
}

type delRad struct {
	storrelse  int64
	sha        []byte
	forsegling string
	innhold    []byte
	finnes     bool
	fakta      string
}
