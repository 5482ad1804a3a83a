package acceptance_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"
	amqp091 "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/fagklient"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/adapters/fagsystem"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// tarOgForsvinner has a case system that takes every message, acks none, and is gone; and then the same again.
func tarOgForsvinner(v *nettverden) {
	ctx, stans := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { v.taUtenAck(ctx) })
	defer wg.Wait()
	defer stans()
	id := v.send("4601", "01", melding.V2, litePDF)
	v.is.Equal(v.alleLevert(), 1)
	v.is.Equal(strings.Join(v.rader(id), " "), pafrist)
	u, err := v.lager.Get(ctx, id)
	v.is.NoErr(err)
	v.is.Equal(u.Melding.Antall(melding.Serverfeil), 3)       // each send was given up by the platform
	v.is.Equal(u.Melding.Antall(melding.NySendingBestilt), 2) // and made anew as often as the policy says
	v.mu.Lock()
	sett := map[string]int{}
	for _, s := range v.sett[id] {
		sett[s.klientID]++
	}
	v.mu.Unlock()
	v.is.Equal(len(sett), 3)
	for _, n := range sett {
		v.is.Equal(n, broker.Forsok)
	}
	brev, err := v.printer.Brevene()
	v.is.NoErr(err)
	v.is.Equal(len(brev), 1)
}

// taUtenAck connects to the first receiver's queue, takes one message, and hangs up, until ctx ends.
func (v *nettverden) taUtenAck(ctx context.Context) {
	m := v.d.Finn("4601", "01")
	for ctx.Err() == nil {
		token, err := v.mp.Token(m.KlientID)
		if err != nil {
			return
		}
		c, err := amqp091.DialConfig("amqps://"+v.fiks.Broker.Adresse()+"/", amqp091.Config{TLSClientConfig: v.fiks.Klient.Clone(),
			SASL: fagklient.Login{IntegrasjonID: m.IntegrasjonID, Passord: m.Passord, Token: token}.SASL()})
		if err != nil {
			v.t.Error("innlogging gikk ikke")
			return
		}
		ch, err := c.Channel()
		if err == nil {
			var inn <-chan amqp091.Delivery
			if inn, err = ch.Consume(protokoll.Konavn(kommune.KontoID(m.KontoID)), "", false, false, false, false, nil); err == nil {
				select {
				case d := <-inn:
					headere := map[string]string{}
					for navn, verdi := range d.Headers {
						headere[navn], _ = verdi.(string)
					}
					v.saDen(headere, headere[protokoll.HeaderMeldingID])
				case <-ctx.Done():
				}
			}
		}
		if err != nil {
			v.t.Error(err)
		}
		_ = c.Close()
	}
}

// leserIkkeV2 is scenario 47 of reference §8.
func leserIkkeV2(v *nettverden) {
	id := v.send("4601", "01", melding.V2, litePDF)
	forst := v.send("4601", "01", melding.V1, litePDF)
	v.is.Equal(v.alleLevert(), 1)
	v.is.Equal(strings.Join(v.rader(id), " "), avvist)
	v.is.Equal(strings.Join(v.rader(forst), " "), bekreftet) // the case system is well: it is the version
	u, err := v.lager.Get(context.Background(), id)
	v.is.NoErr(err)
	v.is.Equal(finn(u, melding.VenterPaPrint).Arsak, melding.ArsakAvvistV2) // the operator gets the hint
	rader, err := v.avsender.Status(context.Background(), id)
	v.is.NoErr(err)
	for _, r := range rader {
		v.is.True(!strings.Contains(r.Beskrivelse, "versjon")) // and the sender does not (D17)
	}
}

// TestSixHoursWithoutFiksIO is scenario 34 over the wire: nothing gets through for six hours in which reports are accepted.
func TestSixHoursWithoutFiksIO(t *testing.T) {
	iHverVerden(t, func(t *testing.T, lager func(testing.TB) compose.Lager) {
		seksTimer(t, world.Ny(t, world.Valg{Kanal: innebygd, Lager: lager}))
	})
}

