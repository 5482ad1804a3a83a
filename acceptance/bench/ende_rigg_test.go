package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/binary"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/amqp"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit/rabbittest"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/app/onboarding"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// The brokers that the platform's queues may lie on.
const (
	innebygd = "innebygd"
	rabbitmq = "rabbitmq"
)

// ende is a portal as in operation (PostgreSQL, workers, Fiks IO over TLS, the real clock and the ordinary policy), the simulated
// platform and one receiver.
type ende struct {
	d        *world.Deltakere
	fiks     *world.Fiks
	avsender *world.Avsender
	tid      *tidtaker
	rmq      *rabbit.Broker  // nil until somebody needs it
	golv     *golv           // nil until medGolv
	maler    []world.Sending // distinct pairs of sizes: none looks like another to the search for duplicates (ports.Store.Similar)
	nr       uint64
}

func nyEnde(t testing.TB, megler string, apne func(testing.TB) base) *ende {
	t.Helper()
	mappe := t.TempDir()
	d, err := world.Apne(filepath.Join(mappe, "verden"), 2048, time.Now)
	ma(t, err)
	e := &ende{d: d, tid: &tidtaker{venter: map[melding.ID]chan time.Time{}}}
	mp, err := sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: time.Now})
	ma(t, err)
	ma(t, mp.Start())
	t.Cleanup(func() { ma(t, mp.Lukk()) })
	ma(t, world.Registrer(mp, d))

	e.fiks = startFiks(t, d, mp, func(tilgang broker.Tilgang, c *tls.Config) (broker.Broker, error) {
		if megler == rabbitmq {
			e.rmq = startRabbit(t, d, tilgang)
			return e.rmq, nil
		}
		return amqp.Start(amqp.Config{Adresse: "127.0.0.1:0", TLS: c, Klokke: sysclock.Clock{}, Tilgang: tilgang})
	})
	url := e.startPortal(t, mappe, mp, apne(t).lager)

	k, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: mp.TokenURL(), Issuer: mp.Utsteder(), KlientID: d.Avsender.KlientID,
		Nokkel: d.Avsender.Sert.Nokkel, Sertifikat: d.Avsender.Sert.Cert, Clock: sysclock.Clock{}})
	ma(t, err)
	e.avsender = &world.Avsender{API: url + "/bekymringsmelding", Data: d.Avsender, Token: k.Token, Na: time.Now,
		HTTP: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	n, err := e.avsender.HentNokler(context.Background(), "4601", "01")
	ma(t, err)
	e.lagMaler(t, n)
	return e
}

// medGolv lays the floor beside it: on the same node of RabbitMQ when the platform has one.
func (e *ende) medGolv(t testing.TB, apne func(testing.TB) base) *ende {
	t.Helper()
	if e.rmq == nil {
		e.rmq = startRabbit(t, e.d, ingen{})
	}
	e.golv = nyttGolv(t, e.rmq, apne(t).raa)
	return e
}

// startFiks starts platform and broker, with a receiver on 4601/01 that answers without looking.
func startFiks(t testing.TB, d *world.Deltakere, mp *sim.Maskinporten, b func(broker.Tilgang, *tls.Config) (broker.Broker, error)) *world.Fiks {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ma(t, err)
	f, err := world.StartFiks(context.Background(), world.Fiksvalg{D: d, MP: mp, Klokke: sysclock.Clock{}, Lytt: l, Broker: b,
		Behandle: func(m *world.Mottakerdata) func(sim.Mottatt) []sim.Svar {
			return func(inn sim.Mottatt) []sim.Svar {
				return []sim.Svar{{Meldingstype: protokoll.Mottatt, SvarTil: inn.MeldingID}}
			}
		}})
	ma(t, err)
	t.Cleanup(func() { ma(t, f.Lukk()) })
	return f
}

// startPortal gives the portal's base URL.
func (e *ende) startPortal(t testing.TB, mappe string, mp *sim.Maskinporten, lager compose.Lager) string {
	t.Helper()
	ctx := context.Background()
	for _, m := range []string{"deler", "nokler"} {
		ma(t, os.MkdirAll(filepath.Join(mappe, m), 0o700))
	}
	l := e.d.PortalLogin
	s, err := compose.Open(ctx, compose.Config{Hemmelighet: e.d.Hemmelighet, Utsteder: mp.Utsteder(), JWKS: mp.JWKURL(), Transport: "fiksio",
		Print: "mappe:" + filepath.Join(mappe, "brev"), Retur: "Portalen (test);Testveien 2;0000;Testby", Roller: []string{"api", "worker"}, Reserve: 256 << 20,
		Mappe: filepath.Join(mappe, "deler"), Nokler: filepath.Join(mappe, "nokler"), NokkelHemmelighet: e.d.NokkelHemmelighet, Dev: true,
		Fiks: compose.FiksConfig{API: e.fiks.API, AMQP: e.fiks.Broker.Adresse(), CA: e.d.FilSert("ca"), Konto: string(world.Portalkonto), Integrasjon: l.IntegrasjonID,
			Passord: l.Passord, TokenEndpoint: mp.TokenURL(), KlientID: l.KlientID, KlientSert: e.d.FilSert("portal"), KlientNokkel: e.d.FilNokkel("portal")},
		Deler: compose.Deler{Lager: lager, Logg: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
			Rundt: func(l *compose.Lager, _ *ports.Transport, _ *ports.Printer) {
				e.tid.Lager = *l
				*l = e.tid
			}}})
	ma(t, err)
	b, err := e.d.Oppsett()
	ma(t, err)
	fil, err := onboarding.Les(bytes.NewReader(b))
	ma(t, err)
	_, err = s.Oppsett.Bruk(ctx, fil)
	ma(t, err)
	lytt, err := net.Listen("tcp", "127.0.0.1:0")
	ma(t, err)
	arbeid, stans := context.WithCancel(ctx)
	ferdig := make(chan error, 1)
	go func() { ferdig <- s.ServeOn(arbeid, lytt) }()
	t.Cleanup(func() {
		stans()
		if err := <-ferdig; err != nil {
			t.Error(err)
		}
	})
	return "http://" + lytt.Addr().String()
}

