package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"portal.example/bekymringsmelding/cmd/compose"
)

type serveCmd struct {
	compose.Config
}

// Run serves until SIGTERM or an interrupt: then /readyz says no at once, uploads get 30 s, and leases are given back.
func (c *serveCmd) Run(ctx context.Context, logg *slog.Logger) error {
	c.Deler.Logg = logg
	s, err := compose.Open(ctx, c.Config)
	if err != nil {
		return err
	}
	err = s.Serve(ctx)
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	if lukk := s.Close(); lukk != nil {
		err = errors.Join(err, fmt.Errorf("lukking av lageret: %w", lukk))
	}
	return err
}
