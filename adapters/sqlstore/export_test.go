package sqlstore

import (
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/schema"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

// Bruddsporring is the query of Breaches as it reaches SQLite.
func Bruddsporring() string {
	return schema.NewQueryGen(sqlitedialect.New()).FormatQuery(bruddsporring, melding.AKSEPTERT, melding.SENDT_FAGSYSTEM,
		levering.KoFrist, 10, melding.Sendeforsok, levering.KoSend, 10, 10)
}

const LikSporring = likSporring
