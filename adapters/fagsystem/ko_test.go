package fagsystem_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/amqp"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/adapters/fagsystem"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/domain/protokoll"
)

const ko = "fiksio.konto." + konto

// korigg is a rigg whose queue is a real one, over TLS. The client under test runs between start and the stop it returns.
type korigg struct {
	*rigg
	is   *is.I
	b    *amqp.Broker
	hort chan fagsystem.Hendelse

	tokens  atomic.Int64 // given out
	stengt  atomic.Bool  // the integration is refused
	mu      sync.Mutex
	passord []string // as the broker was given them
}

func koSetup(t *testing.T) *korigg {
	t.Helper()
	k := &korigg{rigg: setup(t), is: is.New(t), hort: make(chan fagsystem.Hendelse, 1000)}
	m := simtest.NyTjener(t)
	var err error
	k.b, err = amqp.Start(amqp.Config{Adresse: "127.0.0.1:0", Klokke: sysclock.Clock{}, Tilgang: k, TLS: m.TLS})
	k.is.NoErr(err)
	t.Cleanup(func() { _ = k.b.Close() })
	k.is.NoErr(k.b.Opprett(ctx, ko))
	k.config.AMQP = k.b.Adresse()
	k.config.TLS = k.config.TLS.Clone()
	k.config.TLS.RootCAs = k.config.TLS.RootCAs.Clone()
	k.config.TLS.RootCAs.AddCert(m.CA.Cert)
	k.config.Token = func(context.Context) (string, error) { k.tokens.Add(1); return adgang, nil }
	k.config.Meld = func(h fagsystem.Hendelse) { k.hort <- h }
	k.ny()
	return k
}

func (k *korigg) LoggInn(_ context.Context, bruker, passord string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.passord = append(k.passord, bruker+": "+passord)
	return !k.stengt.Load()
}

func (k *korigg) KanLese(_ context.Context, bruker, navn string) bool {
	return bruker == integr && navn == ko
}

// start runs Motta; the returned function stops it as a program that ends, and waits.
func (k *korigg) start() (stopp func()) {
	ctx, avbryt := context.WithCancel(context.Background())
	ferdig := make(chan struct{})
	klient := k.klient
	go func() { defer close(ferdig); klient.Motta(ctx) }()
	stopp = sync.OnceFunc(func() { avbryt(); <-ferdig })
	k.t.Cleanup(stopp)
	return stopp
}

// legg puts one message on the queue and gives its melding-id.
func (k *korigg) legg(body []byte, headere ...string) string {
	k.t.Helper()
	h := map[string]string{}
	for navn, v := range k.levering().Headers {
		if s, ok := v.(string); ok {
			h[navn] = s
		}
	}
	for i := 0; i < len(headere); i += 2 {
		h[headere[i]] = headere[i+1]
	}
	k.is.NoErr(k.b.Legg(ctx, ko, broker.Melding{Headere: h, TTL: time.Hour, Kropp: body}))
	return h["melding-id"]
}

func (k *korigg) rapport() []byte {
	return k.forseglet(k.fagsystem, protokoll.FilJSON, protokoll.FilPDF)
}

// vent waits for what is told of a kind, and gives it.
func (k *korigg) vent(art fagsystem.Art) fagsystem.Hendelse {
	k.t.Helper()
	frist := time.After(30 * time.Second)
	var andre []string
	for {
		select {
		case h := <-k.hort:
			if h.Art == art {
				return h
			}
			andre = append(andre, fmt.Sprintf("%s (%v)", h.Art, h.Feil))
		case <-frist:
			k.t.Fatalf("never %s; %s", art, strings.Join(andre, ", "))
		}
	}
}

// tom waits until the queue holds nothing, acked or not.
func (k *korigg) tom() { k.t.Helper(); k.status(0, 0) }

func (k *korigg) status(klare, ubekreftede int) {
	k.t.Helper()
	frist, tikk := time.After(30*time.Second), time.NewTicker(2*time.Millisecond)
	defer tikk.Stop()
	for {
		s, err := k.b.Status(ctx, ko)
		k.is.NoErr(err)
		if s.Klare == klare && s.Ubekreftede == ubekreftede {
			return
		}
		select {
		case <-tikk.C:
		case <-frist:
			k.t.Fatalf("the queue has %d ready and %d not acked", s.Klare, s.Ubekreftede)
		}
	}
}

func (k *korigg) svar() []sendt {
	k.rigg.mu.Lock()
	defer k.rigg.mu.Unlock()
	return append([]sendt{}, k.sendt...)
}

func (k *korigg) sett(prefiks string, status int) {
	k.rigg.mu.Lock()
	defer k.rigg.mu.Unlock()
	k.rigg.status[prefiks] = status
}

func TestOverTLSAReportIsStoredAnsweredAndTakenOffTheQueue(t *testing.T) {
	k := koSetup(t)
	k.start()
	meldingID := k.legg(k.rapport())
	h := k.vent(fagsystem.Lagret)
	k.is.Equal(string(h.ID), rapport)
	k.tom()
	k.is.Equal(k.filer(), []string{rapport})
	k.is.Equal(k.svar()[0].Type, protokoll.Mottatt)
	k.is.Equal(k.svar()[0].SvarPa, meldingID)
	k.is.Equal(k.passord, []string{integr + ": " + passord + " " + adgang})
}

