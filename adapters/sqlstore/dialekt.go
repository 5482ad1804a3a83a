package sqlstore

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"
)

// Dialekt is what differs between the databases.
type Dialekt struct {
	// Las locks the report's row for the rest of the transaction; "" where a write transaction is alone by nature. Not the
	// strongest lock: rows that refer to the report (an answer being queued) may still come in.
	Las string
	// Samtidig: several writers at once, so a claim locks what it takes and steps past what others hold.
	Samtidig bool
	// Forbered: statements are planned once by keeping them prepared. Where it is false, Blobarg makes the driver do it.
	Forbered bool
	// Samlet runs statements in one durable transaction and one round trip; nil = one at a time.
	Samlet func(ctx context.Context, db *sql.DB, ss []Setning) error
	// Todelt runs ss in a transaction, in one round trip, and then, in another, what fn answers and the commit; when fn fails or
	// answers nothing, all is undone. fn nil = ss is all, and reads one snapshot. nil = one statement at a time.
	Todelt func(ctx context.Context, db *sql.DB, ss []Setning, fn func() ([]Setning, error)) error
	// Param turns ?1, ?2 … into the driver's own placeholders, for statements that go past bun.
	Param func(sql string) string
	// Blobarg comes before the arguments of such statements.
	Blobarg []any
	// LesTx are the options of a read that needs several statements.
	LesTx *sql.TxOptions
	// Na is an SQL expression: the database's clock in µs.
	Na string
	// Klasse reads a driver's error.
	Klasse func(error) (Klasse, string)
	// Vedlikehold and LedigPlass: see Store.
	Vedlikehold func(ctx context.Context, skriv *bun.DB) error
	LedigPlass  func(ctx context.Context) (int64, error)
	// Skrev hears of every commit; nil = nobody.
	Skrev func()
	// Lukk releases what Open took besides connections; nil = nothing.
	Lukk func() error
}

// blobargs puts the driver's own first argument before the statement's.
func (d Dialekt) blobargs(args ...any) []any {
	return append(d.Blobarg[:len(d.Blobarg):len(d.Blobarg)], args...)
}
