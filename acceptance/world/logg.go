package world

import (
	"bytes"
	"log/slog"
	"sync"
)

// Loggbok keeps everything a portal logged, so that a test can look for what must never be there.
type Loggbok struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *Loggbok) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *Loggbok) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Slog is a logger that writes here, everything.
func (l *Loggbok) Slog() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
