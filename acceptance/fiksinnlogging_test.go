package acceptance_test

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/domain/melding"
)

// TestThePortalIsGivenItsNewPasswordAndNothingIsLost has the portal's password changed at Fiks IO, as KS does it. The portal is refused
// everywhere, and accepts reports all the same, until its operator starts it with the new one.
func TestThePortalIsGivenItsNewPasswordAndNothingIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("kort kjøring")
	}
	for _, megler := range []string{"innebygd", "rabbitmq"} {
		t.Run(megler, func(t *testing.T) {
			t.Parallel()
			is, sett := is.New(t), nySettFlereGanger()
			v := nyFikshos(t, "sqlite:"+filepath.Join(t.TempDir(), "portal.db"), megler, 0, sett.som)
			adr := ledigAdresse(t)
			portal := v.startPortal(adr)
			a, d := v.avsender(adr), &ledningstest{drapstest: drapstest{t: t, godtatt: map[melding.ID]bool{}}, p: v.prosesser, adr: adr}
			send := func(antall int) {
				for range antall {
					d.en(a, world.Sending{Kommune: "4601", Bydel: "01", Slag: melding.Offentlig, Versjon: melding.V2})
				}
			}
			send(3)
			is.Equal(d.antall(), 3)
			d.alleLevert(a)

			const nytt = "et-helt-nytt-passord_2"
			v.byttPassord(nytt)
			is.NoErr(v.fiks.Broker.Brudd(t.Context()))
			send(4)
			is.Equal(d.antall(), 4)
			simtest.Til(t, "målingen sier at svar ikke kommer inn", func() bool { return maling(t, adr, "portal_fiks_lytter") == 0 })
			v.logget("innlogging", "nektet") // the operator can see what it is
			v.logget("oppdrag gikk ikke", "401")
			is.True(hent("http://"+adr+"/readyz") != "")
			is.Equal(sett.antall(), 3) // nothing gets through

			stansPortal(t, portal)
			v.d.PortalLogin.Passord = nytt // becomes PORTAL_FIKS_PASSORD
			v.startPortal(adr)
			simtest.Til(t, "portalen tar imot svar igjen", v.lytter)
			send(2)
			is.Equal(d.antall(), 6)
			d.alleLevert(a)
			is.Equal(sett.antall(), 9)
			_, igjen := sett.sendtIgjen()
			is.Equal(igjen, 0) // what was refused was not sent
			is.Equal(maling(t, adr, "portal_uten_arbeid"), 0)
			is.Equal(hendelser(t, adr, melding.BrevPostlagt), 0)
		})
	}
}

// byttPassord is what the platform wants of the portal from now on.
func (v *fikshos) byttPassord(p string) {
	v.t.Helper()
	for _, k := range v.fiks.Plattform.Kontoer() {
		if k.ID != string(world.Portalkonto) {
			continue
		}
		k.Integrasjoner[0].Passord = p
		if err := v.fiks.Plattform.Registrer(context.Background(), k); err != nil {
			v.t.Fatal(err)
		}
	}
}

// logget waits for a line of the portal's log with all of these.
func (v *fikshos) logget(ord ...string) {
	v.t.Helper()
	simtest.Til(v.t, "loggen har "+strings.Join(ord, " og "), func() bool {
		b, err := os.ReadFile(filepath.Join(v.mappe, "portal.feil"))
		if err != nil {
			v.t.Fatal(err)
		}
		for linje := range strings.Lines(string(b)) {
			if !slices.ContainsFunc(ord, func(o string) bool { return !strings.Contains(linje, o) }) {
				return true
			}
		}
		return false
	})
}

