package amqp

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"time"
)

// protokollhode opens every connection, and answers one that opens with anything else (AMQP 0-9-1 §4.2.2).
const protokollhode = "AMQP\x00\x00\x09\x01"

var (
	errProtokoll = errors.New("amqp: fremmed protokoll")
	errAvslag    = errors.New("amqp: innlogging nektet")
)

// handtrykk takes the connection from its first octet to an open virtual host. Nothing else runs on it yet, so it writes for itself.
// A *feil is for the client to be told.
func (t *tilkobling) handtrykk() error {
	ctx, avbryt := context.WithTimeout(t.b.ctx, handtrykkfrist)
	defer avbryt()
	if tc, ok := t.c.(*tls.Conn); ok {
		if err := tc.HandshakeContext(ctx); err != nil {
			return err
		}
	}
	var hode [len(protokollhode)]byte
	if _, err := io.ReadFull(t.inn.r, hode[:]); err != nil {
		return err
	}
	if string(hode[:]) != protokollhode {
		_, _ = t.ut.WriteString(protokollhode)
		_ = t.ut.Flush()
		return errProtokoll
	}
	if err := t.send(startramme()); err != nil {
		return err
	}
	if err := t.logginn(ctx); err != nil {
		return err
	}
	if err := t.avtal(); err != nil {
		return err
	}
	l, err := t.ventMetode(connectionOpen)
	if err != nil {
		return err
	}
	vhost := l.kortStreng()
	_, _ = l.kortStreng(), l.oktett() // reserved: capabilities, insist
	if !l.ferdig() {
		return nyFeil(feilSyntaks, "connection.open kan ikke leses")
	}
	if vhost != "/" {
		return nyFeil(feilIkkeLov, "bare vhost «/» finnes")
	}
	if !t.b.innlogget(t) {
		return nyFeil(feilIkkeLov, "for mange tilkoblinger")
	}
	return t.send(metoderamme(0, connectionOpenOk, kortStreng("")))
}

func startramme() []byte {
	egenskaper := leggTabell(nil, func(b []byte) []byte {
		b = leggStrengfelt(b, "product", "Fiks IO-simulator")
		b = leggStrengfelt(b, "version", "1")
		b = leggStrengfelt(b, "platform", "Go")
		b = append(leggKortStreng(b, "capabilities"), 'F')
		return leggTabell(b, func(b []byte) []byte {
			for _, kan := range []string{"basic.nack", "consumer_cancel_notify", "connection.blocked", "authentication_failure_close", "per_consumer_qos"} {
				b = leggBoolfelt(b, kan, true)
			}
			return leggBoolfelt(leggBoolfelt(b, "publisher_confirms", false), "exchange_exchange_bindings", false)
		})
	})
	return metoderamme(0, connectionStart, []byte{0, 9}, egenskaper, leggLangStreng(nil, "PLAIN"), leggLangStreng(nil, "en_US"))
}

// logginn asks Tilgang about what start-ok says. What was wrong with it is told to nobody.
func (t *tilkobling) logginn(ctx context.Context) error {
	l, err := t.ventMetode(connectionStartOk)
	if err != nil {
		return err
	}
	egenskaper, mekanisme, svar, _ := l.tabell(), l.kortStreng(), l.langStreng(), l.kortStreng()
	if !l.ferdig() {
		return nyFeil(feilSyntaks, "connection.start-ok kan ikke leses")
	}
	// SASL PLAIN (RFC 4616): an identity to act as, which is ignored, the user and the password.
	deler := strings.Split(svar, "\x00")
	if mekanisme == "PLAIN" && len(deler) == 3 && t.b.c.Tilgang.LoggInn(ctx, deler[1], deler[2]) {
		t.bruker = deler[1]
		return nil
	}
	evner, _ := egenskaper["capabilities"].(map[string]any)
	if vil, _ := evner["authentication_failure_close"].(bool); vil {
		return nyFeil(feilNektet, "innlogging nektet")
	}
	return errAvslag // clients that have not asked to be told expect a closed socket
}

// avtal proposes limits and takes the client's.
func (t *tilkobling) avtal() error {
	tune := binary.BigEndian.AppendUint16(nil, maksKanaler)
	tune = binary.BigEndian.AppendUint32(tune, uint32(t.b.c.FrameMax))
	tune = binary.BigEndian.AppendUint16(tune, uint16(t.b.c.Hjerteslag/time.Second))
	if err := t.send(metoderamme(0, connectionTune, tune)); err != nil {
		return err
	}
	l, err := t.ventMetode(connectionTuneOk)
	if err != nil {
		return err
	}
	kanaler, ramme, slag := l.kort(), l.lang(), l.kort()
	if !l.ferdig() {
		return nyFeil(feilSyntaks, "connection.tune-ok kan ikke leses")
	}
	if kanaler == 0 {
		kanaler = maksKanaler
	}
	if ramme == 0 {
		ramme = uint32(t.b.c.FrameMax)
	}
	if kanaler > maksKanaler || ramme < minFrameMax || uint64(ramme) > uint64(t.b.c.FrameMax) {
		return nyFeil(feilIkkeLov, "tune-ok er utenfor det som ble foreslått")
	}
	t.maksKanal = kanaler
	t.maksKropp = int(ramme) - rammeTillegg
	t.inn.maks = t.maksKropp
	t.hjerteslag = time.Duration(slag) * time.Second
	return nil
}

// ventMetode gives the arguments of the one method that may come now.
func (t *tilkobling) ventMetode(vil uint32) (*leser, error) {
	for {
		f, err := t.inn.les()
		if err != nil {
			return nil, err
		}
		if f.slag == rammeHjerteslag {
			continue // a client may beat as soon as it has seen tune
		}
		l := &leser{b: f.last}
		switch metode := l.lang(); {
		case f.slag != rammeMetode || f.kanal != 0:
			return nil, nyFeil(feilUventet, "rammen hører ikke hjemme her")
		case metode == connectionClose:
			_ = t.send(metoderamme(0, connectionCloseOk))
			return nil, io.EOF
		case metode != vil:
			return nil, nyFeil(feilKommando, "metoden hører ikke hjemme her")
		}
		return l, nil
	}
}

func (t *tilkobling) send(b []byte) error {
	if _, err := t.ut.Write(b); err != nil {
		return err
	}
	return t.ut.Flush()
}
