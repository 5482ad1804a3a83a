package amqp

import (
	"encoding/binary"
	"math"
	"strings"
)

// maksDybde is how deep tables and arrays may lie in each other.
const maksDybde = 16

// leser reads a method's arguments in order. Reading past the end, or a value that is none, makes it feilet, and from then on it
// gives zero values: callers look once, with ferdig.
type leser struct {
	b      []byte
	feilet bool
}

// ferdig says whether everything was there and nothing is left.
func (l *leser) ferdig() bool { return !l.feilet && len(l.b) == 0 }

func (l *leser) ta(n uint64) []byte {
	if l.feilet || n > uint64(len(l.b)) {
		l.feilet = true
		return nil
	}
	b := l.b[:n]
	l.b = l.b[n:]
	return b
}

func (l *leser) oktett() (v byte) {
	if b := l.ta(1); b != nil {
		v = b[0]
	}
	return v
}

func (l *leser) kort() (v uint16) {
	if b := l.ta(2); b != nil {
		v = binary.BigEndian.Uint16(b)
	}
	return v
}

func (l *leser) lang() (v uint32) {
	if b := l.ta(4); b != nil {
		v = binary.BigEndian.Uint32(b)
	}
	return v
}

func (l *leser) langlang() (v uint64) {
	if b := l.ta(8); b != nil {
		v = binary.BigEndian.Uint64(b)
	}
	return v
}

func (l *leser) kortStreng() string { return string(l.ta(uint64(l.oktett()))) }

func (l *leser) langStreng() string { return string(l.ta(uint64(l.lang()))) }

func (l *leser) tabell() map[string]any { return l.tabellI(0) }

func (l *leser) tabellI(dybde int) map[string]any {
	inni := leser{b: l.ta(uint64(l.lang())), feilet: l.feilet || dybde > maksDybde}
	t := map[string]any{}
	for len(inni.b) > 0 && !inni.feilet {
		navn := inni.kortStreng()
		t[navn] = inni.felt(dybde)
	}
	l.feilet = l.feilet || inni.feilet
	return t
}

// felt reads one tagged value. The tags are those that RabbitMQ and its clients use; where they part from the specification's own
// list ('s' is a 16-bit number to them and a short string to it), theirs is what comes on the wire.
func (l *leser) felt(dybde int) any {
	switch l.oktett() {
	case 't':
		return l.oktett() != 0
	case 'b':
		return int8(l.oktett())
	case 'B':
		return l.oktett()
	case 's', 'U':
		return int16(l.kort())
	case 'u':
		return l.kort()
	case 'I':
		return int32(l.lang())
	case 'i':
		return l.lang()
	case 'l', 'L':
		return int64(l.langlang())
	case 'T':
		return l.langlang()
	case 'f':
		return math.Float32frombits(l.lang())
	case 'd':
		return math.Float64frombits(l.langlang())
	case 'D':
		desimaler, v := l.oktett(), int32(l.lang())
		return float64(v) / math.Pow10(int(desimaler))
	case 'S', 'x':
		return l.langStreng()
	case 'A':
		inni := leser{b: l.ta(uint64(l.lang())), feilet: l.feilet || dybde >= maksDybde}
		a := []any{}
		for len(inni.b) > 0 && !inni.feilet {
			a = append(a, inni.felt(dybde+1))
		}
		l.feilet = l.feilet || inni.feilet
		return a
	case 'F':
		return l.tabellI(dybde + 1)
	case 'V':
		return nil
	}
	l.feilet = true
	return nil
}

// leggKortStreng appends s, cut to what a short string holds.
func leggKortStreng(b []byte, s string) []byte {
	if len(s) > math.MaxUint8 {
		s = strings.ToValidUTF8(s[:math.MaxUint8], "")
	}
	return append(append(b, byte(len(s))), s...)
}

func leggLangStreng(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// leggTabell appends what fyll appends, with its size in front.
func leggTabell(b []byte, fyll func([]byte) []byte) []byte {
	fra := len(b)
	b = fyll(append(b, 0, 0, 0, 0))
	binary.BigEndian.PutUint32(b[fra:], uint32(len(b)-fra-4))
	return b
}

func leggStrengfelt(b []byte, navn, verdi string) []byte {
	return leggLangStreng(append(leggKortStreng(b, navn), 'S'), verdi)
}

func leggBoolfelt(b []byte, navn string, verdi bool) []byte {
	return append(leggKortStreng(b, navn), 't', bit(verdi))
}

func leggTallfelt(b []byte, navn string, verdi int64) []byte {
	return binary.BigEndian.AppendUint64(append(leggKortStreng(b, navn), 'l'), uint64(verdi))
}

// bit is a lone flag: AMQP packs neighbouring bits into one octet from the lowest up.
func bit(pa bool) byte {
	if pa {
		return 1
	}
	return 0
}
