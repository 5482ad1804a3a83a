package amqp

import (
	"cmp"
	"slices"
)

// utestaende is a delivered message that is not yet acked. c is nil when it was fetched with basic.get.
type utestaende struct {
	tag uint64
	p   *post
	ko  *ko
	c   *konsument
}

func (k *kanal) ute() int { return len(k.ubekreftet) }

// lever notes a message as delivered on this channel.
func (k *kanal) lever(c *konsument, q *ko, p *post, forsok int, utenAck bool) leveranse {
	k.sisteTag++
	if utenAck {
		q.bekreft(1) // a crash between here and the socket loses it: that is what no-ack means
	} else {
		if len(k.ubekreftet) == 0 {
			k.eldste = k.sisteTag
		}
		k.ubekreftet[k.sisteTag] = utestaende{k.sisteTag, p, q, c}
		if c != nil {
			c.ute++
		}
	}
	return leveranse{kanal: k.nr, tag: k.sisteTag, forsok: forsok, ko: q.navn, m: p.m}
}

// taUbekreftet takes out one un-acked delivery, or all up to and with it; tag 0 with flere is all there are. False when there is no
// such tag, as in RabbitMQ also for one that is already settled. The slice is good until the next call.
func (k *kanal) taUbekreftet(tag uint64, flere bool) (uu []utestaende, ok bool) {
	if flere && tag == 0 {
		tag = k.sisteTag
	} else if _, ok := k.ubekreftet[tag]; !ok {
		return nil, false
	}
	uu = k.kladd[:0]
	fra := tag
	if flere {
		fra = k.eldste
	}
	for i := fra; i <= tag; i++ {
		u, ok := k.ubekreftet[i]
		if !ok {
			continue
		}
		delete(k.ubekreftet, i)
		uu = append(uu, u)
		if u.c != nil {
			u.c.ute--
			k.vekkMett(u.c)
		}
	}
	if fra <= k.eldste {
		k.eldste = tag + 1
	}
	if k.felles > 0 {
		k.vekkMette()
	}
	k.kladd = uu
	return uu, true
}

// vekkMett gives a consumer that was full its turn when it may have more.
func (k *kanal) vekkMett(c *konsument) {
	if c.mett && !c.bort && c.kanMer() {
		c.mett = false
		k.t.klar(c)
	}
}

func (k *kanal) vekkMette() {
	for _, c := range k.konsumenter {
		k.vekkMett(c)
	}
}

// prKo calls gjor once for each queue, with what came from it, and clears uu.
func prKo(uu []utestaende, gjor func(*ko, []*post)) {
	slices.SortStableFunc(uu, func(a, b utestaende) int { return cmp.Compare(a.ko.navn, b.ko.navn) })
	var pp []*post
	for i, u := range uu {
		pp = append(pp, u.p)
		if i+1 == len(uu) || uu[i+1].ko != u.ko {
			gjor(u.ko, pp)
			pp = nil
		}
	}
	clear(uu)
}
