// Package producerapi is the HTTP side that case systems send reports to and look receivers up in: the producer API and the
// kommune API, versions 1 and 2, as KS's published clients use them.
//
// New gives an http.Handler; Foran puts it in front of the rest of a portal. Every call goes the same way: route, access
// (tilgang.go), pace (hastighet.go), then the operation. Operations are registered with huma, which binds parameters, writes
// answers and makes the OpenAPI files; it never writes a refusal. All of those are written by feil.go, so that each has KS's
// whole error body and can be read by a client that is still sending.
package producerapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/time/rate"

	"portal.example/bekymringsmelding/app/intake"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Prefiks is where every operation lives.
const Prefiks = "/bekymringsmelding/api"

// Inntak takes reports in; app/intake.
type Inntak interface {
	Forhandskontroll(ctx context.Context, i intake.Innsending) error
	Motta(ctx context.Context, i intake.Innsending) (melding.ID, error)
	Nokler(ctx context.Context, k kommune.Kommunenummer, b kommune.Bydelsnummer) (intake.Nokler, error)
}

// Oversikt tells a sender what has happened; app/overview. ports.ErrNotFound for what is unknown or not the caller's.
type Oversikt interface {
	Status(ctx context.Context, fra kommune.FiksOrgID, i kommune.IntegrasjonID, id melding.ID) ([]melding.Hendelse, error)
}

// Katalog is the part of ports.Directory that senders see.
type Katalog interface {
	Kommuner(ctx context.Context) ([]kommune.Kommune, error)
	Bydeler(ctx context.Context, k kommune.Kommunenummer) ([]kommune.Bydel, error)
}

// Integrasjoner is the part of ports.Access that login needs.
type Integrasjoner interface {
	Integrasjon(ctx context.Context, id kommune.IntegrasjonID) (kommune.Integrasjon, error)
}

// Tokens verifies an access token and says which organisation it was issued to. An error that is ports.ErrRefused means a bad
// token (401); any other means that nobody can say now (503, after RetryAfter when the error has that method).
type Tokens interface {
	Konsument(ctx context.Context, token string) (kommune.Orgnr, error)
}

// The limits of issue 3 and the pace that is the default of a deployment.
const (
	MaksStorrelse = 5 << 20 // both parts together, as received (D6)
	StandardRate  = 100     // calls a second and integration
	StandardBurst = 200
)

// Fart is the slowest a body may come: BytesPerSekund on average over each Vindu.
type Fart struct {
	BytesPerSekund int64
	Vindu          time.Duration
}

// Config is what New needs. The first seven are required.
type Config struct {
	Inntak        Inntak
	Oversikt      Oversikt
	Katalog       Katalog
	Integrasjoner Integrasjoner
	Tokens        Tokens
	PassordMAC    func(passord string) []byte // HMAC-SHA-256 under the server's key (D19)
	Clock         ports.Clock

	Logg  *slog.Logger  // nil = nowhere
	Rate  float64       // calls a second and integration; 0 = no limit
	Burst int           // at once; 0 = twice Rate
	Mappe string        // for sealed parts over 256 KiB while they come in; "" = the system's
	Fart  Fart          // zero = 8 KiB/s over 30 s
	Tapp  time.Duration // how long a refused body is read on; 0 = 10 s
	// Opplastinger is how many uploads may be under way; one integration has at most half. 0 = 400: 2 GiB of disk, 400 MiB of memory.
	Opplastinger int
}

// API serves the operations, the OpenAPI files and the docs page.
type API struct {
	cfg      Config
	ruter    *ruter
	huma     huma.API
	pace     *hastighet
	opplast  *samtidige
	loggtakt *rate.Limiter     // of refusals that are logged
	utelatt  atomic.Int64      // refusals not logged since the last one that was
	openapi  map[string][]byte // by path
	dokument http.Handler
}

