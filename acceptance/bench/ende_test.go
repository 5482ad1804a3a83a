package bench

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"portal.example/bekymringsmelding/domain/melding"
)

// BenchmarkEnde is a report's whole life on one machine: 50 KB over HTTP, committed, sent over Fiks IO's wire, answered mottatt by a
// receiver that opens nothing, and LEVERT committed. Database, broker, platform, receiver and senders all run on these cores. The floor
// is the same bytes published to a quorum queue of RabbitMQ with confirm, then committed by PostgreSQL, by as many clients, each doing
// one after the other.
//
// «en om gangen» is a client that sends its next when the last is LEVERT: what one report takes. «alle på en gang» is clients that send
// as fast as they are answered 201: what the portal gets through.
func BenchmarkEnde(b *testing.B) {
	const klienter = 8
	antall := 200
	if full() {
		antall = 1000
	}
	for _, megler := range []string{innebygd, rabbitmq} {
		b.Run(megler, func(b *testing.B) {
			e := nyEnde(b, megler, paPostgres).medGolv(b, paPostgres)
			e.mal(b, klienter, 100, false) // warm
			e.golvet(b, klienter, 100)
			for _, vent := range []bool{true, false} {
				navn := "alle på en gang"
				if vent {
					navn = "en om gangen"
				}
				b.Run(navn, func(b *testing.B) {
					var vart, golv []resultat
					for b.Loop() { // in turn, so that what else the machine does falls on both
						vart = append(vart, e.mal(b, klienter, antall, vent))
						golv = append(golv, e.golvet(b, klienter, antall))
					}
					v, g := midterst(vart), midterst(golv)
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(v.iSekundet, "levert/s")
					b.ReportMetric(g.iSekundet, "golv/s")
					b.ReportMetric(v.iSekundet/g.iSekundet, "x-golv")
					b.ReportMetric(ms(v.p50), "p50-ms")
					b.ReportMetric(ms(g.p50), "p50-golv-ms")
					b.ReportMetric(float64(v.p50)/float64(g.p50), "x-p50")
				})
			}
		})
	}
}

// resultat is one round: how many a second from the first begun to the last done, and the median of how long one took.
type resultat struct {
	iSekundet float64
	p50       time.Duration
}

func midterst(rr []resultat) resultat {
	var fart []float64
	var p50 []time.Duration
	for _, r := range rr {
		fart, p50 = append(fart, r.iSekundet), append(p50, r.p50)
	}
	slices.Sort(fart)
	return resultat{fart[len(fart)/2], median(p50)}
}

// leveringsfrist is how long a whole round may take before something has stopped.
const leveringsfrist = 5 * time.Minute

// mal sends so many distinct reports by so many clients. vent = a client waits for LEVERT before its next.
func (e *ende) mal(t testing.TB, klienter, antall int, vent bool) resultat {
	t.Helper()
	ctx, avbryt := context.WithTimeout(context.Background(), leveringsfrist)
	defer avbryt()
	_, err := e.avsender.HentNokler(ctx, "4601", "01") // a fresh token, outside the time
	ma(t, err)
	foresporsler := make([]*http.Request, antall)
	for i := range foresporsler {
		foresporsler[i], err = e.avsender.Foresporsel(ctx, e.ny())
		ma(t, err)
	}
	var mu sync.Mutex
	var brukt []time.Duration
	var siste time.Time
	levert := func(fra time.Time, id melding.ID) error {
		select {
		case da := <-e.tid.levert(id):
			mu.Lock()
			defer mu.Unlock()
			brukt = append(brukt, da.Sub(fra))
			if da.After(siste) {
				siste = da
			}
			return nil
		case <-ctx.Done():
			return fmt.Errorf("melding %s ble ikke LEVERT", id)
		}
	}
	var utestaende sync.WaitGroup
	forste := time.Now()
	fordel(t, klienter, foresporsler, func(r *http.Request) error {
		fra := time.Now()
		var svar struct{ UUID string }
		if err := e.avsender.Kall(r, &svar); err != nil {
			return err
		}
		if vent {
			return levert(fra, melding.ID(svar.UUID))
		}
		utestaende.Go(func() {
			if err := levert(fra, melding.ID(svar.UUID)); err != nil {
				t.Error(err)
			}
		})
		return nil
	})
	utestaende.Wait()
	if len(brukt) != antall {
		t.Fatalf("%d av %d ble levert", len(brukt), antall)
	}
	return resultat{float64(antall) / siste.Sub(forste).Seconds(), median(brukt)}
}

// golvet does the floor's two steps as many times, with other bytes each time.
func (e *ende) golvet(t testing.TB, klienter, antall int) resultat {
	t.Helper()
	kropper := make([][]byte, antall)
	for i := range kropper {
		s := e.ny()
		kropper[i] = slices.Concat(s.PDF, s.Asice)
	}
	var mu sync.Mutex
	var brukt []time.Duration
	alt := ta(func() {
		fordel(t, klienter, kropper, func(b []byte) error {
			var err error
			tok := ta(func() { err = e.golv.ett(b) })
			mu.Lock()
			defer mu.Unlock()
			brukt = append(brukt, tok)
			return err
		})
	})
	return resultat{float64(antall) / alt.Seconds(), median(brukt)}
}

// TestEndeKort is everything that BenchmarkEnde and BenchmarkMinne do, tiny: it says nothing about speed.
func TestEndeKort(t *testing.T) {
	for _, megler := range []string{innebygd, rabbitmq} {
		t.Run(megler, func(t *testing.T) {
			e := nyEnde(t, megler, iPostgres).medGolv(t, iPostgres)
			e.mal(t, 2, 6, true)
			e.mal(t, 2, 6, false)
			e.golvet(t, 2, 6)
		})
	}
	t.Run("minne", func(t *testing.T) { taImot(t, 200) })
	t.Run("minne, hele portalen", func(t *testing.T) { nyEnde(t, innebygd, iPostgres).leverMange(t, 200) })
}
