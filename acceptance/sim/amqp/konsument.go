package amqp

// konsument is one consumer. It is in one of these places at a time: the connection's klare (it has a turn), the queue's ventere
// (the queue was empty), or mett (it may hold no more un-acked). The fields that change are under the connection's mu.
type konsument struct {
	merke     string
	kanal     *kanal
	ko        *ko
	utenAck   bool
	eksklusiv bool
	grense    int // un-acked at most; 0 = no limit

	ute  int
	mett bool
	bort bool
}

// kanMer says whether it may be handed one more.
func (c *konsument) kanMer() bool {
	k := c.kanal
	return !k.stanset && (c.utenAck || (c.grense == 0 || c.ute < c.grense) && (k.felles == 0 || k.ute() < k.felles))
}

// klar gives c a turn. Its queue calls it, holding its own lock.
func (t *tilkobling) klar(c *konsument) {
	t.klarMu.Lock()
	t.klare.legg(c)
	t.klarMu.Unlock()
	t.vekkSkriver()
}

func (t *tilkobling) taKlar() (*konsument, bool) {
	t.klarMu.Lock()
	defer t.klarMu.Unlock()
	return t.klare.ta()
}

// neste takes the next message that a consumer of this connection can have. The caller holds mu, and is the writer.
func (t *tilkobling) neste() (leveranse, bool) {
	for !t.lukker {
		c, ok := t.taKlar()
		if !ok {
			break
		}
		if c.bort {
			continue // its queue was told when it went
		}
		if !c.kanMer() {
			c.mett = true
			c.ko.giVidere()
			continue
		}
		p, forsok, _ := c.ko.ta(c)
		if p == nil {
			continue
		}
		l := c.kanal.lever(c, c.ko, p, forsok, c.utenAck)
		l.merke = c.merke
		if c.mett = !c.kanMer(); !c.mett {
			t.klarMu.Lock()
			t.klare.legg(c) // last: the connection's consumers take turns
			t.klarMu.Unlock()
		}
		return l, true
	}
	return leveranse{}, false
}
