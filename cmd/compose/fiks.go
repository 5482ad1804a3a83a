package compose

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"portal.example/bekymringsmelding/adapters/fiksio"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

// FiksConfig is what the portal needs to be an account on Fiks IO: read when --transport is fiksio.
type FiksConfig struct {
	API           string `name:"fiks-api" help:"Fiks-plattformens API." env:"PORTAL_FIKS_API" default:"https://api.fiks.ks.no" placeholder:"URL"`
	AMQP          string `name:"fiks-amqp" help:"Fiks IO sin meldingskø, vert:port. Alltid TLS." env:"PORTAL_FIKS_AMQP" default:"io.fiks.ks.no:5671" placeholder:"VERT:PORT"`
	CA            string `name:"fiks-ca" help:"PEM-fil med rotsertifikater for Fiks og Maskinporten. Uten den brukes maskinens egne." env:"PORTAL_FIKS_CA" type:"path" placeholder:"FIL"`
	Konto         string `name:"fiks-konto" help:"Portalens egen konto på Fiks IO." env:"PORTAL_FIKS_KONTO" placeholder:"UUID"`
	Integrasjon   string `name:"fiks-integrasjon" help:"Integrasjonen portalen logger inn som." env:"PORTAL_FIKS_INTEGRASJON" placeholder:"UUID"`
	Passord       string `name:"fiks-passord" help:"Integrasjonens passord. Gi det som miljøvariabel." env:"PORTAL_FIKS_PASSORD" placeholder:"PASSORD"`
	TokenEndpoint string `name:"maskinporten-token" help:"Hvor portalen henter token." env:"PORTAL_MASKINPORTEN_TOKEN" placeholder:"URL"`
	KlientID      string `name:"maskinporten-klient" help:"Portalens klient-id i Maskinporten." env:"PORTAL_MASKINPORTEN_KLIENT" placeholder:"ID"`
	KlientSert    string `name:"maskinporten-sertifikat" help:"PEM-fil med virksomhetssertifikatet (x5c). Uten den trengs --maskinporten-kid." env:"PORTAL_MASKINPORTEN_SERTIFIKAT" type:"path" placeholder:"FIL"`
	KlientNokkel  string `name:"maskinporten-nokkel" help:"PEM-fil med den private nøkkelen." env:"PORTAL_MASKINPORTEN_NOKKEL" type:"path" placeholder:"FIL"`
	KID           string `name:"maskinporten-kid" help:"Id til en nøkkel som er registrert i Maskinporten på forhånd." env:"PORTAL_MASKINPORTEN_KID" placeholder:"ID"`
}

// fiksdel is the portal's own account on Fiks IO.
type fiksdel struct {
	*fiksio.Transport
	token  func(context.Context) (string, error)
	nokler ports.KeyStore // with the key that answers with a body are sealed for
}

// apneFiks composes the Fiks IO adapter. The store must be open: the portal's own key is known by the certificate announced there.
func (s *System) apneFiks(ctx context.Context) (*fiksdel, error) {
	f := s.cfg.Fiks
	for _, p := range []struct{ verdi, navn string }{{f.Konto, "PORTAL_FIKS_KONTO"}, {f.Integrasjon, "PORTAL_FIKS_INTEGRASJON"}, {f.Passord, "PORTAL_FIKS_PASSORD"},
		{f.TokenEndpoint, "PORTAL_MASKINPORTEN_TOKEN"}, {f.KlientID, "PORTAL_MASKINPORTEN_KLIENT"}, {f.KlientNokkel, "PORTAL_MASKINPORTEN_NOKKEL"}} {
		if p.verdi == "" {
			return nil, fmt.Errorf("%w: --transport fiksio trenger %s", ErrConfig, p.navn)
		}
	}
	tlsConfig, err := f.rotter()
	if err != nil {
		return nil, err
	}
	nokkel, sert, err := f.klientnokkel()
	if err != nil {
		return nil, err
	}
	nokler, err := apneNokler(s.cfg)
	if err != nil {
		return nil, err
	}
	if _, err := portalnokkel(ctx, nokler, s.Lager, s.clock.Now()); err != nil {
		return nil, err
	}
	k, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: f.TokenEndpoint, Issuer: s.cfg.Utsteder, KlientID: f.KlientID,
		Nokkel: nokkel, Sertifikat: sert, KID: f.KID, Clock: s.clock, HTTP: f.http(tlsConfig)})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	t, err := fiksio.New(fiksio.Config{API: f.API, AMQP: f.AMQP, TLS: tlsConfig, Konto: kommune.KontoID(f.Konto), Integrasjon: kommune.IntegrasjonID(f.Integrasjon),
		Passord: f.Passord, Token: k.Token, Forkast: k.Forkast, Clock: s.clock, Lesbar: s.lesbar(nokler), Lytter: s.lyttet, Gjentatt: s.malinger.leveringer.Inc, Logg: s.logg})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	s.malinger.lytter(t.Tilkoblet)
	return &fiksdel{t, k.Token, nokler}, nil
}

