package ports

import (
	"context"
	"crypto/x509"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
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
	// Grunnlag answers all of s at one instant. Nothing in it is older than the call, also when the change was made by another
	// process a moment before [A3], unless Omtrent; what is unknown is nil and never an error.
	Grunnlag(ctx context.Context, s Sporsmal) (Grunnlag, error)
}

// Sporsmal is what intake asks about one submission.
type Sporsmal struct {
	Integrasjon kommune.IntegrasjonID
	Fra         kommune.FiksOrgID
	Kommune     kommune.Kommunenummer
	Bydel       kommune.Bydelsnummer
	Na          time.Time // certificates are judged at this instant
	Lik         *Likhet   // nil = not asked
	// Omtrent takes an answer that was right less than OmtrentTid before Na: for a judgement that is made again, exactly, before
	// anything follows from it [A5].
	Omtrent bool
}

// OmtrentTid is the age of an answer that is about right.
const OmtrentTid = time.Second

// Likhet is what makes two reports from one sender to one receiver possibly the same (D10).
type Likhet struct {
	Slag       melding.Slag
	Asice, PDF int64     // part sizes
	Siden      time.Time // accepted at or after
}

// Grunnlag is everything that intake judges a submission by.
type Grunnlag struct {
	KanSende     bool
	KanMotta     bool
	Organisasjon *kommune.Organisasjon
	Mottaker     *kommune.Mottakerkonto // of an active bydel, as Directory.Mottaker
	// TilMottaker and TilPrint are as Certificates.Accepted.
	TilMottaker, TilPrint []*x509.Certificate
	// Lik is the newest report from Fra to Mottaker that Likhet fits; "" = none, or not asked [A4].
	Lik melding.ID
}
