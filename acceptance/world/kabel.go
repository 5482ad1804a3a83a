package world

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/adapters/fiksio"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// Kabel is the Kanal over the real wire: adapters/fiksio against the simulated platform, a broker with TLS, and a case system's own
// client on each account. The world's clock is fake and the network is not, so Lever waits, in real time, until everything the platform
// has accepted has reached whom it is for.
type Kabel struct {
	*fiksio.Transport
	fiks    *Fiks
	d       *Deltakere
	mp      *sim.Maskinporten
	klokke  ports.Clock
	t       testing.TB
	ekteTid bool

	mu        sync.Mutex
	mottakere map[kommune.KontoID]Mottaker
	sendt     []Sendt
	handtert  map[string]bool // ids that have come to whom they were for, and been dealt with
	ventes    map[string]bool // put on the portal's queue beside the platform, and not come yet
	svarUte   map[string]int  // answers that a case system is about to send, by the message answered
	godtatt   map[string]bool // answers that the platform accepts, until its log says where they are
	sene      []sentSvar
	mist      int
	nede      bool
	tilbud    chan tilbud
	parkert   []tilbud // refused by take in this Lever: offered again in the next
}

// tilbud is one answer on its way to take; the adapter's goroutine waits for utfall.
type tilbud struct {
	svar   melding.Svar
	utfall chan error
}

type sentSvar struct {
	nar  time.Time
	til  Sendt
	svar Svar
}

// lempelig: a scenario's case systems answer what no well-behaved one does, and its bodies need not be sealed.
var lempelig = plattform.Lempelig{FremmedSvar: true, UkryptertData: true, KlientHeadere: true, Kropp: true, TomData: true}

// Brokervalg is the broker of a Kabel.
type Brokervalg struct {
	Start  func(broker.Tilgang, *tls.Config) (broker.Broker, error)
	Tillit func() *tls.Config // what clients trust, asked after Start; nil = the world's CA
	// EkteTid says that the broker's TTLs run on the machine's clock, not the world's.
	EkteTid bool
	Grense  int64 // as Fiksvalg has it
}

// NyKabel starts platform, broker and adapter. They stop with the test.
func NyKabel(t testing.TB, d *Deltakere, klokke *Klokke, b Brokervalg) *Kabel {
	t.Helper()
	ma := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	k := &Kabel{d: d, klokke: klokke, t: t, ekteTid: b.EkteTid, mottakere: map[kommune.KontoID]Mottaker{}, handtert: map[string]bool{}, ventes: map[string]bool{}, svarUte: map[string]int{}, godtatt: map[string]bool{}, tilbud: make(chan tilbud)}
	var err error
	k.mp, err = sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: klokke.Now})
	ma(err)
	ma(k.mp.Start())
	t.Cleanup(func() { _ = k.mp.Lukk() })
	ma(Registrer(k.mp, d))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ma(err)
	k.fiks, err = StartFiks(context.Background(), Fiksvalg{D: d, MP: k.mp, Klokke: klokke, Lytt: l, Behandle: k.behandling, Lempelig: lempelig, Tillit: b.Tillit, Grense: b.Grense, Rundt: k.rundt,
		Broker: func(tilgang broker.Tilgang, c *tls.Config) (broker.Broker, error) {
			return b.Start(kabeltilgang{k, tilgang}, c)
		}})
	ma(err)
	t.Cleanup(func() { _ = k.fiks.Lukk() })
	k.fiks.Plattform.VedSend(k.vedSend)
	login := d.PortalLogin
	klient, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: k.mp.TokenURL(), Issuer: k.mp.Utsteder(), KlientID: login.KlientID,
		Nokkel: d.Portal.Nokkel, Sertifikat: d.Portal.Cert, Clock: klokke})
	ma(err)
	k.Transport, err = fiksio.New(fiksio.Config{API: k.fiks.API, AMQP: k.fiks.Broker.Adresse(), TLS: k.fiks.Klient, Konto: Portalkonto,
		Integrasjon: kommune.IntegrasjonID(login.IntegrasjonID), Passord: login.Passord, Token: klient.Token, Clock: utalmodig{klokke}})
	ma(err)
	ma(k.Publish(context.Background(), d.Portal.Cert))
	ctx, stans := context.WithCancel(context.Background())
	ferdig := make(chan struct{})
	go func() { defer close(ferdig); _ = k.Receive(ctx, k.tilby) }()
	t.Cleanup(func() { stans(); <-ferdig })
	return k
}

// utalmodig is the world's clock for an adapter that waits for the network: nobody moves time while it does.
type utalmodig struct{ ports.Clock }

