package amqp

import (
	"bufio"
	"encoding/binary"
	"io"
)

// Frame types and sizes, AMQP 0-9-1 §4.2.3 and §1.1 of its constants.
const (
	rammeMetode     = 1
	rammeHode       = 2
	rammeKropp      = 3
	rammeHjerteslag = 8
	rammeSlutt      = 0xCE

	rammeStart   = 7              // octets before a payload: type, channel, size
	rammeTillegg = rammeStart + 1 // and the end octet after it
	minFrameMax  = 4096           // no peer may negotiate less
	maksForTune  = 64 << 10       // payload of a frame before tune: a start-ok carries a password of several kB
)

// ramme is one frame as read. last is valid until the next frame is read.
type ramme struct {
	slag  byte
	kanal uint16
	last  []byte
}

// rammeleser cuts a stream into frames. After an error the stream's place is unknown, and it must not be used again.
type rammeleser struct {
	r    *bufio.Reader
	maks int // payload octets
	buf  []byte
}

// les gives the next frame. A frame that breaks the rules is a *feil (501); anything else is the stream's own error.
func (l *rammeleser) les() (ramme, error) {
	var h [rammeStart]byte
	if _, err := io.ReadFull(l.r, h[:]); err != nil {
		return ramme{}, err
	}
	f := ramme{slag: h[0], kanal: binary.BigEndian.Uint16(h[1:])}
	n := binary.BigEndian.Uint32(h[3:])
	switch f.slag {
	case rammeMetode, rammeHode, rammeKropp, rammeHjerteslag:
	default:
		return ramme{}, nyFeil(feilRamme, "ukjent rammetype")
	}
	if uint64(n) > uint64(l.maks) {
		return ramme{}, nyFeil(feilRamme, "rammen er for stor")
	}
	if cap(l.buf) < int(n)+1 {
		l.buf = make([]byte, n+1)
	}
	b := l.buf[:n+1]
	if _, err := io.ReadFull(l.r, b); err != nil {
		return ramme{}, err
	}
	if b[n] != rammeSlutt {
		return ramme{}, nyFeil(feilRamme, "rammen slutter feil")
	}
	f.last = b[:n]
	return f, nil
}

// apneRamme appends the start of a frame to b; lukkRamme, given where it began, sets its size and appends its end.
func apneRamme(b []byte, slag byte, kanal uint16) []byte {
	b = append(b, slag)
	b = binary.BigEndian.AppendUint16(b, kanal)
	return append(b, 0, 0, 0, 0)
}

func lukkRamme(b []byte, fra int) []byte {
	binary.BigEndian.PutUint32(b[fra+3:], uint32(len(b)-fra-rammeStart))
	return append(b, rammeSlutt)
}

var hjerteslag = lukkRamme(apneRamme(nil, rammeHjerteslag, 0), 0)
