package fagsystem

import (
	"context"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Ta works on one delivery, as Motta does with each.
func (k *Klient) Ta(ctx context.Context, d amqp.Delivery) error { return k.ta(ctx, d) }

// SettPause changes the pause before the second try.
func (k *Klient) SettPause(d time.Duration) { k.pause = d }
