package acceptance_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/domain/melding"
)

// TestNetworkFaults breaks the lines between a portal and Fiks IO in every way lines break, on real sockets and the real clock. However
// they break: reports are accepted all the while, each ends in LEVERT once, and whatever was sent or answered twice can be known by its
// id and is counted. Over the built-in broker and over RabbitMQ.
func TestNetworkFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("kort kjøring")
	}
	t.Parallel()
	d, err := world.Apne(t.TempDir(), 2048, sysclock.Clock{}.Now)
	if err != nil {
		t.Fatal(err)
	}
	var alle sync.WaitGroup
	defer alle.Wait()
	rader := []struct {
		navn string
		valg nettvalg
		kjor func(*nettverden)
	}{
		{"alt tar 300 ms lenger: alt kommer fram", nettvalg{}, treghet},
		{"forbindelsen for svar brytes igjen og igjen", nettvalg{}, brytes},
		{"bekreftelsen av et svar går tapt: svaret kommer igjen og teller en gang", nettvalg{}, bekreftelseTapt},
		{"linja brytes midt i svaret på en sending: den gjentas med samme id", nettvalg{svar: tiesForst}, sendesvarKuttes},
		{"megleren forsvinner uten et ord: hjerteslaget merker det", nettvalg{}, halvApen},
		{"treg linje: en stor melding holder ikke de andre tilbake", nettvalg{}, tregLinje},
		{"brudd midt i en ramme og midt i en opplasting", nettvalg{fristSekunder: 15}, midtIRammen},
		{"megleren slipper ingen inn, og tokenet går ut imens", nettvalg{fristSekunder: 600}, nektes},
		{"mottakeren tar alt, bekrefter ingenting og forsvinner", nettvalg{fristSekunder: 20, fagsystem: map[string]string{"4601/01": "ingen"}}, tarOgForsvinner},
		{"meldingctl sin mottaker har det den bekreftet, også når forbindelsen brytes", nettvalg{fagsystem: map[string]string{"4601/01": "ingen"}}, referansen},
		{"47 mottakeren leser ikke versjon 2: brev, og operatøren får et hint", nettvalg{leserV1: "4601/01"}, leserIkkeV2},
	}
	for _, f := range rader {
		// Not t.Parallel: these mostly wait, and it allows as many at once as there are cores.
		alle.Go(func() { t.Run("innebygd/"+f.navn, func(t *testing.T) { f.kjor(nyttNett(t, d, f.valg, egenMegler)) }) })
	}
	alle.Go(func() { // one world at a time has the node
		for _, f := range rader {
			t.Run("rabbitmq/"+f.navn, func(t *testing.T) { f.kjor(nyttNett(t, d, f.valg, rabbitMegler)) })
		}
	})
}

func treghet(v *nettverden) {
	for _, retning := range []string{"upstream", "downstream"} {
		v.gift(v.amqp, "latency", retning, `{"latency":300,"jitter":100}`)
		v.gift(v.http, "latency", retning, `{"latency":300,"jitter":100}`)
	}
	v.underFeil(30, 100*time.Millisecond)
	v.is.Equal(v.alleLevert(), 0) // no letter: slow is not lost
}

func brytes(v *nettverden) {
	for range 15 {
		v.underFeil(4, 50*time.Millisecond)
		v.kutt(v.amqp)
	}
	v.alleLevert()
}

// bekreftelseTapt swallows what the portal says to the broker, so that an answer is stored and never acked.
func bekreftelseTapt(v *nettverden) {
	v.gift(v.amqp, "timeout", "upstream", `{"timeout":0}`)
	for range 3 {
		v.send("4601", "01", melding.V2, litePDF)
	}
	v.alleLevert()
	v.frisk(v.amqp, "timeout", "upstream") // closes what it swallowed
	simtest.Til(v.t, "svarene er kommet igjen", func() bool { minst, _ := v.teller.gjentatt(); return minst == 3 })
	v.alleLevert()
}

// tiesForst lets a case system answer only what it has seen twice.
func tiesForst(_ *world.Mottakerdata, _ sim.Mottatt, n int, svar []sim.Svar) []sim.Svar {
	if n < 2 {
		return nil
	}
	return svar
}

func sendesvarKuttes(v *nettverden) {
	var ganger atomic.Int32
	v.fiks.Plattform.VedSend(func(s plattform.Sendt) plattform.Virkning {
		if s.Fra == string(world.Portalkonto) {
			switch ganger.Add(1) {
			case 1: // the message will be queued, and its answer cut after the status line and a little more
				v.gift(v.http, "limit_data", "downstream", `{"bytes":40}`)
			case 2:
				v.frisk(v.http, "limit_data", "downstream")
			}
		}
		return plattform.Virkning{}
	})
	id := v.send("4601", "01", melding.V2, litePDF)
	v.is.Equal(v.alleLevert(), 0)
	v.is.Equal(v.likeDubletter(id), 1) // the case system saw it twice
	v.is.Equal(maling(v.t, v.adr, "portal_sending_gjentatt_total"), 1)
}

