package main

import (
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// A whole report, sealed for the bydel, from an account that is not the portal's.
func TestAReportFromAnotherAccountIsShownAndNotStored(t *testing.T) {
	m := nyttMottak(t, 0)
	rapport, meldingID := m.sendFra(kontoAnnen, intAnnen, 1, m.mottaker.Cert)
	m.is.Equal(m.motta("--en"), kodeOK)
	m.is.Equal(m.lagret(), nil)
	m.is.Equal(len(m.svar()), 0) // the portal hears nothing
	avvist := m.b.Meldinger(protokoll.KoPrefiks + kontoAnnen)
	m.is.Equal(len(avvist), 1)
	m.is.Equal(avvist[0].Headere["type"], protokoll.Feilet)
	for _, vises := range []string{"ikke fra portalen", rapport, meldingID, kontoAnnen} {
		m.is.True(strings.Contains(m.ut.String(), vises))
	}
}

func TestATidsavbruddIsCountedAndNotAnswered(t *testing.T) {
	m := nyttMottak(t, 0)
	m.sendInn(1, m.mottaker.Cert)
	m.is.Equal(m.motta("--en"), kodeOK)
	// The simulated platform makes no receipt about an answer; whether the real one does is not documented.
	m.ok(m.b.Legg(m.tatt, protokoll.KoPrefiks+kontoBydel, broker.Melding{Headere: map[string]string{"melding-id": uuid, "avsender-id": kontoPortal,
		"type": "no.ks.fiks.kvittering.tidsavbrudd", "svar-til": uuid, "svar-til-type": protokoll.Mottatt,
		protokoll.HeaderEgendefinert + protokoll.HeaderKorrelasjon: "018f3c2e-0000-7000-8000-00000000abcd"}}))
	m.is.Equal(m.motta("--en"), kodeOK)
	m.is.True(strings.Contains(m.ut.String(), "et svar kom ikke fram    018f3c2e-0000-7000-8000-00000000abcd")) // which report it was about
	m.is.Equal(len(m.svar()), 1)                                                                                // the first one's

	rapport, _ := m.sendInn(1, m.mottaker.Cert) // sent once more
	m.is.Equal(m.motta("--en"), kodeOK)
	m.is.Equal(m.lagret(), []string{rapport})
	m.sendInn(2, m.print)
	m.is.Equal(m.motta("--en"), kodeOK)

	m.sendFra(kontoAnnen, intAnnen, 3, m.mottaker.Cert)
	m.is.Equal(m.motta("--en"), kodeOK)

	m.is.Equal(m.kjor("motta", "--mappe", m.inn, "--status"), kodeOK)
	m.is.Equal(m.ut.String(), "     1  lagret og kvittert\n     1  gjentatt, kvittert på nytt\n     1  avvist\n"+
		"     1  fra en annen konto enn portalens: ikke lagret\n     1  tidsavbrudd: et svar ble ikke hentet i tide\n     0  serverfeil: et svar kunne ikke leveres\n")
}

func TestTheStatusOfAFolderThatHasTakenNothingIsZero(t *testing.T) {
	is, v := is.New(t), setup(t)
	is.Equal(v.kjor("motta", "--mappe", v.mappe, "--status"), kodeOK)
	is.True(strings.HasPrefix(v.ut.String(), "     0  lagret"))
	v.skriv("status.json", []byte("{"))
	is.Equal(v.kjor("motta", "--mappe", v.mappe, "--status"), kodeBruk)
	is.Equal(v.kjor("motta", "--mappe", v.fil("finnes-ikke"), "--status"), kodeBruk)
}