// TestTheWholeDeliveryGoesOverTLSWithTheCAGiven has the send API, the catalogue, Dokumentlager and Maskinporten on https with certificates
// that only --fiks-ca knows. Without it the portal says why, tells nobody anything, and keeps what it has accepted.
func TestTheWholeDeliveryGoesOverTLSWithTheCAGiven(t *testing.T) {
	if testing.Short() {
		t.Skip("kort kjøring")
	}
	t.Parallel()
	is := is.New(t)
	v := nyFikshos(t, "sqlite:"+filepath.Join(t.TempDir(), "portal.db"), "innebygd", 64, nil) // over 64 octets go to Dokumentlager: everything
	api, mp := v.bakTLS(v.fiks.API), v.bakTLS("http://"+v.prosesser.mp)
	adr, ca := ledigAdresse(t), v.ca
	a := v.avsender(adr)
	d := &ledningstest{drapstest: drapstest{t: t, godtatt: map[melding.ID]bool{}}, p: v.prosesser, adr: adr}

	v.ca, v.ekstra = "", []string{"PORTAL_FIKS_API=" + api.URL} // tokens as before: it is Fiks that is not believed
	portal := v.startPortal(adr)
	d.en(a, world.Sending{Kommune: "4601", Bydel: "01", Slag: melding.Offentlig, Versjon: melding.V2})
	is.Equal(d.antall(), 1) // accepted all the same
	const grunn = "tjenerens sertifikat er utstedt av noen vi ikke stoler på"
	v.logget("oppdrag gikk ikke", grunn)
	v.logget("ingen forbindelse for svar fra Fiks IO", grunn)
	v.logget("fiks-katalog", grunn)
	is.Equal(maling(t, adr, "portal_fiks_lytter"), 0)
	is.Equal(api.kall(), nil) // no password, and no report
	stansPortal(t, portal)

	v.ca, v.ekstra = ca, []string{"PORTAL_FIKS_API=" + api.URL, "PORTAL_MASKINPORTEN_TOKEN=" + mp.URL + "/token", "PORTAL_MASKINPORTEN_JWKS=" + mp.URL + "/jwk"}
	v.startPortal(adr)
	simtest.Til(t, "portalen tar imot svar", v.lytter)
	d.en(a, world.Sending{Kommune: "4601", Bydel: "01", Slag: melding.Offentlig, Versjon: melding.V2})
	d.en(a, world.Sending{Kommune: "5501", Bydel: "00", Slag: melding.Offentlig, Versjon: melding.V1}) // rejects with a reason
	alle := slices.Collect(maps.Keys(d.godtatt))
	is.Equal(len(alle), 3)
	d.alleLevert(a)
	is.Equal(hendelser(t, adr, melding.BekreftetMottatt), 2)
	is.Equal(hendelser(t, adr, melding.BrevPostlagt), 1)
	lest := false
	for _, id := range alle {
		lest = lest || strings.Contains(v.kjor("saker", "--melding", string(id)), "svaret kunne leses") // the reason lay in Dokumentlager
	}
	is.True(lest)
	for _, sti := range []string{"POST /fiks-io/api/v1/send", "GET /fiks-io/katalog/api/v1/kontoer/", "PUT /fiks-io/konto/api/v1/kontoer/", "GET /dokumentlager/nedlasting/"} {
		is.True(slices.ContainsFunc(api.kall(), func(k string) bool { return strings.HasPrefix(k, sti) }))
	}
	for _, sti := range []string{"POST /token", "GET /jwk"} {
		is.True(slices.Contains(mp.kall(), sti))
	}
}

// tlsdor is https in front of a plain server here, with a certificate of the world's CA.
type tlsdor struct {
	*httptest.Server
	mu  sync.Mutex
	inn []string // method and path of what came in
}

func (v *fikshos) bakTLS(til string) *tlsdor {
	v.t.Helper()
	u, err := url.Parse(til)
	if err != nil {
		v.t.Fatal(err)
	}
	c, err := v.d.TLS()
	if err != nil {
		v.t.Fatal(err)
	}
	d, bak := &tlsdor{}, httputil.NewSingleHostReverseProxy(u)
	d.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		d.inn = append(d.inn, r.Method+" "+r.URL.Path)
		d.mu.Unlock()
		bak.ServeHTTP(w, r)
	}))
	d.Config.ErrorLog, d.TLS = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), c
	d.StartTLS()
	v.t.Cleanup(d.Close)
	return d
}

func (d *tlsdor) kall() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.inn)
}
