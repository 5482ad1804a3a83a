package acceptance_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/matryer/is"
	"github.com/rs/zerolog"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/amqp"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit/rabbittest"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/fakeprint"
	"portal.example/bekymringsmelding/adapters/kalender"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/app/onboarding"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// nettvalg is how a world of network faults differs from the usual one.
type nettvalg struct {
	fristSekunder int               // every receiver's; 0 = 300: far beyond the test, so that a letter means that something was lost
	fagsystem     map[string]string // another character, by kommune/bydel
	leserV1       string            // the kommune/bydel whose case system cannot read v2
	// svar sees what a case system is about to answer, and may change it. n counts how often it has seen the report.
	svar func(m *world.Mottakerdata, inn sim.Mottatt, n int, svar []sim.Svar) []sim.Svar
}

// sett is one message as a case system saw it.
type sett struct{ plattformID, klientID string }

// nettverden is one portal, composed and running on the real clock, with a fault proxy on each of its two ways to the simulated
// Fiks IO: AMQP and the HTTP API. Senders and case systems have good lines.
type nettverden struct {
	t        *testing.T
	is       *is.I
	valg     nettvalg
	d        *world.Deltakere
	fiks     *world.Fiks
	lager    compose.Lager
	printer  *fakeprint.Printer
	teller   *svarteller
	amqp     *toxiproxy.Proxy
	http     *toxiproxy.Proxy
	adr      string // the portal
	mp       *sim.Maskinporten
	avsender *world.Avsender
	klokke   *hoppklokke

	mu      sync.Mutex
	godtatt []melding.ID // got a 201, in order
	sett    map[melding.ID][]sett
	token   []string // of each of the portal's log-ins, let in or not
}

// hoppklokke is the real clock, which a test can move on. What waits already waits its time out.
type hoppklokke struct {
	sysclock.Clock
	hopp atomic.Int64
}

func (k *hoppklokke) Now() time.Time { return k.Clock.Now().Add(time.Duration(k.hopp.Load())) }

func (k *hoppklokke) At(t time.Time) (<-chan time.Time, func()) {
	return k.Clock.At(t.Add(-time.Duration(k.hopp.Load())))
}

// nettmegler starts a broker for v. tillit is what its clients trust, and ca the same as a file; nil and "" = the world's own.
type nettmegler func(v *nettverden, tilgang broker.Tilgang, c *tls.Config) (b broker.Broker, tillit *tls.Config, ca string, err error)

func egenMegler(v *nettverden, tilgang broker.Tilgang, c *tls.Config) (broker.Broker, *tls.Config, string, error) {
	b, err := amqp.Start(amqp.Config{Adresse: "127.0.0.1:0", TLS: c, Klokke: v.klokke, Tilgang: tilgang})
	return b, nil, "", err
}

func rabbitMegler(v *nettverden, tilgang broker.Tilgang, _ *tls.Config) (broker.Broker, *tls.Config, string, error) {
	n := rabbittest.Start(v.t, tilgang)
	ca := filepath.Join(v.t.TempDir(), "megler.pem")
	return lant{n}, n.TLS, ca, os.WriteFile(ca, n.CA.PEM(), 0o600)
}

// nyttNett starts everything and waits until it is connected.
func nyttNett(t *testing.T, d *world.Deltakere, valg nettvalg, megler nettmegler) *nettverden {
	t.Helper()
	v := &nettverden{t: t, is: is.New(t), valg: valg, klokke: &hoppklokke{}, sett: map[melding.ID][]sett{}}
	kopi := *d
	kopi.Mottakere = slices.Clone(d.Mottakere)
	v.d = &kopi
	for i := range v.d.Mottakere {
		m := &v.d.Mottakere[i]
		m.FristSekunder, m.Fagsystem, m.Versjon = 300, "kvitterer", "V2"
		if valg.fristSekunder > 0 {
			m.FristSekunder = valg.fristSekunder
		}
		if f := valg.fagsystem[m.Kommunenummer+"/"+m.Bydelsnummer]; f != "" {
			m.Fagsystem = f
		}
	}
	v.lager = sqliteLager(t)
	mp, err := sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: v.klokke.Now})
	v.is.NoErr(err)
	v.mp = mp
	v.is.NoErr(mp.Start())
	t.Cleanup(func() { _ = mp.Lukk() })
	v.is.NoErr(world.Registrer(mp, v.d))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	v.is.NoErr(err)
	tillit, ca := v.d.Tillit(), v.d.FilSert("ca")
	v.fiks, err = world.StartFiks(t.Context(), world.Fiksvalg{D: v.d, MP: mp, Klokke: v.klokke, Lytt: l, Behandle: v.behandling, Tillit: func() *tls.Config { return tillit },
		Broker: func(tilgang broker.Tilgang, c *tls.Config) (b broker.Broker, err error) {
			b, t, fil, err := megler(v, nettilgang{v, tilgang}, c)
			if t != nil {
				tillit, ca = t, fil
			}
			return b, err
		}})
	v.is.NoErr(err)
	t.Cleanup(func() { _ = v.fiks.Lukk() })
	// With no metrics and no log of its own; zerolog is what its constructor takes.
	styrer := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	v.amqp = toxiproxy.NewProxy(styrer, "amqp", "127.0.0.1:0", v.fiks.Broker.Adresse())
	v.http = toxiproxy.NewProxy(styrer, "http", "127.0.0.1:0", l.Addr().String())
	for _, p := range []*toxiproxy.Proxy{v.amqp, v.http} {
		v.is.NoErr(p.Start())
		t.Cleanup(p.Stop)
	}
	v.startPortal(mp, ca)
	return v
}

