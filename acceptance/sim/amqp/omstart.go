package amqp

import (
	"context"
	"fmt"
	"net"
	"time"
)

// Stopp: see broker.Omstart. The platform may go on laying messages on the queues.
func (b *Broker) Stopp(ctx context.Context) error {
	b.drift.Lock()
	defer b.drift.Unlock()
	b.mu.Lock()
	l := b.l
	b.l = nil
	b.mu.Unlock()
	if l == nil {
		return nil
	}
	if err := l.Close(); err != nil {
		return err
	}
	return b.Brudd(ctx)
}

// Igjen: see broker.Omstart. Somebody's outgoing connection may have the port for a moment; it waits for that until ctx ends.
func (b *Broker) Igjen(ctx context.Context) error {
	b.drift.Lock()
	defer b.drift.Unlock()
	b.mu.Lock()
	oppe := b.l != nil
	b.mu.Unlock()
	if oppe {
		return nil
	}
	for {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", b.adresse)
		if err == nil {
			return b.lytt(l)
		}
		pause := time.NewTimer(100 * time.Millisecond)
		select {
		case <-pause.C:
		case <-b.ctx.Done():
			pause.Stop()
			return errStengt
		case <-ctx.Done():
			pause.Stop()
			return fmt.Errorf("amqp: %w", err)
		}
	}
}

// lytt gives the broker a listener, unless it has closed in between.
func (b *Broker) lytt(l net.Listener) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		_ = l.Close()
		return errStengt
	}
	b.l = l
	b.venter.Go(func() { b.taImot(l) })
	return nil
}
