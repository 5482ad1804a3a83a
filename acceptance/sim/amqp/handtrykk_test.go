package amqp

import (
	"encoding/binary"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/memory"
)

func TestAClientOfAnotherProtocolIsToldWhichOneIsSpokenHere(t *testing.T) {
	b := startet(t, Config{})
	for _, hode := range []string{"AMQP\x01\x01\x00\x09", "AMQP\x00\x01\x00\x00", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc"} {
		r := ring(t, b)
		r.skriv([]byte(hode))
		svar, err := io.ReadAll(r.c)
		is := is.New(t)
		is.NoErr(err)
		is.Equal(string(svar), protokollhode)
	}
}

func TestTheServerSaysWhatItIsAndProposesLimits(t *testing.T) {
	is := is.New(t)
	r := ring(t, startet(t, Config{FrameMax: 8192, Hjerteslag: 10 * time.Second}))
	r.skriv([]byte(protokollhode))
	l := r.vent(0, connectionStart)
	is.Equal(l.kort(), uint16(9)) // version 0-9
	egenskaper := l.tabell()
	evner := egenskaper["capabilities"].(map[string]any)
	for _, kan := range []string{"basic.nack", "consumer_cancel_notify", "connection.blocked", "authentication_failure_close", "per_consumer_qos"} {
		is.Equal(evner[kan], true)
	}
	is.Equal(evner["publisher_confirms"], false)
	is.Equal(l.langStreng(), "PLAIN")
	is.Equal(l.langStreng(), "en_US")
	is.True(l.ferdig())
	r.skriv(startOk(tomTabell, "PLAIN", plain(bruker, passord)))
	l = r.vent(0, connectionTune)
	is.Equal(l.kort(), uint16(2047))
	is.Equal(l.lang(), uint32(8192))
	is.Equal(l.kort(), uint16(10))

	_, err := Start(Config{Adresse: "127.0.0.1:0", Klokke: memory.NyKlokke(nyttar), Tilgang: enBruker{}, FrameMax: 4095})
	is.True(err != nil)
}

// announces is client-properties of a client that wants to be told why.
var announces = leggTabell(nil, func(b []byte) []byte {
	return leggTabell(append(leggKortStreng(b, "capabilities"), 'F'), func(b []byte) []byte {
		return leggBoolfelt(b, "authentication_failure_close", true)
	})
})

func TestARefusedLoginLooksTheSameWhateverWasWrong(t *testing.T) {
	b := startet(t, Config{})
	for _, svar := range []string{plain("ukjent", passord), plain(bruker, "feil"), plain(bruker, ""), "", "uten skille", "\x00\x00\x00\x00", plain("", ""), plain(bruker, passord) + "\x00x"} {
		r := ring(t, b)
		r.skriv([]byte(protokollhode))
		r.vent(0, connectionStart)
		r.skriv(startOk(announces, "PLAIN", svar))
		l := r.vent(0, connectionClose)
		is := is.New(t)
		is.Equal(l.kort(), uint16(403))
		is.Equal(l.kortStreng(), "ACCESS_REFUSED - innlogging nektet")
		r.metode(0, connectionCloseOk)
		r.ventSlutt()

		r = ring(t, b) // one that has not asked to be told
		r.skriv([]byte(protokollhode))
		r.vent(0, connectionStart)
		r.skriv(startOk(tomTabell, "PLAIN", svar))
		rest, _ := io.ReadAll(r.c)
		is.Equal(len(rest), 0)
	}
	r := ring(t, b)
	r.skriv([]byte(protokollhode))
	r.vent(0, connectionStart)
	r.skriv(startOk(announces, "EXTERNAL", plain(bruker, passord)))
	is.New(t).Equal(r.ventLukk(0), 403)
}

func TestPasswordsOfManyKilobytesFitBeforeTune(t *testing.T) {
	b := startet(t, Config{FrameMax: minFrameMax})
	for _, n := range []int{6 << 10, 60 << 10} {
		r := ring(t, b)
		r.skriv([]byte(protokollhode))
		r.vent(0, connectionStart)
		r.skriv(startOk(tomTabell, "PLAIN", plain(bruker, passord+strings.Repeat("t", n))))
		r.vent(0, connectionTune)
	}
	r := ring(t, b)
	r.skriv([]byte(protokollhode))
	r.vent(0, connectionStart)
	r.skriv(startOk(tomTabell, "PLAIN", plain(bruker, passord+strings.Repeat("t", 64<<10)))[:rammeStart])
	is.New(t).Equal(r.ventLukk(0), feilRamme)
}

