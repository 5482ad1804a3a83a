package acceptance_test

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/amqp"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit/rabbittest"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// innebygd is the wire over the built-in broker, on the world's clock.
func innebygd(t testing.TB, d *world.Deltakere, k *world.Klokke) world.Kanal {
	t.Helper()
	return medGrense(t, d, k, 0)
}

// medGrense is innebygd where payloads over so many octets go to Dokumentlager.
func medGrense(t testing.TB, d *world.Deltakere, k *world.Klokke, grense int64) world.Kanal {
	t.Helper()
	return world.NyKabel(t, d, k, world.Brokervalg{Grense: grense, Start: func(tilgang broker.Tilgang, c *tls.Config) (broker.Broker, error) {
		return amqp.Start(amqp.Config{Adresse: "127.0.0.1:0", TLS: c, Klokke: k, Tilgang: tilgang})
	}})
}

// rabbitmq is the wire over stock RabbitMQ, whose TTLs run on the machine's clock. The node is shared: one world at a time.
func rabbitmq(t testing.TB, d *world.Deltakere, k *world.Klokke) world.Kanal {
	t.Helper()
	var n *rabbittest.Node
	return world.NyKabel(t, d, k, world.Brokervalg{EkteTid: true, Tillit: func() *tls.Config { return n.TLS },
		Start: func(tilgang broker.Tilgang, _ *tls.Config) (broker.Broker, error) {
			n = rabbittest.Start(t, tilgang)
			return lant{n}, nil
		}})
}

// lant is a broker that outlives the world that uses it.
type lant struct{ broker.Broker }

func (lant) Close() error { return nil }

// kanaler are the ways a report can travel in a scenario over the real wire.
var kanaler = map[string]func(testing.TB, *world.Deltakere, *world.Klokke) world.Kanal{"innebygd": innebygd, "rabbitmq": rabbitmq}

// TestScenariosOverTheWire runs every scenario once more with Fiks IO's real wire between portal and case systems.
func TestScenariosOverTheWire(t *testing.T) {
	if testing.Short() {
		t.Skip("kort kjøring")
	}
	for _, s := range scenarier() {
		t.Run(s.navn, func(t *testing.T) {
			for navn, kanal := range kanaler {
				if s.verdensklokke && navn == "rabbitmq" {
					continue // TestTheWireTellsThatNobodyTookAMessageInTime has it in real time
				}
				t.Run(navn, func(t *testing.T) {
					t.Parallel()
					valg := s.valg
					valg.Lager, valg.Kanal = postgresLager, kanal
					l := nyttLiv(t, valg, true)
					s.driv(l)
					l.hvil()
					if gal := s.domme(l); gal != "" {
						t.Error(gal)
					}
				})
			}
		})
	}
}

// A message that nobody takes is given up by the platform when its TTL is over. That is noted, and is no rejection: our own clock decides
// about the letter.
func TestTheWireTellsThatNobodyTookAMessageInTime(t *testing.T) {
	for navn, kanal := range kanaler {
		t.Run(navn, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			v := world.Ny(t, world.Valg{Lager: memoryLager, Kanal: kanal, Oppsett: func(d *world.Deltakere) { d.Finn("4601", "02").FristSekunder = 2 }})
			id := v.Send("4601", "02") // nobody consumes
			v.Pump()
			is.Equal(v.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM")
			if navn == "innebygd" {
				v.Klokke.Sett(v.Klokke.Now().Add(2 * time.Second))
			}
			simtest.Til(t, "tidsavbrudd kommer", func() bool { v.Pump(); return v.Utgave(id).Melding.Har(melding.Tidsavbrudd) })
			v.Fram(time.Minute)
			is.Equal(v.Tilstander(id), pafrist)
		})
	}
}

// The receiver is told what it needs by headers only: nothing on the wire carries a file name to it (scenario 24).
func TestTheReceiverGetsTheDocumentedHeaders(t *testing.T) {
	is := is.New(t)
	v := world.Ny(t, world.Valg{Lager: memoryLager, Kanal: innebygd})
	id := v.Send("4601", "01")
	v.Pump()
	s := v.Nett.Sendte(id)
	is.Equal(len(s), 1)
	egen := func(navn string) string { return s[0].Headere["egendefinert-header."+navn] }
	is.Equal(egen("bydel-ressurs-id"), v.D.Finn("4601", "01").RessursID)
	is.Equal(egen("bekymringsmelding-id"), string(id))
	is.Equal(egen("klientKorrelasjonsId"), string(id))
	is.Equal(egen("klientKorrelasjonId"), string(id)) // the old spelling is the only one KS's 3.5.0 reads
	is.Equal(egen("klientMeldingId"), string(s[0].Forsok))
	for navn := range s[0].Headere {
		is.True(!strings.Contains(navn, "fil"))
	}
}

// A report too large for the queue lies in Dokumentlager: the receiver fetches it there, and gets the same bytes that were sent in.
func TestALargeReportReachesItsReceiverOverDokumentlager(t *testing.T) {
	is := is.New(t)
	v := world.Ny(t, world.Valg{Lager: memoryLager, Kanal: func(t testing.TB, d *world.Deltakere, k *world.Klokke) world.Kanal {
		return medGrense(t, d, k, 64<<10)
	}})
	n, err := v.Avsender.HentNokler(t.Context(), "4601", "01")
	is.NoErr(err)
	for oktetter, lagret := range map[int]bool{100 << 10: true, 1 << 10: false} {
		pdf := make([]byte, oktetter)
		_, _ = rand.Read(pdf) // never fails (crypto/rand); noise, so that nothing makes it shorter
		sending, err := v.Avsender.Forsegl(t.Context(), n, world.Sending{Kommune: "4601", Bydel: "01", Slag: melding.Offentlig, Versjon: melding.V1},
			melding.NyKlartekst([]byte("{}")), melding.NyKlartekst(pdf))
		is.NoErr(err)
		id, err := v.Avsender.Post(t.Context(), sending)
		is.NoErr(err)
		v.Pump()
		is.Equal(v.Tilstander(id), bekreftet)
		s := v.Nett.Sendte(id)
		is.Equal(len(s), 1)
		is.Equal(s[0].Headere[protokoll.HeaderDokumentlager] != "", lagret)
		is.True(bytes.Equal(s[0].Innhold, sending.Asice))
	}
}
