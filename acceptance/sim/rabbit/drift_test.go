package rabbit_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit/rabbittest"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
)

func TestWhatIsLaidIsThereAfterTheNodeWasKilled(t *testing.T) {
	is := is.New(t)
	n := rabbittest.Start(t, alle{})
	ko, adresse := nyKo(t, n), n.Adresse()
	klient, _ := abonner(t, n, nyKo(t, n))
	lukket := klient.NotifyClose(make(chan *amqp.Error, 1))

	// Eight write until the node is gone. Every one gets an answer, and what was answered with nil is on the queue.
	var mu sync.Mutex
	var lagt []int
	var forsokt atomic.Int64
	var wg sync.WaitGroup
	nok := make(chan struct{})
	for range 8 {
		wg.Go(func() {
			for {
				nr := int(forsokt.Add(1))
				if err := n.Legg(medFrist(t, frist), ko, melding(nr)); err != nil {
					return
				}
				mu.Lock()
				if lagt = append(lagt, nr); len(lagt) == 200 {
					close(nok)
				}
				mu.Unlock()
			}
		})
	}
	ventPaLukking(t, nok, "at to hundre er lagt")
	ny := nyKo(t, n) // and a queue made the moment before
	is.NoErr(n.Legg(medFrist(t, frist), ny, melding(1)))
	is.NoErr(n.Drep())
	wg.Wait()
	ventPaLukking(t, lukket, "at klienten mister forbindelsen")

	simtest.Til(t, "det sies at megleren er nede", func() bool {
		begynte := time.Now()
		err := n.Legg(medFrist(t, frist), ko, melding(0))
		return err != nil && time.Since(begynte) < time.Second // told at once, and not when the time is out
	})
	_, err := n.Status(medFrist(t, frist), ko)
	is.True(err != nil)
	is.True(n.Opprett(medFrist(t, frist), ko) != nil)

	is.NoErr(n.Igjen(medFrist(t, 2*time.Minute)))
	is.Equal(n.Adresse(), adresse)
	ventStatus(t, n, ny, broker.Status{Klare: 1})
	is.NoErr(n.Legg(medFrist(t, frist), ko, melding(-1)))
	_, c := abonner(t, n, ko)
	sett := map[int]bool{}
	for !sett[-1] {
		d := simtest.Vent(t, c, "meldingene")
		nr, err := strconv.Atoi(string(d.Body))
		is.NoErr(err)
		sett[nr] = true
		is.NoErr(d.Ack(false))
	}
	for _, nr := range lagt { // and perhaps some nobody heard of
		is.True(sett[nr])
	}
}

func TestAStoppedNodeComesBackWithEverything(t *testing.T) {
	is := is.New(t)
	n := rabbittest.Start(t, alle{})
	ko := nyKo(t, n)
	dode := dode(t, n, func(broker.Dod) error { return nil })
	for i := range 10 {
		is.NoErr(n.Legg(medFrist(t, frist), ko, melding(i)))
	}
	_, c := abonner(t, n, ko)
	for range 10 {
		simtest.Vent(t, c, "meldingene")
	}
	is.NoErr(n.Stopp(medFrist(t, frist)))
	is.NoErr(n.Igjen(medFrist(t, 2*time.Minute)))
	is.NoErr(n.Igjen(medFrist(t, frist))) // runs already
	ventStatus(t, n, ko, broker.Status{Klare: 10})

	// The taker of dead messages was not told to begin again.
	_, c = abonner(t, n, ko)
	d := simtest.Vent(t, c, "den første igjen")
	is.True(d.Redelivered)
	is.NoErr(d.Nack(false, false))
	is.Equal(simtest.Vent(t, dode, "den døde").Arsak, broker.Avvist)
}

