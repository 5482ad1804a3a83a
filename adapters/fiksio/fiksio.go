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
	"strings"
	"sync/atomic"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Config is what New needs; what is not marked optional is required. It prints as [skjult].
type Config struct {
	API         string                // scheme://host[:port] of send API, catalogue and Dokumentlager
	AMQP        string                // host:port of the broker; always TLS
	TLS         *tls.Config           // optional: nil = the machine's own roots
	Konto       kommune.KontoID       // our own account: its queue is read, and reports come from it
	Integrasjon kommune.IntegrasjonID // whom we log in as
	Passord     string
	Token       func(context.Context) (string, error) // an access token, asked for at every connection and every call
	Clock       ports.Clock
	HTTP        *http.Client // optional: nil = NyHTTP(TLS)
	// Lesbar says of a rejection's body whether it can be read with our key. Optional: nil = nothing can.
	Lesbar func(context.Context, melding.Forseglet) melding.Arsak
	// Lytter hears, at the start and then every Lyttepause, from when until when answers have been taken without a break. Optional.
	Lytter   func(ctx context.Context, fra, til time.Time)
	Prefetch int          // messages in hand at once; 0 = 20
	Logg     *slog.Logger // ids only. Optional
}

// Lyttepause is how often Lytter hears.
const Lyttepause = 30 * time.Second

// Format keeps the password out of every log and error.
func (Config) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[skjult]") }

// Transport is one portal's account on Fiks IO. Safe for concurrent use.
type Transport struct {
	c         Config
	api       string
	http      *http.Client
	tls       *tls.Config
	kontoer   kontobok
	tilkoblet atomic.Bool
}

var (
	_ ports.Transport = (*Transport)(nil)
	_ ports.Catalogue = (*Transport)(nil)
)

// New checks c and connects to nothing.
func New(c Config) (*Transport, error) {
	if c.Token == nil || c.Clock == nil || c.Passord == "" {
		return nil, errors.New("fiksio: Token, Clock og Passord er påkrevd")
	}
	u, err := url.Parse(c.API)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("fiksio: API skal være http(s)://vert[:port]")
	}
	vert, _, err := net.SplitHostPort(c.AMQP)
	if err != nil || vert == "" {
		return nil, errors.New("fiksio: AMQP skal være vert:port")
	}
	for navn, id := range map[string]string{"Konto": string(c.Konto), "Integrasjon": string(c.Integrasjon)} {
		if _, err := melding.ParseID(id); err != nil {
			return nil, fmt.Errorf("fiksio: %s: %w", navn, err)
		}
	}
	if c.HTTP == nil {
		c.HTTP = NyHTTP(c.TLS)
	}
	if c.Lesbar == nil {
		c.Lesbar = func(context.Context, melding.Forseglet) melding.Arsak { return melding.ArsakSvarUleselig }
	}
	if c.Lytter == nil {
		c.Lytter = func(context.Context, time.Time, time.Time) {}
	}
	if c.Logg == nil {
		c.Logg = slog.New(slog.DiscardHandler)
	}
	if c.Prefetch == 0 {
		c.Prefetch = 20
	}
	t := &Transport{c: c, api: u.Scheme + "://" + u.Host, http: c.HTTP, tls: &tls.Config{MinVersion: tls.VersionTLS12}, kontoer: nyKontobok()}
	if c.TLS != nil {
		t.tls = c.TLS.Clone()
	}
	if t.tls.ServerName == "" {
		t.tls.ServerName = vert
	}
	return t, nil
}

// NyHTTP is a client that fits: it gives up after a minute, follows no redirect (it would carry the password along), and keeps enough
// connections for several sends at once.
func NyHTTP(c *tls.Config) *http.Client {
	c = c.Clone() // net/http writes in its own; a nil one stays nil
	return &http.Client{
		Timeout:       time.Minute,
		Transport:     &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Tilkoblet says whether answers are being taken right now.
func (t *Transport) Tilkoblet() bool { return t.tilkoblet.Load() }
