package memory

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// del is one stored part. Erased, it keeps its place, so that it is told from one that never was.
type del struct {
	forsegling melding.Forsegling
	sha256     [32]byte
	storrelse  int64
	innhold    []byte // nil = erased
}

func lesDel(f melding.Forseglet) (*del, error) {
	b, err := f.Bytes()
	if err != nil {
		return nil, err
	}
	return &del{forsegling: f.Forsegling(), sha256: sha256.Sum256(b), storrelse: int64(len(b)), innhold: b}, nil
}

// Create: see ports.Store.
func (l *Lager) Create(ctx context.Context, n ports.Ny) (melding.ID, error) {
	id := n.Fakta.ID
	u := ports.Utgave{Melding: melding.Melding{Fakta: n.Fakta}.Med(n.Hendelser...), Owed: n.Oppdrag, Saker: n.Saker}
	if err := levering.Kontroller(u); err != nil {
		return "", fmt.Errorf("%w: %w", err, ports.ErrRefused)
	}
	if err := egne(id, n.Oppdrag, n.Saker); err != nil {
		return "", err
	}
	deler := map[melding.Del]*del{}
	for navn, f := range n.Deler {
		d, err := lesDel(f)
		if err != nil {
			return "", fmt.Errorf("melding %s, del %s: %w", id, navn, err)
		}
		if fakta := n.Fakta.Deler[navn]; d.sha256 != fakta.SHA256 || d.storrelse != fakta.Storrelse {
			return "", fmt.Errorf("melding %s, del %s er ikke den fakta beskriver: %w", id, navn, ports.ErrRefused)
		}
		deler[navn] = d
	}
	if len(deler) != len(n.Fakta.Deler) {
		return "", fmt.Errorf("melding %s mangler deler: %w", id, ports.ErrRefused)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if forste, err := l.fantes(n); err != nil {
		return forste, err
	}
	r := &lagret{fakta: kopiFakta(n.Fakta), historikk: u.Melding.Historikk, deler: deler}
	for _, s := range n.Saker {
		r.saker = append(r.saker, kopiSak(s))
	}
	l.meldinger[id] = r
	if n.Nokkel != "" {
		l.nokler[nyNokkel(n)] = id
	}
	for _, o := range n.Oppdrag {
		l.leggInn(o, n.Leie(o.ID))
	}
	l.merkLevende(r)
	return id, nil
}

func nyNokkel(n ports.Ny) nokkel {
	return nokkel{n.Fakta.FraFiksOrgID, sha256.Sum256([]byte(n.Nokkel))}
}

// fantes finds the report that n repeats, or whose key it takes; a key that comes with a repeat is that report's from then on. The
// caller holds mu.
func (l *Lager) fantes(n ports.Ny) (melding.ID, error) {
	id := n.Fakta.ID
	if l.meldinger[id] != nil {
		return id, fmt.Errorf("melding %s: %w", id, ports.ErrExists)
	}
	if n.Nokkel != "" {
		if forste, ok := l.nokler[nyNokkel(n)]; ok {
			if likeDeler(l.meldinger[forste].fakta, n.Fakta) {
				return forste, fmt.Errorf("melding %s er sendt før som %s: %w", id, forste, ports.ErrExists)
			}
			return forste, fmt.Errorf("melding %s har nøkkelen til %s: %w", id, forste, ports.ErrConflict)
		}
	}
	for _, r := range l.meldinger {
		if !r.slettet && likeDeler(r.fakta, n.Fakta) {
			if n.Nokkel != "" {
				l.nokler[nyNokkel(n)] = r.fakta.ID
			}
			return r.fakta.ID, fmt.Errorf("melding %s er sendt før som %s: %w", id, r.fakta.ID, ports.ErrExists)
		}
	}
	return "", nil
}

func likeDeler(a, b melding.Fakta) bool {
	if a.FraFiksOrgID != b.FraFiksOrgID || a.RessursID != b.RessursID || a.Slag != b.Slag || a.Versjon != b.Versjon || len(a.Deler) != len(b.Deler) {
		return false
	}
	for navn, d := range a.Deler {
		if b.Deler[navn].SHA256 != d.SHA256 {
			return false
		}
	}
	return true
}

// egne refuses work and cases of another report: they would be judged with the wrong history.
func egne(id melding.ID, oo []levering.Oppdrag, ss []levering.Sak) error {
	if slices.ContainsFunc(oo, func(o levering.Oppdrag) bool { return o.Melding != id }) ||
		slices.ContainsFunc(ss, func(s levering.Sak) bool { return s.Melding != id }) {
		return fmt.Errorf("melding %s: oppdrag eller sak er ikke dens: %w", id, ports.ErrRefused)
	}
	return nil
}

// merkLevende keeps the index of Breaches. The caller holds mu.
func (l *Lager) merkLevende(r *lagret) {
	m := melding.Melding{Fakta: r.fakta, Historikk: r.historikk}
	apent := slices.ContainsFunc(m.Forsokene(), func(f melding.Forsok) bool { return !f.Avsluttet })
	if m.Tilstand() != melding.LEVERT || apent {
		l.levende[r.fakta.ID] = true
	} else {
		delete(l.levende, r.fakta.ID)
	}
}

// Open: see ports.Vault.
func (l *Lager) Open(ctx context.Context, id melding.ID, navn melding.Del) (melding.Forseglet, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return melding.Forseglet{}, err
	}
	r := l.meldinger[id]
	if r == nil || r.deler[navn] == nil {
		return melding.Forseglet{}, fmt.Errorf("melding %s, del %s: %w", id, navn, ports.ErrNotFound)
	}
	d := r.deler[navn]
	if r.slettet {
		return melding.Forseglet{}, fmt.Errorf("melding %s, del %s: %w", id, navn, ports.ErrErased)
	}
	if sha256.Sum256(d.innhold) != d.sha256 || int64(len(d.innhold)) != d.storrelse {
		return melding.Forseglet{}, fmt.Errorf("melding %s, del %s: %w", id, navn, ports.ErrCorrupt)
	}
	return melding.ForsegletBytes(d.forsegling, d.innhold), nil
}

// Korruper changes one stored byte of a part, as a bad disk would.
func (l *Lager) Korruper(id melding.ID, navn melding.Del) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.meldinger[id].deler[navn]
	d.innhold = slices.Clone(d.innhold) // what was handed out before stays what it was
	d.innhold[len(d.innhold)/2] ^= 1
}
