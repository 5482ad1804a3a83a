package ports

import (
	"context"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

// Filter narrows a list; a zero field does not.
type Filter struct {
	RessursID   kommune.RessursID
	FraOrg      kommune.FiksOrgID
	Tilstand    melding.Tilstand
	Kanal       kommune.Kanal
	Slag        melding.Slag
	InnsendtFra time.Time
	InnsendtTil time.Time // exclusive
	FristFra    time.Time
	FristTil    time.Time // exclusive
	EndretFra   time.Time
}

// Rad is the one derived row of a report.
type Rad struct {
	ID        melding.ID
	Tilstand  melding.Tilstand
	Slag      melding.Slag
	Versjon   melding.Versjon
	Kilde     melding.Kilde
	Kanal     kommune.Kanal // the channel of the last overgang that had one: PRINT once a letter is accepted
	FraOrg    kommune.FiksOrgID
	RessursID kommune.RessursID
	Kommune   kommune.Kommunenummer
	Bydel     kommune.Bydelsnummer
	Innsendt  time.Time
	Frist     time.Time
	Endret    time.Time // of the last event
	Slettet   bool
}

// Gruppe is a count by state and channel.
type Gruppe struct {
	Tilstand melding.Tilstand
	Kanal    kommune.Kanal
	Antall   int
}

// Overview reads the derived rows, written in the same transaction as the history they follow. It decides nothing.
type Overview interface {
	// List gives at most max rows, oldest id first, after the id given ("" = from the start) [O1].
	List(ctx context.Context, f Filter, after melding.ID, max int) ([]Rad, error)
	Count(ctx context.Context, f Filter) (int, error) // [O2]
	// Groups counts everything by state and channel, for metrics.
	Groups(ctx context.Context) ([]Gruppe, error)
	// Cases lists cases, open ones first, then newest; max at most. Ledger cases are among them [O3].
	Cases(ctx context.Context, openOnly bool, max int) ([]levering.Sak, error)
	// Oldest is the innsendt of the oldest report not LEVERT; zero = none.
	Oldest(ctx context.Context) (time.Time, error)
}
