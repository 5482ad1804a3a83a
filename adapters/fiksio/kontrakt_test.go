package fiksio_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit/rabbittest"
	"portal.example/bekymringsmelding/contracts"
)

func transportrigg(t *testing.T, v valg) contracts.Transportrigg {
	r := nyRigg(t, v)
	return contracts.Transportrigg{Transport: r.transport(), Konto: mottaker(bydelen), Stengt: mottaker(stengt), VedAnkomst: r.vedAnkomst, Svar: r.svar,
		Brudd: r.brudd, Mend: r.mend}
}

func TestTransport(t *testing.T) {
	contracts.TestTransport(t, func(t *testing.T) contracts.Transportrigg { return transportrigg(t, valg{}) })
}

func TestTransportOverRabbitMQ(t *testing.T) {
	contracts.TestTransport(t, func(t *testing.T) contracts.Transportrigg {
		return transportrigg(t, valg{megler: func(t *testing.T, tilgang broker.Tilgang) (broker.Broker, *tls.Config) {
			n := rabbittest.Start(t, tilgang)
			return n, n.TLS
		}})
	})
}

func TestCatalogue(t *testing.T) {
	const nyKonto = "0190c0de-0000-7000-8000-00000000000a"
	contracts.TestCatalogue(t, func(t *testing.T) contracts.Katalogrigg {
		r := nyRigg(t, valg{})
		r.registrer(plattform.Konto{ID: nyKonto, Navn: "Ny"})
		return contracts.Katalogrigg{Catalogue: r.transport(), Konto: nyKonto, Ukjent: ukjent,
			Publiser: func(_ *testing.T, c *x509.Certificate) {
				r.registrer(plattform.Konto{ID: nyKonto, Navn: "Ny", Sertifikat: c})
			},
			Brudd: r.brudd, Mend: r.mend}
	})
}
