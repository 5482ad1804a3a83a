package acceptance_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/adapters/fagsystem"
	"portal.example/bekymringsmelding/adapters/fakeprint"
	"portal.example/bekymringsmelding/adapters/fiksio"
	"portal.example/bekymringsmelding/adapters/keystore"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/adapters/outbox"
	"portal.example/bekymringsmelding/adapters/postgres"
	"portal.example/bekymringsmelding/adapters/producerapi"
	"portal.example/bekymringsmelding/adapters/sqlite"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/app/delivery"
	"portal.example/bekymringsmelding/app/intake"
	"portal.example/bekymringsmelding/app/onboarding"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/melding"
)

// configer are every exported type whose name ends in Config, outside the simulated world; a test holds the list to the source.
var configer = map[string]any{
	"adapters/fagsystem.Config": fagsystem.Config{}, "adapters/fakeprint.Config": fakeprint.Config{}, "adapters/fiksio.Config": fiksio.Config{},
	"adapters/keystore.Config": keystore.Config{}, "adapters/maskinporten.KlientConfig": maskinporten.KlientConfig{},
	"adapters/maskinporten.VerifierConfig": maskinporten.VerifierConfig{}, "adapters/outbox.Config": outbox.Config{}, "adapters/postgres.Config": postgres.Config{},
	"adapters/producerapi.Config": producerapi.Config{}, "adapters/sqlite.Config": sqlite.Config{}, "app/delivery.Config": delivery.Config{},
	"app/intake.Config": intake.Config{}, "cmd/compose.Config": compose.Config{}, "cmd/compose.FiksConfig": compose.FiksConfig{},
}

const plantet = "en-plantet-hemmelighet"

var plantetNokkel = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// hemmeligfelt are names of fields that hold secrets. Lager and DSN are addresses, with a database's password in them.
var hemmeligfelt = regexp.MustCompile(`(?i)passord|hemmelig|nokkel|nokler|nøkkel|decrypter|^lager$|^dsn$`)

// plant puts a secret wherever v has a field for one, and counts them.
func plant(v reflect.Value) (n int) {
	for i := range v.NumField() {
		felt, navn := v.Field(i), v.Type().Field(i).Name
		if !v.Type().Field(i).IsExported() {
			continue
		}
		if felt.Kind() == reflect.Struct {
			n += plant(felt)
			continue
		}
		if !hemmeligfelt.MatchString(navn) {
			continue
		}
		for _, hemmelig := range []any{plantet, []byte(plantet), plantetNokkel(), []cms.Key{{Decrypter: plantetNokkel()}}, []onboarding.IntegrasjonFil{{Passord: plantet}}} {
			if x := reflect.ValueOf(hemmelig); x.Type().AssignableTo(felt.Type()) {
				felt.Set(x)
				n++
				break
			}
		}
	}
	return n
}

// utskrifter are the ways a value comes into a log or a message, by itself and inside something else.
func utskrifter(v any) map[string]string {
	ut := map[string]string{}
	for navn, x := range map[string]any{"": v, "in a slice ": []any{v}, "in a field ": struct{ X any }{v}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
			ut[navn+verb] = fmt.Sprintf(verb, x)
		}
		var tekst, j bytes.Buffer
		slog.New(slog.NewTextHandler(&tekst, nil)).InfoContext(context.Background(), "m", "x", x)
		slog.New(slog.NewJSONHandler(&j, nil)).InfoContext(context.Background(), "m", "x", x)
		b, _ := json.Marshal(x) // one with a func in it cannot be, and says nothing
		ut[navn+"slog text"], ut[navn+"slog JSON"], ut[navn+"JSON"] = tekst.String(), j.String(), string(b)
	}
	return ut
}

// lekker says whether s holds the planted secret in any of the shapes Go prints it.
func lekker(s string) bool {
	d := plantetNokkel().D
	for _, form := range []string{plantet, hex.EncodeToString([]byte(plantet)), base64.StdEncoding.EncodeToString([]byte(plantet)), strings.Trim(fmt.Sprint([]byte(plantet)), "[]"),
		strings.Trim(fmt.Sprintf("%#v", []byte(plantet)), "[]byte{}"), d.String(), d.Text(16)} {
		if strings.Contains(strings.ToLower(s), strings.ToLower(form)) {
			return true
		}
	}
	return false
}

func sjekkSkjult(t *testing.T, v any) {
	t.Helper()
	for hvordan, s := range utskrifter(v) {
		if lekker(s) {
			t.Errorf("%s shows a secret", hvordan)
		}
	}
}

