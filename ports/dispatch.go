package ports

import (
	"context"
	"crypto/x509"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
)

// Sendegrunnlag is what a send is judged by.
type Sendegrunnlag struct {
	Utgave  Utgave                // as Store.Update gives it
	Konto   kommune.Mottakerkonto // as Directory.Mottaker of the report's receiver
	Godtatt []*x509.Certificate   // as Certificates.Accepted of it
}

// Begynt is what a send has when it has begun. Mangler says why there is no Innhold.
type Begynt struct {
	Utgave  Utgave            // as Store.Update gives it
	Innhold melding.Forseglet // the part sealed for the receiver, as Vault.Open
	Mangler error
}

// Dispatch begins a send.
type Dispatch interface {
	// Begin is Store.Update, where fn also sees the receiver and its certificates [U1]; now is when they are judged. Nothing that fn
	// sees is older than the call, also when the change was made by another process a moment before [U2]. It may be asked twice: a
	// Begin that writes nothing need not lock the report. ErrNotFound when the report or its receiver is unknown. The content comes in
	// the same breath [U3], read, or as this process stored it; that it cannot be read undoes nothing.
	Begin(ctx context.Context, id melding.ID, now time.Time, fn func(Sendegrunnlag) (Endring, error)) (Begynt, error)
}