// startPortal composes the portal. It believes what the file ca holds.
func (v *nettverden) startPortal(mp *sim.Maskinporten, ca string) {
	v.t.Helper()
	var err error
	v.printer, err = fakeprint.Open(fakeprint.Config{Mappe: filepath.Join(v.t.TempDir(), "brev"), Klokke: v.klokke,
		Manus: func(levering.Brev) fakeprint.Manus { return fakeprint.Poster(200 * time.Millisecond) }})
	v.is.NoErr(err)
	ar := time.Now().Year()
	policy := levering.Standard(kalender.Norge(ar-1, ar+10))
	policy.NySending = []time.Duration{500 * time.Millisecond, time.Second}
	login := v.d.PortalLogin
	system, err := compose.Open(v.t.Context(), compose.Config{Hemmelighet: v.d.Hemmelighet, Utsteder: mp.Utsteder(), JWKS: mp.JWKURL(),
		Retur: "Portalen (test);Testveien 2;0000;Testby", Roller: []string{"api", "worker"}, PrintPause: 200 * time.Millisecond, Dev: true, Mappe: v.t.TempDir(),
		Nokler: minne(v.t), NokkelHemmelighet: v.d.NokkelHemmelighet, Transport: "fiksio",
		Fiks: compose.FiksConfig{API: "http://" + v.http.Listen, AMQP: v.amqp.Listen, CA: ca, Konto: string(world.Portalkonto),
			Integrasjon: login.IntegrasjonID, Passord: login.Passord, TokenEndpoint: mp.TokenURL(), KlientID: login.KlientID,
			KlientSert: v.d.FilSert("portal"), KlientNokkel: v.d.FilNokkel("portal")},
		Deler: compose.Deler{Lager: v.lager, Printer: v.printer, Policy: &policy, Clock: v.klokke, UtenKlokkevakt: true, Rundt: func(_ *compose.Lager, t *ports.Transport, _ *ports.Printer) {
			v.teller = &svarteller{Transport: *t, kall: map[string]int{}, tatt: map[string]int{}}
			*t = v.teller
		}}})
	v.is.NoErr(err)
	b, err := v.d.Oppsett()
	v.is.NoErr(err)
	fil, err := onboarding.Les(strings.NewReader(string(b)))
	v.is.NoErr(err)
	_, err = system.Oppsett.Bruk(v.t.Context(), fil)
	v.is.NoErr(err)
	server := httptest.NewServer(system.Handler)
	v.t.Cleanup(server.Close)
	arbeid, stans := context.WithCancel(context.Background())
	ferdig := make(chan struct{})
	go func() { defer close(ferdig); _ = system.Run(arbeid) }() // ends when arbeid does
	v.t.Cleanup(func() { stans(); <-ferdig })
	v.adr = server.Listener.Addr().String()
	k, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: mp.TokenURL(), Issuer: mp.Utsteder(), KlientID: v.d.Avsender.KlientID,
		Nokkel: v.d.Avsender.Sert.Nokkel, Sertifikat: v.d.Avsender.Sert.Cert, Clock: v.klokke})
	v.is.NoErr(err)
	v.avsender = &world.Avsender{API: server.URL + "/bekymringsmelding", Data: v.d.Avsender, Token: k.Token, Na: v.klokke.Now}
	simtest.Til(v.t, "portalen tar imot svar", v.lytter)
}

// lytter says whether the broker has the portal as a consumer.
func (v *nettverden) lytter() bool { return v.konsumenter() == 1 }

func (v *nettverden) konsumenter() int {
	st, err := v.fiks.Broker.Status(context.Background(), protokoll.Konavn(world.Portalkonto))
	if err != nil {
		v.t.Error(err)
	}
	return st.Konsumenter
}

// klar is what /readyz says.
func (v *nettverden) klar() int {
	v.t.Helper()
	res, err := http.Get("http://" + v.adr + "/readyz")
	v.is.NoErr(err)
	_ = res.Body.Close()
	return res.StatusCode
}

// nettilgang remembers the token of each log-in of the portal's.
type nettilgang struct {
	v *nettverden
	broker.Tilgang
}

