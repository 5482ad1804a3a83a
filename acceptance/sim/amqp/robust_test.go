package amqp

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
)

func TestHundredsOfIdleStrangersKeepNoCaseSystemOut(t *testing.T) {
	b := startet(t, Config{})
	medKo(t, b, "1")
	forste := ring(t, b)
	for range maksHandtrykk {
		ring(t, b)
	}
	r := ring(t, b).loggInn(0)
	r.abonner(minKo)
	r.levering(1)
	begynte := time.Now()
	forste.ventSlutt() // there is room for so many strangers, and the oldest gives way
	is.New(t).True(time.Since(begynte) < handtrykkfrist/2)
}

func TestAClientThatIsStillTalkingHearsWhyItIsCutOff(t *testing.T) {
	b := startet(t, Config{})
	for range 3 {
		r := ring(t, b).loggInn(0)
		r.skriv(append(lukkRamme(apneRamme(nil, 7, 1), 0), make([]byte, 8<<20)...))
		is.New(t).Equal(r.ventLukk(0), feilRamme)
	}
}

func TestThereAreLimitsToConsumersAndConnections(t *testing.T) {
	iTid(t, func(t *testing.T, b *Broker, l *rorlytter) {
		is := is.New(t)
		medKo(t, b)
		r := l.ring(t).loggInn(0)
		for range maksKonsumenter {
			r.metode(1, basicConsume, consume(minKo, "", 1<<3)...)
		}
		synctest.Wait()
		ventStatus(t, b, broker.Status{Konsumenter: maksKonsumenter})
		r.metode(1, basicConsume, consume(minKo, "", 0)...)
		is.Equal(r.ventLukk(0), feilRessurs)
		r.metode(0, connectionCloseOk)
		synctest.Wait()
		ventStatus(t, b, broker.Status{})

		b.mu.Lock()
		var en *tilkobling
		for range maksTilkoblinger {
			_, din := net.Pipe()
			en = nyTilkobling(b, din)
			b.tilkoblinger[en] = struct{}{}
		}
		b.mu.Unlock()
		prov := func() *raaklient {
			r := l.ring(t)
			r.skriv([]byte(protokollhode))
			r.vent(0, connectionStart)
			r.skriv(startOk(tomTabell, "PLAIN", plain(bruker, passord)))
			r.vent(0, connectionTune)
			r.skriv(tuneOk(0, 0, 0), open("/"))
			return r
		}
		is.Equal(prov().ventLukk(0), feilIkkeLov)
		b.glem(en)
		prov().vent(0, connectionOpenOk)
	})
}

func TestTheDocumentListsTheLimits(t *testing.T) {
	b, err := os.ReadFile("../../../docs/fiks-sim.md")
	if err != nil {
		t.Fatal(err)
	}
	for navn, verdi := range map[string]string{
		"Fra tilkobling til åpnet vhost, TLS medregnet": fmt.Sprintf("%g s", handtrykkfrist.Seconds()),
		"Forbindelser som ikke er logget inn ennå":      fmt.Sprint(maksHandtrykk), "Innloggede forbindelser": fmt.Sprint(maksTilkoblinger),
		"Kanaler på én forbindelse": fmt.Sprint(maksKanaler), "Konsumenter på én forbindelse": fmt.Sprint(maksKonsumenter),
		"Ramme før `tune`, passord og token medregnet": fmt.Sprintf("%d KiB", maksForTune>>10),
		"Ramme etter `tune`":                           fmt.Sprintf("%d byte (`frame_max`); klienten kan be om mindre, ned til %d", standardFrameMax, minFrameMax),
		"Tabeller inni tabeller":                       fmt.Sprintf("%d nivåer", maksDybde),
		"Hjerteslag":                                   fmt.Sprintf("%g s foreslås; klienten velger selv, også 0", standardHjerteslag.Seconds()),
		"Klienten leser ikke det den får":              fmt.Sprintf("%g s", skrivefrist.Seconds()), "Klienten svarer ikke på `close`": fmt.Sprintf("%g s", lukkefrist.Seconds()),
		"Leveringer av én melding": fmt.Sprint(broker.Forsok),
	} {
		if rad := "\n| " + navn + " | " + verdi + " |"; !strings.Contains(string(b), rad) {
			t.Errorf("docs/fiks-sim.md mangler %q", rad)
		}
	}
}

func TestGarbageHurtsNobodyElse(t *testing.T) {
	b := startet(t, Config{})
	medKo(t, b, "1")
	vitne := ring(t, b).loggInn(0)
	kilde := rand.NewChaCha8([32]byte{1})
	for range 50 {
		r := ring(t, b)
		stoy := make([]byte, 2000)
		_, _ = kilde.Read(stoy)
		copy(stoy, protokollhode)
		if _, err := r.c.Write(stoy); err == nil {
			r.ventSlutt()
		}
	}
	vitne.abonner(minKo)
	vitne.levering(1)
}

func TestTheTLSBrokerTakesNoPlainConnection(t *testing.T) {
	is := is.New(t)
	tjener, _ := tlsPar(t)
	b := startet(t, Config{TLS: tjener})
	r := ring(t, b)
	r.skriv([]byte(protokollhode))
	r.ventSlutt()
	is.Equal(innlogget(b), 0)
}

func innlogget(b *Broker) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.tilkoblinger)
}

func TestHeadersThatNoFrameCouldHoldAreRefusedWhenLaid(t *testing.T) {
	is := is.New(t)
	b := startet(t, Config{FrameMax: minFrameMax})
	medKo(t, b)
	legg := func(n, v int) error {
		return b.Legg(t.Context(), minKo, broker.Melding{TTL: 1 << 62, Headere: map[string]string{string(make([]byte, n)): string(make([]byte, v))}})
	}
	is.True(legg(0, 1) != nil)
	is.True(legg(256, 1) != nil)
	is.True(legg(255, minFrameMax) != nil)
	storst := minFrameMax - hodetillegg - 6 - 255
	is.True(legg(255, storst+1) != nil)
	is.NoErr(legg(255, storst))
	r := ring(t, b).loggInn(0)
	r.inn.maks = minFrameMax - rammeTillegg // as strict as a client may be
	r.abonner(minKo)
	r.levering(1)
	r.metode(1, basicRecover, []byte{1}) // redelivered it is longest
	r.vent(1, basicRecoverOk)
	r.levering(1)
}

func TestTheDeadAreOfferedToOneTakerAtATime(t *testing.T) {
	is := is.New(t)
	b := startet(t, Config{})
	medKo(t, b, "1", "2")
	is.True(b.UtlopNa(minKo, "id-1"))
	inne, slipp := make(chan string), make(chan error)
	ta := func(navn string) func(d broker.Dod) error {
		return func(d broker.Dod) error {
			inne <- navn + string(d.Melding.Kropp)
			return <-slipp
		}
	}
	slutt := make(chan error, 2)
	for _, navn := range []string{"a", "b"} {
		go func() { slutt <- b.Dode(t.Context(), utenKontekst(ta(navn))) }()
	}
	forste := <-inne
	is.Equal(forste[1:], "1")
	is.True(b.UtlopNa(minKo, "id-2"))
	slipp <- errors.New("nede")
	is.Equal(<-inne, forste) // the same one, of the same message
	slipp <- nil
	is.Equal(<-inne, forste[:1]+"2")
	slipp <- nil
	is.NoErr(b.Close())
	is.Equal(<-slutt, errStengt)
	is.Equal(<-slutt, errStengt)
}
