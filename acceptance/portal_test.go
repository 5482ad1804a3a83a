package acceptance_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/domain/melding"
)

// TestThePortalProgram runs the built portal as an operator would: set-up, serve, look, decide, check, stop.
func TestThePortalProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("kort kjøring")
	}
	t.Parallel()
	is := is.New(t)
	portal, data := bygg(t, "./cmd/portal"), t.TempDir()
	d, err := world.Apne(filepath.Join(data, "verden"), 2048, sysclock.Clock{}.Now)
	is.NoErr(err)
	mp, err := sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: sysclock.Clock{}.Now})
	is.NoErr(err)
	is.NoErr(mp.Start())
	t.Cleanup(func() { _ = mp.Lukk() })
	is.NoErr(world.Registrer(mp, d))
	oppsett, err := d.Oppsett()
	is.NoErr(err)
	fil := filepath.Join(data, "oppsett.json")
	is.NoErr(os.WriteFile(fil, oppsett, 0o600))
	adr := ledigAdresse(t)
	miljo := append(os.Environ(), "PORTAL_LAGER=sqlite:"+filepath.Join(data, "portal.db"), "PORTAL_HEMMELIGHET="+d.Hemmelighet, "PORTAL_ADRESSE="+adr,
		"PORTAL_MASKINPORTEN="+mp.Utsteder(), "PORTAL_MASKINPORTEN_JWKS="+mp.JWKURL(), "PORTAL_RETUR=Portalen;Veien 1;0000;Testby", "PORTAL_PRINT_PAUSE=200ms",
		"PORTAL_TRANSPORT=memory:", "PORTAL_PRINT=mappe:"+filepath.Join(data, "brev"))
	si := func(args ...string) (string, error) {
		cmd := exec.Command(portal, args...)
		cmd.Env = miljo
		b, err := cmd.CombinedOutput()
		return string(b), err
	}
	_, err = si("serve")
	is.True(err != nil) // stand-ins without --dev
	for range 2 {       // twice is once
		ut, err := si("oppsett", fil)
		is.NoErr(err)
		is.True(strings.Contains(ut, "tatt i bruk"))
	}

	tjener := exec.Command(portal, "serve", "--dev")
	tjener.Env = miljo
	is.NoErr(tjener.Start())
	t.Cleanup(func() { _ = tjener.Process.Kill() })
	simtest.Til(t, "portalen blir klar", func() bool {
		res, err := http.Get("http://" + adr + "/readyz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})

	k, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: mp.TokenURL(), Issuer: mp.Utsteder(), KlientID: d.Avsender.KlientID,
		Nokkel: d.Avsender.Sert.Nokkel, Sertifikat: d.Avsender.Sert.Cert, Clock: sysclock.Clock{}})
	is.NoErr(err)
	a := &world.Avsender{API: "http://" + adr + "/bekymringsmelding", Data: d.Avsender, Token: k.Token, Na: sysclock.Clock{}.Now}
	ctx := context.Background()
	n, err := a.HentNokler(ctx, "4601", "01")
	is.NoErr(err)
	s, err := world.Eksempel(ctx, a, n, world.Sending{Kommune: "4601", Bydel: "01", Slag: melding.Privat, Versjon: melding.V2}, "Prøve", "Prøve")
	is.NoErr(err)
	id, err := a.Post(ctx, s)
	is.NoErr(err)
	simtest.Til(t, "brevet er postlagt", func() bool { // memory: has nobody on the far side, so the report goes on paper
		rader, err := a.Status(ctx, id)
		return err == nil && rader[len(rader)-1].Tilstand == string(melding.LEVERT)
	})

	ut, err := si("saker", "--melding", string(id))
	is.NoErr(err)
	is.True(strings.Contains(ut, "LEVERT") && strings.Contains(ut, "Planlagt: slett"))
	_, err = si("avgjor", "hold", string(id), "--grunn", "prøve", "--hvem", "kari") // beside the running portal
	is.NoErr(err)
	ut, err = si("verify")
	is.NoErr(err)
	is.True(strings.Contains(ut, "stemmer"))

	is.NoErr(tjener.Process.Signal(syscall.SIGTERM))
	is.NoErr(tjener.Wait()) // stops by itself, without error
}