func seksTimer(t *testing.T, v *world.Verden) {
	is := is.New(t)
	ventet := v.Send("4601", "01")
	v.Fagsystem["4601/01"].Svarer(world.Stille)
	v.Pump()
	is.Equal(v.Tilstander(ventet), "AKSEPTERT SENDT_FAGSYSTEM") // its receipt is still to come
	v.Fagsystem["4601/01"].Svarer(world.Kvitterer)
	v.Nett.Nede(true)
	var ids []melding.ID
	frist := map[melding.ID]time.Time{}
	for range 6 {
		id := v.Send("4601", "01") // accepting goes on
		ids, frist[id] = append(ids, id), v.Utgave(id).Melding.Fakta.Frist
		v.Fram(59 * time.Minute)
		is.Equal(v.Tilstander(id), "AKSEPTERT")
	}
	v.Nett.Nede(false)
	v.Nett.Si(v.Nett.Sendte(ventet)[0], world.Svar{Meldingstype: protokoll.Mottatt})
	v.Fram(20 * time.Minute)
	is.Equal(v.Tilstander(ventet), bekreftet) // receipts of what was sent before still work
	var rekke []melding.ID
	for _, s := range v.Nett.Sendte("") {
		rekke = append(rekke, s.Melding)
	}
	is.Equal(rekke, slices.Concat([]melding.ID{ventet}, ids)) // each once, in the order they were accepted
	for _, id := range ids {
		is.Equal(v.Tilstander(id), bekreftet)
		is.Equal(v.Utgave(id).Melding.Fakta.Frist, frist[id])
	}
}

// referansen is adapters/fagsystem on a receiver's account, while the broker breaks its connections: what it has confirmed, it has.
func referansen(v *nettverden) {
	ctx, stans := context.WithCancel(context.Background())
	m, mappe := v.d.Finn("4601", "01"), fagsystem.Mappe(v.t.TempDir())
	token, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: v.mp.TokenURL(), Issuer: v.mp.Utsteder(), KlientID: m.KlientID,
		Nokkel: m.Sert.Nokkel, Sertifikat: m.Sert.Cert, Clock: v.klokke})
	v.is.NoErr(err)
	pakker, err := asice.NewPacker(m.Sert.Nokkel, time.Now, m.Sert.Cert)
	v.is.NoErr(err)
	k, err := fagsystem.New(fagsystem.Config{Konto: kommune.KontoID(m.KontoID), Portalkonto: world.Portalkonto, IntegrasjonID: m.IntegrasjonID, Passord: m.Passord, AMQP: v.fiks.Broker.Adresse(),
		API: v.fiks.API, TLS: v.fiks.Klient, Token: token.Token, Nokler: []cms.Key{{Certificate: m.Sert.Cert, Decrypter: m.Sert.Nokkel}}, Pakker: pakker,
		Versjon: melding.V2, Lager: mappe, Meld: func(fagsystem.Hendelse) {}})
	v.is.NoErr(err)
	var wg sync.WaitGroup
	wg.Go(func() { k.Motta(ctx) })
	defer wg.Wait()
	defer stans()
	for range 3 {
		s, err := world.Eksempel(ctx, v.avsender, world.Nokler{Print: v.d.Print.Cert, Mottaker: m.Sert.Cert},
			world.Sending{Kommune: "4601", Bydel: "01", Slag: melding.Offentlig, Versjon: melding.V2}, "Prøve", "Prøve")
		v.is.NoErr(err)
		id, err := v.avsender.Post(ctx, s)
		v.is.NoErr(err)
		v.is.NoErr(v.fiks.Broker.Brudd(ctx))
		simtest.Til(v.t, "meldingen er levert", func() bool { return strings.Join(v.rader(id), " ") == bekreftet })
		har, err := mappe.Har(ctx, id)
		v.is.NoErr(err)
		v.is.True(har)
	}
}