func (n nettilgang) LoggInn(ctx context.Context, bruker, passord string) bool {
	if bruker == n.v.d.PortalLogin.IntegrasjonID {
		n.v.mu.Lock()
		n.v.token = append(n.v.token, passord[strings.LastIndexByte(passord, ' ')+1:])
		n.v.mu.Unlock()
	}
	return n.Tilgang.LoggInn(ctx, bruker, passord)
}

// behandling is the case system on a receiver's account: it opens and stores what it is handed, and remembers how often it saw it.
func (v *nettverden) behandling(m *world.Mottakerdata) func(sim.Mottatt) []sim.Svar {
	versjon := melding.V2
	if v.valg.leserV1 == m.Kommunenummer+"/"+m.Bydelsnummer {
		versjon = melding.V1
	}
	f, err := sim.NyttFagsystem(sim.FagsystemConfig{Nokkel: m.Sert, Klokke: v.klokke.Now, Versjon: versjon, Oppforsel: sim.Oppforsel(m.Fagsystem), Avsender: v.portalsertifikat})
	v.is.NoErr(err)
	return func(inn sim.Mottatt) []sim.Svar {
		svar := f.Behandle(inn)
		n := v.saDen(inn.Headere, inn.MeldingID)
		if v.valg.svar != nil {
			return v.valg.svar(m, inn, n, svar)
		}
		return svar
	}
}

// saDen notes a message as a case system saw it, and gives how often its report has been seen.
func (v *nettverden) saDen(headere map[string]string, plattformID string) int {
	egen := func(navn string) string { return headere[protokoll.HeaderEgendefinert+navn] }
	id := melding.ID(egen(protokoll.HeaderBekymring))
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sett[id] = append(v.sett[id], sett{plattformID, egen(protokoll.HeaderKlientMelding)})
	return len(v.sett[id])
}

func (v *nettverden) portalsertifikat() *x509.Certificate {
	for _, k := range v.fiks.Plattform.Kontoer() {
		if k.ID == string(world.Portalkonto) {
			return k.Sertifikat
		}
	}
	return nil
}

// send posts a report with a PDF of the given size, and wants a 201 within ten seconds, whatever is wrong on the other side.
func (v *nettverden) send(kommunenr, bydel string, versjon melding.Versjon, oktetter int) melding.ID {
	v.t.Helper()
	ctx, avbryt := context.WithTimeout(context.Background(), 10*time.Second)
	defer avbryt()
	pdf := make([]byte, oktetter)
	_, _ = rand.Read(pdf) // never fails (crypto/rand); noise, so that nothing makes it shorter
	s, err := v.avsender.Forsegl(ctx, world.Nokler{Print: v.d.Print.Cert, Mottaker: v.d.Finn(kommunenr, bydel).Sert.Cert},
		world.Sending{Kommune: kommunenr, Bydel: bydel, Slag: melding.Offentlig, Versjon: versjon}, melding.NyKlartekst([]byte("{}")), melding.NyKlartekst(pdf))
	v.is.NoErr(err)
	id, err := v.avsender.Post(ctx, s)
	if err != nil {
		v.t.Fatalf("meldingen ble ikke tatt imot: %v", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.godtatt = append(v.godtatt, id)
	return id
}

const litePDF = 500

// underFeil sends reports to two receivers in turn while a fault lasts, with a pause after each.
func (v *nettverden) underFeil(antall int, pause time.Duration) {
	v.t.Helper()
	tikk := time.NewTicker(pause)
	defer tikk.Stop()
	for n := range antall {
		m := mottakere[n%2]
		v.send(m.Kommune, m.Bydel, m.Versjon, litePDF)
		<-tikk.C
	}
}

// gift puts a toxic on every connection of a proxy, present and future, until it is taken away by its name: type and direction.
func (v *nettverden) gift(p *toxiproxy.Proxy, slag, retning, attributter string) {
	v.t.Helper()
	_, err := p.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"name":%q,"type":%q,"stream":%q,"attributes":%s}`, slag+retning, slag, retning, attributter)))
	v.is.NoErr(err)
}

// frisk takes a toxic away again.
func (v *nettverden) frisk(p *toxiproxy.Proxy, slag, retning string) {
	v.t.Helper()
	v.is.NoErr(p.Toxics.RemoveToxic(context.Background(), slag+retning))
}

// kutt breaks every connection of a proxy, and takes new ones again at once.
func (v *nettverden) kutt(p *toxiproxy.Proxy) {
	v.t.Helper()
	p.Stop()
	// Another test's outgoing connection may have taken the port in between; it lets go of it soon.
	simtest.Til(v.t, "proxyen får porten sin igjen", func() bool { return p.Start() == nil })
}

// ventInntil is vent with a limit of its own.
func (v *nettverden) ventInntil(lengst time.Duration, hva string, klar func() bool) {
	v.t.Helper()
	frist, tikk := time.After(lengst), time.NewTicker(20*time.Millisecond)
	defer tikk.Stop()
	for !klar() {
		select {
		case <-frist:
			v.t.Fatalf("ventet forgjeves på at %s", hva)
		case <-tikk.C:
		}
	}
}
