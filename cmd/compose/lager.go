package compose

import (
	"context"
	"fmt"
	"strings"

	"portal.example/bekymringsmelding/adapters/postgres"
	"portal.example/bekymringsmelding/adapters/sqlite"
)

// ApneLager opens the store that cfg names. arbeider = this process runs the workers; on SQLite only one may.
func ApneLager(ctx context.Context, cfg Config, arbeider bool) (Lager, error) {
	switch fil, sq := strings.CutPrefix(cfg.Lager, "sqlite:"); {
	case sq && fil != "":
		return sqlite.Open(ctx, sqlite.Config{Path: fil, Arbeider: arbeider, Dev: cfg.Dev})
	case strings.HasPrefix(cfg.Lager, "postgres://"), strings.HasPrefix(cfg.Lager, "postgresql://"):
		return postgres.Open(ctx, postgres.Config{DSN: cfg.Lager, Dev: cfg.Dev})
	}
	return nil, fmt.Errorf("%w: --lager skal være sqlite:<fil> eller postgres://…", ErrConfig)
}