// New checks c and builds the API.
func New(c Config) (*API, error) {
	switch {
	case c.Inntak == nil, c.Oversikt == nil, c.Katalog == nil, c.Integrasjoner == nil, c.Tokens == nil, c.PassordMAC == nil, c.Clock == nil:
		return nil, errors.New("producerapi: en påkrevd del mangler i Config")
	case c.Rate < 0 || c.Burst < 0 || c.Opplastinger < 0:
		return nil, errors.New("producerapi: Rate, Burst og Opplastinger kan ikke være negative")
	}
	if c.Logg == nil {
		c.Logg = slog.New(slog.DiscardHandler)
	}
	if c.Fart == (Fart{}) {
		c.Fart = Fart{BytesPerSekund: 8 << 10, Vindu: 30 * time.Second}
	}
	if c.Tapp == 0 {
		c.Tapp = 10 * time.Second
	}
	if c.Opplastinger == 0 {
		c.Opplastinger = 400
	}
	if c.Burst == 0 {
		c.Burst = max(1, int(2*c.Rate))
	}
	c.Tokens = &tokenminne{Tokens: c.Tokens, clock: c.Clock}
	a := &API{cfg: c, ruter: nyRuter(), pace: nyHastighet(c.Rate, c.Burst), opplast: nyeSamtidige(c.Opplastinger), loggtakt: rate.NewLimiter(20, 200)}
	a.huma = nyHuma(a.ruter)
	a.registrerAlle()
	if err := a.byggOpenAPI(); err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	d, err := nyDokumentasjon(a.huma.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("dokumentasjon: %w", err)
	}
	a.dokument = d
	return a, nil
}

// Foran serves the API and leaves everything else to resten. A path that is not clean is the API's to refuse: http.ServeMux would
// redirect it, without KS's error body, and a client that follows makes a GET of its POST.
func (a *API) Foran(resten http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sti := r.URL.Path
		if ren := path.Clean(sti); sti != ren && (ren == "/" || sti != ren+"/") || sti == "/docs" || sti == Prefiks || strings.HasPrefix(sti, Prefiks+"/") {
			a.ServeHTTP(w, r)
			return
		}
		resten.ServeHTTP(w, r)
	})
}

// kall is one request on its way through.
type kall struct {
	w           *svar
	kropp       *kropp
	inn         *http.Request
	rute        string // the pattern without the method; "" = no operation
	integrasjon kommune.Integrasjon
	feil        error // what the operation was refused with; written when it has returned
}

type kallNokkel struct{}

func kallFra(ctx context.Context) *kall { return ctx.Value(kallNokkel{}).(*kall) }

// svar keeps huma from writing a status when the operation was refused, and knows whether an answer has begun.
type svar struct {
	http.ResponseWriter
	kall   *kall
	status int
}

func (s *svar) WriteHeader(status int) {
	if s.kall.feil != nil {
		return
	}
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

func (s *svar) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (s *svar) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/docs" {
		a.dokument.ServeHTTP(w, r)
		return
	}
	k := &kall{kropp: &kropp{ReadCloser: r.Body}}
	k.w = &svar{ResponseWriter: w, kall: k}
	r = r.WithContext(context.WithValue(r.Context(), kallNokkel{}, k))
	r.Body = k.kropp
	k.inn = r
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	defer a.redd(k)
	if err := a.utfor(k); err != nil {
		a.avvis(k, err)
	}
}

// utfor is the way every call goes. An error is not written yet.
func (a *API) utfor(k *kall) error {
	r := k.inn
	if fil, ok := a.openapi[r.URL.Path]; ok && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		k.w.Header().Set("Content-Type", "application/json")
		_, _ = k.w.Write(fil)
		return nil
	}
	if err := a.finnRute(k); err != nil {
		return err
	}
	if err := a.slippInn(k); err != nil {
		return err
	}
	if vent := a.pace.vent(k.integrasjon.ID, a.cfg.Clock.Now()); vent > 0 {
		return &feil{kode: FeilForMangeKall, vent: vent}
	}
	a.ruter.ServeHTTP(k.w, r)
	return k.feil
}

func (a *API) finnRute(k *kall) error {
	r := k.inn
	// ServeMux would redirect an unclean path; a client that has built one is told instead.
	if path.Clean(r.URL.Path) != r.URL.Path {
		return &feil{kode: FeilUkjentRessurs}
	}
	if monster := a.ruter.finn(r); monster != "" {
		_, k.rute, _ = strings.Cut(monster, " ")
		return nil
	}
	if andre := a.ruter.metoder(r); len(andre) > 0 {
		k.w.Header().Set("Allow", strings.Join(andre, ", "))
		return &feil{kode: FeilMetode}
	}
	return &feil{kode: FeilUkjentRessurs}
}

// redd answers for a panic. Its text is not logged: it may hold anything.
func (a *API) redd(k *kall) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler || k.w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	a.cfg.Logg.ErrorContext(k.inn.Context(), "panikk i et kall", "rute", k.rute, "type", fmt.Sprintf("%T", p), "stabel", string(debug.Stack()))
	a.avvis(k, &feil{kode: FeilIntern})
}
