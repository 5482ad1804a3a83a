package ports

import (
	"context"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
)

// Forsendelse is one attempt. Forsok was durable before the call; it is klientMeldingId, the same on every retry of the attempt;
// a deliberate redelivery gets a new one. klientKorrelasjonsId is the melding's id.
type Forsendelse struct {
	Forsok  melding.ForsokID
	Melding melding.ID
	Til     kommune.Mottakerkonto
	Slag    melding.Slag
	Versjon melding.Versjon
	Innhold melding.Forseglet
	TTL     time.Duration // time left to frist; under 1 s is refused
}

// Transport is Fiks IO or its stand-in. It may deliver an attempt twice after a crash, always with the same Forsok.
type Transport interface {
	// Send returns the platform's message id. ErrRefused: the receiver can certainly not be reached this way, or less than a second is
	// left [T4].
	Send(ctx context.Context, f Forsendelse) (ref string, err error)
	// Receive calls take for each incoming message until ctx ends, and acks only after take returned nil [T1]. An answer may
	// arrive before Send has returned [T2]: take stores it, as what follows from it (Store.Settle) or as
	// work (Work.Add). [T3] A broken connection is mended
	// inside with backoff; Receive returns only when ctx ends.
	Receive(ctx context.Context, take func(context.Context, melding.Svar) error) error
}