// halvApen: nothing comes from the broker any more, and what the portal sends still gets there. Only the portal can find out.
func halvApen(v *nettverden) {
	v.gift(v.amqp, "timeout", "downstream", `{"timeout":0}`)
	v.underFeil(15, 200*time.Millisecond)
	v.is.True(v.lytter()) // so the broker thinks
	v.ventInntil(40*time.Second, "portalen legger på", func() bool { return v.konsumenter() == 0 })
	v.frisk(v.amqp, "timeout", "downstream")
	simtest.Til(v.t, "portalen tar imot svar igjen", v.lytter)
	v.is.Equal(v.alleLevert(), 0)
}

// tregLinje has five thousand octets a second for what goes out, and one thousand for the answers.
func tregLinje(v *nettverden) {
	v.gift(v.http, "bandwidth", "upstream", `{"rate":5}`)
	v.gift(v.amqp, "bandwidth", "upstream", `{"rate":1}`)
	v.gift(v.amqp, "bandwidth", "downstream", `{"rate":1}`)
	stor := v.send("4601", "01", melding.V2, 100_000)
	v.send("5501", "00", melding.V1, litePDF)
	v.send("4601", "02", melding.V2, litePDF)
	for _, id := range v.godtatt[1:] {
		v.ventInntil(15*time.Second, "de små er levert", func() bool { return v.levert(id) })
	}
	v.is.Equal(v.rader(stor), []string{string(melding.AKSEPTERT)}) // still on its way
	v.ventInntil(55*time.Second, "den store er levert", func() bool { return v.levert(stor) })
	v.is.Equal(v.alleLevert(), 0)
	v.is.Equal(maling(v.t, v.adr, "portal_sending_gjentatt_total"), 0)
	v.is.Equal(maling(v.t, v.adr, "portal_svar_levert_igjen_total"), 0) // slow is not broken
}

// midtIRammen closes each connection after a number of octets, whatever they belong to, and then resets each a moment after it was made:
// what lay in the buffers is gone. An answer that was on its way three times without an ack is given up by the platform; its report
// ends as a letter.
func midtIRammen(v *nettverden) {
	v.gift(v.http, "limit_data", "upstream", `{"bytes":3000}`)
	v.underFeil(20, 50*time.Millisecond)
	v.frisk(v.http, "limit_data", "upstream")
	for _, oktetter := range []int{3500, 4700, 6100} {
		v.gift(v.amqp, "limit_data", "downstream", fmt.Sprintf(`{"bytes":%d}`, oktetter))
		v.underFeil(30, 50*time.Millisecond)
		v.frisk(v.amqp, "limit_data", "downstream")
	}
	for _, ms := range []int{40, 150} {
		v.gift(v.amqp, "reset_peer", "downstream", fmt.Sprintf(`{"timeout":%d}`, ms))
		v.gift(v.http, "reset_peer", "upstream", fmt.Sprintf(`{"timeout":%d}`, ms))
		v.underFeil(15, 50*time.Millisecond)
		v.frisk(v.http, "reset_peer", "upstream")
		v.frisk(v.amqp, "reset_peer", "downstream")
	}
	v.alleLevert()
}

// nektes changes the portal's password on the platform for a while, and lets every token run out in the meantime.
func nektes(v *nettverden) {
	v.passord("et-annet-passord")
	v.is.NoErr(v.fiks.Broker.Brudd(context.Background()))
	v.underFeil(15, 100*time.Millisecond)
	v.klokke.hopp.Add(int64(2 * time.Minute))
	v.underFeil(15, 100*time.Millisecond)
	v.is.Equal(v.konsumenter(), 0)
	v.is.Equal(maling(v.t, v.adr, "portal_fiks_lytter"), 0)
	v.is.Equal(v.klar(), http.StatusOK) // reports are accepted all the same
	v.passord(v.d.PortalLogin.Passord)
	simtest.Til(v.t, "portalen tar imot svar igjen", v.lytter)
	simtest.Til(v.t, "målingen sier det", func() bool { return maling(v.t, v.adr, "portal_fiks_lytter") == 1 })
	v.is.Equal(v.alleLevert(), 0)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.is.True(len(v.token) >= 3)                     // it kept trying
	v.is.True(v.token[0] != v.token[len(v.token)-1]) // with a new one at last
}

// passord is what the platform wants of the portal from now on.
func (v *nettverden) passord(p string) {
	v.t.Helper()
	for _, k := range v.fiks.Plattform.Kontoer() {
		if k.ID == string(world.Portalkonto) {
			k.Integrasjoner[0].Passord = p
			v.is.NoErr(v.fiks.Plattform.Registrer(context.Background(), k))
		}
	}
}
