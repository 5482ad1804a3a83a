package producerapi_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"portal.example/bekymringsmelding/adapters/producerapi"
	"portal.example/bekymringsmelding/ports"
)

const kommunesti = "/bekymringsmelding/api/v2/kommuner"

// Whatever is wrong, the answer is the same and so is the work: one token, one lookup, one MAC (D11, D19).
func TestFeilInnlogging(t *testing.T) {
	uten := func(navn string) func(http.Header) { return func(h http.Header) { h.Del(navn) } }
	med := func(navn, verdi string) func(http.Header) { return func(h http.Header) { h.Set(navn, verdi) } }
	var forste string
	for _, c := range []struct {
		navn    string
		endre   func(http.Header)
		oppslag int
	}{
		{"feil passord", med("IntegrasjonPassord", "feil"), 1},
		{"uten passord", uten("IntegrasjonPassord"), 1},
		{"ukjent integrasjon", med("IntegrasjonId", "11111111-cc77-4787-8dc8-7a5b311791c2"), 1},
		{"ikke UUID", med("IntegrasjonId", "hemmelig"), 1},
		{"uten integrasjon", uten("IntegrasjonId"), 1},
		{"annen organisasjon", med("Authorization", "Bearer annen"), 1},
		{"dårlig token", med("Authorization", "Bearer feil"), 0},
		{"uten token", uten("Authorization"), 0},
		{"Basic", med("Authorization", "Basic "+token), 0},
		{"tomt token", med("Authorization", "Bearer "), 0},
	} {
		t.Run(c.navn, func(t *testing.T) {
			r := oppsett(t)
			q := r.bestill(http.MethodGet, kommunesti, nil)
			c.endre(q.Header)
			svar, b := r.gjor(q)
			m := r.sjekkFeil(svar, b, 401, "IKKE_AUTENTISERT")
			r.True(strings.HasPrefix(svar.Header.Get("WWW-Authenticate"), "Bearer"))
			r.Equal([]int{r.f.oppslag, r.f.mac}, []int{c.oppslag, c.oppslag})
			delete(m, "timestamp")
			delete(m, "errorId")
			if likt := m["message"].(string) + m["path"].(string) + m["errorCode"].(string); forste == "" {
				forste = likt
			} else {
				r.Equal(likt, forste)
			}
			r.True(!strings.Contains(r.logg.String(), "hemmelig") && !strings.Contains(r.logg.String(), passord))
		})
	}
}

func TestInnloggingTaalerStoreBokstaver(t *testing.T) {
	r := oppsett(t)
	q := r.bestill(http.MethodGet, kommunesti, nil)
	q.Header.Set("IntegrasjonId", strings.ToUpper(integrasjon))
	q.Header.Set("Authorization", "bearer "+token)
	svar, _ := r.gjor(q)
	r.Equal(svar.StatusCode, 200)
}

type ventefeil struct{}

func (ventefeil) Error() string             { return "nøklene kan ikke hentes" }
func (ventefeil) Unwrap() error             { return ports.ErrUnavailable }
func (ventefeil) RetryAfter() time.Duration { return 20500 * time.Millisecond }

func TestInnloggingUtilgjengelig(t *testing.T) {
	r := oppsett(t)
	r.f.tokenErr = ventefeil{}
	svar, b := r.hent(kommunesti)
	r.sjekkFeil(svar, b, 503, "UTILGJENGELIG")
	r.Equal(svar.Header.Get("Retry-After"), "21")
	r.f.tokenErr, r.f.oppslErr = nil, errUkjent
	svar, b = r.hent(kommunesti)
	r.sjekkFeil(svar, b, 503, "UTILGJENGELIG")
	r.True(!inneholder(b, "hemmelig"))
}

func TestHastighet(t *testing.T) {
	r := oppsett(t, func(c *producerapi.Config) { c.Rate, c.Burst = 2, 3 })
	for range 3 {
		svar, _ := r.hent(kommunesti)
		r.Equal(svar.StatusCode, 200)
	}
	svar, b := r.hent(kommunesti)
	r.sjekkFeil(svar, b, 429, "FOR_MANGE_KALL")
	vent, err := strconv.Atoi(svar.Header.Get("Retry-After"))
	r.NoErr(err)
	r.Equal(vent, 1)

	// Somebody who only knows the id cannot use up its calls, and does not get one either.
	q := r.bestill(http.MethodGet, kommunesti, nil)
	q.Header.Set("IntegrasjonPassord", "feil")
	svar, _ = r.gjor(q)
	r.Equal(svar.StatusCode, 401)

	r.f.na = r.f.na.Add(time.Second)
	for _, vil := range []int{200, 200, 429} {
		svar, _ := r.hent(kommunesti)
		r.Equal(svar.StatusCode, vil)
	}
}

// Every operation asks for access.
func TestAlleKallKreverInnlogging(t *testing.T) {
	r := oppsett(t)
	antall := 0
	for metode, stier := range r.operasjoner() {
		for _, sti := range stier {
			antall++
			q, err := http.NewRequest(metode, r.srv.URL+sti, nil)
			r.NoErr(err)
			svar, b := r.gjor(q)
			r.sjekkFeil(svar, b, 401, "IKKE_AUTENTISERT")
		}
	}
	r.Equal(antall, 18)
}
