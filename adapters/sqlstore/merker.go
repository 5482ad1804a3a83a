package sqlstore

import (
	"context"
	"unicode/utf8"
)

// Marks: see ports.Ledger. There are few of them: all are looked at, and no character of the prefix means anything but itself.
func (s *Store) Marks(ctx context.Context, prefix string) (map[string]string, error) {
	var rader []struct{ Navn, Verdi string }
	if err := s.les.NewRaw("SELECT navn, verdi FROM merke WHERE substr(navn, 1, ?) = ? AND verdi <> ''", utf8.RuneCountInString(prefix), prefix).Scan(ctx, &rader); err != nil {
		return nil, s.feil("merker "+prefix, err)
	}
	ut := map[string]string{}
	for _, r := range rader {
		ut[r.Navn] = r.Verdi
	}
	return ut, nil
}