func TestNoSetUpPrintsItsSecrets(t *testing.T) {
	for navn, c := range configer {
		t.Run(navn, func(t *testing.T) {
			v := reflect.New(reflect.TypeOf(c))
			n := plant(v.Elem())
			if slices.Contains([]string{"adapters/fagsystem.Config", "adapters/fiksio.Config", "adapters/maskinporten.KlientConfig", "adapters/postgres.Config",
				"cmd/compose.Config", "cmd/compose.FiksConfig"}, navn) != (n > 0) {
				t.Fatalf("%d secrets were planted", n)
			}
			sjekkSkjult(t, v.Elem().Interface())
			sjekkSkjult(t, v.Interface())
		})
	}
}

// What is made of a set-up, or holds a part of one, does not print it either.
func TestNothingThatHoldsASetUpPrintsItsSecrets(t *testing.T) {
	ma := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	nokkel := plantetNokkel()
	utsteder := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"access_token":"`+plantet+`","expires_in":119}`)
	}))
	t.Cleanup(utsteder.Close)
	mp, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: utsteder.URL, Issuer: "x", KlientID: "x", Nokkel: nokkel, KID: "x", Clock: sysclock.Clock{}})
	ma(err)
	_, err = mp.Token(t.Context()) // which it keeps
	ma(err)
	const id = "00000000-0000-4000-8000-000000000001"
	fag, err := fagsystem.New(fagsystem.Config{Konto: id, Portalkonto: id, IntegrasjonID: id, Passord: plantet, AMQP: "127.0.0.1:1", API: "http://127.0.0.1:1", Token: mp.Token,
		Nokler: []cms.Key{{Decrypter: nokkel}}, Pakker: &asice.Packer{}, Versjon: melding.V2, Lager: fagsystem.Mappe(""), Meld: func(fagsystem.Hendelse) {}})
	ma(err)
	f, err := fiksio.New(fiksio.Config{API: "http://127.0.0.1:1", AMQP: "127.0.0.1:1", Konto: id, Integrasjon: id, Passord: plantet, Token: mp.Token, Clock: sysclock.Clock{}})
	ma(err)
	for navn, v := range map[string]any{
		"a key": cms.Key{Decrypter: nokkel}, "a Maskinporten client": mp, "a case system": fag, "a transport": f,
		"a login in a set-up file": onboarding.IntegrasjonFil{Passord: plantet}, "the set-up file": onboarding.Fil{Integrasjoner: []onboarding.IntegrasjonFil{{Passord: plantet}}},
		"the service that applies it": &onboarding.Service{Hemmelighet: []byte(plantet)},
	} {
		t.Run(navn, func(t *testing.T) { sjekkSkjult(t, v) })
	}
}

func TestTheSearchForSecretsSeesThemInEveryShape(t *testing.T) {
	for hvordan, s := range utskrifter(struct{ A string }{plantet}) {
		if !lekker(s) {
			t.Errorf("a text in %s is not seen", hvordan)
		}
	}
	for hvordan, s := range utskrifter(struct{ A []byte }{[]byte(plantet)}) {
		if !lekker(s) {
			t.Errorf("bytes in %s are not seen", hvordan)
		}
	}
	nokkel := utskrifter(struct{ K *rsa.PrivateKey }{plantetNokkel()})
	for _, hvordan := range []string{"JSON", "slog JSON"} { // fmt shows its address
		if !lekker(nokkel[hvordan]) {
			t.Errorf("a private key in %s is not seen", hvordan)
		}
	}
}

func TestEveryConfigIsTriedForSecrets(t *testing.T) {
	var funnet []string
	for _, rot := range []string{"adapters", "app", "cmd/compose"} {
		err := filepath.WalkDir(filepath.Join("..", rot), func(sti string, e fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(sti, ".go") || strings.HasSuffix(sti, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), sti, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			pakke, _ := filepath.Rel("..", filepath.Dir(sti))
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.TypeSpec); ok && s.Name.IsExported() && strings.HasSuffix(s.Name.Name, "Config") {
					funnet = append(funnet, pakke+"."+s.Name.Name)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(funnet)
	for _, navn := range funnet {
		if _, ok := configer[navn]; !ok {
			t.Errorf("%s is not in the list", navn)
		}
	}
	if len(funnet) != len(configer) {
		t.Errorf("%d in the source, %d in the list", len(funnet), len(configer))
	}
}
