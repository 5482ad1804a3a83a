package producerapi

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"portal.example/bekymringsmelding/domain/kommune"
)

// fastKlokke stands still.
type fastKlokke struct{}

func (fastKlokke) Now() time.Time                          { return time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC) }
func (fastKlokke) At(time.Time) (<-chan time.Time, func()) { return nil, func() {} }

func TestAStrangerCannotFillTheLog(t *testing.T) {
	var b bytes.Buffer
	a := &API{cfg: Config{Logg: slog.New(slog.NewTextHandler(&b, nil)), Clock: fastKlokke{}}, loggtakt: rate.NewLimiter(20, 200)}
	k := &kall{inn: httptest.NewRequest(http.MethodGet, "/", nil)}
	k.integrasjon = kommune.Integrasjon{}
	for range 10_000 {
		a.loggAvvist(k, &feil{kode: FeilIkkeAutentisert}, "id")
	}
	if n := strings.Count(b.String(), "kall avvist"); n != 200 {
		t.Errorf("%d linjer", n)
	}
	a.loggAvvist(k, &feil{kode: FeilIntern}, "id") // our own faults are always told, with what was left out
	if !strings.Contains(b.String(), "utelatt=9800") {
		t.Error("det utelatte er ikke talt")
	}
}
