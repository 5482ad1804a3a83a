// Package plattform is the platform side of Fiks IO: the send API, the catalogue, Dokumentlager, and the receipts it makes itself, over
// a broker.Broker that carries the queues. Unmodified clients in Java, .NET and Go can use it (reference fiks-io.md §2–§5, §9). Where
// the real service is silent it is stricter; each such rule has a switch in Lempelig, and docs/fiks-sim.md lists them with every error.
//
// Call Ny, start a broker with the result as its broker.Tilgang, hand it over with Bruk, then Registrer each account, serve the
// Plattform as an http.Handler and call Run. Tests make things go wrong with VedSend; an admin page uses NesteTil, Logg, Apne and Svar.
//
// Everything is in memory: a stopped process has forgotten its messages. Never let anything real depend on it.
package plattform

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
)

// Config is what a Plattform needs.
type Config struct {
	Klokke broker.Klokke
	// Token gives the consumer organisation (nine digits) of an access token. It is an error unless the token is from the right
	// issuer, not expired, and has the scope ks:fiks (§5.5). sim.Maskinporten.Verifiser fits.
	Token    func(ctx context.Context, token string) (orgnr string, err error)
	Grense   int64 // octets; a larger payload goes to Dokumentlager; 0 = 5 MiB
	Maks     int64 // octets; a larger payload is refused; 0 = 5 GiB. It is held in memory
	Lempelig Lempelig
	Logg     *slog.Logger // ids only; nil = none
}

// Lempelig switches single rules off that the real service is not known to have. The zero value is strict.
type Lempelig struct {
	UkjenteDeler   bool `help:"Se bort fra multipart-deler som ikke heter metadata eller data."`
	DobleMedlemmer bool `help:"La det siste av to like medlemmer i metadata gjelde."`
	TomData        bool `help:"Ta en tom data-del som om den ikke var der."`
	UkryptertData  bool `help:"Godta data som ikke er en hel CMS EnvelopedData."`
	Kropp          bool `help:"Ikke kontroller at meldingstypen skal ha, eller ikke ha, innhold."`
	KlientHeadere  bool `help:"Godta klientMeldingId som ikke er en UUID, og to ulike klientKorrelasjons(s)Id."`
	Verdier        bool `help:"Godta ttl som tekst eller med desimaler, og tall, sannhetsverdier og null i headere (null utelates)."`
	Bearer         bool `help:"Godta «Bearer» foran tokenet med store og små bokstaver om hverandre."`
	FremmedSvar    bool `help:"Godta svar uten svarPaMelding, på en melding avsenderen ikke har fått, til en annen enn den som sendte den, og på kvitteringer."`
}

const (
	standardGrense = 5 << 20
	standardMaks   = 5 << 30
)

// Plattform is an http.Handler and a broker.Tilgang. All methods are safe for concurrent use.
type Plattform struct {
	c     Config
	mux   *http.ServeMux
	ctx   context.Context // ends with Run: what was delayed is then never queued
	stans context.CancelFunc
	lik   func(a, b []byte) int // subtle.ConstantTimeCompare; a test counts its calls

	mu      sync.Mutex
	b       broker.Broker
	kontoer map[string]*konto // never changed in place: registering again puts a new one there
	rekke   []string          // their ids, in the order registered
	vedSend func(Sendt) Virkning
	neste   map[string]Virkning // by receiving account

	lager *dokumentlager
	bok   *loggbok
}

var (
	_ http.Handler   = (*Plattform)(nil)
	_ broker.Tilgang = (*Plattform)(nil)
)

// Ny makes a platform without broker and accounts.
func Ny(c Config) (*Plattform, error) {
	if c.Klokke == nil || c.Token == nil {
		return nil, errors.New("plattform: trenger Klokke og Token")
	}
	if c.Grense == 0 {
		c.Grense = standardGrense
	}
	if c.Maks == 0 {
		c.Maks = standardMaks
	}
	if c.Logg == nil {
		c.Logg = slog.New(slog.DiscardHandler)
	}
	p := &Plattform{c: c, mux: http.NewServeMux(), kontoer: map[string]*konto{}, neste: map[string]Virkning{},
		lager: &dokumentlager{dok: map[string]dokument{}}, bok: nyLoggbok(),
		lik: subtle.ConstantTimeCompare}
	p.ctx, p.stans = context.WithCancel(context.Background())
	p.rute("POST", "/fiks-io/api/v1/send", p.sendHTTP)
	p.rute("GET", "/fiks-io/katalog/api/v1/kontoer/{id}", p.katalogKonto)
	p.rute("GET", "/fiks-io/katalog/api/v1/kontoer/{id}/status", p.katalogStatus)
	p.rute("GET", "/fiks-io/katalog/api/v1/kontoer/{id}/offentligNokkel", p.katalogNokkel)
	p.rute("GET", "/fiks-io/katalog/api/v1/lookup", p.katalogOppslag)
	p.rute("PUT", "/fiks-io/konto/api/v1/kontoer/{id}/offentligNokkel", p.byttNokkel)
	p.rute("GET", "/dokumentlager/nedlasting/{id}", p.lastNed)
	p.rute("GET", "/dokumentlager/nedlasting/{id}/metadata", p.dokumentMetadata)
	p.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { p.avvis(w, r, feilSti.feil()) })
	return p, nil
}

// Bruk hands over the broker. It must be called before Registrer and Run, and once.
func (p *Plattform) Bruk(b broker.Broker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.b = b
}

var errUtenBroker = errors.New("plattform: Bruk er ikke kalt")

func (p *Plattform) megler() (broker.Broker, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.b == nil {
		return nil, errUtenBroker
	}
	return p.b, nil
}

// Run makes the platform's own receipts about dead messages until ctx ends. After it nothing delayed is queued any more.
func (p *Plattform) Run(ctx context.Context) error {
	defer p.stans()
	b, err := p.megler()
	if err != nil {
		return err
	}
	return b.Dode(ctx, p.kvitter)
}

// rute serves one path with one method. A handler's error becomes KS's error body.
func (p *Plattform) rute(metode, sti string, h func(http.ResponseWriter, *http.Request) error) {
	p.mux.HandleFunc(sti, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != metode {
			w.Header().Set("Allow", metode)
			p.avvis(w, r, feilMetode.feil())
			return
		}
		switch err := h(w, r); {
		case errors.Is(err, errMistSvar):
			panic(http.ErrAbortHandler) // net/http closes the connection: the client never learns that its message is queued
		case err != nil:
			p.avvis(w, r, err)
		}
	})
}

func (p *Plattform) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

func (p *Plattform) na() time.Time { return p.c.Klokke.Now().UTC() }
