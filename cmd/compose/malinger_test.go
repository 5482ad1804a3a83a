package compose_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

func maling(t *testing.T, h http.Handler, navn string) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for linje := range strings.Lines(w.Body.String()) {
		if verdi, ok := strings.CutPrefix(linje, navn+" "); ok {
			return strings.TrimSpace(verdi)
		}
	}
	return "finnes ikke"
}

func TestEveryDuplicateOnTheWireShowsInTheMetrics(t *testing.T) {
	is, v := is.New(t), verden(t)
	is.Equal(maling(t, v.System.Handler, "portal_svar_gjentatt_total"), "0") // there from the start
	is.Equal(maling(t, v.System.Handler, "portal_sending_gjentatt_total"), "0")

	v.Fagsystem["4601/01"].Svarer(world.Stille)
	v.Nett.MistSvar(3)
	id, err := v.Lever(v.D.Avsender, v.Forsegl("4601", "01"))
	is.NoErr(err)
	v.Fram(time.Minute)
	s := v.Nett.Sendte(id)
	is.Equal(len(s), 4)                                                                           // three outcomes were lost
	is.Equal(maling(t, v.System.Handler, `portal_hendelser_total{kode="SENDING_GJENTATT"}`), "1") // history says it once
	is.Equal(maling(t, v.System.Handler, "portal_sending_gjentatt_total"), "3")                   // and the count is whole
	svar := melding.Svar{ID: "svar-1", Meldingstype: protokoll.Mottatt, SvarTil: s[3].Ref, Korrelasjon: string(id), AvsenderKonto: v.KontoID("4601", "01")}
	for range 3 { // the wire does not hear that it was taken
		is.NoErr(v.System.Levering.TaImot(context.Background(), svar))
		v.Pump()
	}
	is.Equal(v.Utgave(id).Melding.Tilstand(), melding.LEVERT)
	is.Equal(maling(t, v.System.Handler, "portal_svar_gjentatt_total"), "2")
	is.Equal(strings.Count(v.Logg.String(), `"svar":"svar-1"`), 2) // a person can find which
}

func TestAnswersThatAreOnlyCountedShowInTheMetricsAndTheLog(t *testing.T) {
	is, v := is.New(t), verden(t)
	is.Equal(maling(t, v.System.Handler, "portal_svar_bare_talt_total"), "0") // there from the start
	v.Fagsystem["4601/01"].Svarer(world.Stille)
	id, err := v.Lever(v.D.Avsender, v.Forsegl("4601", "01"))
	is.NoErr(err)
	v.Pump()
	for i := range levering.MaksUbrukteSvar + 2 {
		is.NoErr(v.System.Levering.TaImot(context.Background(), melding.Svar{ID: "fremmed-" + strconv.Itoa(i), Meldingstype: protokoll.Mottatt,
			Korrelasjon: string(id), AvsenderKonto: v.KontoID("5501", "00")}))
	}
	v.Pump()
	is.Equal(maling(t, v.System.Handler, "portal_svar_bare_talt_total"), "2")
	is.Equal(maling(t, v.System.Handler, `portal_hendelser_total{kode="FLERE_SVAR_TELLES"}`), "1")
	is.True(strings.Contains(v.Logg.String(), `"svar":"fremmed-`+strconv.Itoa(levering.MaksUbrukteSvar)+`"`)) // a person can find which
}
