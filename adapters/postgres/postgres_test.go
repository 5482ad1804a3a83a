package postgres

import (
	"errors"
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/postgres/pgtest"
	"portal.example/bekymringsmelding/adapters/sqlstore"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// The contract suites run in adapters/sqlstore, over both databases. Here is what is PostgreSQL's own.

func TestEnTjenerSomIkkeErVarigNektes(t *testing.T) {
	is := is.New(t)
	dsn := pgtest.Database(t) // runs with fsync off
	_, err := Open(t.Context(), Config{DSN: dsn})
	is.True(err != nil)
	is.True(strings.Contains(err.Error(), "krever"))
}

func TestLesbar(t *testing.T) {
	is := is.New(t)
	dsn := pgtest.Database(t)
	_, err := Open(t.Context(), Config{DSN: dsn, Lesbar: true})
	is.True(errors.Is(err, sqlstore.ErrSkjema))
	s, err := Open(t.Context(), Config{DSN: dsn, Dev: true})
	is.NoErr(err)
	t.Cleanup(func() { _ = s.Close() })
	id := contracts.Lagre(t, contracts.Lager{Store: s}, contracts.NyMelding(t))
	l, err := Open(t.Context(), Config{DSN: dsn, Lesbar: true})
	is.NoErr(err)
	t.Cleanup(func() { _ = l.Close() })
	contracts.Les(t, contracts.Lager{Store: l}, id)
	is.NoErr(l.Kontroller(t.Context(), func(id melding.ID, p string) { t.Error(id, p) }))
	is.True(errors.Is(l.SetMark(t.Context(), "a", "b"), ports.ErrRefused))
	is.NoErr(s.Vedlikehold(t.Context()))
	n, err := s.LedigPlass(t.Context())
	is.NoErr(err)
	is.Equal(n, int64(-1))
}

func TestFeilISporringOmTilkoblingViserIkkePassordet(t *testing.T) {
	is := is.New(t)
	for _, dsn := range []string{"postgres://u:HEMMELIG@[::1", "postgres://u:HEMMELIG@127.0.0.1:1/x?connect_timeout=1"} {
		_, err := Open(t.Context(), Config{DSN: dsn})
		is.True(err != nil)
		is.True(!strings.Contains(err.Error(), "HEMMELIG"))
	}
}
