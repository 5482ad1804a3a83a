package outbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

type leieNokkel struct{}

// sluttid is how long the work in hand gets when the process is asked to stop. What takes longer keeps its lease until it runs out.
const sluttid = 30 * time.Second

// Run runs every queue until ctx ends, and returns when the last handler has, or sluttid after.
func (o *Outbox) Run(ctx context.Context) error {
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: sluttid}, watermill.NopLogger{})
	if err != nil {
		return err
	}
	for _, ko := range levering.Koene() {
		router.AddConsumerHandler(string(ko), string(ko), &abonnent{o: o}, func(m *message.Message) error { //nolint:contextcheck // the message's own context ends with ctx, and holds the lease
			l, ok := m.Context().Value(leieNokkel{}).(ports.Lease)
			if !ok {
				return errors.New("melding uten leie")
			}
			o.medLeie(m.Context(), l)
			return nil // kjor has settled it or given it back; the ack only frees a place
		})
	}
	ferdig, lenge := make(chan struct{}), make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		klar, stopp := o.Clock.At(o.Clock.Now().Add(sluttid))
		defer stopp()
		select {
		case <-klar:
		case <-ferdig:
		}
		close(lenge)
	})()
	err = router.Run(ctx)
	for _, k := range o.koer { // nothing is handed over while somebody waits for the last
		k.apne(false)
	}
	go func() { o.underveis.Wait(); close(ferdig) }()
	select {
	case <-ferdig:
	case <-lenge:
	}
	return err
}

// medLeie runs an item while its lease is renewed at half-time. When the lease is lost the handler's context ends: somebody else
// may have the item, and the rules decide between the two.
func (o *Outbox) medLeie(ctx context.Context, l ports.Lease) {
	ctx, avbryt := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			na := o.Clock.Now()
			halv, stopp := o.Clock.At(na.Add(o.Leietid / 2))
			select {
			case <-ctx.Done():
				stopp()
				return
			case <-halv:
			}
			if err := o.Work.Extend(ctx, l, o.Clock.Now(), o.Leietid); errors.Is(err, ports.ErrConflict) {
				avbryt()
				return
			}
		}
	})
	o.kjor(ctx, l)
	avbryt()
	wg.Wait()
}

// abonnent is a watermill Subscriber over one queue.
type abonnent struct {
	o *Outbox
}

func (a *abonnent) Close() error { return nil }

// samletid is how long places may be free before the next claim while the queue has more than was taken: a claim costs as much for
// one item as for several.
const samletid = 20 * time.Millisecond

// Subscribe hands out leased items as empty messages. At most Samtidig of a queue are in work, those handed over among them.
func (a *abonnent) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	navn, o := levering.Ko(topic), a.o
	k := o.koer[navn]
	ut := make(chan *message.Message)
	k.apne(true)
	go func() {
		var underveis sync.WaitGroup
		defer close(ut)
		defer underveis.Wait()
		defer k.apne(false)
		var sist time.Time
		for ctx.Err() == nil {
			if ledig := o.Samtidig - len(k.plass); k.mer.Load() && (ledig == 0 || 2*ledig < o.Samtidig && o.Clock.Now().Before(sist.Add(samletid))) {
				a.ventPlass(ctx, navn, ledig, sist)
				continue
			}
			sist = o.Clock.Now()
			ledig := k.taAlle() // so that nothing is leased for which there is no place
			var leier []ports.Lease
			err := o.Vakt(ctx)
			if err == nil && ledig > 0 {
				leier, err = o.Work.Claim(ctx, navn, ledig, sist, o.Leietid)
			}
			if err != nil && ctx.Err() == nil {
				o.Logg.WarnContext(ctx, "kø ble ikke lest", "ko", navn, "feil", err.Error())
			}
			k.mer.Store(len(leier) == ledig)
			for range ledig - len(leier) {
				<-k.plass
			}
			for _, l := range leier {
				m := message.NewMessage(string(l.Oppdrag.ID), nil)
				// The work in hand is finished also when the process is asked to stop; the router waits for it.
				m.SetContext(context.WithValue(context.WithoutCancel(ctx), leieNokkel{}, l))
				underveis.Go(func() {
					select {
					case ut <- m:
						select {
						case <-m.Acked():
						case <-m.Nacked():
						}
					case <-ctx.Done():
						o.giTilbake(ctx, l)
					}
					o.ferdig(navn)
				})
			}
			if len(leier) < ledig { // all that was due then
				a.vent(ctx, navn, sist)
			}
		}
	}()
	return ut, nil
}

// ventPlass sleeps until an item is done, or until the places that are free have been so for long enough.
func (a *abonnent) ventPlass(ctx context.Context, ko levering.Ko, ledig int, sist time.Time) {
	var klar <-chan time.Time // with no place free only an item that is done helps
	if ledig > 0 {
		var stopp func()
		klar, stopp = a.o.Clock.At(sist.Add(samletid))
		defer stopp()
	}
	select {
	case <-ctx.Done():
	case <-klar:
	case <-a.o.koer[ko].vekker:
	}
}

// vent sleeps until somebody calls Vekk, the next item is due, or Pause has passed: another process may have added work. What was due
// at sist and not handed out belongs to a report that somebody has in hand.
func (a *abonnent) vent(ctx context.Context, ko levering.Ko, sist time.Time) {
	o := a.o
	til := o.Clock.Now().Add(o.Pause)
	if neste, err := o.Work.Next(ctx, ko); err == nil && neste.Before(til) && neste.After(sist) {
		til = neste
	}
	klar, stopp := o.Clock.At(til)
	defer stopp()
	select {
	case <-ctx.Done():
	case <-klar:
	case <-o.koer[ko].vekker:
	}
}

func (o *Outbox) giTilbake(ctx context.Context, l ports.Lease) {
	ctx, avbryt := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer avbryt()
	_ = o.Work.Release(ctx, l, o.Clock.Now(), "portalen stopper")
}