func TestAMessageToNoQueueIsAnErrorAlsoAmongManyOthers(t *testing.T) {
	is := is.New(t)
	n := rabbittest.Start(t, alle{})
	ko, ingen := nyKo(t, n), "fiksio.konto."+uuid.NewString()
	const skrivere, hver = 16, 20
	var wg sync.WaitGroup
	var galt atomic.Int64
	for range skrivere {
		wg.Go(func() {
			for i := range hver {
				if n.Legg(medFrist(t, frist), ko, melding(i)) != nil || n.Legg(medFrist(t, frist), ingen, melding(i)) == nil {
					galt.Add(1)
				}
			}
		})
	}
	wg.Wait()
	is.Equal(galt.Load(), int64(0))
	ventStatus(t, n, ko, broker.Status{Klare: skrivere * hver})
}

func TestADeadMessageHasTheTimeToLiveItWasGiven(t *testing.T) {
	is := is.New(t)
	n := rabbittest.Start(t, alle{})
	ko := nyKo(t, n)
	dode := dode(t, n, func(broker.Dod) error { return nil })
	m := melding(1)
	m.TTL = 36 * time.Hour
	is.NoErr(n.Legg(medFrist(t, frist), ko, m))
	_, c := abonner(t, n, ko)
	is.NoErr(simtest.Vent(t, c, "meldingen").Reject(false))
	d := simtest.Vent(t, dode, "den døde")
	is.Equal(d, broker.Dod{Ko: ko, Arsak: broker.Avvist, Melding: m})
}

func TestOnlyOneTakesTheDeadAndTheNextTakesOver(t *testing.T) {
	is := is.New(t)
	n := rabbittest.Start(t, alle{})
	ko := nyKo(t, n)
	ctx, avbryt := context.WithCancel(t.Context())
	holder, slutt := make(chan struct{}, 100), make(chan error, 1)
	go func() {
		slutt <- n.Dode(ctx, func(context.Context, broker.Dod) error {
			holder <- struct{}{}
			return errors.New("plattformen er nede")
		})
	}()
	is.NoErr(n.Legg(medFrist(t, frist), ko, melding(1)))
	_, c := abonner(t, n, ko)
	is.NoErr(simtest.Vent(t, c, "meldingen").Reject(false))
	simtest.Vent(t, holder, "at den første tar")
	neste := dode(t, n, func(broker.Dod) error { return nil })
	for i := range 5 {
		is.NoErr(n.Legg(medFrist(t, frist), ko, melding(i+2)))
		is.NoErr(simtest.Vent(t, c, "meldingen").Reject(false))
	}
	simtest.Til(t, "alle de døde er hentet", func() bool {
		s, err := n.Status(medFrist(t, frist), "fiksio.dode")
		return err == nil && s.Ubekreftede == 6
	})
	for len(holder) > 0 {
		<-holder
	}
	simtest.Vent(t, holder, "at den første prøver igjen")
	is.Equal(len(neste), 0)
	avbryt()
	is.Equal(simtest.Vent(t, slutt, "at den første gir seg"), context.Canceled)
	for i := range 6 { // in the order they died
		is.Equal(string(simtest.Vent(t, neste, "at den neste tar over").Melding.Kropp), strconv.Itoa(i+1))
	}
}

// Two subtests, one after the other, on the same node.
func TestATestGetsAnEmptyNode(t *testing.T) {
	is := is.New(t)
	var ko string
	t.Run("the first leaves messages alive and dead, and a client", func(t *testing.T) {
		n := rabbittest.Start(t, alle{})
		ko = nyKo(t, n)
		is.NoErr(n.Legg(medFrist(t, frist), ko, melding(1)))
		is.NoErr(n.Legg(medFrist(t, frist), ko, melding(2)))
		_, c := abonner(t, n, ko)
		is.NoErr(simtest.Vent(t, c, "meldingen").Reject(false))
		ventStatus(t, n, "fiksio.dode", broker.Status{Klare: 1})
	})
	n := rabbittest.Start(t, alle{})
	_, err := n.Status(medFrist(t, frist), ko)
	is.True(err != nil) // no such queue
	ventStatus(t, n, "fiksio.dode", broker.Status{})
}

func ventPaLukking[T any](t testing.TB, c <-chan T, hva string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(frist):
		t.Fatalf("ventet forgjeves på %s", hva)
	}
}
