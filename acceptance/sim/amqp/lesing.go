package amqp

import (
	"crypto/rand"
)

// maksKonsumenter is for one connection.
const maksKonsumenter = 2047

// lesing is what needs leave to read a queue: consume, get and a passive declare. Leave is asked before the queue is looked for, so
// that nobody learns of a queue that is not theirs. Tilgang may take its time, and deliveries go on meanwhile.
func (k *kanal) lesing(metode uint32, l *leser) error {
	if k.erLukket() {
		return nil
	}
	_ = l.kort() // reserved: ticket
	navn := l.kortStreng()
	var merke string
	if metode == basicConsume {
		merke = l.kortStreng()
	}
	flagg := l.oktett()
	if metode != basicGet {
		_ = l.tabell() // arguments: none has a meaning here
	}
	if !l.ferdig() {
		return nyFeil(feilSyntaks, "metoden kan ikke leses")
	}
	if metode == queueDeclare && flagg&1 == 0 {
		return nyFeil(feilNektet, "klienter kan ikke lage køer")
	}
	if !k.t.sporTilgang(navn) {
		return nyFeil(feilNektet, "ingen lesetilgang til køen")
	}
	q := k.t.b.finnKo(navn)
	if q == nil {
		return nyFeil(feilMangler, "køen finnes ikke")
	}
	k.t.mu.Lock()
	defer k.t.mu.Unlock()
	switch {
	case k.t.lukker:
		return nil // Brudd came in between
	case metode == basicConsume:
		return k.abonner(q, merke, flagg)
	case metode == basicGet:
		k.hent(q, flagg&1 != 0)
	case flagg&(1<<4) == 0: // not no-wait
		k.koOk(q)
	}
	return nil
}

func (k *kanal) erLukket() bool {
	k.t.mu.Lock()
	defer k.t.mu.Unlock()
	return k.lukker || k.t.lukker
}

// abonner is basic.consume. no-local means nothing here: nobody publishes on a connection.
func (k *kanal) abonner(q *ko, merke string, flagg byte) error {
	if merke == "" {
		merke = "amq.ctag-" + rand.Text()
	}
	if k.konsumenter[merke] != nil {
		return nyFeil(feilIkkeLov, "kanalen har alt en konsument med det navnet")
	}
	if k.t.konsumenter >= maksKonsumenter {
		return nyFeil(feilRessurs, "for mange konsumenter")
	}
	c := &konsument{merke: merke, kanal: k, ko: q, utenAck: flagg&2 != 0, eksklusiv: flagg&4 != 0, grense: k.forhand}
	if q.begynn(c) != nil {
		return nyFeil(feilNektet, "køen har en konsument som vil være alene")
	}
	k.konsumenter[merke] = c
	k.t.konsumenter++
	if flagg&8 == 0 {
		k.t.svar(k.nr, basicConsumeOk, kortStreng(merke))
	}
	k.t.klar(c)
	return nil
}

// hent is basic.get.
func (k *kanal) hent(q *ko, utenAck bool) {
	p, forsok, igjen := q.ta(nil)
	if p == nil {
		k.t.svar(k.nr, basicGetEmpty, kortStreng(""))
		return
	}
	l := k.lever(nil, q, p, forsok, utenAck)
	l.hentet, l.igjen = true, igjen
	k.t.leggUt(utgang{post: &l})
}
