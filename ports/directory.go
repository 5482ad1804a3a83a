package ports

import (
	"context"

	"portal.example/bekymringsmelding/domain/kommune"
)

// Directory knows kommuner, bydeler and where their reports go.
type Directory interface {
	// Kommuner lists every kommune with at least one active bydel, by number.
	Kommuner(ctx context.Context) ([]kommune.Kommune, error)
	// Bydeler lists the active ones: not activated is an empty list, never ErrNotFound [D1]; else exactly one is standardMottaker [D2].
	Bydeler(ctx context.Context, k kommune.Kommunenummer) ([]kommune.Bydel, error)
	// Mottaker is read again at every attempt; it answers for deactivated bydeler too [D3]: nothing accepted is stranded.
	Mottaker(ctx context.Context, r kommune.RessursID) (kommune.Mottakerkonto, error)
}

// Oppsett is one declarative set-up. Apply makes the store say exactly this about what it names; what it does not name is left alone.
type Oppsett struct {
	Organisasjoner []kommune.Organisasjon
	Kommuner       []kommune.Kommune
	Mottakere      []kommune.Mottakerkonto
	Integrasjoner  []kommune.Integrasjon
	Tilganger      []Tilgangslinje
}

// Tilgangslinje grants one integration a right for one organisation.
type Tilgangslinje struct {
	Integrasjon kommune.IntegrasjonID
	Org         kommune.FiksOrgID
	Tilgang     kommune.Tilgang
}

// Registry writes what Directory and Access read.
type Registry interface {
	// Apply is one transaction, idempotent [R1], and all or nothing [R2]: an active kommune without exactly one active standardMottaker,
	// or an active bydel without a letter address, is ErrRefused and nothing is written [R3].
	Apply(ctx context.Context, o Oppsett) error
}

// Access answers who may do what.
type Access interface {
	// Integrasjon: ErrNotFound for an unknown id [A1].
	Integrasjon(ctx context.Context, id kommune.IntegrasjonID) (kommune.Integrasjon, error)
	// Har: false for everything unknown [A2].
	Har(ctx context.Context, id kommune.IntegrasjonID, org kommune.FiksOrgID, t kommune.Tilgang) (bool, error)
	// Organisasjon: ErrNotFound for an unknown one.
	Organisasjon(ctx context.Context, id kommune.FiksOrgID) (kommune.Organisasjon, error)
}
