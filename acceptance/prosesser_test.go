package acceptance_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/adapters/sysclock"
)

// prosesser is the binary world: the portal and the simulated Fiks IO as programs of their own, on real clocks and real sockets.
type prosesser struct {
	t              *testing.T
	d              *world.Deltakere
	mappe          string
	portal, sim    string // programs
	fiks, amqp, mp string // addresses, the same at every start
	megler         string
	lager          string
	ca             string   // whom the portal trusts; "" = it is not told
	ekstra         []string // settings of the portal that go before those in miljo
	simProsess     *exec.Cmd
}

// nyeProsesser builds the programs and starts the simulator; fristSekunder is every receiver's.
func nyeProsesser(t *testing.T, lager, megler string, fristSekunder int) *prosesser {
	t.Helper()
	p := nyPortalverden(t, lager, fristSekunder)
	p.sim, p.fiks, p.amqp, p.mp, p.megler = bygg(t, "./cmd/fiks-sim"), ledigAdresse(t), ledigAdresse(t), ledigAdresse(t), megler
	p.skrivOppsett()
	p.startSim()
	p.kjor("oppsett", filepath.Join(p.mappe, "portal.json"))
	return p
}

// nyPortalverden builds the portal and what it is told; the world around it comes from somewhere else.
func nyPortalverden(t *testing.T, lager string, fristSekunder int) *prosesser {
	t.Helper()
	p := &prosesser{t: t, mappe: t.TempDir(), portal: bygg(t, "./cmd/portal"), lager: lager}
	var err error
	if p.d, err = world.Apne(filepath.Join(p.mappe, "verden"), 2048, sysclock.Clock{}.Now); err != nil {
		t.Fatal(err)
	}
	for i := range p.d.Mottakere {
		p.d.Mottakere[i].FristSekunder = fristSekunder
	}
	p.ca = p.d.FilSert("ca")
	b, err := p.d.Oppsett()
	if err == nil {
		err = os.WriteFile(filepath.Join(p.mappe, "portal.json"), b, 0o600)
	}
	if err == nil {
		err = os.MkdirAll(filepath.Join(p.mappe, "nokler"), 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// skrivOppsett writes what the simulator is told: the accounts, keys and passwords that the portal knows.
func (p *prosesser) skrivOppsett() {
	p.t.Helper()
	type m = map[string]any
	fil := func(navn string) m {
		return m{"sertifikat": p.d.FilSert(navn), "privatNokkel": p.d.FilNokkel(navn)}
	}
	konto := func(navn, id, org, orgnr, kommune, integrasjon, passord, klient, fagsystem, versjon string) m {
		k := fil(navn)
		for n, v := range (m{"kontoId": id, "navn": navn, "fiksOrgId": org, "fiksOrgNavn": navn, "orgnr": orgnr, "kommunenummer": kommune, "integrasjonId": integrasjon,
			"integrasjonPassord": passord, "klientId": klient, "fagsystem": fagsystem, "stottetVersjon": versjon}) {
			k[n] = v
		}
		return k
	}
	l, a := p.d.PortalLogin, p.d.Avsender
	portal := konto("portal", string(world.Portalkonto), "00000000-0000-4000-8000-000000000002", string(sim.Orgnr(31)), "", l.IntegrasjonID, l.Passord, l.KlientID, "ingen", "")
	portal["portal"] = true
	kontoer := []m{portal,
		// Only so that the issuer knows the sender: it has nothing to do on Fiks IO.
		konto("avsender", a.FiksOrgID, a.FiksOrgID, a.Orgnr, "", a.IntegrasjonID, a.Passord, a.KlientID, "ingen", "")}
	for _, x := range p.d.Mottakere {
		k := p.d.Kommune(x.Kommunenummer)
		kontoer = append(kontoer, konto("mottaker-"+x.Kommunenummer+"-"+x.Bydelsnummer, x.KontoID, k.FiksOrgID, k.Orgnr, k.Nummer, x.IntegrasjonID, x.Passord, x.KlientID, x.Fagsystem, x.Versjon))
	}
	b, err := json.Marshal(m{"ca": fil("ca"), "kontoer": kontoer})
	if err == nil {
		err = os.WriteFile(filepath.Join(p.mappe, "sim.json"), b, 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *prosesser) startSim() {
	p.t.Helper()
	p.simProsess = p.start("klar ", p.sim, nil, "--data", filepath.Join(p.mappe, "sim"), "--oppsett", filepath.Join(p.mappe, "sim.json"), "--fiks", p.fiks,
		"--amqp", p.amqp, "--maskinporten", p.mp, "--broker", p.megler, "--quiet")
}

func (p *prosesser) miljo(adr string) []string {
	l, utsteder := p.d.PortalLogin, "http://"+p.mp+"/"
	m := append(os.Environ(), "PORTAL_DEV=true", "PORTAL_LAGER="+p.lager, "PORTAL_HEMMELIGHET="+p.d.Hemmelighet, "PORTAL_ADRESSE="+adr, "PORTAL_MASKINPORTEN="+utsteder,
		"PORTAL_MASKINPORTEN_JWKS="+utsteder+"jwk", "PORTAL_MASKINPORTEN_TOKEN="+utsteder+"token", "PORTAL_MASKINPORTEN_KLIENT="+l.KlientID,
		"PORTAL_MASKINPORTEN_SERTIFIKAT="+p.d.FilSert("portal"), "PORTAL_MASKINPORTEN_NOKKEL="+p.d.FilNokkel("portal"), "PORTAL_RETUR=Portalen;Veien 1;0000;Testby",
		"PORTAL_PRINT_PAUSE=200ms", "PORTAL_PRINT=mappe:"+filepath.Join(p.mappe, "brev"), "PORTAL_TRANSPORT=fiksio", "PORTAL_FIKS_API=http://"+p.fiks, "PORTAL_FIKS_AMQP="+p.amqp,
		"PORTAL_FIKS_KONTO="+string(world.Portalkonto), "PORTAL_FIKS_INTEGRASJON="+l.IntegrasjonID, "PORTAL_FIKS_PASSORD="+l.Passord,
		"PORTAL_NOKLER="+filepath.Join(p.mappe, "nokler"), "PORTAL_NOKKEL_HEMMELIGHET="+p.d.NokkelHemmelighet, "PORTAL_RATE=0", "PORTAL_NEDTRAPPING=0s")
	if p.ca != "" {
		m = append(m, "PORTAL_FIKS_CA="+p.ca)
	}
	return append(m, p.ekstra...) // the last of two with one name counts
}

// kjor runs one of the portal's commands to its end.
func (p *prosesser) kjor(args ...string) string {
	p.t.Helper()
	cmd := exec.Command(p.portal, args...)
	cmd.Env = p.miljo("127.0.0.1:0")
	b, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("portal %s: %v\n%s", args[0], err, b)
	}
	return string(b)
}

// startPortal starts one and waits until it says that it is ready.
func (p *prosesser) startPortal(adr string) *exec.Cmd {
	p.t.Helper()
	cmd := p.start("", p.portal, p.miljo(adr), "serve")
	simtest.Til(p.t, "portalen blir klar", func() bool { return hent("http://"+adr+"/readyz") != "" })
	return cmd
}

// start runs a program that is killed with the test. With ord, it waits for a line that begins so.
func (p *prosesser) start(ord, program string, miljo []string, args ...string) *exec.Cmd {
	p.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = miljo
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	logg, err := os.OpenFile(filepath.Join(p.mappe, filepath.Base(program)+".feil"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer logg.Close()
	cmd.Stderr = logg
	ut, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = cmd.Process.Kill() })
	klar := make(chan bool, 1)
	go func() {
		s := bufio.NewScanner(ut)
		for s.Scan() {
			if strings.HasPrefix(s.Text(), ord) {
				klar <- true
			}
		}
		close(klar)
		_, _ = io.Copy(io.Discard, ut)
	}()
	if ord == "" {
		return cmd
	}
	select {
	case ok := <-klar:
		if ok {
			return cmd
		}
	case <-time.After(time.Minute):
	}
	b, _ := os.ReadFile(logg.Name())
	p.t.Fatalf("%s ble ikke klar: %s", filepath.Base(program), b)
	return nil
}

// stansPortal asks it to stop, as an operator does, and waits.
func stansPortal(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("portalen stanset ikke pent: %v", err)
	}
}

// drepProsess kills with signal 9.
func drepProsess(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
}

// avsender is the world's sender, at one portal.
func (p *prosesser) avsender(adr string) *world.Avsender {
	p.t.Helper()
	k, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: "http://" + p.mp + "/token", Issuer: "http://" + p.mp + "/", KlientID: p.d.Avsender.KlientID,
		Nokkel: p.d.Avsender.Sert.Nokkel, Sertifikat: p.d.Avsender.Sert.Cert, Clock: sysclock.Clock{}})
	if err != nil {
		p.t.Fatal(err)
	}
	return &world.Avsender{API: "http://" + adr + "/bekymringsmelding", Data: p.d.Avsender, Token: k.Token, Na: sysclock.Clock{}.Now}
}

// hent gives a page's text; "" = no success.
func hent(url string) string {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		return ""
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return ""
	}
	return string(b)
}

// maling reads one number from a portal's metrics.
func maling(t *testing.T, adr, navn string) int {
	t.Helper()
	for linje := range strings.SplitSeq(hent("http://"+adr+"/metrics"), "\n") {
		if v, ok := strings.CutPrefix(linje, navn+" "); ok {
			n, err := strconv.ParseFloat(v, 64)
			if err != nil {
				t.Fatal(err)
			}
			return int(n)
		}
	}
	t.Fatalf("målingen %s finnes ikke", navn)
	return 0
}

// hendelser counts the events of a kind that one process has written.
func hendelser(t *testing.T, adr string, kode any) int {
	t.Helper()
	return maling(t, adr, fmt.Sprintf("portal_hendelser_total{kode=%q}", kode))
}
