package maskinporten_test

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/ports"
)

func TestGodtToken(t *testing.T) {
	u := nyUtsteder(t)
	v := u.verifier()
	for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512} {
		o, err := v.Konsument(t.Context(), u.signert(alg, u.nokler["k1"], "k1", u.krav(nil)))
		u.NoErr(err)
		u.Equal(string(o), orgnr)
	}
	u.Equal(u.antall(), 1) // cached
}

func TestDarligToken(t *testing.T) {
	u := nyUtsteder(t)
	v := u.verifier()
	na := u.klokke.Now().Unix()
	k1 := u.nokler["k1"]
	offentlig, err := x509.MarshalPKIXPublicKey(k1.Public())
	u.NoErr(err)
	med := func(navn string, verdi any) string {
		return u.signert(jose.RS256, k1, "k1", u.krav(map[string]any{navn: verdi}))
	}
	konsument := func(authority, id string) string {
		return med("consumer", map[string]string{"authority": authority, "ID": id})
	}
	b64 := base64.RawURLEncoding.EncodeToString
	deler := strings.Split(u.godt(), ".")
	for navn, token := range map[string]string{
		"tomt":                   "",
		"ikke JWT":               "eyJ",
		"for langt":              u.godt() + strings.Repeat("x", 20_000),
		"alg none":               b64([]byte(`{"alg":"none","kid":"k1"}`)) + "." + deler[1] + ".",
		"usignert":               deler[0] + "." + deler[1] + ".",
		"HS256 med nøkkelen":     u.signert(jose.HS256, offentlig, "k1", u.krav(nil)),
		"HS256 med oct fra JWKS": u.signert(jose.HS256, []byte("hemmelig-hemmelig-hemmelig-hemmelig"), "hmac", u.krav(nil)),
		"PS256":                  u.signert(jose.PS256, k1, "k1", u.krav(nil)),
		"annen nøkkel":           u.signert(jose.RS256, rsaNokler()[1], "k1", u.krav(nil)),
		"uten kid":               u.signert(jose.RS256, k1, "", u.krav(nil)),
		"endret innhold":         deler[0] + "." + b64([]byte(`{"iss":"x"}`)) + "." + deler[2],
		"utløpt":                 med("exp", na-11),
		"uten exp":               med("exp", nil),
		"ikke ennå":              med("nbf", na+11),
		"utstedt i framtiden":    med("iat", na+11),
		"annen utsteder":         med("iss", "https://maskinporten.no/"),
		"uten utsteder":          med("iss", nil),
		"annet scope":            med("scope", "ks:fiksx xks:fiks"),
		"uten scope":             med("scope", nil),
		"scope som liste":        med("scope", []string{"ks:fiks"}),
		"uten consumer":          med("consumer", nil),
		"annen authority":        konsument("iso6523", "0192:"+orgnr),
		"uten 0192":              konsument("iso6523-actorid-upis", orgnr),
		"annet ICD":              konsument("iso6523-actorid-upis", "0184:"+orgnr),
		"kort nummer":            konsument("iso6523-actorid-upis", "0192:1234"),
	} {
		t.Run(navn, func(t *testing.T) {
			_, err := v.Konsument(t.Context(), token)
			if !errors.Is(err, maskinporten.ErrToken) || !errors.Is(err, ports.ErrRefused) {
				t.Fatalf("ga %v", err)
			}
			if token != "" && strings.Contains(err.Error(), token) {
				t.Fatal("feilen gjentar tokenet")
			}
		})
	}
	for _, godt := range []string{med("exp", na-9), med("nbf", na+9)} { // the clocks differ a little
		_, err := v.Konsument(t.Context(), godt)
		u.NoErr(err)
	}
}

// The rules of issue 3 item 6, one after the other on one clock.
func TestRotasjon(t *testing.T) {
	u := nyUtsteder(t)
	v := u.verifier()
	spor := func(kid string, n int) error {
		_, err := v.Konsument(t.Context(), u.signert(jose.RS256, rsaNokler()[n], kid, u.krav(nil)))
		return err
	}
	utilgjengelig := func(err error) time.Duration {
		t.Helper()
		var ue *maskinporten.UtilgjengeligError
		u.True(errors.As(err, &ue))
		u.True(errors.Is(err, ports.ErrUnavailable) && !errors.Is(err, ports.ErrRefused))
		u.True(ue.RetryAfter() > 0)
		return ue.RetryAfter()
	}
	u.NoErr(spor("k1", 0))

	u.klokke.fram(10 * time.Second)
	u.Equal(utilgjengelig(spor("k2", 1)), 20*time.Second) // unknown, but the 30 s are not over
	u.Equal(u.antall(), 1)

	u.klokke.fram(20 * time.Second)
	u.True(errors.Is(spor("k2", 1), maskinporten.ErrToken)) // fetched after the call came, and not there
	u.Equal(u.antall(), 2)

	u.sett(func() { u.nokler["k2"] = rsaNokler()[1] })
	u.klokke.fram(30 * time.Second)
	u.NoErr(spor("k2", 1)) // rotated in
	u.NoErr(spor("k1", 0))
	u.Equal(u.antall(), 3)

	u.sett(func() { u.nede = true })
	u.klokke.fram(30 * time.Second)
	utilgjengelig(spor("k3", 0)) // the issuer cannot be reached
	u.NoErr(spor("k1", 0))       // and what is cached serves

	u.klokke.fram(23 * time.Hour)
	u.NoErr(spor("k1", 0))
	u.klokke.fram(time.Hour)
	utilgjengelig(spor("k1", 0)) // more than 24 h: not used any longer

	u.sett(func() { u.nede = false; delete(u.nokler, "k1") })
	u.klokke.fram(30 * time.Second)
	u.NoErr(spor("k2", 1))
	u.klokke.fram(30 * time.Second)
	u.True(errors.Is(spor("k1", 0), maskinporten.ErrToken)) // rotated out
}

// Fifty first calls at once make one fetch, and a caller that gives up takes nobody with it.
func TestEnHenting(t *testing.T) {
	u := nyUtsteder(t)
	u.port = make(chan struct{})
	v := u.verifier()
	token := u.godt()
	var wg sync.WaitGroup
	feil := make(chan error, 50)
	for range 50 {
		wg.Go(func() { _, err := v.Konsument(t.Context(), token); feil <- err })
	}
	close(u.port)
	wg.Wait()
	for range 50 {
		u.NoErr(<-feil)
	}
	u.Equal(u.antall(), 1)
}

func TestVerifierConfig(t *testing.T) {
	u := nyUtsteder(t)
	_, err := maskinporten.NyVerifier(maskinporten.VerifierConfig{Issuer: "x", JWKS: "y"})
	u.True(err != nil)
}
