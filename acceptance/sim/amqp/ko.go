package amqp

import (
	"container/heap"
	"errors"
	"slices"
	"sync"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
)

// post is one message on a queue. nr is its place there, and it keeps it however often it is taken and put back.
type post struct {
	nr     uint64
	m      broker.Melding // never changed
	frist  time.Time      // zero = none
	forsok int            // deliveries begun; under ko.mu
}

// ko is one queue: ready messages, a count of those delivered and not yet acked, and consumers who wait for their turn.
type ko struct {
	navn string
	b    *Broker

	mu          sync.Mutex
	nye         fifo[*post] // never delivered
	retur       retur       // put back. Each was taken from the front once, so all of them stand before every one of nye
	nesteNr     uint64
	ute         int
	konsumenter int
	eksklusiv   *konsument
	ventere     []*konsument  // found the queue empty; the first is next in turn
	alarm       time.Time     // when vakt looks at the head; zero = nothing to look for
	nyAlarm     chan struct{} // room for one: alarm has become earlier
}

func nyKo(b *Broker, navn string) *ko { return &ko{navn: navn, b: b, nyAlarm: make(chan struct{}, 1)} }

func (q *ko) legg(m broker.Melding) {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := &post{nr: q.nesteNr, m: m}
	q.nesteNr++
	if m.TTL > 0 {
		p.frist = q.b.c.Klokke.Now().Truncate(time.Microsecond).Add(m.TTL)
	}
	q.nye.legg(p)
	q.stillAlarm()
	q.vekk()
}

// ta takes the head for delivery, and says how many are left. With none there, c (which may be nil) is put last among the waiting.
func (q *ko) ta(c *konsument) (p *post, forsok, igjen int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rydd()
	p = q.taHode()
	if p == nil {
		if c != nil {
			q.ventere = append(q.ventere, c)
		}
		return nil, 0, 0
	}
	p.forsok++
	q.ute++
	q.stillAlarm()
	q.vekk() // there may be more, and others to share it with
	return p, p.forsok, q.klare()
}

// bekreft forgets n delivered messages.
func (q *ko) bekreft(n int) {
	q.mu.Lock()
	q.ute -= n
	q.mu.Unlock()
}

// tilbake puts delivered messages back where they stood; those that have had their deliveries are dead. All at once, so that nobody
// is handed the second before the first is back.
func (q *ko) tilbake(pp []*post) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ute -= len(pp)
	for _, p := range pp {
		if p.forsok >= broker.Forsok {
			q.dod(p, broker.Oppgitt)
			continue
		}
		heap.Push(&q.retur, p)
	}
	q.stillAlarm()
	q.vekk()
}

// avvis makes delivered messages dead.
func (q *ko) avvis(pp []*post) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ute -= len(pp)
	for _, p := range pp {
		q.dod(p, broker.Avvist)
	}
}

// giVidere passes on a turn that its owner had no use for.
func (q *ko) giVidere() {
	q.mu.Lock()
	q.vekk()
	q.mu.Unlock()
}

var errOpptatt = errors.New("amqp: køen er opptatt")

// begynn counts c in. With an exclusive consumer there is no other.
func (q *ko) begynn(c *konsument) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.eksklusiv != nil || c.eksklusiv && q.konsumenter > 0 {
		return errOpptatt
	}
	if c.eksklusiv {
		q.eksklusiv = c
	}
	q.konsumenter++
	return nil
}

// slutt counts c out; the turn it may have had goes to another.
func (q *ko) slutt(c *konsument) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.konsumenter--
	if q.eksklusiv == c {
		q.eksklusiv = nil
	}
	q.ventere = slices.DeleteFunc(q.ventere, func(v *konsument) bool { return v == c })
	q.vekk()
}

func (q *ko) status() broker.Status {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rydd()
	return broker.Status{Klare: q.klare(), Ubekreftede: q.ute, Konsumenter: q.konsumenter}
}

// The rest is for callers that hold mu.

func (q *ko) klare() int { return q.nye.antall() + len(q.retur) }

func (q *ko) hode() *post {
	if len(q.retur) > 0 {
		return q.retur[0]
	}
	p, _ := q.nye.forste()
	return p
}

func (q *ko) taHode() *post {
	if len(q.retur) > 0 {
		return heap.Pop(&q.retur).(*post)
	}
	p, _ := q.nye.ta()
	return p
}

func (q *ko) dod(p *post, arsak broker.Arsak) {
	q.b.dode.legg(broker.Dod{Ko: q.navn, Arsak: arsak, Melding: p.m})
}

// vekk gives one waiting consumer its turn when there is something to take. Whoever has a turn takes a message, waits again, or
// passes it on; so no message lies ready while somebody who could take it waits.
func (q *ko) vekk() {
	if q.klare() == 0 || len(q.ventere) == 0 {
		return
	}
	c := q.ventere[0]
	q.ventere = slices.Delete(q.ventere, 0, 1)
	c.kanal.t.klar(c)
}

// rydd takes out what has expired at the head. Only the head is judged: a short TTL behind a long one waits (reference fiks-io.md §4).
func (q *ko) rydd() {
	for {
		p := q.hode()
		if p == nil || p.frist.IsZero() {
			return
		}
		if q.b.c.Klokke.Now().Before(p.frist) {
			q.stillAlarm()
			return
		}
		q.dod(q.taHode(), broker.Utlopt)
	}
}

// stillAlarm makes vakt look no later than when the head expires. An alarm that has become too early is left: to look once too often
// costs less than to set a timer for every message.
func (q *ko) stillAlarm() {
	p := q.hode()
	if p == nil || p.frist.IsZero() || !q.alarm.IsZero() && !p.frist.Before(q.alarm) {
		return
	}
	q.alarm = p.frist
	select {
	case q.nyAlarm <- struct{}{}:
	default:
	}
}

// vakt looks at the head when the alarm goes, until the broker closes.
func (q *ko) vakt() {
	for {
		q.mu.Lock()
		q.rydd()
		til := q.alarm
		q.mu.Unlock()
		var ringer <-chan time.Time
		stopp := func() {}
		if !til.IsZero() {
			ringer, stopp = q.b.c.Klokke.At(til)
		}
		select {
		case <-ringer:
			q.mu.Lock()
			q.alarm = time.Time{}
			q.mu.Unlock()
		case <-q.nyAlarm:
		case <-q.b.ctx.Done():
			stopp()
			return
		}
		stopp()
	}
}

// retur is a heap by place.
type retur []*post

func (r retur) Len() int           { return len(r) }
func (r retur) Less(i, j int) bool { return r[i].nr < r[j].nr }
func (r retur) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *retur) Push(x any)        { *r = append(*r, x.(*post)) }
func (r *retur) Pop() any {
	siste := len(*r) - 1
	p := (*r)[siste]
	(*r)[siste] = nil
	*r = (*r)[:siste]
	return p
}
