package amqp

import (
	"encoding/binary"
	"strconv"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
)

// headerForsok counts the deliveries that failed before this one, as RabbitMQ's quorum queues do.
const headerForsok = "x-delivery-count"

// hodetillegg is what a content header frame holds besides the platform's headers: the frame, class, weight, size, flags, the
// table's size, headerForsok and the expiration.
const hodetillegg = rammeTillegg + 14 + 4 + 1 + len(headerForsok) + 9 + 21

// Property flags of a content header.
const (
	egenskapHeadere    = 1 << 13
	egenskapExpiration = 1 << 8
)

// utgang is the next thing to write: a frame, or a message.
type utgang struct {
	ramme []byte
	post  *leveranse
}

// leveranse is one message on its way to a client.
type leveranse struct {
	kanal  uint16
	merke  string // consumer tag
	tag    uint64
	forsok int // 1 = the first
	ko     string
	m      broker.Melding
	hentet bool // answer to basic.get
	igjen  int  // then: ready messages left
}

// leggUt puts something in line for the writer, and waits while the line is long. The caller holds mu, and is the reader.
func (t *tilkobling) leggUt(u utgang) {
	for len(t.utgaende) >= maksUtgaende && !t.skriverBort {
		t.plass.Wait()
	}
	t.utgaende = append(t.utgaende, u)
	t.vekkSkriver()
}

func (t *tilkobling) svar(kanal uint16, metode uint32, argumenter ...[]byte) {
	t.leggUt(utgang{ramme: metoderamme(kanal, metode, argumenter...)})
}

func (t *tilkobling) vekkSkriver() {
	select {
	case t.vekk <- struct{}{}:
	default:
	}
}

// skriv writes until the reader has ended and all is written, or the socket fails; then the reader is woken by closing it.
func (t *tilkobling) skriv() {
	err := t.skrivAlt()
	if err != nil {
		_ = t.raa.Close()
	}
	t.mu.Lock()
	t.skriverBort = true
	t.plass.Broadcast()
	t.mu.Unlock()
}

func (t *tilkobling) skrivAlt() error {
	var slag <-chan time.Time
	if t.hjerteslag > 0 {
		takt := time.NewTicker(t.hjerteslag / 2)
		defer takt.Stop()
		slag = takt.C
	}
	var kladd []byte
	var ledig []utgang
	skrevet := false
	for {
		t.mu.Lock()
		ut := t.utgaende
		t.utgaende = ledig[:0]
		l, levert := t.neste()
		slutt := t.slutter
		t.plass.Broadcast()
		t.mu.Unlock()
		// What stands in line came before the message, and is written before it: the order of the lock is the order on the wire.
		for i, u := range ut {
			var err error
			if u.post != nil {
				kladd, err = t.skrivPost(kladd[:0], *u.post)
			} else {
				_, err = t.ut.Write(u.ramme)
			}
			if err != nil {
				return err
			}
			ut[i] = utgang{}
		}
		ledig = ut
		if levert {
			var err error
			if kladd, err = t.skrivPost(kladd[:0], l); err != nil {
				return err
			}
		}
		if levert || len(ut) > 0 {
			skrevet = true
			continue
		}
		if err := t.ut.Flush(); err != nil || slutt {
			return err
		}
		select {
		case <-t.vekk:
		case <-slag:
			if !skrevet {
				if err := t.send(hjerteslag); err != nil {
					return err
				}
			}
			skrevet = false
		}
	}
}

// skrivPost writes a message as a method, a header and as many body frames as the client's frame_max asks for.
func (t *tilkobling) skrivPost(b []byte, l leveranse) ([]byte, error) {
	if l.hentet {
		b = apneMetode(b, l.kanal, basicGetOk)
	} else {
		b = leggKortStreng(apneMetode(b, l.kanal, basicDeliver), l.merke)
	}
	b = append(binary.BigEndian.AppendUint64(b, l.tag), bit(l.forsok > 1))
	b = leggKortStreng(leggKortStreng(b, ""), l.ko) // default exchange; the routing key is the queue's name
	if l.hentet {
		b = binary.BigEndian.AppendUint32(b, uint32(l.igjen))
	}
	b = lukkRamme(b, 0)

	fra := len(b)
	b = binary.BigEndian.AppendUint32(apneRamme(b, rammeHode, l.kanal), klasseBasic<<16) // and weight 0
	b = binary.BigEndian.AppendUint64(b, uint64(len(l.m.Kropp)))
	flagg := uint16(egenskapHeadere)
	if l.m.TTL > 0 {
		flagg |= egenskapExpiration
	}
	b = binary.BigEndian.AppendUint16(b, flagg)
	b = leggTabell(b, func(b []byte) []byte {
		for navn, verdi := range l.m.Headere {
			b = leggStrengfelt(b, navn, verdi)
		}
		if l.forsok > 1 {
			b = leggTallfelt(b, headerForsok, int64(l.forsok-1))
		}
		return b
	})
	if l.m.TTL > 0 {
		b = leggKortStreng(b, strconv.FormatInt(l.m.TTL.Milliseconds(), 10))
	}
	b = lukkRamme(b, fra)

	for rest := l.m.Kropp; len(rest) > 0; {
		n := min(len(rest), t.maksKropp)
		b = binary.BigEndian.AppendUint16(append(b, rammeKropp), l.kanal)
		b = binary.BigEndian.AppendUint32(b, uint32(n))
		if _, err := t.ut.Write(b); err != nil {
			return b, err
		}
		if _, err := t.ut.Write(rest[:n]); err != nil {
			return b, err
		}
		b = append(b[:0], rammeSlutt)
		rest = rest[n:]
	}
	_, err := t.ut.Write(b)
	return b, err
}
