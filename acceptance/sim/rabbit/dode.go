package rabbit

import (
	"context"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
)

const (
	dodeVeksel = "fiksio.dlx"
	dodeKo     = "fiksio.dode"
	dodePause  = 100 * time.Millisecond // a dead message rests this long when its taker failed
	dodeForut  = 20                     // dead messages fetched ahead
)

// lagDode makes the place dead messages go: one exchange, one queue, whatever the reason and wherever from.
func lagDode(k *amqp.Channel) error {
	if err := k.ExchangeDeclare(dodeVeksel, amqp.ExchangeFanout, true, false, false, false, nil); err != nil {
		return err
	}
	if _, err := k.QueueDeclare(dodeKo, true, false, false, false, amqp.Table{"x-queue-type": "quorum"}); err != nil {
		return err
	}
	return k.QueueBind(dodeKo, "", dodeVeksel, false, nil)
}

// Dode: see broker.Broker. A message whose ta failed is offered again before any other; after a break, or a Dode that ended, so is one
// that ta took and RabbitMQ did not hear of. Of several calls one takes and the rest wait. It goes on through outages and ends with
// ctx's error, or when the broker closes.
func (b *Broker) Dode(ctx context.Context, ta func(context.Context, broker.Dod) error) error {
	ctx, avbryt := b.medSlutt(ctx)
	defer avbryt()
	select {
	case b.dodeTar <- struct{}{}:
		defer func() { <-b.dodeTar }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for ctx.Err() == nil {
		if l, err := b.samband.vent(ctx); err == nil {
			_ = b.taDode(ctx, l, ta) // the line is lost, or ctx is over
			pause(ctx, dodePause)
		}
	}
	return context.Cause(ctx)
}

func (b *Broker) taDode(ctx context.Context, l *linje, ta func(context.Context, broker.Dod) error) error {
	k, err := l.c.Channel()
	if err != nil {
		return err
	}
	defer func() { _ = k.Close() }() // what is fetched and not acked goes back on the queue
	if err := k.Qos(dodeForut, 0, false); err != nil {
		return err
	}
	c, err := k.Consume(dodeKo, "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	for {
		select {
		case d, ok := <-c:
			if !ok {
				return errNede
			}
			dod, ok := fraAMQP(d)
			if !ok {
				b.c.Logg.WarnContext(ctx, "en død melding uten grunn ble kastet")
			}
			for ok && ta(ctx, dod) != nil {
				if pause(ctx, dodePause); ctx.Err() != nil || k.IsClosed() {
					return errNede
				}
			}
			// The platform has it. A crash before this line offers it once more.
			if err := d.Ack(false); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fraAMQP makes the message as it was before it died. RabbitMQ has moved the time to live into x-death (reference fiks-io.md §10).
func fraAMQP(d amqp.Delivery) (broker.Dod, bool) {
	dod := broker.Dod{Melding: broker.Melding{Headere: map[string]string{}, Kropp: d.Body}}
	for n, v := range d.Headers {
		if tekst, ok := v.(string); ok && !strings.HasPrefix(n, "x-") {
			dod.Melding.Headere[n] = tekst
		}
	}
	dodsfall, _ := d.Headers["x-death"].([]any)
	if len(dodsfall) == 0 {
		return dod, false
	}
	siste, _ := dodsfall[0].(amqp.Table)
	arsak, _ := siste["reason"].(string)
	dod.Arsak = broker.Arsak(arsak)
	dod.Ko, _ = siste["queue"].(string)
	if ttl, ok := siste["original-expiration"].(string); ok {
		ms, _ := strconv.ParseInt(ttl, 10, 64)
		dod.Melding.TTL = time.Duration(ms) * time.Millisecond
	}
	return dod, dod.Ko != "" && dod.Arsak != ""
}