const storrelser = 50 // of each part; so 2500 pairs

func (e *ende) lagMaler(t testing.TB, n world.Nokler) {
	t.Helper()
	segl := func(n int, c *x509.Certificate) []byte {
		var ut bytes.Buffer
		ma(t, cms.Encrypt(&ut, bytes.NewReader(make([]byte, n)), int64(n), c))
		return ut.Bytes()
	}
	var pdf, asice [][]byte
	for k := range storrelser {
		pdf, asice = append(pdf, segl(halv+16*(k-storrelser), n.Print)), append(asice, segl(halv+16*(k-storrelser), n.Mottaker))
	}
	for i := range storrelser * storrelser {
		e.maler = append(e.maler, world.Sending{Kommune: "4601", Bydel: "01", Slag: melding.Offentlig, Versjon: melding.V1, PDF: pdf[i%storrelser], Asice: asice[i/storrelser]})
	}
}

// ny is a report with bytes of its own: see inntak.ny.
func (e *ende) ny() world.Sending {
	e.nr++
	s := e.maler[int(e.nr)%len(e.maler)]
	s.PDF, s.Asice = bytes.Clone(s.PDF), bytes.Clone(s.Asice)
	for _, b := range [][]byte{s.PDF, s.Asice} {
		binary.BigEndian.PutUint64(b[len(b)/2:], e.nr)
	}
	return s
}

// tidtaker notes when a report's LEVERT was committed.
type tidtaker struct {
	compose.Lager
	mu     sync.Mutex
	venter map[melding.ID]chan time.Time
}

func (t *tidtaker) Update(ctx context.Context, id melding.ID, fn func(ports.Utgave) (ports.Endring, error)) (ports.Utgave, error) {
	u, err := t.Lager.Update(ctx, id, fn)
	t.se(u, err)
	return u, err
}

func (t *tidtaker) Settle(ctx context.Context, id melding.ID, o levering.Oppdrag, fn func(ports.Utgave) (ports.Endring, error)) (ports.Utgave, bool, error) {
	u, ny, err := t.Lager.Settle(ctx, id, o, fn)
	t.se(u, err)
	return u, ny, err
}

func (t *tidtaker) se(u ports.Utgave, err error) {
	if err == nil && u.Melding.Tilstand() == melding.LEVERT {
		select {
		case t.levert(u.Melding.Fakta.ID) <- time.Now():
		default: // known already
		}
	}
}

// glem lets go of the reports so far: the measurement must not be what grows.
func (t *tidtaker) glem() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.venter)
}

func (t *tidtaker) levert(id melding.ID) chan time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.venter[id] == nil {
		t.venter[id] = make(chan time.Time, 1)
	}
	return t.venter[id]
}

// startRabbit is a node of its own with a certificate of the world's CA. Without RabbitMQ: as rabbittest.Start.
func startRabbit(t testing.TB, d *world.Deltakere, tilgang broker.Tilgang) *rabbit.Broker {
	t.Helper()
	s, err := d.CA.Utsted(sim.Bestilling{Navn: "localhost", Formal: sim.TLS, Bits: 2048})
	ma(t, err)
	mappe := t.TempDir()
	c := rabbit.Config{Adresse: "127.0.0.1:0", SertifikatFil: filepath.Join(mappe, "sertifikat.pem"), NokkelFil: filepath.Join(mappe, "nokkel.pem"), Tilgang: tilgang}
	ma(t, s.Skriv(c.SertifikatFil, c.NokkelFil))
	b, err := rabbit.Start(context.Background(), c)
	rabbittest.Startet(t, err)
	t.Cleanup(func() { ma(t, b.Close()) })
	return b
}

// ingen lets nobody in.
type ingen struct{}

func (ingen) LoggInn(context.Context, string, string) bool { return false }
func (ingen) KanLese(context.Context, string, string) bool { return false }

const golvko = "golv"

// golv is what the work cannot do without: the broker has the bytes, and the database has them.
type golv struct {
	rmq *rabbit.Broker
	db  *sql.DB
}

func nyttGolv(t testing.TB, rmq *rabbit.Broker, db *sql.DB) *golv {
	t.Helper()
	_, err := db.Exec("CREATE TABLE golv (nr bigserial PRIMARY KEY, innhold bytea NOT NULL)")
	ma(t, err)
	ma(t, rmq.Opprett(context.Background(), golvko))
	return &golv{rmq, db}
}

func (g *golv) ett(b []byte) error {
	if err := g.rmq.Legg(context.Background(), golvko, broker.Melding{Kropp: b}); err != nil {
		return err
	}
	_, err := g.db.Exec("INSERT INTO golv (innhold) VALUES ($1)", b)
	return err
}
