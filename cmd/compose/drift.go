package compose

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// drift serves what operators and load balancers read.
func (s *System) drift(m *malinger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { si(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := s.Klar(r.Context()); err != nil {
			si(w, http.StatusServiceUnavailable, "ikke klar")
			return
		}
		si(w, http.StatusOK, "klar")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.reg, promhttp.HandlerOpts{Timeout: 10 * time.Second, MaxRequestsInFlight: 2}))
	return mux
}

func si(w http.ResponseWriter, status int, tekst string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(tekst + "\n"))
}

// Klar says whether this process should get new calls. It does not ask whether Fiks IO is there: reports are accepted while it is away,
// and would otherwise be refused by every replica at once. portal_fiks_lytter and the case tar-ikke-imot-svar tell of that.
func (s *System) Klar(ctx context.Context) error {
	if s.stopper.Load() {
		return context.Canceled
	}
	ctx, avbryt := context.WithTimeout(ctx, 5*time.Second)
	defer avbryt()
	return s.vakt.Sjekk(ctx)
}

// Stopper makes /readyz say no from now on; calls under way go on.
func (s *System) Stopper() { s.stopper.Store(true) }
