package producerapi

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"portal.example/bekymringsmelding/domain/kommune"
)

// maksBotter bounds the memory of the pace limit. Only integrations that have logged in have a bucket.
const maksBotter = 10_000

// hastighet is one token bucket an integration.
type hastighet struct {
	rate  rate.Limit
	burst int
	mu    sync.Mutex
	botte map[kommune.IntegrasjonID]*rate.Limiter
}

func nyHastighet(perSekund float64, burst int) *hastighet {
	return &hastighet{rate: rate.Limit(perSekund), burst: burst, botte: map[kommune.IntegrasjonID]*rate.Limiter{}}
}

// vent takes one call's worth and gives 0, or takes nothing and says how long until there is one.
func (h *hastighet) vent(id kommune.IntegrasjonID, na time.Time) time.Duration {
	if h.rate == 0 {
		return 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.botte[id]
	if l == nil {
		h.rydd(na)
		l = rate.NewLimiter(h.rate, h.burst)
		h.botte[id] = l
	}
	r := l.ReserveN(na, 1)
	d := r.DelayFrom(na)
	if d > 0 {
		r.CancelAt(na)
	}
	return d
}

// rydd makes room: full buckets say nothing that a new one does not; if none is full, one is forgotten.
func (h *hastighet) rydd(na time.Time) {
	if len(h.botte) < maksBotter {
		return
	}
	for id, l := range h.botte {
		if l.TokensAt(na) >= float64(h.burst) {
			delete(h.botte, id)
		}
	}
	for id := range h.botte {
		if len(h.botte) < maksBotter {
			return
		}
		delete(h.botte, id)
	}
}