// alleTyper is a table with a field of every type, and what it means.
func alleTyper() (paVaieren []byte, fasit map[string]any) {
	b := binary.BigEndian
	felt := func(ut []byte, navn string, slag byte, verdi ...byte) []byte {
		return append(append(leggKortStreng(ut, navn), slag), verdi...)
	}
	paVaieren = leggTabell(nil, func(ut []byte) []byte {
		ut = felt(ut, "t", 't', 1)
		ut = felt(ut, "b", 'b', 0xff)
		ut = felt(ut, "B", 'B', 0xff)
		ut = felt(ut, "s", 's', 0xff, 0xfe)
		ut = felt(ut, "U", 'U', 0xff, 0xfe)
		ut = felt(ut, "u", 'u', 0xff, 0xfe)
		ut = felt(ut, "I", 'I', b.AppendUint32(nil, math.MaxUint32)...)
		ut = felt(ut, "i", 'i', b.AppendUint32(nil, math.MaxUint32)...)
		ut = felt(ut, "l", 'l', b.AppendUint64(nil, math.MaxUint64)...)
		ut = felt(ut, "L", 'L', b.AppendUint64(nil, 7)...)
		ut = felt(ut, "T", 'T', b.AppendUint64(nil, 1_700_000_000)...)
		ut = felt(ut, "f", 'f', b.AppendUint32(nil, math.Float32bits(1.5))...)
		ut = felt(ut, "d", 'd', b.AppendUint64(nil, math.Float64bits(2.5))...)
		ut = felt(ut, "D", 'D', b.AppendUint32([]byte{2}, 314)...)
		ut = felt(ut, "S", 'S', leggLangStreng(nil, "æ")...)
		ut = felt(ut, "x", 'x', leggLangStreng(nil, "\x00\xff")...)
		ut = felt(ut, "V", 'V')
		ut = felt(ut, "F", 'F', leggTabell(nil, func(b []byte) []byte { return leggStrengfelt(b, "inni", "ja") })...)
		return felt(ut, "A", 'A', leggTabell(nil, func(b []byte) []byte { return append(b, 't', 0, 'V') })...)
	})
	return paVaieren, map[string]any{"t": true, "b": int8(-1), "B": byte(255), "s": int16(-2), "U": int16(-2), "u": uint16(0xfffe),
		"I": int32(-1), "i": uint32(math.MaxUint32), "l": int64(-1), "L": int64(7), "T": uint64(1_700_000_000), "f": float32(1.5), "d": 2.5,
		"D": 3.14, "S": "æ", "x": "\x00\xff", "V": nil, "F": map[string]any{"inni": "ja"}, "A": []any{false, nil}}
}

func TestClientPropertiesOfEveryTypeAreRead(t *testing.T) {
	is := is.New(t)
	paVaieren, fasit := alleTyper()
	l := &leser{b: paVaieren}
	is.Equal(l.tabell(), fasit)
	is.True(l.ferdig())

	r := ring(t, startet(t, Config{}))
	r.skriv([]byte(protokollhode))
	r.vent(0, connectionStart)
	r.skriv(startOk(paVaieren, "PLAIN", plain(bruker, passord)))
	r.vent(0, connectionTune)
}

func TestTuneOkMayLowerWhatWasProposedAndNotRaiseIt(t *testing.T) {
	b := startet(t, Config{})
	for _, tt := range []struct {
		ok   []byte
		kode int // 0 = accepted
	}{
		{tuneOk(2047, 131072, 60), 0}, {tuneOk(1, 4096, 0), 0}, {tuneOk(0, 0, 0), 0}, {tuneOk(2047, 131072, 600), 0},
		{tuneOk(2048, 131072, 60), feilIkkeLov}, {tuneOk(2047, 131073, 60), feilIkkeLov}, {tuneOk(2047, 4095, 60), feilIkkeLov},
	} {
		r := ring(t, b)
		r.skriv([]byte(protokollhode))
		r.vent(0, connectionStart)
		r.skriv(startOk(tomTabell, "PLAIN", plain(bruker, passord)))
		r.vent(0, connectionTune)
		r.skriv(tt.ok)
		if tt.kode != 0 {
			is.New(t).Equal(r.ventLukk(0), tt.kode)
			continue
		}
		r.skriv(hjerteslag, open("/")) // a client may beat at once
		r.vent(0, connectionOpenOk)
	}
}

func TestWhatComesOutOfTurnInTheHandshakeIsRefused(t *testing.T) {
	b := startet(t, Config{})
	for navn, tt := range map[string]struct {
		ramme []byte
		kode  int
	}{
		"open before login":     {open("/"), feilKommando},
		"a channel":             {metoderamme(1, channelOpen, kortStreng("")), feilUventet},
		"content":               {lukkRamme(apneRamme(nil, rammeKropp, 0), 0), feilUventet},
		"start-ok cut short":    {metoderamme(0, connectionStartOk, []byte{0, 0}), feilSyntaks},
		"a table that lies":     {startOk([]byte{0, 0, 0, 2, 'x', 'y'}, "PLAIN", ""), feilSyntaks},
		"no frame at all":       {[]byte("GET / HTTP/1.1\r\n"), feilRamme},
		"a frame that ends ill": {append(open("/")[:len(open("/"))-1], 0), feilRamme},
	} {
		t.Run(navn, func(t *testing.T) {
			r := ring(t, b)
			r.skriv([]byte(protokollhode))
			r.vent(0, connectionStart)
			r.skriv(tt.ramme)
			is.New(t).Equal(r.ventLukk(0), tt.kode)
			r.metode(0, connectionCloseOk)
			r.ventSlutt()
		})
	}
	r := ring(t, b) // goodbye is always in turn
	r.skriv([]byte(protokollhode))
	r.vent(0, connectionStart)
	r.metode(0, connectionClose, []byte{0, 200}, kortStreng(""), tall32(0))
	r.vent(0, connectionCloseOk)
	r.ventSlutt()
}

func TestItListensOnLoopbackOnly(t *testing.T) {
	for _, adresse := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.test:0", "127.0.0.1", ""} {
		b, err := Start(Config{Adresse: adresse, Klokke: memory.NyKlokke(nyttar), Tilgang: enBruker{}})
		if err == nil {
			_ = b.Close()
			t.Errorf("lytter på %q", adresse)
		}
	}
	b, err := Start(Config{Adresse: "localhost:0", Klokke: memory.NyKlokke(nyttar), Tilgang: enBruker{}})
	is := is.New(t)
	is.NoErr(err)
	is.NoErr(b.Close())
}
