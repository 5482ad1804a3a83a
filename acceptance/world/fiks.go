package world

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/fagklient"
	"portal.example/bekymringsmelding/acceptance/sim/fiks"
	"portal.example/bekymringsmelding/acceptance/sim/loopback"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Fiksvalg is what a Fiks needs. Behandle may be nil: then each case system has the character its data names.
type Fiksvalg struct {
	D      *Deltakere
	MP     *sim.Maskinporten
	Klokke ports.Clock
	// Broker starts the broker with the platform's word on who may log in, and a certificate of the world's CA.
	Broker   func(broker.Tilgang, *tls.Config) (broker.Broker, error)
	Tillit   func() *tls.Config // what AMQP clients trust, asked when the broker runs; nil = the world's CA
	Lytt     net.Listener       // where the platform's API is served
	Grense   int64              // octets; a larger payload goes to Dokumentlager; 0 = the platform's 5 MiB
	Lempelig plattform.Lempelig
	Behandle func(*Mottakerdata) func(sim.Mottatt) []sim.Svar
	// Rundt may stand before all that is served.
	Rundt func(http.Handler) http.Handler
}

// Fiks is the Fiks IO side of a world over the real wire: platform, broker, and a case system's own client on each account.
type Fiks struct {
	*fiks.Fiks
	Klient *tls.Config // what AMQP clients trust
}

// StartFiks starts everything, or leaves nothing open, Lytt neither. The portal's account has no key until the portal publishes one.
func StartFiks(ctx context.Context, v Fiksvalg) (f *Fiks, err error) {
	tjener, err := v.D.TLS()
	if err != nil {
		return nil, errors.Join(err, v.Lytt.Close())
	}
	karakter := map[string]string{}
	for _, m := range v.D.Mottakere {
		karakter[m.KontoID] = m.Fagsystem
	}
	grunn, err := fiks.Start(ctx, fiks.Valg{Lytt: v.Lytt, Kontoer: v.D.kontoer(), Karakter: func(konto string) string { return karakter[konto] },
		Plattform: plattform.Config{Klokke: v.Klokke, Token: v.MP.Verifiser, Grense: v.Grense, Lempelig: v.Lempelig},
		Broker:    func(t broker.Tilgang) (broker.Broker, error) { return v.Broker(t, tjener) },
		Rundt: func(f *fiks.Fiks, h http.Handler) http.Handler {
			if v.Rundt != nil {
				h = v.Rundt(h)
			}
			return medOmstart(f, h)
		}})
	if err != nil {
		return nil, err
	}
	f = &Fiks{Fiks: grunn, Klient: v.D.Tillit()}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Lukk())
		}
	}()
	if v.Tillit != nil {
		f.Klient = v.Tillit()
	}
	for i := range v.D.Mottakere {
		if err := f.koble(v, &v.D.Mottakere[i]); err != nil {
			return f, err
		}
	}
	return f, nil
}

// medOmstart adds what only a test wants: POST /megler/stopp takes the broker down, and POST /megler/start up again.
func medOmstart(f *fiks.Fiks, h http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", h)
	for sti, gjor := range map[string]func(broker.Omstart, context.Context) error{"stopp": broker.Omstart.Stopp, "start": broker.Omstart.Igjen} {
		mux.Handle("POST /megler/"+sti, http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !loopback.Vert(r.Host) {
				http.Error(w, "bare på denne maskinen", http.StatusMisdirectedRequest)
				return
			}
			b, ok := f.Broker.(broker.Omstart)
			if !ok {
				http.Error(w, "denne megleren kan ikke stoppes", http.StatusNotImplemented)
				return
			}
			if err := gjor(b, r.Context()); err != nil {
				http.Error(w, "megleren kunne ikke stoppes eller startes", http.StatusInternalServerError)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		})))
	}
	return mux
}

// koble gives a receiver's account a case system; "ingen" gets none.
func (f *Fiks) koble(v Fiksvalg, m *Mottakerdata) error {
	behandle, err := f.behandling(v, m)
	if err != nil || behandle == nil {
		return err
	}
	token, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: v.MP.TokenURL(), Issuer: v.MP.Utsteder(), KlientID: m.KlientID,
		Nokkel: m.Sert.Nokkel, Sertifikat: m.Sert.Cert, Clock: v.Klokke})
	if err != nil {
		return err
	}
	return f.Koble(fagklient.Config{TLS: f.Klient, KontoID: m.KontoID, IntegrasjonID: m.IntegrasjonID, Passord: m.Passord,
		Token: token.Token, Behandle: behandle, Klokke: v.Klokke})
}

func (f *Fiks) behandling(v Fiksvalg, m *Mottakerdata) (func(sim.Mottatt) []sim.Svar, error) {
	if m.Fagsystem == string(sim.Ingen) {
		return nil, nil
	}
	if v.Behandle != nil {
		return v.Behandle(m), nil
	}
	versjon := melding.V2
	if m.Versjon == "V1" {
		versjon = melding.V1
	}
	s, err := sim.NyttFagsystem(sim.FagsystemConfig{Nokkel: m.Sert, Klokke: v.Klokke.Now, Versjon: versjon, Oppforsel: sim.Oppforsel(m.Fagsystem),
		Avsender: func() *x509.Certificate { return f.portalsertifikat(v.D) }})
	if err != nil {
		return nil, err
	}
	return s.Behandle, nil
}

// portalsertifikat is what the catalogue has for the portal's account now.
func (f *Fiks) portalsertifikat(d *Deltakere) *x509.Certificate {
	for _, k := range f.Plattform.Kontoer() {
		if k.ID == string(Portalkonto) && k.Sertifikat != nil {
			return k.Sertifikat
		}
	}
	return d.Portal.Cert
}

// kontoer are the portal's account and every receiver's.
func (d *Deltakere) kontoer() []plattform.Konto {
	l := d.PortalLogin
	ut := []plattform.Konto{{ID: string(Portalkonto), Navn: "Portalen (test)", FiksOrgID: "00000000-0000-4000-8000-000000000002", FiksOrgNavn: "Portalen (test)", Orgnr: string(portalOrgnr),
		Integrasjoner: []plattform.Integrasjon{{ID: l.IntegrasjonID, Passord: l.Passord, Orgnr: string(portalOrgnr)}}}}
	for _, m := range d.Mottakere {
		if m.Kanal != kommune.FiksIO {
			continue
		}
		k := d.Kommune(m.Kommunenummer)
		ut = append(ut, plattform.Konto{ID: m.KontoID, Navn: k.Navn["nb"] + " " + m.Bydelsnummer + " (test)", FiksOrgID: k.FiksOrgID, FiksOrgNavn: k.Navn["nb"] + " kommune (test)",
			Orgnr: k.Orgnr, Kommunenummer: k.Nummer, Sertifikat: m.Sert.Cert, Nokkel: m.Sert.Nokkel,
			Integrasjoner: []plattform.Integrasjon{{ID: m.IntegrasjonID, Passord: m.Passord, Orgnr: k.Orgnr}}})
	}
	return ut
}

// TLS is a server's side on loopback, with a certificate of the world's CA.
func (d *Deltakere) TLS() (*tls.Config, error) {
	s, err := d.CA.Utsted(sim.Bestilling{Navn: "localhost", Formal: sim.TLS, Bits: 2048})
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{s.Cert.Raw}, PrivateKey: s.Nokkel}}}, nil
}

// Tillit is a client's side: it believes the world's CA and nobody else.
func (d *Deltakere) Tillit() *tls.Config {
	rot := x509.NewCertPool()
	rot.AddCert(d.CA.Cert)
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: rot, ServerName: "127.0.0.1"}
}
