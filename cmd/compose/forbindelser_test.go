package compose

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/memory"
)

const lenge = 30 * time.Second // only a failure waits this long

func ventPa[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(lenge):
		t.Fatal("ventet forgjeves")
	}
	return v
}

func korte() grenser {
	g := nyeGrenser(0)
	g.kropp, g.skriv = 50*time.Millisecond, 50*time.Millisecond
	return g
}

// lyttende serves h within the limits on a loopback port.
func lyttende(t *testing.T, g grenser, h http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := g.server(h)
	go func() { _ = srv.Serve(g.lytter(l)) }()
	t.Cleanup(func() { _ = srv.Close() })
	return l.Addr().String()
}

func ring(t *testing.T, adr, kall string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", adr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(lenge)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, kall); err != nil {
		t.Fatal(err)
	}
	return c
}

// skrivMye writes more than any buffer between the two ends holds, and says how it went.
func skrivMye(feil chan<- error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(make([]byte, 64<<20))
		feil <- err
	}
}

func TestAClientThatNeverReadsIsLetGo(t *testing.T) {
	is := is.New(t)
	feil := make(chan error, 1)
	adr := lyttende(t, korte(), skrivMye(feil))
	ring(t, adr, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	is.True(ventPa(t, feil) != nil)
}

func TestAnHTTP2StreamThatNeverReadsIsLetGo(t *testing.T) {
	is := is.New(t)
	feil := make(chan error, 1)
	g := korte()
	srv := httptest.NewUnstartedServer(g.vern(skrivMye(feil)))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	klient := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}}}
	svar, err := klient.Get(srv.URL)
	is.NoErr(err)
	defer svar.Body.Close()
	is.Equal(svar.ProtoMajor, 2)
	is.True(ventPa(t, feil) != nil)
}

// A deadline for the whole of a large answer would cut a slow client off.
func TestEachPieceOfAnAnswerHasItsOwnDeadline(t *testing.T) {
	is := is.New(t)
	c := &tellende{}
	n, err := (&forbindelse{Conn: c, skriv: time.Minute}).Write(make([]byte, 3*skrivestykke+1))
	is.NoErr(err)
	is.Equal(n, 3*skrivestykke+1)
	is.Equal(c.hendelser, "fsfsfsfs") // deadline, piece, deadline, piece …
}

type tellende struct {
	net.Conn
	hendelser string
}

func (c *tellende) SetWriteDeadline(time.Time) error { c.hendelser += "f"; return nil }
func (c *tellende) Write(b []byte) (int, error) {
	c.hendelser += "s"
	return len(b), nil
}

func TestABodyThatNeverComesHoldsNoConnection(t *testing.T) {
	for navn, kall := range map[string]string{
		"med lengde": "GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n",
		"delt":       "POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			adr := lyttende(t, korte(), func(w http.ResponseWriter, _ *http.Request) { si(w, http.StatusOK, "ok") })
			r := bufio.NewReader(ring(t, adr, kall))
			svar, err := http.ReadResponse(r, nil)
			is.NoErr(err)
			_, err = io.Copy(io.Discard, svar.Body)
			is.NoErr(err)
			_, err = r.ReadByte()
			is.Equal(err, io.EOF) // and the connection is closed
		})
	}
}

// portner hands out connections from an address, and fails the test when it is asked while the house is full.
type portner struct {
	t    *testing.T
	apne atomic.Int32
	maks int32
	fra  chan string
}

func (p *portner) Accept() (net.Conn, error) {
	if p.apne.Load() >= p.maks {
		p.t.Error("slapp inn en for mye")
	}
	fra, ok := <-p.fra
	if !ok {
		return nil, net.ErrClosed
	}
	p.apne.Add(1)
	return &gjest{p: p, fra: fra}, nil
}

func (p *portner) Close() error { return nil }
func (*portner) Addr() net.Addr { return &net.TCPAddr{} }

type gjest struct {
	net.Conn
	p    *portner
	fra  string
	lukt bool
}

func (g *gjest) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(g.fra)) }
func (g *gjest) Close() error {
	g.p.apne.Add(-1)
	g.lukt = true
	return nil
}

func TestConnectionsAreCapped(t *testing.T) {
	is := is.New(t)
	p := &portner{t: t, maks: 3, fra: make(chan string, 10)}
	l := nyeGrenser(3).lytter(p)
	inn := make(chan net.Conn)
	slutt := make(chan error, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				slutt <- err
				return
			}
			inn <- c
		}
	}()
	for range 6 {
		p.fra <- "127.0.0.1:1" // a proxy may have all of them
	}
	var c []net.Conn
	for range 3 {
		c = append(c, ventPa(t, inn))
	}
	for range 3 { // each that leaves makes room for one; leaving twice does not make room for two
		is.NoErr(c[0].Close())
		c[0].(*forbindelse).ut()
		c = append(c[1:], ventPa(t, inn))
	}
	is.NoErr(l.Close()) // and a full house can be closed
	is.True(errors.Is(ventPa(t, slutt), net.ErrClosed))
}

func TestOneAddressMayNotTakeEverything(t *testing.T) {
	is := is.New(t)
	p := &portner{t: t, maks: 9, fra: make(chan string, 10)}
	l := nyeGrenser(4).lytter(p)
	for _, fra := range []string{"192.0.2.1:1", "[::ffff:192.0.2.1]:2", "192.0.2.1:3", "192.0.2.2:1"} {
		p.fra <- fra
	}
	var fikk []net.Conn
	for range 3 {
		c, err := l.Accept()
		is.NoErr(err)
		fikk = append(fikk, c)
	}
	is.Equal(fikk[2].RemoteAddr().String(), "192.0.2.2:1") // the third of the first address was closed
	is.Equal(p.apne.Load(), int32(3))
	is.NoErr(fikk[0].Close())
	p.fra <- "192.0.2.1:4"
	c, err := l.Accept()
	is.NoErr(err)
	is.Equal(c.RemoteAddr().String(), "192.0.2.1:4")
}

func TestReadyzSaysNoBeforeThePortalStopsListening(t *testing.T) {
	is := is.New(t)
	klokke := memory.NyKlokke(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
	s := &System{cfg: Config{Nedtrapping: time.Minute}, clock: klokke, logg: slog.New(slog.DiscardHandler)}
	s.vakt = &vakt{lager: vaktlager{memory.NyttLager(klokke), 1 << 40}, clock: klokke}
	s.Handler = s.drift(nyeMalinger(nil, klokke))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	is.NoErr(err)
	ctx, stans := context.WithCancel(t.Context())
	ferdig := make(chan error, 1)
	go func() { ferdig <- s.ServeOn(ctx, l) }()
	klar := func() *http.Response {
		svar, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://" + l.Addr().String() + "/readyz")
		is.NoErr(err) // still listening
		_ = svar.Body.Close()
		return svar
	}
	is.Equal(klar().StatusCode, 200)
	stans()
	tikk := time.NewTicker(time.Millisecond)
	defer tikk.Stop()
	svar := klar()
	for svar.StatusCode != http.StatusServiceUnavailable {
		<-tikk.C
		svar = klar()
	}
	is.True(svar.Close)
	for {
		select {
		case err := <-ferdig:
			is.NoErr(err)
			_, err = net.Dial("tcp", l.Addr().String())
			is.True(err != nil)
			return
		case <-tikk.C:
			klokke.Sett(klokke.Now().Add(time.Minute)) // the window's end, whenever it began
		}
	}
}
