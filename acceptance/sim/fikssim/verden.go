// Package fikssim puts the simulated Fiks IO together: token issuer, platform, broker, case systems and admin page, as one world that
// starts and stops. cmd/fiks-sim is it as a program.
//
// Call Start, read Ark for where everything is, wait on Ferdig or for your own reason to end, and call Stopp. Queues and messages are
// gone after it with the built-in broker; keys, accounts and passwords are kept in the data folder.
package fikssim

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/fagklient"
	"portal.example/bekymringsmelding/acceptance/sim/fiks"
	"portal.example/bekymringsmelding/acceptance/sim/loopback"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
)

// Config is what a world needs. Addresses are host:port on loopback, and port 0 takes a free one.
type Config struct {
	Data         string // folder for keys and accounts, mode 0700
	Fiks         string // send API, catalogue, Dokumentlager and admin page, over HTTP
	AMQP         string // over TLS
	Maskinporten string // over HTTP
	Grense       int64  // see plattform.Config
	Megler       string // innebygd or rabbitmq; "" = innebygd
	Oppsett      string // a file (see Oppsett); "" = the data folder's own
	Lempelig     plattform.Lempelig
	LempeligMP   bool          // see sim.MaskinportenConfig
	Bits         int           // of new RSA keys; 0 = 3072
	Klokke       broker.Klokke // nil = the machine's
	Logg         *slog.Logger  // ids only; nil = none
}

// Verden is a world that runs.
type Verden struct {
	c      Config
	o      Oppsett
	ca     *sim.CA
	caFil  string
	mp     *sim.Maskinporten
	fiks   *fiks.Fiks
	nokler []*sim.Sertifikat // of each account, in the order of the set-up
}

// Start starts everything. On an error nothing runs.
func Start(ctx context.Context, c Config) (v *Verden, err error) {
	if c.Klokke == nil {
		c.Klokke = Klokke{}
	}
	if c.Logg == nil {
		c.Logg = slog.New(slog.DiscardHandler)
	}
	for _, adr := range []*string{&c.Fiks, &c.AMQP, &c.Maskinporten} {
		if *adr, err = loopback.Adresse(*adr); err != nil {
			return nil, err
		}
	}
	if err := sim.PrivatMappe(c.Data); err != nil {
		return nil, err
	}
	v = &Verden{c: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, v.Stopp())
		}
	}()
	if err := v.lesDeltakere(); err != nil {
		return v, err
	}
	if err := v.startMaskinporten(); err != nil {
		return v, fmt.Errorf("maskinporten: %w", err)
	}
	if err := v.startFiks(ctx); err != nil {
		return v, err
	}
	for i := range v.o.Kontoer {
		if err := v.startFagsystem(i); err != nil {
			return v, err
		}
	}
	return v, nil
}

func (v *Verden) lesDeltakere() (err error) {
	if v.c.Oppsett != "" {
		if v.o, err = lesOppsett(v.c.Oppsett); err != nil {
			return err
		}
		return v.hentCA(v.o.CA)
	}
	if err := v.hentCA(nil); err != nil {
		return err
	}
	v.o, err = standard(v.c.Data, v.ca, v.c.Bits)
	return err
}

func (v *Verden) startMaskinporten() error {
	// The same key after a restart: tokens that clients hold stay good, as at the real issuer.
	n, err := v.nokkel("maskinporten", sim.Bestilling{Navn: "Maskinporten (test)", Formal: sim.Virksomhet})
	if err != nil {
		return err
	}
	if v.mp, err = sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: v.c.Klokke.Now, Adresse: v.c.Maskinporten, Nokkel: n.Nokkel,
		Lempelig: v.c.LempeligMP}); err != nil {
		return err
	}
	return v.mp.Start()
}

