package sqlstore

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// filtrer narrows a query over melding.
func filtrer(q *bun.SelectQuery, f ports.Filter) *bun.SelectQuery {
	if f.RessursID != "" {
		q = q.Where("m.ressurs_id = ?", f.RessursID)
	}
	if f.FraOrg != "" {
		q = q.Where("m.fra_fiks_org_id = ?", f.FraOrg)
	}
	if f.Tilstand != "" {
		q = q.Where("m.tilstand = ?", f.Tilstand)
	}
	if f.Kanal != "" {
		q = q.Where("m.kanal = ?", f.Kanal)
	}
	if f.Slag != "" {
		q = q.Where("m.slag = ?", f.Slag)
	}
	if !f.InnsendtFra.IsZero() {
		q = q.Where("m.innsendt >= ?", mikro(f.InnsendtFra))
	}
	if !f.InnsendtTil.IsZero() {
		q = q.Where("m.innsendt < ?", mikro(f.InnsendtTil))
	}
	if !f.FristFra.IsZero() {
		q = q.Where("m.frist >= ?", mikro(f.FristFra))
	}
	if !f.FristTil.IsZero() {
		q = q.Where("m.frist < ?", mikro(f.FristTil))
	}
	if !f.EndretFra.IsZero() {
		q = q.Where("m.endret >= ?", mikro(f.EndretFra))
	}
	return q
}

// List: see ports.Overview.
func (s *Store) List(ctx context.Context, f ports.Filter, after melding.ID, max int) ([]ports.Rad, error) {
	if max <= 0 {
		return nil, nil // bun takes 0 for no limit
	}
	var rr []meldingRad
	q := s.les.NewSelect().Model(&rr).Column("id", "tilstand", "slag", "versjon", "kilde", "kanal", "fra_fiks_org_id", "ressurs_id",
		"kommune", "bydel", "innsendt", "frist", "endret", "slettet").Order("m.id").Limit(int64(max))
	if after != "" {
		q = q.Where("m.id > ?", after)
	}
	if err := filtrer(q, f).Scan(ctx); err != nil {
		return nil, s.feil("liste", err)
	}
	var ut []ports.Rad
	for _, r := range rr {
		ut = append(ut, ports.Rad{ID: r.ID, Tilstand: r.Tilstand, Slag: r.Slag, Versjon: r.Versjon, Kilde: r.Kilde, Kanal: r.Kanal,
			FraOrg: r.FraFiksOrgID, RessursID: r.RessursID, Kommune: r.Kommune, Bydel: r.Bydel, Innsendt: tid(r.Innsendt),
			Frist: tid(r.Frist), Endret: tid(r.Endret), Slettet: r.Slettet})
	}
	return ut, nil
}

// Count: see ports.Overview.
func (s *Store) Count(ctx context.Context, f ports.Filter) (int, error) {
	n, err := filtrer(s.les.NewSelect().Model((*meldingRad)(nil)), f).Count(ctx)
	return int(n), s.feil("antall", err)
}

// Groups: see ports.Overview. It reads one narrow index.
func (s *Store) Groups(ctx context.Context) ([]ports.Gruppe, error) {
	var ut []ports.Gruppe
	err := s.les.NewRaw("SELECT tilstand, kanal, count(*) AS antall FROM melding GROUP BY tilstand, kanal ORDER BY tilstand, kanal").Scan(ctx, &ut)
	return ut, s.feil("grupper", err)
}

// Cases: see ports.Overview.
func (s *Store) Cases(ctx context.Context, openOnly bool, max int) ([]levering.Sak, error) {
	var ut []levering.Sak
	for _, hvilke := range []string{"s.lukket IS NULL", "s.lukket IS NOT NULL"} {
		if len(ut) >= max || openOnly && hvilke != "s.lukket IS NULL" {
			break
		}
		var rr []sakRad
		if err := s.les.NewSelect().Model(&rr).Where(hvilke).Order("s.apnet DESC", "s.seq DESC").Limit(int64(max - len(ut))).Scan(ctx); err != nil {
			return nil, s.feil("saker", err)
		}
		for _, r := range rr {
			ut = append(ut, r.sak())
		}
	}
	return ut, nil
}

// Oldest: see ports.Overview.
func (s *Store) Oldest(ctx context.Context) (time.Time, error) {
	var us *int64
	err := s.les.NewRaw("SELECT min(innsendt) FROM melding WHERE tilstand <> 'LEVERT'").Scan(ctx, &us)
	return tidEller(us), s.feil("eldste", err)
}
