package fiksio

import (
	"context"
	"errors"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// okt is the life of one connection. Each delivery gets a goroutine in venter, at most Prefetch at a time; acks go out from kjor only, for
// the library's channels are not for several goroutines.
type okt struct {
	*Transport
	*kobling
	take   tar
	venter *sync.WaitGroup
	slutt  chan struct{} // closed when the connection is over
	ferdig chan resultat
	ute    int  // deliveries under way
	tatt   bool // take has taken one since Lytter was told
}

// resultat is the end of one delivery; not taken means that ctx is over, and the broker brings it again.
type resultat struct {
	merke uint64
	tatt  bool
}

var errAvsluttet = errors.New("megleren avsluttet leveringen")

// enOkt goes from login to break; begynt is when it began to consume, zero when it never did.
func (t *Transport) enOkt(ctx context.Context, venter *sync.WaitGroup, take tar) (begynt time.Time, err error) {
	k, err := t.koble(ctx)
	if err != nil {
		return begynt, err
	}
	defer k.lukk()
	o := &okt{Transport: t, kobling: k, take: take, venter: venter, slutt: make(chan struct{}), ferdig: make(chan resultat)}
	defer close(o.slutt)
	t.okter.Add(1)
	defer t.okter.Add(-1)
	t.c.Logg.InfoContext(ctx, "tar imot svar fra Fiks IO", "konto", t.c.Konto)
	begynt = t.c.Clock.Now()
	return begynt, o.kjor(ctx, begynt)
}

func (o *okt) kjor(ctx context.Context, na time.Time) error {
	fra := na
	tikk, stopp := o.c.Clock.At(na.Add(lyttepause))
	defer func() { stopp() }()
	for {
		ledig := o.inn
		if o.ute >= o.c.Prefetch {
			ledig = nil // should the broker not keep count itself
		}
		select {
		case d, ok := <-ledig:
			if !ok {
				return o.arsak()
			}
			o.start(ctx, d)
		case r := <-o.ferdig:
			if err := o.avslutt(r); err != nil {
				return err
			}
		case <-tikk:
			na := o.c.Clock.Now()
			if o.tatt || o.ute < o.c.Prefetch {
				o.lytter(ctx, fra, na)
			}
			fra, o.tatt = na, false
			tikk, stopp = o.c.Clock.At(na.Add(lyttepause))
		case e, ok := <-o.brutt:
			if !ok {
				return errAvsluttet
			}
			return e
		case <-ctx.Done():
			o.tom()
			return ctx.Err()
		}
	}
}

const lyttepause = 30 * time.Second

// arsak is why the deliveries ended. The library says why before it ends them; it says nothing when the queue was deleted.
func (o *okt) arsak() error {
	select {
	case e, ok := <-o.brutt:
		if ok {
			return e
		}
	default:
	}
	return errAvsluttet
}

func (o *okt) start(ctx context.Context, d amqp.Delivery) {
	if d.Redelivered {
		o.c.Gjentatt()
	}
	o.ute++
	o.venter.Go(func() {
		r := resultat{merke: d.DeliveryTag, tatt: o.ta(ctx, o.slutt, d, o.take)}
		select {
		case o.ferdig <- r:
		case <-o.slutt:
		}
	})
}

func (o *okt) avslutt(r resultat) error {
	o.ute--
	if !r.tatt {
		return nil
	}
	o.tatt = true
	return o.ch.Ack(r.merke, false)
}

// tom acks what was taken in the last moment before ctx ended, so that it does not come again.
func (o *okt) tom() {
	for o.ute > 0 {
		select {
		case r := <-o.ferdig:
			if o.avslutt(r) != nil {
				return
			}
		case <-o.brutt:
			return
		}
	}
}

// lytter tells Lytter, unless it has not come back from the last time: it may write to a store that is away.
func (o *okt) lytter(ctx context.Context, fra, til time.Time) {
	if !o.melder.TryLock() {
		return
	}
	o.venter.Go(func() {
		defer o.melder.Unlock()
		o.c.Lytter(ctx, fra, til)
	})
}
