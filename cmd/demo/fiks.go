package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/amqp"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// startFiks starts the Fiks IO side: platform, broker with TLS, and the receivers' case systems. Ports are kept from start to
// start, so that what a vendor has set up still works.
func (d *demo) startFiks(ctx context.Context) error {
	l, err := fastPort(ctx, filepath.Join(d.f.Data, "fiks.port"))
	if err != nil {
		return err
	}
	d.fiks, err = world.StartFiks(ctx, world.Fiksvalg{D: d.d, MP: d.mp, Klokke: d.clock, Lytt: l, Grense: d.f.Grense,
		Broker: func(t broker.Tilgang, c *tls.Config) (broker.Broker, error) {
			// The broker binds by itself; what is between is a port that was free a moment ago.
			p, err := fastPort(ctx, filepath.Join(d.f.Data, "amqp.port"))
			if err != nil {
				return nil, err
			}
			adr := p.Addr().String()
			if err := p.Close(); err != nil {
				return nil, err
			}
			if d.f.Broker == "rabbitmq" {
				return d.startRabbit(ctx, adr, t)
			}
			return amqp.Start(amqp.Config{Adresse: adr, TLS: c, Klokke: d.clock, Tilgang: t})
		}})
	if err != nil {
		return fmt.Errorf("simulatoren av Fiks IO: %w", err)
	}
	d.apnet = append(d.apnet, d.fiks.Lukk)
	return nil
}

// startRabbit has a certificate of the world's CA too, in files.
func (d *demo) startRabbit(ctx context.Context, adr string, t broker.Tilgang) (broker.Broker, error) {
	s, err := d.d.CA.Utsted(sim.Bestilling{Navn: "localhost", Formal: sim.TLS, Bits: 2048})
	if err != nil {
		return nil, err
	}
	c := rabbit.Config{Adresse: adr, SertifikatFil: filepath.Join(d.f.Data, "rabbitmq.pem"), NokkelFil: filepath.Join(d.f.Data, "rabbitmq.key.pem"), Tilgang: t}
	if err := s.Skriv(c.SertifikatFil, c.NokkelFil); err != nil {
		return nil, err
	}
	return rabbit.Start(ctx, c)
}

// fiksConfig is the portal's own account, given to the portal as an operator gives it.
func (d *demo) fiksConfig() compose.FiksConfig {
	return compose.FiksConfig{API: d.fiks.API, AMQP: d.fiks.Broker.Adresse(), CA: d.d.FilSert("ca"), Konto: string(world.Portalkonto),
		Integrasjon: d.d.PortalLogin.IntegrasjonID, Passord: d.d.PortalLogin.Passord, TokenEndpoint: d.mp.TokenURL(), KlientID: d.d.PortalLogin.KlientID,
		KlientSert: d.d.FilSert("portal"), KlientNokkel: d.d.FilNokkel("portal")}
}

// klarFrist is how long the parts of one process may take to find each other.
const klarFrist = 15 * time.Second

// ventKlar returns when everything answers: the portal takes answers and has published its key, and each case system has connected.
func (d *demo) ventKlar(ctx context.Context) error {
	ctx, avbryt := context.WithTimeout(ctx, klarFrist)
	defer avbryt()
	for {
		if ok, err := d.erKlar(ctx); err != nil || ok {
			return err
		}
		klar, stopp := d.clock.At(d.clock.Now().Add(50 * time.Millisecond))
		select {
		case <-klar:
		case <-d.ferdig:
			stopp()
			return errors.New("portalen stanset")
		case <-ctx.Done():
			stopp()
			if errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			return errors.New("delene fant ikke hverandre på 15 sekunder; se portal.log")
		}
	}
}

func (d *demo) erKlar(ctx context.Context) (bool, error) {
	for _, k := range d.fiks.Plattform.Kontoer() {
		if k.Sertifikat == nil {
			return false, nil
		}
		st, err := d.fiks.Broker.Status(ctx, protokoll.KoPrefiks+k.ID)
		if err != nil {
			return false, err
		}
		if st.Konsumenter == 0 && !d.utenFagsystem(k.ID) {
			return false, nil
		}
	}
	return true, nil
}

func (d *demo) utenFagsystem(konto string) bool {
	for _, m := range d.d.Mottakere {
		if m.KontoID == konto {
			return m.Fagsystem == "ingen"
		}
	}
	return false
}

// startTLS serves the portal once more, with TLS: some clients speak nothing else.
func (d *demo) startTLS(ctx context.Context) error {
	l, err := fastPort(ctx, filepath.Join(d.f.Data, "tls.port"))
	if err != nil {
		return err
	}
	c, err := d.d.TLS()
	if err != nil {
		return errors.Join(err, l.Close())
	}
	s := &http.Server{Handler: d.system.Handler, ReadHeaderTimeout: 10 * time.Second}
	d.adrTLS = "https://" + l.Addr().String()
	slutt := make(chan struct{})
	go func() { defer close(slutt); _ = s.Serve(tls.NewListener(l, c)) }() // ends with ErrServerClosed
	d.apnet = append(d.apnet, func() error {
		err := s.Close()
		<-slutt
		return err
	})
	return nil
}
