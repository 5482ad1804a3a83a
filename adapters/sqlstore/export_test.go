package sqlstore

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/schema"
)

// Bruddsporring is the query of Breaches as it reaches SQLite.
func Bruddsporring() string {
	return schema.NewQueryGen(sqlitedialect.New()).FormatQuery(bruddsporring, bruddargumenter(10)...)
}

const LikSporring = likSporring

var KravMedMelding = kravMedMelding

const Urort = urort

// Forbindelse is one of the store's own, set as they are.
func (s *Store) Forbindelse(ctx context.Context) (*sql.Conn, error) { return s.skriv.DB.Conn(ctx) }