func TestAProgramKilledBetweenStoringAndAnsweringStoresOnceAndAnswers(t *testing.T) {
	k := koSetup(t)
	k.sett("/fiks-io/api", 503)
	stopp := k.start()
	k.legg(k.rapport())
	k.vent(fagsystem.Utsatt)
	stopp()
	k.status(1, 0) // back on the queue
	k.is.Equal(k.filer(), []string{rapport})
	before, err := os.Stat(filepath.Join(k.mappe, rapport))
	k.is.NoErr(err)

	k.sett("/fiks-io/api", 0)
	k.ny()
	k.start()
	k.vent(fagsystem.Gjentatt)
	k.tom()
	after, err := os.Stat(filepath.Join(k.mappe, rapport))
	k.is.NoErr(err)
	k.is.True(os.SameFile(before, after))
	k.is.Equal(len(k.svar()), 1)
	k.is.Equal(k.svar()[0].Type, protokoll.Mottatt)
}

// fullFor fails for one report, as long as it is told to.
type fullFor struct {
	fagsystem.Mappe
	full atomic.Bool
}

func (l *fullFor) Lagre(ctx context.Context, m fagsystem.Melding) error {
	if m.ID == rapport && l.full.Load() {
		return errors.New("no space left on device")
	}
	return l.Mappe.Lagre(ctx, m)
}

// Three tries are all the platform gives. Being held must not spend one, however long the disk is full.
func TestAFullDiskAnswersNothingSpendsNoDeliveryAndStopsNobodyElse(t *testing.T) {
	k := koSetup(t)
	lager := &fullFor{Mappe: fagsystem.Mappe(k.mappe)}
	lager.full.Store(true)
	k.config.Lager = lager
	k.ny()
	k.start()
	held := k.legg(k.rapport())
	for range broker.Forsok + 2 {
		k.is.Equal(k.vent(fagsystem.Utsatt).MeldingID, held)
	}
	k.is.Equal(len(k.svar()), 0)
	k.status(0, 1)

	annen := nyUUID()
	k.legg(k.rapport(), "egendefinert-header.bekymringsmelding-id", annen)
	k.is.Equal(string(k.vent(fagsystem.Lagret).ID), annen) // the one behind
	k.status(0, 1)

	lager.full.Store(false)
	k.is.Equal(k.vent(fagsystem.Lagret).MeldingID, held)
	k.tom()
	k.is.Equal(len(k.svar()), 2)
}

func TestAReportSealedForAnotherKeyIsRejectedInWordsThePortalReads(t *testing.T) {
	k := koSetup(t)
	k.start()
	k.legg(k.forseglet(k.andre, protokoll.FilJSON, protokoll.FilPDF))
	k.vent(fagsystem.Avvist)
	k.tom()
	k.is.Equal(k.svar()[0].Type, protokoll.Feilet)
	k.is.Equal(k.feilmelding(k.rigg.portal, k.svar()[0].data), "Meldingen kan ikke dekrypteres")
}

func TestATidsavbruddIsTakenOffTheQueueAndNotAnswered(t *testing.T) {
	k := koSetup(t)
	k.start()
	k.legg(nil, "type", "no.ks.fiks.kvittering.tidsavbrudd", "svar-til", nyUUID(), "svar-til-type", protokoll.Mottatt)
	k.vent(fagsystem.Tidsavbrudd)
	k.tom()
	k.is.Equal(len(k.svar()), 0)
}

func TestAReportInDokumentlagerIsFetchedAndStored(t *testing.T) {
	const dok = "7b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad022"
	k := koSetup(t)
	k.dok[dok] = k.rapport()
	k.start()
	k.legg(nil, "dokumentlager-id", dok)
	k.vent(fagsystem.Lagret)
	k.tom()
}

// What was held when the connection broke comes again, and the next connection logs in with a token of its own.
func TestABrokerThatRestartsIsConnectedToAgain(t *testing.T) {
	k := koSetup(t)
	k.sett("/fiks-io/api", 503)
	k.start()
	k.legg(k.rapport())
	k.vent(fagsystem.Utsatt)
	k.sett("/fiks-io/api", 0)
	k.is.NoErr(k.b.Brudd(ctx))
	k.tom()
	k.is.Equal(k.filer(), []string{rapport})
	for _, s := range k.svar() {
		k.is.Equal(s.Type, protokoll.Mottatt)
	}

	k.legg(k.rapport(), "egendefinert-header.bekymringsmelding-id", nyUUID())
	k.vent(fagsystem.Lagret)
	k.tom()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.is.True(len(k.passord) >= 2)
}

func TestAClientThatIsRefusedTriesAgainUntilItIsLetIn(t *testing.T) {
	k := koSetup(t)
	k.stengt.Store(true)
	k.start()
	for range 3 {
		h := k.vent(fagsystem.Frakoblet)
		k.is.True(!strings.Contains(fmt.Sprint(h.Feil), passord))
	}
	k.is.True(k.tokens.Load() >= 3) // a fresh one at every connection
	k.stengt.Store(false)
	k.legg(k.rapport())
	k.vent(fagsystem.Lagret)
}

// A queue that is not there yet is the platform's to make.
func TestNothingIsDeclared(t *testing.T) {
	k := koSetup(t)
	k.config.Konto = "8b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad033"
	k.ny()
	k.start()
	k.vent(fagsystem.Frakoblet)
	_, err := k.b.Status(ctx, "fiksio.konto.8b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad033")
	k.is.True(err != nil)
}

func TestAnUnknownServerIsNotTalkedTo(t *testing.T) {
	k := koSetup(t)
	k.config.TLS = nil
	k.ny()
	k.start()
	k.vent(fagsystem.Frakoblet)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.is.Equal(len(k.passord), 0)
}
