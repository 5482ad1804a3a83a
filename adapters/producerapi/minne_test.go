package producerapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/producerapi"
	"portal.example/bekymringsmelding/app/intake"
	"portal.example/bekymringsmelding/domain/melding"
)

// 200 uploads of 5 MiB held at once, measured at the moment when all of them are whole: at most 1 MiB each.
func TestMinne(t *testing.T) {
	if testing.Short() {
		t.Skip("1 GiB gjennom loopback")
	}
	const antall = 200
	is := is.New(t)
	alleInne, slipp := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	inne := 0
	r := oppsett(t, func(c *producerapi.Config) {
		c.Fart = producerapi.Fart{BytesPerSekund: 1, Vindu: time.Hour} // a busy machine is not a slow client
		c.Inntak = inntak{Inntak: c.Inntak, motta: func(intake.Innsending) (melding.ID, error) {
			mu.Lock()
			if inne++; inne == antall {
				close(alleInne)
			}
			mu.Unlock()
			<-slipp
			return meldingID, nil
		}}
	})
	start := minne()
	var wg sync.WaitGroup
	for range antall {
		c := r.ring()
		wg.Go(func() {
			kropp, n, _ := strom(2*mib, 3*mib)
			defer c.Close()
			_, _ = io.WriteString(c, hode(fmt.Sprintf("Content-Length: %d\r\n", n)))
			_, _ = io.CopyBuffer(struct{ io.Writer }{c}, struct{ io.Reader }{kropp}, make([]byte, 64<<10))
			svar, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil || svar.StatusCode != 201 {
				t.Error("ikke tatt imot")
			}
		})
	}
	<-alleInne
	vokst := minne() - start
	close(slipp)
	wg.Wait()
	t.Logf("%d KiB for hver", vokst/antall>>10)
	is.True(vokst < antall*mib)
}

// minne is what the process has from the system, this test's clients included.
func minne() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}
