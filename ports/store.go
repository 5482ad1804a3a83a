package ports

import (
	"context"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

// Utgave and Endring are the domain's: what is read, and what one Update adds.
type (
	Utgave  = levering.Utgave
	Endring = levering.Endring
)

// Ny is everything that becomes true when a report is accepted.
type Ny struct {
	Fakta     melding.Fakta
	Hendelser []melding.Hendelse // AKSEPTERT first, then what was noted at once
	Deler     map[melding.Del]melding.Forseglet
	Oppdrag   []levering.Oppdrag // send now, frist
	Leier     []Lease            // of those among Oppdrag that the caller does at once: leased to it from the commit on
	Saker     []levering.Sak
	Nokkel    string // Idempotency-Key, "" = none; unique per sender (FraFiksOrgID), kept as its SHA-256 only
}

// Leie is the lease that an item is to be born with; nil = none.
func (n Ny) Leie(id levering.OppdragID) *Lease {
	for i := range n.Leier {
		if n.Leier[i].Oppdrag.ID == id {
			return &n.Leier[i]
		}
	}
	return nil
}

// Store keeps reports: append-only history, owed work and sealed parts in ONE durable place.
type Store interface {
	// Create commits all of n in one transaction [S1 nil survives power loss: reopened, both parts and the work are found].
	// [S2] Same ID, or same sender, receiver, kind, version and part hashes as a report whose content is kept: its ID and
	// ErrExists, nothing written; two racing calls give one report. [S3] Same Nokkel, other bytes: the first ID and ErrConflict. A
	// Nokkel is also remembered when it comes with a repeat of known bytes, durably: from then on it is that report's.
	// [S11] An item with a lease in n.Leier is as if the caller had claimed it the instant it was made; a repeat leases nothing.
	// [S4] After an unknown error: found by Get = accepted; not found proves nothing, the commit may still come.
	Create(ctx context.Context, n Ny) (melding.ID, error)
	// Get returns ErrNotFound for an unknown id. Saker holds open and closed cases.
	Get(ctx context.Context, id melding.ID) (Utgave, error)
	// Update reads, calls fn, and commits its Endring in one transaction [S5 all or nothing]. [S6] Racing Updates of one report
	// behave as if in sequence; fn may be called several times, so it is pure: no port, no clock, no random, no captured writes
	// (the memory adapter calls it twice and compares). [S7] An error from fn is returned as it is, nothing written.
	// [S8] levering.Anvend judges before commit: an illegal transition, a report left with nothing owed and no open case, or
	// Slett with a case, hold or attempt open, is refused here and not by the sweep. [S9] Sequence is gapless, tidspunkt never
	// before the previous one. An Endring that is Tom writes nothing. The returned Utgave is the one committed.
	Update(ctx context.Context, id melding.ID, fn func(Utgave) (Endring, error)) (Utgave, error)
	// Settle is Work.Add of o and Update of the report it belongs to, in one commit [S12]: o is remembered as Add remembers it, and is
	// never queued, so fn's Endring names it in Ferdig; one that does not is ErrRefused. ny = false: the world has said it before [W2],
	// and nothing is written, also if fn was asked. After an error nothing is known of o, as with Add: it may be settled.
	Settle(ctx context.Context, id melding.ID, o levering.Oppdrag, fn func(Utgave) (Endring, error)) (u Utgave, ny bool, err error)
	// FindRef maps a reference from Endring.Referanser to its report; ErrNotFound may mean "not yet": see Work.Add.
	FindRef(ctx context.Context, ref string) (melding.ID, error)
	// Breaches lists reports that break "always owed", as levering.Kontroller judges it. [S10] Same cost with 10^6 delivered reports beside them.
	Breaches(ctx context.Context, max int) ([]melding.ID, error)
}