// lyttet writes down that answers were being taken. When it cannot be written the silence looks longer than it was, and a letter may
// carry a note too many.
func (s *System) lyttet(ctx context.Context, fra, til time.Time) {
	if err := s.Levering.Lyttet(ctx, fra, til); err != nil && ctx.Err() == nil {
		s.logg.WarnContext(ctx, "kunne ikke skrive ned at svar tas imot", "feil", err.Error())
	}
}

// jobber are what a portal on Fiks IO does beside its work.
func (f *fiksdel) jobber(s *System) []jobb {
	return []jobb{
		{"fiks-nøkkel", 5 * time.Minute, func(ctx context.Context) error { return s.Levering.FolgEgenNokkel(ctx, f.nokler, f.Publish) }},
		{"fiks-katalog", 5 * time.Minute, s.Levering.FolgKatalogen},
		{"fiks-lytting", time.Minute, s.Levering.SjekkLytting},
		{"fiks-token", time.Minute, func(ctx context.Context) error { return s.Levering.SjekkToken(ctx, f.token) }},
	}
}

// http asks the token issuer, and for its keys: the same way out as fiksio's own client has, the same roots, and it gives up before a lease does.
func (FiksConfig) http(c *tls.Config) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = c.Clone()
	return &http.Client{Timeout: 10 * time.Second, Transport: t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// rotter are whose certificates are believed; nil = the machine's own.
func (f FiksConfig) rotter() (*tls.Config, error) {
	if f.CA == "" {
		return nil, nil
	}
	b, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, fmt.Errorf("%w: --fiks-ca: %w", ErrConfig, err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("%w: --fiks-ca har ingen sertifikater", ErrConfig)
	}
	return &tls.Config{RootCAs: p, MinVersion: tls.VersionTLS12}, nil
}

func (f FiksConfig) klientnokkel() (*rsa.PrivateKey, *x509.Certificate, error) {
	lesPEM := func(fil, flagg string) ([]byte, error) {
		b, err := os.ReadFile(fil)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrConfig, flagg, err)
		}
		p, _ := pem.Decode(b)
		if p == nil {
			return nil, fmt.Errorf("%w: %s er ikke en PEM-fil", ErrConfig, flagg)
		}
		return p.Bytes, nil
	}
	der, err := lesPEM(f.KlientNokkel, "--maskinporten-nokkel")
	if err != nil {
		return nil, nil, err
	}
	hvilken, err := x509.ParsePKCS8PrivateKey(der)
	nokkel, ok := hvilken.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, nil, fmt.Errorf("%w: --maskinporten-nokkel skal være en RSA-nøkkel som PKCS#8", ErrConfig)
	}
	if f.KlientSert == "" {
		return nokkel, nil, nil
	}
	if der, err = lesPEM(f.KlientSert, "--maskinporten-sertifikat"); err != nil {
		return nil, nil, err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, errors.Join(ErrConfig, err)
	}
	return nokkel, c, nil
}
