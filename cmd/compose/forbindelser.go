package compose

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// grenser are what one stranger may take of the process. Deadlines follow progress: a slow answer is not cut, one that nobody reads is.
type grenser struct {
	hode         time.Duration // for the header of a call
	kropp        time.Duration // for a body that no handler reads; an upload sets its own deadline
	skriv        time.Duration // for the next skrivestykke of an answer
	ledig        time.Duration // between two calls
	forbindelser int           // open at once
	fraEn        int           // of these, from one address that is not loopback
}

// skrivestykke is how much of an answer a client must take within one deadline.
const skrivestykke = 16 << 10

func nyeGrenser(forbindelser int) grenser {
	if forbindelser <= 0 {
		forbindelser = 1024
	}
	return grenser{hode: 10 * time.Second, kropp: 30 * time.Second, skriv: 15 * time.Second, ledig: 2 * time.Minute,
		forbindelser: forbindelser, fraEn: max(1, forbindelser/2)}
}

// server is an http.Server with every limit set. It logs nothing by itself: a stranger decides how often and what (the address of
// each failed TLS handshake, the text of a panic), and the handlers log what matters.
func (g grenser) server(h http.Handler) *http.Server {
	return &http.Server{Handler: g.vern(h), ReadHeaderTimeout: g.hode, IdleTimeout: g.ledig, MaxHeaderBytes: 64 << 10,
		ErrorLog: log.New(io.Discard, "", 0), HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 50, SendPingTimeout: g.skriv, PingTimeout: g.skriv}}
}

// vern gives every call deadlines that do not depend on its handler.
func (g grenser) vern(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if r.ContentLength != 0 {
			// net/http reads what a handler left of a body before it sends the answer, and would wait for it for ever.
			_ = c.SetReadDeadline(time.Now().Add(g.kropp))
		}
		if r.ProtoMajor > 1 {
			// A stream whose client gives no window writes nothing to the connection, so the connection's deadline never starts.
			w = &strom{w, c, g.skriv}
		}
		h.ServeHTTP(w, r)
	})
}

type strom struct {
	http.ResponseWriter
	c     *http.ResponseController
	skriv time.Duration
}

func (s *strom) Write(b []byte) (int, error) {
	return stykkevis(b, func(b []byte) (int, error) {
		_ = s.c.SetWriteDeadline(time.Now().Add(s.skriv))
		return s.ResponseWriter.Write(b)
	})
}

func (s *strom) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func stykkevis(b []byte, skriv func([]byte) (int, error)) (n int, err error) {
	for len(b) > 0 && err == nil {
		var m int
		m, err = skriv(b[:min(len(b), skrivestykke)])
		n, b = n+m, b[m:]
	}
	return n, err
}

// dorvakt is a listener with room for so many connections. When it is full nobody is taken in before somebody has left: who waits is
// in the kernel's queue. An address with too many is closed at once.
type dorvakt struct {
	net.Listener
	g     grenser
	plass chan struct{} // one token a connection
	lukk  sync.Once
	lukt  chan struct{}

	mu  sync.Mutex
	fra map[netip.Addr]int
}

func (g grenser) lytter(l net.Listener) net.Listener {
	return &dorvakt{Listener: l, g: g, plass: make(chan struct{}, g.forbindelser), lukt: make(chan struct{}), fra: map[netip.Addr]int{}}
}

func (d *dorvakt) Accept() (net.Conn, error) {
	for {
		select {
		case d.plass <- struct{}{}:
		case <-d.lukt:
			return nil, net.ErrClosed
		}
		c, err := d.Listener.Accept()
		if err != nil {
			<-d.plass
			return nil, err
		}
		if adr, ok := d.inn(c); ok {
			return &forbindelse{Conn: c, skriv: d.g.skriv, ut: sync.OnceFunc(func() { d.ut(adr) })}, nil
		}
		<-d.plass
		_ = c.Close()
	}
}

func (d *dorvakt) Close() error {
	d.lukk.Do(func() { close(d.lukt) })
	return d.Listener.Close()
}

// inn counts the connection. What comes over loopback or a Unix socket comes through a proxy, for everybody behind it.
func (d *dorvakt) inn(c net.Conn) (netip.Addr, bool) {
	ap, err := netip.ParseAddrPort(c.RemoteAddr().String())
	adr := ap.Addr().Unmap().WithZone("")
	if err != nil || adr.IsLoopback() {
		return netip.Addr{}, true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fra[adr] >= d.g.fraEn {
		return adr, false
	}
	d.fra[adr]++
	return adr, true
}

func (d *dorvakt) ut(adr netip.Addr) {
	<-d.plass
	if !adr.IsValid() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fra[adr]--; d.fra[adr] == 0 {
		delete(d.fra, adr)
	}
}

// forbindelse gives each piece of an answer its own deadline.
type forbindelse struct {
	net.Conn
	skriv time.Duration
	ut    func()
}

func (f *forbindelse) Write(b []byte) (int, error) {
	return stykkevis(b, func(b []byte) (int, error) {
		_ = f.SetWriteDeadline(time.Now().Add(f.skriv))
		return f.Conn.Write(b)
	})
}

// CloseWrite lets net/http close without a reset: a refused client that is still sending must be able to read its answer.
func (f *forbindelse) CloseWrite() error {
	if c, ok := f.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

func (f *forbindelse) Close() error {
	f.ut()
	return f.Conn.Close()
}
