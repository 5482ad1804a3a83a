package memory

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"portal.example/bekymringsmelding/ports"
)

// Notifier remembers what it was told to tell.
type Notifier struct {
	mu      sync.Mutex
	varsler []ports.Varsel
	nede    bool
}

var _ ports.Notifier = (*Notifier)(nil)

// Notify: see ports.Notifier.
func (n *Notifier) Notify(ctx context.Context, v ports.Varsel) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if n.nede {
		return fmt.Errorf("varsel %s: %w", v.ID, ports.ErrUnavailable)
	}
	if !slices.ContainsFunc(n.varsler, func(x ports.Varsel) bool { return x.ID == v.ID }) {
		n.varsler = append(n.varsler, v)
	}
	return nil
}

// Nede makes Notify fail until it is called with false.
func (n *Notifier) Nede(nede bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nede = nede
}

// Varsler lists what people have been told, in order.
func (n *Notifier) Varsler() []ports.Varsel {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.varsler)
}
