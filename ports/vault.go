package ports

import (
	"context"

	"portal.example/bekymringsmelding/domain/melding"
)

// Vault reads sealed parts. Store.Create writes them and Store.Update erases them.
type Vault interface {
	// Open verifies size and SHA-256 before the first byte is handed out [V1 ErrCorrupt]; ErrErased after Slett [V2]; ErrNotFound
	// for an unknown report or part.
	Open(ctx context.Context, id melding.ID, del melding.Del) (melding.Forseglet, error)
}
