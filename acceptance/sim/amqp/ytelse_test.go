package amqp

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/matryer/is"
	rabbit "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
)

// vanlig is a message as the platform makes them, with a body of n octets.
func vanlig(n int) broker.Melding {
	h := map[string]string{}
	for i := range 7 {
		h[fmt.Sprintf("egendefinert-header.nr-%d", i)] = "0190c0de-0000-7000-8000-00000000000a"
	}
	return broker.Melding{Headere: h, Kropp: make([]byte, n), TTL: 36 * time.Hour}
}

// forbruk connects an ordinary client over TLS and gives its deliveries.
func forbruk(t testing.TB, b *Broker, prefetch int) <-chan rabbit.Delivery {
	t.Helper()
	_, klient := tlsPar(t)
	k, err := rabbit.DialConfig("amqps://"+b.Adresse(), rabbit.Config{TLSClientConfig: klient, Vhost: "/",
		SASL: []rabbit.Authentication{&rabbit.PlainAuth{Username: bruker, Password: passord}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	kanal, err := k.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := kanal.Qos(prefetch, 0, false); err != nil {
		t.Fatal(err)
	}
	c, err := kanal.Consume(minKo, "", false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// BenchmarkLevering is one message laid, delivered over TLS to an ordinary client, and acked.
func BenchmarkLevering(b *testing.B) {
	for _, storrelse := range []int{0, 2 << 10, 50 << 10} {
		for _, prefetch := range []int{10, 250} {
			b.Run(fmt.Sprintf("%d oktetter, prefetch %d", storrelse, prefetch), func(b *testing.B) {
				tjener, _ := tlsPar(b)
				m := startet(b, Config{TLS: tjener})
				medKo(b, m)
				melding := vanlig(storrelse)
				c := forbruk(b, m, prefetch)
				b.ResetTimer()
				go func() {
					for range b.N {
						_ = m.Legg(b.Context(), minKo, melding)
					}
				}()
				for range b.N {
					d := <-c
					if err := d.Ack(false); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "meldinger/s")
			})
		}
	}
}

// A backlog costs its own bytes and little more, and working it off costs the same a message however long it is.
func TestAHundredThousandMessagesAreDeliveredInFlatMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("tar noen sekunder")
	}
	is := is.New(t)
	const antall, kropp = 100_000, 1000
	b := startet(t, Config{})
	medKo(t, b)
	melding := vanlig(kropp)
	for range antall {
		is.NoErr(b.Legg(t.Context(), minKo, melding))
	}
	ligger := iBruk()
	r := ring(t, b).loggInn(0)
	r.qos(100, false)
	r.abonner(minKo)
	hoyest := uint64(0)
	for i := range antall {
		tag, _ := r.levering(1)
		if tag%50 == 0 {
			r.metode(1, basicAck, binary.BigEndian.AppendUint64(nil, tag), []byte{1}) // and all before it
		}
		if i%(antall/4) == 0 {
			hoyest = max(hoyest, iBruk())
		}
	}
	ventStatus(t, b, broker.Status{Konsumenter: 1})
	igjen := iBruk()
	t.Logf("i kø %d MB, høyest %d MB, til slutt %d MB", ligger>>20, hoyest>>20, igjen>>20)
	is.True(ligger < antall*4*kropp) // body, headers and place
	is.True(hoyest < ligger+20<<20)  // delivering adds next to nothing
	is.True(igjen < 30<<20)          // and all is let go of
}

func iBruk() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
