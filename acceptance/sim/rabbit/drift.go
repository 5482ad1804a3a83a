package rabbit

import (
	"context"
	"maps"
	"slices"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Stopp takes the node down in good order, with its messages on disk. Nothing but Igjen and Close is any use before Igjen.
func (b *Broker) Stopp(ctx context.Context) error {
	b.drift.Lock()
	defer b.drift.Unlock()
	ctx, avbryt := b.medFrist(ctx)
	defer avbryt()
	return b.node.stopp(ctx)
}

// Drep kills the node where it stands. What Legg has answered nil for is on disk.
func (b *Broker) Drep() error {
	b.drift.Lock()
	defer b.drift.Unlock()
	return b.node.drep()
}

// Igjen starts a node that Stopp or Drep took down, with the same address, queues and messages. One that runs is left alone.
func (b *Broker) Igjen(ctx context.Context) error {
	b.drift.Lock()
	defer b.drift.Unlock()
	select {
	case <-b.node.borte():
	default:
		return nil
	}
	ctx, slutt := b.medSlutt(ctx)
	defer slutt()
	ctx, avbryt := context.WithTimeout(ctx, startfrist)
	defer avbryt()
	if err := b.node.start(ctx); err != nil {
		return err
	}
	_, err := b.samband.vent(ctx)
	return err
}

// Nullstill breaks every client and removes every queue made here and the dead, for tests that share a node.
func (b *Broker) Nullstill(ctx context.Context) error {
	if err := b.Brudd(ctx); err != nil {
		return err
	}
	ctx, avbryt := b.medFrist(ctx)
	defer avbryt()
	l, err := b.samband.vent(ctx)
	if err != nil {
		return err
	}
	b.mu.Lock()
	bort := append(slices.Collect(maps.Keys(b.koer)), dodeKo)
	clear(b.koer)
	b.mu.Unlock()
	return b.lag(ctx, l, func(k *amqp.Channel) error {
		for _, ko := range bort {
			if _, err := k.QueueDelete(ko, false, false, false); err != nil {
				return err
			}
		}
		return lagDode(k)
	})
}
