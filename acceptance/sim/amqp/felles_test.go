package amqp

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/adapters/memory"
)

const (
	bruker  = "integrasjon"
	passord = "passord token"
	minKo   = "fiksio.konto.min"
	frist   = 30 * time.Second // only a failure waits this long
)

var stille = slog.New(slog.DiscardHandler)

var nyttar = time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)

// enBruker may read every queue whose name begins with "fiksio.konto.", with any password that begins with passord.
type enBruker struct{}

func (enBruker) LoggInn(_ context.Context, hvem, med string) bool {
	return hvem == bruker && strings.HasPrefix(med, passord)
}

func (enBruker) KanLese(_ context.Context, _, ko string) bool {
	return strings.HasPrefix(ko, "fiksio.konto.")
}

// startet is a broker that closes, and leaves nothing running, when the test is over.
func startet(t testing.TB, c Config) *Broker {
	t.Helper()
	if c.Klokke == nil {
		c.Klokke = memory.NyKlokke(nyttar)
	}
	if c.Tilgang == nil {
		c.Tilgang = enBruker{}
	}
	c.Adresse = "127.0.0.1:0"
	b, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// iTid runs a test in a bubble of its own time, with a broker over pipes. The bubble fails when a goroutine is left.
func iTid(t *testing.T, prov func(t *testing.T, b *Broker, l *rorlytter)) {
	synctest.Test(t, func(t *testing.T) {
		l := &rorlytter{nye: make(chan net.Conn), stengt: make(chan struct{})}
		c := Config{FrameMax: standardFrameMax, Hjerteslag: standardHjerteslag, Klokke: memory.NyKlokke(nyttar), Tilgang: enBruker{},
			Logg: stille}
		b := start(c, l)
		defer func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}()
		prov(t, b, l)
	})
}

// rorlytter hands out pipes.
type rorlytter struct {
	nye    chan net.Conn
	stengt chan struct{}
}

func (l *rorlytter) Accept() (net.Conn, error) {
	select {
	case c := <-l.nye:
		return c, nil
	case <-l.stengt:
		return nil, net.ErrClosed
	}
}
func (l *rorlytter) Close() error   { close(l.stengt); return nil }
func (l *rorlytter) Addr() net.Addr { return &net.TCPAddr{} }

func (l *rorlytter) ring(t testing.TB) *raaklient {
	min, din := net.Pipe()
	l.nye <- din
	return nyRaaklient(t, min)
}

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
	r.metode(1, basicQos, tall32(0), binary.BigEndian.AppendUint16(nil, antall), []byte{bit(global, 0)})
	r.vent(1, basicQosOk)
}

func (r *raaklient) ack(tag uint64) {
	r.t.Helper()
	r.metode(1, basicAck, binary.BigEndian.AppendUint64(nil, tag), []byte{0})
}

// medKo makes minKo with messages on it.
func medKo(t testing.TB, b *Broker, kropper ...string) {
	t.Helper()
	if err := b.Opprett(t.Context(), minKo); err != nil {
		t.Fatal(err)
	}
	for _, k := range kropper {
		if err := b.Legg(t.Context(), minKo, broker.Melding{Kropp: []byte(k), Headere: map[string]string{headerID: "id-" + k}}); err != nil {
			t.Fatal(err)
		}
	}
}

// ventStatus waits until minKo stands as told.
func ventStatus(t testing.TB, b *Broker, vil broker.Status) {
	t.Helper()
	takt := time.NewTicker(5 * time.Millisecond)
	defer takt.Stop()
	slutt := time.After(frist)
	for {
		har, err := b.Status(t.Context(), minKo)
		if err == nil && har == vil {
			return
		}
		select {
		case <-takt.C:
		case <-slutt:
			t.Fatalf("køen er %+v, ikke %+v (%v)", har, vil, err)
		}
	}
}

var lagTLS = sync.OnceValues(func() ([2]*tls.Config, error) {
	ca, err := sim.NyCA("Testrot", 2048, time.Now)
	if err != nil {
		return [2]*tls.Config{}, err
	}
	s, err := ca.Utsted(sim.Bestilling{Navn: "megler", Formal: sim.TLS, Bits: 2048})
	if err != nil {
		return [2]*tls.Config{}, err
	}
	rot := x509.NewCertPool()
	rot.AddCert(ca.Cert)
	return [2]*tls.Config{
		{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{s.Cert.Raw}, PrivateKey: s.Nokkel}}},
		{MinVersion: tls.VersionTLS12, RootCAs: rot, ServerName: "127.0.0.1"}}, nil
})

// tlsPar is a server's and a client's side, made once a run.
func tlsPar(t testing.TB) (tjener, klient *tls.Config) {
	t.Helper()
	par, err := lagTLS()
	if err != nil {
		t.Fatal(err)
	}
	return par[0], par[1]
}
