package producerapi_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"portal.example/bekymringsmelding/adapters/producerapi"
	"portal.example/bekymringsmelding/app/intake"
	"portal.example/bekymringsmelding/domain/melding"
)

// In front of a ServeMux no path is redirected: KS's client would follow, lose its body, and not know the answer.
func TestUrenSti(t *testing.T) {
	r := oppsett(t)
	resten := http.NewServeMux()
	resten.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "resten "+r.URL.Path) })
	r.srv.Close()
	r.srv = httptest.NewServer(r.api.Foran(resten))
	t.Cleanup(r.srv.Close)
	for _, sti := range []string{"/" + sti1, strings.Replace(sti1, "/v1/", "//v1/", 1), strings.Replace(sti1, "/v1/", "/v1/../v1/", 1), strings.Replace(sti1, "/v1/", "/./v1/", 1),
		sti1 + "/", sti1 + "//", "//", "//healthz", "/a/../healthz", producerapi.Prefiks, producerapi.Prefiks + "/", "/bekymringsmelding/api/%2fv1"} {
		for _, metode := range []string{http.MethodGet, http.MethodPost} {
			t.Log(metode, sti)
			svar, b := r.gjor(r.bestill(metode, sti, strings.NewReader("kropp")))
			r.sjekkFeil(svar, b, 404, "UKJENT_RESSURS")
		}
	}
	for _, sti := range []string{"/", "/healthz", "/annet/", "/bekymringsmeldinger"} {
		_, b := r.hent(sti)
		r.Equal(string(b), "resten "+sti)
	}
	svar, _ := r.hent("/docs")
	r.Equal(svar.Header.Get("Content-Type"), "text/html; charset=utf-8")
	svar, _ = r.hent(kommunesti)
	r.Equal(svar.StatusCode, 200)
}

// Who is slow holds memory and disk: one integration cannot hold all there is.
func TestForMangeOpplastinger(t *testing.T) {
	inne, slipp := make(chan struct{}, 2), make(chan struct{})
	r := oppsett(t, func(c *producerapi.Config) {
		c.Opplastinger = 4
		c.Inntak = inntak{Inntak: c.Inntak, motta: func(intake.Innsending) (melding.ID, error) {
			inne <- struct{}{}
			<-slipp
			return meldingID, nil
		}}
	})
	svar := make(chan error, 2)
	for range 2 {
		q := r.post(toDeler...)
		go func() {
			s, err := r.srv.Client().Do(q)
			if err == nil {
				_ = s.Body.Close()
				if s.StatusCode != http.StatusCreated {
					err = fmt.Errorf("status %d", s.StatusCode)
				}
			}
			svar <- err
		}()
		<-inne
	}
	s, b := r.gjor(r.post(toDeler...))
	r.sjekkFeil(s, b, 429, "FOR_MANGE_KALL")
	r.Equal(s.Header.Get("Retry-After"), "5")
	close(slipp)
	for range 2 {
		r.NoErr(<-svar)
	}
	s, _ = r.gjor(r.post(toDeler...)) // room again
	r.Equal(s.StatusCode, http.StatusCreated)
}
