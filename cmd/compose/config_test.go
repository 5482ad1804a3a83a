package compose_test

import (
	"context"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/cmd/compose"
)

func TestEverySettingIsDocumented(t *testing.T) {
	b, err := os.ReadFile("../../docs/drift/konfigurasjon.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, type_ := range []reflect.Type{reflect.TypeFor[compose.Config](), reflect.TypeFor[compose.FiksConfig]()} {
		for f := range type_.Fields() {
			if env := f.Tag.Get("env"); env != "" && !strings.Contains(string(b), "`"+env+"`") {
				t.Errorf("%s står ikke i docs/drift/konfigurasjon.md", env)
			}
		}
	}
}

const hemmelig = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

func TestThePortalRefusesToStartUnsafely(t *testing.T) {
	god := compose.Config{Lager: "sqlite:x", Hemmelighet: hemmelig, Retur: "a;b;0000;c", Utsteder: "https://a.example/", JWKS: "https://a.example/jwk",
		Transport: "memory:", Print: "mappe:x", Roller: []string{"api", "worker"}}
	for navn, endre := range map[string]func(*compose.Config){
		"uten hemmelighet":  func(c *compose.Config) { c.Hemmelighet = "" },
		"kort hemmelighet":  func(c *compose.Config) { c.Hemmelighet = "a29ydA==" },
		"uten returadresse": func(c *compose.Config) { c.Retur = "" },
		"uten utskrift":     func(c *compose.Config) { c.Print, c.Dev = "", true },
		"Fiks IO uten innlogging": func(c *compose.Config) {
			c.Transport, c.Dev, c.Print, c.Lager = "fiksio", true, "mappe:"+t.TempDir(), "sqlite:"+t.TempDir()+"/p.db"
		},
		"uten digital kanal": func(c *compose.Config) {
			c.Transport, c.Dev, c.Print, c.Lager = "", true, "mappe:"+t.TempDir(), "sqlite:"+t.TempDir()+"/p.db"
		},
		"etterligninger uten --dev": func(*compose.Config) {},
	} {
		c := god
		endre(&c)
		s, err := compose.Open(context.Background(), c)
		if !errors.Is(err, compose.ErrConfig) || s != nil {
			t.Errorf("%s: %v", navn, err)
		}
	}
}

// What only takes reports in has no business with the secrets of what delivers them, and runs beside it.
func TestAProcessThatOnlyTakesReportsInNeedsNoSecretsOfFiksIO(t *testing.T) {
	is := is.New(t)
	c := compose.Config{Lager: "sqlite:" + t.TempDir() + "/p.db", Hemmelighet: hemmelig, Retur: "a;b;0000;c", Utsteder: "https://a.example/", JWKS: "https://a.example/jwk",
		Print: "mappe:" + t.TempDir(), Roller: []string{"worker"}, Transport: "memory:", Dev: true, Mappe: t.TempDir()}
	worker, err := compose.Open(t.Context(), c)
	is.NoErr(err)
	defer func() { is.NoErr(worker.Close()) }()
	c.Roller, c.Transport = []string{"api"}, "fiksio"
	api, err := compose.Open(t.Context(), c)
	is.NoErr(err)
	is.NoErr(api.Close())
}

func TestPlainHTTPOnlyOnLoopback(t *testing.T) {
	is := is.New(t)
	for _, adr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:80", "[::]:0"} {
		_, _, err := compose.Config{Adresse: adr}.Lytt(t.Context())
		is.True(errors.Is(err, compose.ErrConfig)) // refused
	}
	for _, adr := range []string{"127.0.0.1:0", "localhost:0", "unix:" + t.TempDir() + "/s"} {
		l, tls, err := compose.Config{Adresse: adr}.Lytt(t.Context())
		is.NoErr(err)
		is.True(!tls)
		is.NoErr(l.Close())
	}
}