// startFiks makes every account known to the issuer and to the platform, and serves.
func (v *Verden) startFiks(ctx context.Context) error {
	var kontoer []plattform.Konto
	var avsender string
	for _, k := range v.o.Kontoer {
		s, err := sim.LesSertifikat(k.Sertifikat, k.PrivatNokkel)
		if err == nil {
			err = v.mp.Registrer(sim.Klient{ID: k.KlientID, Orgnr: kommune.Orgnr(k.Orgnr), Sertifikat: s.Cert})
		}
		if err != nil {
			return fmt.Errorf("konto %s: %w", k.KontoID, err)
		}
		v.nokler = append(v.nokler, s)
		if k.Portal {
			avsender = strings.ToLower(k.KontoID)
		}
		kontoer = append(kontoer, plattform.Konto{ID: k.KontoID, Navn: k.Navn, FiksOrgID: k.FiksOrgID, FiksOrgNavn: k.FiksOrgNavn, Orgnr: k.Orgnr,
			Kommunenummer: k.Kommunenummer, Sertifikat: s.Cert, Nokkel: s.Nokkel, Stengt: k.Stengt,
			Integrasjoner: []plattform.Integrasjon{{ID: k.IntegrasjonID, Passord: k.IntegrasjonPassord, Orgnr: k.Orgnr}}})
	}
	tjener, err := v.serverTLS()
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", v.c.Fiks)
	if err != nil {
		return fmt.Errorf("fiks: %w", err)
	}
	v.fiks, err = fiks.Start(ctx, fiks.Valg{Lytt: l, Kontoer: kontoer, Karakter: v.karakter, Avsender: avsender, Versjon: v.versjon,
		Plattform: plattform.Config{Klokke: v.c.Klokke, Token: v.mp.Verifiser, Grense: v.c.Grense, Lempelig: v.c.Lempelig, Logg: v.c.Logg},
		Broker:    func(t broker.Tilgang) (broker.Broker, error) { return v.startMegler(ctx, t, tjener) }})
	return err
}

// startFagsystem connects the case system of account number i, when it has one.
func (v *Verden) startFagsystem(i int) error {
	k := &v.o.Kontoer[i]
	if sim.Oppforsel(k.Fagsystem) == sim.Ingen {
		return nil
	}
	f, err := sim.NyttFagsystem(sim.FagsystemConfig{Nokkel: v.nokler[i], Avsender: v.portalensSertifikat, Klokke: v.c.Klokke.Now, Oppforsel: sim.Oppforsel(k.Fagsystem),
		SentEtter: time.Duration(k.SentEtter) * time.Second, Mappe: k.Lager, Versjon: k.versjon()})
	if err != nil {
		return fmt.Errorf("fagsystemet til konto %s: %w", k.KontoID, err)
	}
	return v.fiks.Koble(fagklient.Config{TLS: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: v.rot(), Time: v.c.Klokke.Now},
		KontoID: strings.ToLower(k.KontoID), IntegrasjonID: strings.ToLower(k.IntegrasjonID), Passord: k.IntegrasjonPassord, Behandle: f.Behandle, Klokke: v.c.Klokke,
		Logg: v.c.Logg, Token: func(context.Context) (string, error) { return v.mp.Token(k.KlientID) }})
}

// portalensSertifikat is what the catalogue says now.
func (v *Verden) portalensSertifikat() (c *x509.Certificate) {
	for i, k := range v.fiks.Plattform.Kontoer() { // in the order of the set-up
		if v.o.Kontoer[i].Portal {
			c = k.Sertifikat
		}
	}
	return c
}

func (v *Verden) karakter(kontoID string) string {
	for _, k := range v.o.Kontoer {
		if strings.EqualFold(k.KontoID, kontoID) && sim.Oppforsel(k.Fagsystem) != sim.Ingen {
			return k.Fagsystem
		}
	}
	return ""
}

// versjon is what an account's case system reads.
func (v *Verden) versjon(kontoID string) melding.Versjon {
	for _, k := range v.o.Kontoer {
		if strings.EqualFold(k.KontoID, kontoID) {
			return k.versjon()
		}
	}
	return melding.V2
}

// Plattform is for tests that make things go wrong.
func (v *Verden) Plattform() *plattform.Plattform { return v.fiks.Plattform }

// Ferdig gives one error if the world ends by itself.
func (v *Verden) Ferdig() <-chan error { return v.fiks.Ferdig() }

// Stopp ends everything and waits for it. Calls under way get a few seconds.
func (v *Verden) Stopp() (err error) {
	if v.fiks != nil {
		err = v.fiks.Lukk()
	}
	if v.mp != nil {
		err = errors.Join(err, v.mp.Lukk())
	}
	return err
}

// Klokke is the machine's clock.
type Klokke struct{}

// Now is the time in UTC.
func (Klokke) Now() time.Time { return time.Now().UTC() }

// At fires when t has come.
func (Klokke) At(t time.Time) (fired <-chan time.Time, stop func()) {
	timer := time.NewTimer(time.Until(t))
	return timer.C, func() { timer.Stop() }
}
