package amqp

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
)

// brutt is closed when the broker has closed r's socket; until then it reads what comes.
func brutt(r *raaklient) <-chan struct{} {
	c := make(chan struct{})
	go func() {
		defer close(c)
		for {
			if _, err := r.inn.les(); err != nil {
				return
			}
		}
	}()
	return c
}

// erBrutt lets d pass and says whether the connection is over.
func erBrutt(c <-chan struct{}, d time.Duration) bool {
	<-time.After(d)
	synctest.Wait()
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestAClientHasTenSecondsToLogIn(t *testing.T) {
	for navn, si := range map[string]func(r *raaklient){
		"saying nothing":       func(*raaklient) {},
		"stopping in a header": func(r *raaklient) { r.skriv([]byte("AMQ")) },
		"stopping at login": func(r *raaklient) {
			r.skriv([]byte(protokollhode))
			r.vent(0, connectionStart)
		},
	} {
		t.Run(navn, func(t *testing.T) {
			iTid(t, func(t *testing.T, _ *Broker, l *rorlytter) {
				is := is.New(t)
				r := l.ring(t)
				si(r)
				c := brutt(r)
				is.True(!erBrutt(c, handtrykkfrist-time.Second))
				is.True(erBrutt(c, 2*time.Second))
			})
		})
	}
}

func TestASilentClientIsDroppedAfterTwoHeartbeatsAndItsMessagesAreBack(t *testing.T) {
	iTid(t, func(t *testing.T, b *Broker, l *rorlytter) {
		is := is.New(t)
		medKo(t, b, "1")
		r := l.ring(t).loggInn(10)
		r.abonner(minKo)
		r.levering(1)
		c := brutt(r)
		for range 10 { // as long as it beats, it stays
			r.skriv(hjerteslag)
			is.True(!erBrutt(c, 15*time.Second))
		}
		is.True(erBrutt(c, 6*time.Second))
		s, err := b.Status(t.Context(), minKo)
		is.NoErr(err)
		is.Equal(s, broker.Status{Klare: 1})
	})
}

func TestAClientThatWantsNoHeartbeatIsNeverDropped(t *testing.T) {
	iTid(t, func(t *testing.T, _ *Broker, l *rorlytter) {
		is.New(t).True(!erBrutt(brutt(l.ring(t).loggInn(0)), 24*time.Hour))
	})
}

func TestAnIdleBrokerBeatsWithinEachInterval(t *testing.T) {
	iTid(t, func(t *testing.T, _ *Broker, l *rorlytter) {
		is := is.New(t)
		r := l.ring(t).loggInn(10)
		forrige := time.Now()
		for range 5 {
			f, err := r.inn.les()
			is.NoErr(err)
			is.Equal(f.slag, byte(rammeHjerteslag))
			is.True(time.Since(forrige) <= 10*time.Second)
			forrige = time.Now()
			r.skriv(hjerteslag)
		}
	})
}

func TestAClientThatDoesNotReadHoldsNoMoreThanTheWireAndIsDropped(t *testing.T) {
	iTid(t, func(t *testing.T, b *Broker, l *rorlytter) {
		is := is.New(t)
		begynte := time.Now()
		treg := l.ring(t).loggInn(0)
		medKo(t, b)
		treg.abonner(minKo)
		const antall = 1000
		for range antall {
			is.NoErr(b.Legg(t.Context(), minKo, broker.Melding{Kropp: make([]byte, 10_000)}))
		}
		synctest.Wait()
		s, err := b.Status(t.Context(), minKo)
		is.NoErr(err)
		is.True(s.Ubekreftede <= 10) // what one write buffer holds, however many there are
		// Another consumer gets the rest meanwhile.
		rask := l.ring(t).loggInn(0)
		rask.abonner(minKo)
		for range antall - s.Ubekreftede {
			tag, _ := rask.levering(1)
			rask.ack(tag)
		}
		for range s.Ubekreftede { // and when the slow one is given up also what that had
			tag, _ := rask.levering(1)
			rask.ack(tag)
		}
		is.True(time.Since(begynte) <= skrivefrist)
		synctest.Wait()
		s, err = b.Status(t.Context(), minKo)
		is.NoErr(err)
		is.Equal(s, broker.Status{Konsumenter: 1})
	})
}

func TestAClientThatAsksAndDoesNotReadIsNotReadFrom(t *testing.T) {
	iTid(t, func(t *testing.T, b *Broker, l *rorlytter) {
		r := l.ring(t).loggInn(0)
		spor := bytes.Repeat(metoderamme(1, basicQos, tall32(0), []byte{0, 0, 0}), 100)
		tatt := 0
		go func() {
			for {
				if _, err := r.c.Write(spor); err != nil {
					return
				}
				tatt += len(spor)
			}
		}()
		<-time.After(skrivefrist / 2)
		synctest.Wait()
		is.New(t).True(tatt < 1<<20) // it would go on for ever
		<-time.After(skrivefrist)
		synctest.Wait()
		is.New(t).Equal(innlogget(b), 0)
	})
}

func TestAClientHasTwoSecondsToSayGoodbye(t *testing.T) {
	iTid(t, func(t *testing.T, b *Broker, l *rorlytter) {
		is := is.New(t)
		medKo(t, b, "1")
		r := l.ring(t).loggInn(0)
		r.abonner(minKo)
		r.levering(1)
		ferdig := make(chan error, 1)
		go func() { ferdig <- b.Brudd(t.Context()) }()
		is.Equal(r.ventLukk(0), feilTvunget)
		s, err := b.Status(t.Context(), minKo)
		is.NoErr(err)
		is.Equal(s, broker.Status{Klare: 1}) // back before it has answered
		c := brutt(r)
		is.True(!erBrutt(c, lukkefrist-time.Second))
		is.True(erBrutt(c, 2*time.Second))
		is.NoErr(<-ferdig)
	})
}

func TestClosingLeavesNothingRunning(t *testing.T) {
	iTid(t, func(t *testing.T, b *Broker, l *rorlytter) { // the bubble fails if anything is left
		medKo(t, b, "1")
		r := l.ring(t).loggInn(60)
		r.abonner(minKo)
		r.levering(1)
		l.ring(t)
		treg := l.ring(t).loggInn(60)
		treg.abonner(minKo)
		for range 100 {
			_ = b.Legg(t.Context(), minKo, broker.Melding{Kropp: make([]byte, 10_000), TTL: time.Hour})
		}
		slutt := make(chan error, 1)
		go func() { slutt <- b.Dode(t.Context(), nil) }()
		synctest.Wait()
		is := is.New(t)
		is.NoErr(b.Close())
		is.Equal(<-slutt, errStengt)
		is.NoErr(b.Close())
		is.True(b.Legg(t.Context(), minKo, broker.Melding{}) != nil)
	})
}
