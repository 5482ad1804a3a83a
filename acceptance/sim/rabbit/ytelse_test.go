package rabbit_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"portal.example/bekymringsmelding/acceptance/sim/rabbit/rabbittest"
)

// BenchmarkLegg is eight writers laying 50 KB messages on one queue, each waiting for its own confirm.
func BenchmarkLegg(b *testing.B) {
	n := rabbittest.Start(b, alle{})
	ko := nyKo(b, n)
	m := melding(1)
	m.Kropp = make([]byte, 50<<10)
	b.SetBytes(int64(len(m.Kropp)))
	var igjen, feilet atomic.Int64
	igjen.Store(int64(b.N))
	b.ResetTimer()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for igjen.Add(-1) >= 0 {
				if n.Legg(b.Context(), ko, m) != nil {
					feilet.Add(1)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "meldinger/s")
	if feilet.Load() > 0 {
		b.Fatalf("%d av %d ble ikke lagt", feilet.Load(), b.N)
	}
}
