package compose

import (
	"context"
	"fmt"
	"strings"

	"portal.example/bekymringsmelding/adapters/postgres"
	"portal.example/bekymringsmelding/adapters/sqlite"
	"portal.example/bekymringsmelding/domain/melding"
)

// Kontrollager is a store that can check itself.
type Kontrollager interface {
	Lager
	// Kontroller rebuilds every derived row from its history and reads every kept part against its hash, and tells what is wrong.
	Kontroller(ctx context.Context, si func(id melding.ID, problem string)) error
}

// LesLager opens the store for reading only, beside a running portal.
func LesLager(ctx context.Context, cfg Config) (Kontrollager, error) {
	if fil, ok := strings.CutPrefix(cfg.Lager, "sqlite:"); ok && fil != "" {
		return sqlite.Open(ctx, sqlite.Config{Path: fil, Lesbar: true, Dev: cfg.Dev})
	}
	return apneKontrollager(ctx, cfg, false)
}

// ApneLager opens the store that cfg names. arbeider = this process runs the workers; on SQLite only one may.
func ApneLager(ctx context.Context, cfg Config, arbeider bool) (Lager, error) {
	return apneKontrollager(ctx, cfg, arbeider)
}

func apneKontrollager(ctx context.Context, cfg Config, arbeider bool) (Kontrollager, error) {
	switch fil, sq := strings.CutPrefix(cfg.Lager, "sqlite:"); {
	case sq && fil != "":
		return sqlite.Open(ctx, sqlite.Config{Path: fil, Arbeider: arbeider, Dev: cfg.Dev})
	case strings.HasPrefix(cfg.Lager, "postgres://"), strings.HasPrefix(cfg.Lager, "postgresql://"):
		return postgres.Open(ctx, postgres.Config{DSN: cfg.Lager, Dev: cfg.Dev})
	}
	return nil, fmt.Errorf("%w: --lager skal være sqlite:<fil> eller postgres://…", ErrConfig)
}
