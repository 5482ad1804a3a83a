package amqp

import (
	"container/heap"
	"slices"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
)

// headerID names the header that tells messages apart (reference fiks-io.md §1.5).
const headerID = "melding-id"

// Meldinger lists what lies ready on a queue, head first; nil when there is no such queue. The headers and bodies are the queue's
// own and must not be changed. What is delivered and not yet acked is the consumer's and is not listed.
func (b *Broker) Meldinger(navn string) []broker.Melding {
	q := b.finnKo(navn)
	if q == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rydd()
	pp := slices.Concat(q.retur, q.nye.a[q.nye.h:])
	slices.SortFunc(pp, func(a, b *post) int { return int(int64(a.nr) - int64(b.nr)) })
	var ut []broker.Melding
	for _, p := range pp {
		ut = append(ut, p.m)
	}
	return ut
}

// Fjern takes a ready message away without a trace; false when none has that id. It looks through the whole queue.
func (b *Broker) Fjern(navn, meldingID string) bool { return b.plukk(navn, meldingID, nil) }

// UtlopNa makes a ready message expire at once, wherever it stands; false when none has that id.
func (b *Broker) UtlopNa(navn, meldingID string) bool {
	return b.plukk(navn, meldingID, func(q *ko, p *post) { q.dod(p, broker.Utlopt) })
}

func (b *Broker) plukk(navn, meldingID string, gjor func(*ko, *post)) bool {
	q := b.finnKo(navn)
	if q == nil {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	treff := func(p *post) bool { return p.m.Headere[headerID] == meldingID }
	var p *post
	if i := slices.IndexFunc(q.retur, treff); i >= 0 {
		p = heap.Remove(&q.retur, i).(*post)
	} else if i := slices.IndexFunc(q.nye.a[q.nye.h:], treff); i >= 0 {
		p = q.nye.a[q.nye.h+i]
		q.nye.a = slices.Delete(q.nye.a, q.nye.h+i, q.nye.h+i+1)
	} else {
		return false
	}
	if gjor != nil {
		gjor(q, p)
	}
	q.stillAlarm()
	return true
}