func (u utalmodig) At(t time.Time) (<-chan time.Time, func()) {
	c := make(chan time.Time, 1)
	s := time.AfterFunc(20*time.Millisecond, func() { c <- t })
	return c, func() { s.Stop() }
}

// kabeltilgang lets nobody in while everything is down.
type kabeltilgang struct {
	k *Kabel
	broker.Tilgang
}

func (t kabeltilgang) LoggInn(ctx context.Context, bruker, passord string) bool {
	return !t.k.erNede() && t.Tilgang.LoggInn(ctx, bruker, passord)
}

func (k *Kabel) erNede() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.nede
}

func (k *Kabel) rundt(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if k.erNede() {
			http.Error(w, "nede", http.StatusBadGateway)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// vedSend hears of everything the platform accepts, before it is queued.
func (k *Kabel) vedSend(s plattform.Sendt) (v plattform.Virkning) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s.Fra == string(Portalkonto) {
		if k.mist > 0 {
			k.mist--
			v.MistSvar = true
		}
		return v
	}
	if k.svarUte[s.SvarPa] > 0 {
		k.svarUte[s.SvarPa]--
	}
	k.godtatt[s.MeldingID] = true
	return v
}

// behandling is the case system on a receiver's account: whatever Koble has put there.
func (k *Kabel) behandling(m *Mottakerdata) func(sim.Mottatt) []sim.Svar {
	konto := kommune.KontoID(m.KontoID)
	return func(inn sim.Mottatt) (ut []sim.Svar) {
		k.mu.Lock()
		mottaker := k.mottakere[konto]
		k.mu.Unlock()
		egen := func(navn string) string { return inn.Headere[protokoll.HeaderEgendefinert+navn] }
		s := Sendt{Handtak: konto, Ref: inn.MeldingID, Meldingstype: inn.Meldingstype, Forsok: melding.ForsokID(egen(protokoll.HeaderKlientMelding)),
			Melding: melding.ID(egen(protokoll.HeaderBekymring)), Innhold: inn.Innhold, Headere: inn.Headere}
		if l, ok := k.fiks.Plattform.Melding(inn.MeldingID); ok {
			s.TTL = l.TTL
		}
		svar := mottaker(s)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.sendt = append(k.sendt, s)
		for _, v := range svar {
			if v.Etter == 0 && v.Fra == "" && v.SvarTil == "" && !v.UtenRef && v.Meldingstype != protokoll.Serverfeil { // what its own client can say
				ut = append(ut, sim.Svar{Meldingstype: v.Meldingstype, SvarTil: s.Ref, Innhold: v.Innhold})
				continue
			}
			k.sene = append(k.sene, sentSvar{k.klokke.Now().Add(v.Etter), s, v})
		}
		k.svarUte[s.Ref] = len(ut) // a message that comes again is answered in full again
		k.handtert[s.Ref] = true
		return ut
	}
}

// tilby is the adapter's take: it waits until a Lever has room for it.
func (k *Kabel) tilby(ctx context.Context, s melding.Svar) error {
	t := tilbud{s, make(chan error, 1)}
	select {
	case k.tilbud <- t:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-t.utfall:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Neste: see Kanal.
func (k *Kabel) Neste() (t time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.sene {
		if t.IsZero() || s.nar.Before(t) {
			t = s.nar
		}
	}
	return t
}

// Koble: see Kanal.
func (k *Kabel) Koble(konto kommune.KontoID, m Mottaker) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if m != nil {
		k.mottakere[konto] = m
	}
}

// Sendte: see Kanal.
func (k *Kabel) Sendte(id melding.ID) (ut []Sendt) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.sendt {
		if id == "" || s.Melding == id {
			ut = append(ut, s)
		}
	}
	return ut
}

// MistSvar: see Kanal.
func (k *Kabel) MistSvar(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mist = n
}

// Steng: see Kanal.
func (k *Kabel) Steng(konto kommune.KontoID) {
	for _, x := range k.d.kontoer() {
		if x.ID == string(konto) {
			x.Stengt = true
			if err := k.fiks.Plattform.Registrer(context.Background(), x); err != nil {
				k.t.Error(err)
			}
		}
	}
}

// Nede: see Kanal.
func (k *Kabel) Nede(nede bool) {
	if nede {
		k.ventBekreftet()
	}
	k.mu.Lock()
	k.nede = nede
	k.mu.Unlock()
	if nede {
		if err := k.fiks.Broker.Brudd(context.Background()); err != nil {
			k.t.Error(err)
		}
	}
}
