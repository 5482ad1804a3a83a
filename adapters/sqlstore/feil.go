package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"portal.example/bekymringsmelding/ports"
)

// Klasse is what a driver's error means to a caller.
type Klasse int

const (
	Ukjent Klasse = iota // outcome unknown, disk full and lost connections included
	Finnes               // a unique index said no
	Avvist               // the database will never take this: a broken rule, an impossible value
)

var sentinels = []error{ports.ErrNotFound, ports.ErrExists, ports.ErrConflict, ports.ErrRefused, ports.ErrUnavailable,
	ports.ErrErased, ports.ErrCorrupt}

// feil is the one place where a driver's error becomes a port's. Its text never survives: PostgreSQL and database/sql repeat values
// in it, and bun puts arguments into the statement. The driver's code does, and hva, which holds ids only.
func (s *Store) feil(hva string, err error) error {
	if err == nil {
		return nil
	}
	for _, p := range sentinels {
		if errors.Is(err, p) {
			return err
		}
	}
	for _, c := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, c) {
			return fmt.Errorf("%s: %w: %w", hva, ports.ErrUnavailable, c)
		}
	}
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%s: %w", hva, ports.ErrNotFound)
	}
	klasse, kode := s.d.Klasse(err)
	switch klasse {
	case Finnes:
		return fmt.Errorf("%s (%s): %w", hva, kode, ports.ErrConflict)
	case Avvist:
		return fmt.Errorf("%s (%s): %w", hva, kode, ports.ErrRefused)
	case Ukjent: // told below, as a store that did not answer
	}
	if kode == "" {
		kode = fmt.Sprintf("%T", err)
	}
	return fmt.Errorf("%s (%s): %w", hva, kode, ports.ErrUnavailable)
}

func (s *Store) finnesFra(err error) bool {
	if err == nil {
		return false
	}
	k, _ := s.d.Klasse(err)
	return k == Finnes
}
