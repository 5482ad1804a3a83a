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

func delnavn(id melding.ID, del melding.Del) string {
	return "melding " + string(id) + ", del " + string(del)
}

// Open: see ports.Vault. The part is read whole, and held against the sum recorded with the report's facts (an answer's body:
// against its own), before anything is handed out.
func (s *Store) Open(ctx context.Context, id melding.ID, del melding.Del) (melding.Forseglet, error) {
	hva := delnavn(id, del)
	d := delRad{rad: true}
	err := s.les.DB.QueryRowContext(ctx, s.d.Param("SELECT d.storrelse, d.sha256, d.forsegling, d.innhold, d.innhold IS NOT NULL, m.deler "+
		"FROM del d JOIN melding m ON m.id = d.melding WHERE d.melding = ?1 AND d.del = ?2"),
		s.d.blobargs(string(id), string(del))...).Scan(&d.storrelse, &d.sha, &d.forsegling, &d.innhold, &d.finnes, &d.fakta)
	if err != nil {
		return melding.Forseglet{}, s.feil(hva, err)
	}
	fakta, err := lesDelfakta(d.fakta)
	if err != nil {
		return melding.Forseglet{}, fmt.Errorf("%s: %w: %w", hva, err, ports.ErrCorrupt)
	}
	return d.forseglet(hva, fakta[del])
}

// delSporring asks for one part of a report whose facts are known.
func (s *Store) delSporring(id melding.ID, del melding.Del) (Setning, *delRad) {
	d := &delRad{}
	x := s.setning("SELECT storrelse, sha256, forsegling, innhold, innhold IS NOT NULL FROM del WHERE melding = ?1 AND del = ?2", string(id), string(del))
	x.Rad = func(skann func(...any) error) error {
		d.rad = true
		return skann(&d.storrelse, &d.sha, &d.forsegling, &d.innhold, &d.finnes)
	}
	return x, d
}

// forseglet is the part, held against the sum recorded with it and the one in the report's facts (an answer's body is not in them).
func (d *delRad) forseglet(hva string, f melding.Delfakta) (melding.Forseglet, error) {
	if !d.rad {
		return melding.Forseglet{}, fmt.Errorf("%s: %w", hva, ports.ErrNotFound)
	}
	if !d.finnes {
		return melding.Forseglet{}, fmt.Errorf("%s: %w", hva, ports.ErrErased)
	}
	sum := sha256.Sum256(d.innhold)
	if f.SHA256 != ([32]byte{}) && (sum != f.SHA256 || int64(len(d.innhold)) != f.Storrelse) ||
		int64(len(d.innhold)) != d.storrelse || !bytes.Equal(sum[:], d.sha) {
		return melding.Forseglet{}, fmt.Errorf("%s: %w", hva, ports.ErrCorrupt)
	}
	return melding.ForsegletBytes(melding.Forsegling(d.forsegling), d.innhold), nil
}

type delRad struct {
	rad        bool // there is a row
	storrelse  int64
	sha        []byte
	forsegling string
	innhold    []byte
	finnes     bool
	fakta      string
}
