package producerapi

import (
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
)

// samtidige bounds the uploads under way: each holds memory and up to 5 MiB of disk for as long as its sender is slow. One
// integration has at most half of them.
type samtidige struct {
	maks int
	mu   sync.Mutex
	alle int
	av   map[kommune.IntegrasjonID]int
}

func nyeSamtidige(maks int) *samtidige {
	return &samtidige{maks: maks, av: map[kommune.IntegrasjonID]int{}}
}

// inn makes room for one more, or says who must wait. ut is called once when the upload is over.
func (s *samtidige) inn(id kommune.IntegrasjonID) (ut func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.av[id] >= max(1, s.maks/2):
		return nil, &feil{kode: FeilForMangeKall, vent: 5 * time.Second}
	case s.alle >= s.maks:
		return nil, &feil{kode: FeilManglerPlass, vent: 5 * time.Second}
	}
	s.alle++
	s.av[id]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.alle--
		if s.av[id]--; s.av[id] == 0 {
			delete(s.av, id)
		}
	}, nil
}
