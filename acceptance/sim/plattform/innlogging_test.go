package plattform_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"
	amqp091 "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/fagklient"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
)

// arbeid counts what a login costs: looks at a token, and comparisons with what is stored.
type arbeid struct{ token, sammenlikninger atomic.Int32 }

func (a *arbeid) tell(c *plattform.Config) {
	verifiser := c.Token
	c.Token = func(ctx context.Context, token string) (string, error) {
		a.token.Add(1)
		return verifiser(ctx, token)
	}
}

// ta gives what has been done since last.
func (a *arbeid) ta() [2]int32 {
	return [2]int32{a.token.Swap(0), a.sammenlikninger.Swap(0)}
}

// innlogginger are the ways a login can be wrong, and a good one to hold them against: somebody who listens with a watch must not learn
// which integrations there are, or how much of a login was right.
func innlogginger(r *rigg) (god fagklient.Login, tokenGodt, tokenGalt map[string]fagklient.Login) {
	r.t.Helper()
	const ukjent = "77777777-2222-4333-8444-555555555555"
	bra := r.token(inBydel)
	darlig, err := r.mp.Feiltoken(sim.FeilScope, inBydel)
	r.feilfri(err)
	god = fagklient.Login{IntegrasjonID: inBydel, Passord: passord, Token: bra}
	tokenGodt = map[string]fagklient.Login{
		"feil passord":          {IntegrasjonID: inBydel, Passord: "feil", Token: bra},
		"nesten riktig passord": {IntegrasjonID: inBydel, Passord: passord + "x", Token: bra},
		"uten passord":          {IntegrasjonID: inBydel, Token: bra},
		"ukjent bruker":         {IntegrasjonID: ukjent, Passord: passord, Token: bra},
		"alt ukjent":            {IntegrasjonID: ukjent, Passord: "feil", Token: bra},
		"ikke en UUID":          {IntegrasjonID: "x", Passord: passord, Token: bra},
		"en annens token":       {IntegrasjonID: inBydel, Passord: passord, Token: r.token(inNabo)},
		"en annens integrasjon": {IntegrasjonID: inNabo, Passord: passord, Token: bra},
	}
	tokenGalt = map[string]fagklient.Login{
		"feil token":                  {IntegrasjonID: inBydel, Passord: passord, Token: darlig},
		"feil token og passord":       {IntegrasjonID: inBydel, Passord: "feil", Token: darlig},
		"feil token og ukjent bruker": {IntegrasjonID: ukjent, Passord: passord, Token: darlig},
		"uten token":                  {IntegrasjonID: inBydel, Passord: passord},
		"ikke et token":               {IntegrasjonID: inBydel, Passord: passord, Token: "x"},
	}
	return god, tokenGodt, tokenGalt
}

func TestAWrongLoginOverHTTPCostsAndSaysTheSameWhateverIsWrong(t *testing.T) {
	var a arbeid
	r := nyRigg(t, a.tell)
	r.p.TellSammenlikninger(func() { a.sammenlikninger.Add(1) })
	god, tokenGodt, tokenGalt := innlogginger(r)
	prov := func(l fagklient.Login) (svar, [2]int32) {
		req, err := http.NewRequestWithContext(t.Context(), "GET", r.url+"/fiks-io/katalog/api/v1/kontoer/"+bydelen, nil)
		r.feilfri(err)
		l.Hoder(req.Header)
		a.ta()
		return r.kall(req), a.ta()
	}
	s, pris := prov(god)
	is.New(t).Equal(s.status, http.StatusOK)
	is.New(t).Equal(pris, [2]int32{1, 3}) // one look at the token, and every login of the three accounts
	for kode, slag := range map[string]map[string]fagklient.Login{"INTEGRASJON_UGYLDIG": tokenGodt, "TOKEN_UGYLDIG": tokenGalt} {
		for navn, l := range slag {
			t.Run(navn, func(t *testing.T) {
				is := is.New(t)
				s, fikk := prov(l)
				is.Equal(fikk, pris)
				is.Equal(s.status, http.StatusUnauthorized)
				is.Equal(s.kode, kode)
				ekko := strings.ReplaceAll(s.json["message"].(string), l.IntegrasjonID, "") // its own word back
				is.True(ekko == "Autentisering feilet for integrasjon med id " || ekko == "Klarte ikke å validere access_token")
			})
		}
	}
}

func TestAWrongLoginOverAMQPCostsAndSaysTheSameWhateverIsWrong(t *testing.T) {
	var a arbeid
	l := nyLedning(t, a.tell)
	l.p.TellSammenlikninger(func() { a.sammenlikninger.Add(1) })
	rot := x509.NewCertPool()
	rot.AddCert(l.n.CA.Cert)
	prov := func(sasl []amqp091.Authentication) ([2]int32, error) {
		a.ta()
		c, err := amqp091.DialConfig("amqps://"+l.b.Adresse()+"/", amqp091.Config{SASL: sasl,
			TLSClientConfig: &tls.Config{RootCAs: rot, Time: func() time.Time { return simtest.Start }}})
		if err == nil {
			_ = c.Close()
		}
		return a.ta(), err
	}
	god, tokenGodt, tokenGalt := innlogginger(l.rigg)
	pris, err := prov(god.SASL())
	is.New(t).NoErr(err)
	is.New(t).Equal(pris, [2]int32{1, 3})
	feil := map[string][]amqp091.Authentication{ // not the form of one
		"bare et passord":         {&amqp091.PlainAuth{Username: inBydel, Password: passord}},
		"bare et token":           {&amqp091.PlainAuth{Username: inBydel, Password: god.Token}},
		"uten noe":                {&amqp091.PlainAuth{}},
		"passord og to mellomrom": {&amqp091.PlainAuth{Username: inBydel, Password: passord + "  " + god.Token}},
	}
	for _, slag := range []map[string]fagklient.Login{tokenGodt, tokenGalt} {
		for navn, l := range slag {
			feil[navn] = l.SASL()
		}
	}
	for navn, sasl := range feil {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			fikk, err := prov(sasl)
			is.Equal(fikk, pris)
			is.Equal(err, &amqp091.Error{Code: amqp091.AccessRefused, Reason: "username or password not allowed"})
		})
	}
}
