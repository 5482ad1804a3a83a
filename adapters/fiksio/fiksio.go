// Package fiksio is ports.Transport and ports.Catalogue over Fiks IO as KS runs it: reports go out through the HTTP send API, answers
// come in over AMQP 0-9-1 with TLS, and the catalogue is asked over HTTP. KS documents it at developers.fiks.ks.no (tjenester/fiksprotokoll);
// where that is silent, its own clients were followed, and the file says which.
//
// Call New, then Receive in a goroutine of its own; Send and Certificate whenever. Nothing is judged here: an answer is handed over as
// it came, also one that makes no sense. dom.go says which refusals of a send are certain, levering.go how a message becomes an answer.
package fiksio

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Config is what a Transport needs. What stands before the blank line is required. It prints as [skjult].
type Config struct {
	API         string // scheme://host:port. Plain http is for loopback only
	AMQP        string // host:port; always TLS
	Konto       kommune.KontoID
	Integrasjon kommune.IntegrasjonID
	Passord     string
	Token       func(context.Context) (string, error) // a Maskinporten access token; asked for at every call and every connection
	Clock       ports.Clock

	TLS  *tls.Config  // whom to trust; nil = the system's roots
	HTTP *http.Client // nil = one that uses TLS above and gives a call two minutes. It never follows a redirect
	// Lesbar says whether the body of a rejection can be opened and read (ArsakSvarLesbart or ArsakSvarUleselig); nil = it cannot.
	Lesbar func(context.Context, melding.Forseglet) melding.Arsak
	// Lytter hears every half minute of consuming, from when until when it has gone on without a break. It is silent
	// while every delivery the broker may have out is one that take refuses: then nothing more can come.
	Lytter func(ctx context.Context, fra, til time.Time)
	// Forkast hears of a token that the API would not have, so that Token does not give it again.
	Forkast func(token string)
	// Gjentatt hears of each message that the broker says it has delivered before.
	Gjentatt func()
	Prefetch int          // messages delivered and not yet acked; 0 = 5
	Logg     *slog.Logger // ids only; nil = none
}

const skjult = "[skjult]"

func (Config) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, skjult) }
func (Config) MarshalText() ([]byte, error) { return []byte(skjult), nil }

// Transport is one account's end of Fiks IO. Safe for concurrent use.
type Transport struct {
	c       Config        // without the password
	passord func() string // behind a func: inside somebody's unexported field it prints as an address
	http    http.Client
	plasser chan struct{} // one for each take under way, of this connection and of earlier ones
	okter   atomic.Int32  // connections that are consuming
	melder  sync.Mutex    // held while Lytter runs

	mu   sync.Mutex
	apne map[kommune.KontoID]time.Time // accounts not to ask the catalogue about before then
}

var (
	_ ports.Transport = (*Transport)(nil)
	_ ports.Catalogue = (*Transport)(nil)
)

const (
	kallfrist        = 2 * time.Minute
	standardPrefetch = 5 // each break costs every message in hand one of its three deliveries; storing an answer is quick
)

// New connects to nothing yet.
func New(c Config) (*Transport, error) {
	if c.API == "" || c.AMQP == "" || c.Konto == "" || c.Integrasjon == "" || c.Passord == "" || c.Token == nil || c.Clock == nil {
		return nil, errors.New("fiksio: API, AMQP, Konto, Integrasjon, Passord, Token og Clock er påkrevd")
	}
	if err := kontrollerAPI(c.API); err != nil {
		return nil, err
	}
	if vert, port, err := net.SplitHostPort(c.AMQP); err != nil || vert == "" || port == "" {
		return nil, errors.New("fiksio: AMQP skal være vert:port")
	}
	konto, err := melding.ParseID(string(c.Konto)) // only its reading of UUIDs is used, here and below
	if err != nil {
		return nil, errors.New("fiksio: Konto er ikke en UUID")
	}
	c.Konto = kommune.KontoID(konto)
	if c.Prefetch < 0 || c.Prefetch > maksPrefetch {
		return nil, fmt.Errorf("fiksio: Prefetch må være fra 1 til %d", maksPrefetch)
	}
	if c.Prefetch == 0 {
		c.Prefetch = standardPrefetch
	}
	if c.TLS == nil {
		c.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if c.HTTP == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.TLSClientConfig = c.TLS.Clone()
		c.HTTP = &http.Client{Transport: t, Timeout: kallfrist}
	}
	if c.Lesbar == nil {
		c.Lesbar = func(context.Context, melding.Forseglet) melding.Arsak { return melding.ArsakSvarUleselig }
	}
	if c.Lytter == nil {
		c.Lytter = func(context.Context, time.Time, time.Time) {}
	}
	if c.Forkast == nil {
		c.Forkast = func(string) {}
	}
	if c.Gjentatt == nil {
		c.Gjentatt = func() {}
	}
	if c.Logg == nil {
		c.Logg = slog.New(slog.DiscardHandler)
	}
	passord := c.Passord
	c.Passord = ""
	t := &Transport{c: c, passord: func() string { return passord }, http: *c.HTTP, plasser: make(chan struct{}, c.Prefetch),
		apne: map[kommune.KontoID]time.Time{}}
	// A redirect would carry the password's header to wherever it points.
	t.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return t, nil
}

const maksPrefetch = 1000

// kontrollerAPI never repeats the address: somebody may have put a password in it.
func kontrollerAPI(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" {
		return errors.New("fiksio: API skal være skjema://vert:port")
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()) {
		return nil
	}
	return errors.New("fiksio: API skal være https; http er bare for loopback")
}

// Tilkoblet says whether answers can come in now.
func (t *Transport) Tilkoblet() bool { return t.okter.Load() > 0 }

func (t *Transport) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "[fiksio %s]", t.c.Konto) }
