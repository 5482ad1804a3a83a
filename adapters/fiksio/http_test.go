package fiksio_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/fiksio"
)

// What was refused is said to whoever keeps the token; other trouble is not the token's.
func TestARefusedTokenIsThrownAway(t *testing.T) {
	for status, vil := range map[int][]string{401: {"et.access.token"}, 403: {"et.access.token"}, 202: nil, 400: nil, 404: nil, 429: nil, 500: nil, 503: nil} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			var forkastet []string
			tr := mot(t, svarMed(status, sendt), func(c *fiksio.Config) { c.Forkast = func(s string) { forkastet = append(forkastet, s) } })
			_, _ = tr.Send(t.Context(), forsendelse())
			is.New(t).Equal(forkastet, vil)
		})
	}
}

// The one call without a login has no token that could be at fault.
func TestARefusalWithoutALoginThrowsNothingAway(t *testing.T) {
	tr := motAPI(t, svarMed(http.StatusUnauthorized, ""), func(c *fiksio.Config) { c.Forkast = func(string) { t.Error("et token ble forkastet") } })
	_, err := tr.Certificate(t.Context(), bydelen)
	is.New(t).True(err != nil)
}
