package bench

import (
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/amqp"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/fiksio"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// flatt is how much more may be in use after the last message than early on.
const flatt = 4 << 20

// BenchmarkMinne says that neither the adapter nor the built-in broker keeps anything of a message that is done: 100 000 small answers,
// never more than a few at a time, and a take that does nothing.
func BenchmarkMinne(b *testing.B) {
	antall := 10_000
	if full() {
		antall = 100_000
	}
	for b.Loop() {
		fra := time.Now()
		tidlig, sent := taImot(b, antall)
		b.ReportMetric(float64(antall)/time.Since(fra).Seconds(), "svar/s")
		rapporter(b, tidlig, sent)
		krevFlatt(b, tidlig, sent)
	}
}

// BenchmarkMinnePortal is the same of all of it: portal, platform, broker and receiver in one process, each report of 50 KB from its
// upload to LEVERT in PostgreSQL. The simulated platform keeps the newest 10 000 messages for its admin page, so a fifth of all must be
// more than that: it is judged only at its full length.
func BenchmarkMinnePortal(b *testing.B) {
	antall := 2_000
	if full() {
		antall = 100_000
	}
	for b.Loop() {
		e := nyEnde(b, innebygd, paPostgres)
		fra := time.Now()
		tidlig, sent := e.leverMange(b, antall)
		b.ReportMetric(float64(antall)/time.Since(fra).Seconds(), "levert/s")
		rapporter(b, tidlig, sent)
		if full() {
			krevFlatt(b, tidlig, sent)
		}
	}
}

func rapporter(b *testing.B, tidlig, sent bruk) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(tidlig.heap)/(1<<20), "heap-tidlig-MiB")
	b.ReportMetric(float64(sent.heap)/(1<<20), "heap-sent-MiB")
	b.ReportMetric(float64(tidlig.rss)/1024, "rss-tidlig-MiB")
	b.ReportMetric(float64(sent.rss)/1024, "rss-sent-MiB")
}

func krevFlatt(b *testing.B, tidlig, sent bruk) {
	b.Helper()
	if sent.heap > tidlig.heap+flatt {
		b.Errorf("%d byte i bruk til sist, %d tidlig", sent.heap, tidlig.heap)
	}
}

// leverMange gives what was in use after a fifth and after all.
func (e *ende) leverMange(t testing.TB, antall int) (tidlig, sent bruk) {
	t.Helper()
	const runde = 200
	for n := 0; n < antall; n += runde {
		if n == antall/5 {
			tidlig = naBruk(t)
		}
		e.mal(t, 8, runde, true)
		e.tid.glem()
	}
	return tidlig, naBruk(t)
}

// bruk is what the process holds after a collection: bytes in use on the heap, and resident KiB.
type bruk struct {
	heap uint64
	rss  int
}

func naBruk(t testing.TB) bruk {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return bruk{m.HeapInuse, status(t, os.Getpid(), "VmRSS")}
}

// taImot gives what was in use after a tenth and after all.
func taImot(t testing.TB, antall int) (tidlig, sent bruk) {
	t.Helper()
	d, err := world.Apne(filepath.Join(t.TempDir(), "verden"), 2048, time.Now)
	ma(t, err)
	mp, err := sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: time.Now})
	ma(t, err)
	ma(t, mp.Start())
	defer func() { ma(t, mp.Lukk()) }()
	ma(t, world.Registrer(mp, d))
	f := startFiks(t, d, mp, func(tilgang broker.Tilgang, c *tls.Config) (broker.Broker, error) {
		return amqp.Start(amqp.Config{Adresse: "127.0.0.1:0", TLS: c, Klokke: sysclock.Clock{}, Tilgang: tilgang})
	})
	l := d.PortalLogin
	k, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: mp.TokenURL(), Issuer: mp.Utsteder(), KlientID: l.KlientID,
		Nokkel: d.Portal.Nokkel, Sertifikat: d.Portal.Cert, Clock: sysclock.Clock{}})
	ma(t, err)
	tr, err := fiksio.New(fiksio.Config{API: f.API, AMQP: f.Broker.Adresse(), TLS: f.Klient, Konto: world.Portalkonto, Integrasjon: kommune.IntegrasjonID(l.IntegrasjonID),
		Passord: l.Passord, Token: k.Token, Clock: sysclock.Clock{}})
	ma(t, err)
	ctx, stans := context.WithTimeout(context.Background(), leveringsfrist)
	defer stans()
	tatt := make(chan struct{}, 100)
	ferdig := make(chan error, 1)
	go func() {
		ferdig <- tr.Receive(ctx, func(context.Context, melding.Svar) error {
			select {
			case tatt <- struct{}{}:
			case <-ctx.Done():
			}
			return nil
		})
	}()
	ute, nr := 0, 0
	vent := func(til int) {
		for ; ute > til; ute-- {
			select {
			case <-tatt:
			case <-ctx.Done():
				t.Fatal("svarene kom ikke")
			}
		}
	}
	for _, m := range []struct {
		til  int
		bruk *bruk
	}{{antall / 10, &tidlig}, {antall, &sent}} {
		for ; nr < m.til; nr++ {
			vent(50)
			ma(t, f.Broker.Legg(ctx, protokoll.Konavn(world.Portalkonto), etSvar(d)))
			ute++
		}
		vent(0)
		*m.bruk = naBruk(t)
	}
	stans()
	if err := <-ferdig; err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
	return tidlig, sent
}

// etSvar is a mottatt as the platform lays it on the portal's queue.
func etSvar(d *world.Deltakere) broker.Melding {
	return broker.Melding{TTL: time.Hour, Headere: map[string]string{protokoll.HeaderMeldingID: contracts.UUID(), protokoll.HeaderAvsenderID: d.Finn("4601", "01").KontoID,
		protokoll.HeaderType: protokoll.Mottatt, protokoll.HeaderSvarTil: contracts.UUID(), "avsender-navn": "Bergen 01 (test)"}}
}
