package amqp

import "encoding/binary"

// kanal is one channel of a connection. All of it is under the connection's mu; what changes channels is the reader, and Brudd.
type kanal struct {
	t           *tilkobling
	nr          uint16
	sisteTag    uint64
	eldste      uint64 // no un-acked tag is below it
	ubekreftet  map[uint64]utestaende
	konsumenter map[string]*konsument
	forhand     int  // prefetch for consumers to come
	felles      int  // prefetch for the channel as a whole
	stanset     bool // by channel.flow
	lukker      bool // channel.close is sent: everything but its answer is thrown away
	kladd       []utestaende
}

func (t *tilkobling) apneKanal(nr uint16, finnes *kanal, l *leser) error {
	if _ = l.kortStreng(); !l.ferdig() {
		return nyFeil(feilSyntaks, "channel.open kan ikke leses")
	}
	if finnes != nil || nr > t.maksKanal {
		return nyFeil(feilKanal, "kanalen kan ikke åpnes")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lukker {
		return nil
	}
	t.kanaler[nr] = &kanal{t: t, nr: nr, eldste: 1, ubekreftet: map[uint64]utestaende{}, konsumenter: map[string]*konsument{}}
	t.svar(nr, channelOpenOk, tall32(0))
	return nil
}

// lukkKanal closes a channel over an error; the connection and its other channels go on.
func (t *tilkobling) lukkKanal(nr uint16, f *feil, metode uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k := t.kanaler[nr]; k != nil {
		k.forlat()
		k.lukker = true
		t.leggUt(utgang{ramme: lukkeramme(nr, f, metode)})
	}
}

// metode obeys one method on an open channel.
func (k *kanal) metode(metode uint32, l *leser) error {
	t := k.t
	if metode == basicConsume || metode == basicGet || metode == queueDeclare {
		return k.lesing(metode, l) // asks Tilgang, and must not hold the lock meanwhile
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lukker {
		return nil
	}
	switch metode {
	case channelClose:
		k.forlat()
		delete(t.kanaler, k.nr)
		t.svar(k.nr, channelCloseOk)
		return nil
	case channelCloseOk:
		if !k.lukker {
			return nyFeil(feilKommando, "ingen har lukket kanalen")
		}
		delete(t.kanaler, k.nr)
		return nil
	}
	if k.lukker {
		return nil
	}
	switch metode {
	case channelFlow:
		return k.flyt(l)
	case channelFlowOk:
		return nil
	case basicQos:
		return k.qos(l)
	case basicCancel:
		return k.avmeld(l)
	case basicAck, basicNack, basicReject:
		return k.avgjor(metode, l)
	case basicRecover, basicRecoverAsync:
		return k.gjenopprett(metode, l)
	case basicPublish:
		return nyFeil(feilNektet, "meldinger sendes over HTTP, ikke AMQP")
	}
	switch metode >> 16 {
	case klasseExchange, klasseQueue, klasseConfirm, klasseTx:
		return nyFeil(feilNektet, "klienter kan bare lese fra kontoens kø")
	}
	return nyFeil(feilIkkeLaget, tekstIkkeLaget)
}

// flyt is channel.flow: a client may hold deliveries back.
func (k *kanal) flyt(l *leser) error {
	aktiv := l.oktett()&1 != 0
	if !l.ferdig() {
		return nyFeil(feilSyntaks, "channel.flow kan ikke leses")
	}
	k.stanset = !aktiv
	k.t.svar(k.nr, channelFlowOk, []byte{bit(aktiv)})
	k.vekkMette()
	return nil
}

// qos sets the prefetch: of consumers to come, or with global of the channel as a whole (RabbitMQ's reading of the flag).
func (k *kanal) qos(l *leser) error {
	oktetter, antall, global := l.lang(), l.kort(), l.oktett()&1 != 0
	if !l.ferdig() {
		return nyFeil(feilSyntaks, "basic.qos kan ikke leses")
	}
	if oktetter != 0 {
		return nyFeil(feilIkkeLaget, "prefetch_size er ikke 0")
	}
	if global {
		k.felles = int(antall)
		k.vekkMette()
	} else {
		k.forhand = int(antall)
	}
	k.t.svar(k.nr, basicQosOk)
	return nil
}

func (k *kanal) avmeld(l *leser) error {
	merke, utenSvar := l.kortStreng(), l.oktett()&1 != 0
	if !l.ferdig() {
		return nyFeil(feilSyntaks, "basic.cancel kan ikke leses")
	}
	if c := k.konsumenter[merke]; c != nil {
		k.fjern(c) // what it holds stays un-acked: the client may still ack it
	}
	if !utenSvar {
		k.t.svar(k.nr, basicCancelOk, kortStreng(merke))
	}
	return nil
}

// avgjor is ack, nack and reject.
func (k *kanal) avgjor(metode uint32, l *leser) error {
	tag, flagg := l.langlang(), l.oktett()
	if !l.ferdig() {
		return nyFeil(feilSyntaks, "basic.ack, nack eller reject kan ikke leses")
	}
	flere, tilbake := flagg&1 != 0, flagg&2 != 0
	if metode == basicReject {
		flere, tilbake = false, flagg&1 != 0
	}
	uu, ok := k.taUbekreftet(tag, flere)
	if !ok {
		return nyFeil(feilVilkar, "ukjent leveringsnummer %d", tag)
	}
	switch {
	case metode == basicAck:
		for _, u := range uu {
			u.ko.bekreft(1)
		}
		clear(uu)
	case tilbake:
		prKo(uu, (*ko).tilbake)
	default:
		prKo(uu, (*ko).avvis)
	}
	return nil
}

// gjenopprett puts everything un-acked back on its queue.
func (k *kanal) gjenopprett(metode uint32, l *leser) error {
	tilbake := l.oktett()&1 != 0
	if !l.ferdig() {
		return nyFeil(feilSyntaks, "basic.recover kan ikke leses")
	}
	if !tilbake {
		return nyFeil(feilIkkeLaget, "basic.recover uten requeue")
	}
	uu, _ := k.taUbekreftet(0, true)
	prKo(uu, (*ko).tilbake)
	if metode == basicRecover {
		k.t.svar(k.nr, basicRecoverOk)
	}
	return nil
}

func (k *kanal) fjern(c *konsument) {
	c.bort = true
	delete(k.konsumenter, c.merke)
	k.t.konsumenter--
	c.ko.slutt(c)
}

// forlat takes away consumers and puts everything un-acked back: the channel is over.
func (k *kanal) forlat() {
	for _, c := range k.konsumenter {
		k.fjern(c)
	}
	uu, _ := k.taUbekreftet(0, true)
	prKo(uu, (*ko).tilbake)
}

// koOk is queue.declare-ok.
func (k *kanal) koOk(q *ko) {
	s := q.status()
	b := leggKortStreng(nil, q.navn)
	b = binary.BigEndian.AppendUint32(b, uint32(s.Klare))
	k.t.svar(k.nr, queueDeclareOk, binary.BigEndian.AppendUint32(b, uint32(s.Konsumenter)))
}
