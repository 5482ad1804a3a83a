package fiksio_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/adapters/fiksio"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/protokoll"
)

func TestConfigIsLookedAtBeforeAnythingStarts(t *testing.T) {
	god := fiksio.Config{API: "https://api.fiks.example:443", AMQP: "io.fiks.example:5671", Konto: portalen, Integrasjon: portalen, Passord: "hemmelig", Clock: rask{time.Now()},
		Token: func(context.Context) (string, error) { return "", nil }}
	_, err := fiksio.New(god)
	is.New(t).NoErr(err)
	for navn, endre := range map[string]func(*fiksio.Config){
		"no API":                          func(c *fiksio.Config) { c.API = "" },
		"no AMQP":                         func(c *fiksio.Config) { c.AMQP = "" },
		"no account":                      func(c *fiksio.Config) { c.Konto = "" },
		"no integration":                  func(c *fiksio.Config) { c.Integrasjon = "" },
		"no password":                     func(c *fiksio.Config) { c.Passord = "" },
		"no token":                        func(c *fiksio.Config) { c.Token = nil },
		"no clock":                        func(c *fiksio.Config) { c.Clock = nil },
		"a password over plain http":      func(c *fiksio.Config) { c.API = "http://api.fiks.example" },
		"an API with a path":              func(c *fiksio.Config) { c.API += "/hemmelig" },
		"an API with a login":             func(c *fiksio.Config) { c.API = "https://a:hemmelig@api.fiks.example" },
		"an API of another kind":          func(c *fiksio.Config) { c.API = "ftp://127.0.0.1" },
		"an AMQP address without a port":  func(c *fiksio.Config) { c.AMQP = "hemmelig" },
		"an account that is not a UUID":   func(c *fiksio.Config) { c.Konto = "hemmelig" },
		"a prefetch nobody wants":         func(c *fiksio.Config) { c.Prefetch = -1 },
		"a prefetch no broker would give": func(c *fiksio.Config) { c.Prefetch = 1 << 16 },
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			c := god
			endre(&c)
			tr, err := fiksio.New(c)
			is.True(err != nil && tr == nil)
			is.True(!strings.Contains(err.Error(), "hemmelig"))
		})
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	is := is.New(t)
	c := fiksio.Config{API: "https://api.fiks.example", AMQP: "io.fiks.example:5671", Konto: portalen, Integrasjon: portalen, Passord: "hemmelig", Clock: rask{time.Now()},
		Token: func(context.Context) (string, error) { return "hemmelig", nil }}
	tr, err := fiksio.New(c)
	is.NoErr(err)
	var ut bytes.Buffer
	for _, v := range []any{c, &c, tr, struct{ T *fiksio.Transport }{tr}, struct{ t *fiksio.Transport }{tr}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&ut, verb+"\n", v)
		}
	}
	b, err := json.Marshal(map[string]any{"c": c})
	is.NoErr(err)
	ut.Write(b)
	slog.New(slog.NewTextHandler(&ut, nil)).Info("x", "c", c, "t", tr)
	slog.New(slog.NewJSONHandler(&ut, nil)).Info("x", "c", c, "t", tr)
	is.True(!strings.Contains(ut.String(), "hemmelig"))
	is.True(!strings.Contains(ut.String(), fmt.Sprintf("%x", "hemmelig")))
	is.True(strings.Contains(ut.String(), "[skjult]"))
}

// Everything that goes wrong in a day, and not a word of it in the log.
func TestTheLogHoldsNoSecretAndNoContent(t *testing.T) {
	r := nyRigg(t, valg{})
	ut := &tryggBuffer{}
	tr := r.transport(func(c *fiksio.Config) {
		ekte := c.Token
		n := 0
		c.Token = func(ctx context.Context) (string, error) {
			if n++; n == 1 {
				return "feil.access.token", nil
			}
			return ekte(ctx)
		}
		c.Logg = slog.New(slog.NewJSONHandler(ut, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	svar := r.motta(tr, nil)
	r.legg(map[string]string{"type": "Åse\nLevel=ERROR", "melding-id": "Åse", "dokumentlager-id": "Åse"}, "Åse er redd")
	simtest.Vent(t, svar, "meldingen")
	r.brudd(t)
	simtest.Til(t, "brudd i loggen", func() bool { return strings.Count(ut.String(), "prøver igjen") >= 2 })
	r.mend(t)
	r.svar(t, contracts.Ankommet{Ref: refID, Melding: rapport}, protokoll.Mottatt, nil)
	simtest.Vent(t, svar, "svaret")
	token, err := r.mp.Token(portalen)
	r.is.NoErr(err)
	for _, hemmelig := range []string{passord, "access.token", token[:20], "Åse"} {
		r.is.True(!strings.Contains(ut.String(), hemmelig))
	}
	r.is.True(strings.Contains(ut.String(), "nektet")) // it says why
}
