package sqlstore

import (
	"context"

	"portal.example/bekymringsmelding/domain/levering"
)

// Pending: see ports.Work. What is settled has no row.
func (s *Store) Pending(ctx context.Context, id levering.OppdragID) (bool, error) {
	var n int
	err := s.les.NewRaw("SELECT count(*) FROM oppdrag WHERE id = ?", id).Scan(ctx, &n)
	return n > 0, s.feil("oppdrag "+string(id), err)
}
