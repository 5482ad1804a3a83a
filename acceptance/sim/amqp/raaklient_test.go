package amqp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// raaklient speaks frame by frame, right or wrong.
type raaklient struct {
	t   testing.TB
	c   net.Conn
	inn rammeleser
}

func nyRaaklient(t testing.TB, c net.Conn) *raaklient {
	t.Cleanup(func() { _ = c.Close() })
	return &raaklient{t: t, c: c, inn: rammeleser{r: bufio.NewReader(c), maks: maksFrameMax}}
}

func ring(t testing.TB, b *Broker) *raaklient {
	t.Helper()
	c, err := net.DialTimeout("tcp", b.Adresse(), frist)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(frist)); err != nil {
		t.Fatal(err)
	}
	return nyRaaklient(t, c)
}

func (r *raaklient) skriv(b ...[]byte) {
	r.t.Helper()
	for _, x := range b {
		if _, err := r.c.Write(x); err != nil {
			r.t.Fatalf("skriv: %v", err)
		}
	}
}

func (r *raaklient) metode(kanal uint16, metode uint32, argumenter ...[]byte) {
	r.t.Helper()
	r.skriv(metoderamme(kanal, metode, argumenter...))
}

// ramme reads the next frame that is no heartbeat.
func (r *raaklient) ramme() ramme {
	r.t.Helper()
	for {
		f, err := r.inn.les()
		if err != nil {
			r.t.Fatalf("les: %v", err)
		}
		if f.slag != rammeHjerteslag {
			return f
		}
	}
}

// vent reads the next method, which must be this one, and gives its arguments.
func (r *raaklient) vent(kanal uint16, metode uint32) *leser {
	r.t.Helper()
	f := r.ramme()
	l := &leser{b: f.last}
	if har := l.lang(); f.slag != rammeMetode || f.kanal != kanal || har != metode {
		r.t.Fatalf("ventet metode %d.%d på kanal %d, fikk ramme %d med %d.%d på kanal %d", metode>>16, metode&0xffff, kanal, f.slag, har>>16, har&0xffff, f.kanal)
	}
	return l
}

// ventLukk reads the close that must come now, and gives its code.
func (r *raaklient) ventLukk(kanal uint16) int {
	r.t.Helper()
	metode := uint32(connectionClose)
	if kanal != 0 {
		metode = channelClose
	}
	return int(r.vent(kanal, metode).kort())
}

// ventSlutt reads until the broker has closed the socket.
func (r *raaklient) ventSlutt() {
	r.t.Helper()
	if _, err := io.Copy(io.Discard, r.inn.r); errors.Is(err, io.ErrClosedPipe) || isTimeout(err) {
		r.t.Fatalf("forbindelsen ble ikke brutt: %v", err)
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func startOk(egenskaper []byte, mekanisme, svar string) []byte {
	return metoderamme(0, connectionStartOk, egenskaper, kortStreng(mekanisme), leggLangStreng(nil, svar), kortStreng("en_US"))
}

func plain(hvem, med string) string { return "\x00" + hvem + "\x00" + med }

var tomTabell = []byte{0, 0, 0, 0}

func tuneOk(kanaler uint16, ramme uint32, slag uint16) []byte {
	b := binary.BigEndian.AppendUint16(nil, kanaler)
	return metoderamme(0, connectionTuneOk, binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(b, ramme), slag))
}

func open(vhost string) []byte {
	return metoderamme(0, connectionOpen, kortStreng(vhost), kortStreng(""), []byte{0})
}

// loggInn goes through the handshake, with this heartbeat, and opens channel 1.
func (r *raaklient) loggInn(slag uint16) *raaklient {
	r.t.Helper()
	r.skriv([]byte(protokollhode))
	r.vent(0, connectionStart)
	r.skriv(startOk(tomTabell, "PLAIN", plain(bruker, passord)))
	r.vent(0, connectionTune)
	r.skriv(tuneOk(0, 0, slag), open("/"))
	r.vent(0, connectionOpenOk)
	r.apneKanal(1)
	return r
}

func (r *raaklient) apneKanal(nr uint16) {
	r.t.Helper()
	r.metode(nr, channelOpen, kortStreng(""))
	r.vent(nr, channelOpenOk)
}

func consume(ko, merke string, flagg byte) [][]byte {
	return [][]byte{{0, 0}, kortStreng(ko), kortStreng(merke), {flagg}, tomTabell}
}

// abonner consumes on channel 1 and gives the tag.
func (r *raaklient) abonner(ko string) string {
	r.t.Helper()
	r.metode(1, basicConsume, consume(ko, "", 0)...)
	return r.vent(1, basicConsumeOk).kortStreng()
}

// levering reads one delivery with its content.
func (r *raaklient) levering(kanal uint16) (tag uint64, kropp []byte) {
	r.t.Helper()
	l := r.vent(kanal, basicDeliver)
	_ = l.kortStreng()
	return l.langlang(), r.innhold(kanal)
}

func (r *raaklient) innhold(kanal uint16) (kropp []byte) {
	r.t.Helper()
	f := r.ramme()
	if f.slag != rammeHode || f.kanal != kanal {
		r.t.Fatalf("ventet innholdshode, fikk ramme %d på kanal %d", f.slag, f.kanal)
	}
	for n := binary.BigEndian.Uint64(f.last[4:]); uint64(len(kropp)) < n; {
		f := r.ramme()
		if f.slag != rammeKropp || f.kanal != kanal {
			r.t.Fatalf("ventet innhold, fikk ramme %d på kanal %d", f.slag, f.kanal)
		}
		kropp = append(kropp, f.last...)
	}
	return kropp
}

func (r *raaklient) qos(antall uint16, global bool) {
	r.t.Helper()
	r.metode(1, basicQos, tall32(0), binary.BigEndian.AppendUint16(nil, antall), []byte{bit(global)})
	r.vent(1, basicQosOk)
}

func (r *raaklient) ack(tag uint64) {
	r.t.Helper()
	r.metode(1, basicAck, binary.BigEndian.AppendUint64(nil, tag), []byte{0})
}
