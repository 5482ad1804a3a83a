package sqlstore

import (
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/schema"
)

// Bruddsporring is the query of Breaches as it reaches SQLite.
func Bruddsporring() string {
	return schema.NewQueryGen(sqlitedialect.New()).FormatQuery(bruddsporring, bruddargumenter(10)...)
}

const LikSporring = likSporring
