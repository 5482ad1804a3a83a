package acceptance_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/adapters/postgres/pgtest"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/domain/melding"
)

// drap is how often each store's demo is killed: 20 in scripts/test, more with DRAP=<n>.
func drap(t *testing.T) int {
	if s := os.Getenv("DRAP"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 20
}

// TestKilledPortalLosesNothing kills the real demo process with signal 9 again and again while reports are uploaded, and then asks:
// is every report that got a 201 found, and does each end in LEVERT, once?
func TestKilledPortalLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kort kjøring")
	}
	demo := bygg(t, "./cmd/demo")
	for _, lager := range []string{"sqlite", "postgres"} {
		t.Run(lager, func(t *testing.T) {
			t.Parallel()
			store := lager
			if lager == "postgres" {
				store = pgURL(pgtest.Database(t))
			}
			d := &drapstest{t: t, demo: demo, data: filepath.Join(t.TempDir(), "data"), store: store, addr: ledigAdresse(t), godtatt: map[melding.ID]bool{}}
			r := rand.New(rand.NewPCG(2026, uint64(len(lager))))
			for range drap(t) {
				d.runde(time.Duration(20+r.IntN(400)) * time.Millisecond)
			}
			if len(d.godtatt) < drap(t) {
				t.Fatalf("bare %d meldinger ble godtatt; prøven er for svak", len(d.godtatt))
			}
			d.sluttspill()
		})
	}
}

// pgURL writes libpq's key=value text as a URL.
func pgURL(dsn string) string {
	q := url.Values{}
	db := ""
	for _, f := range strings.Fields(dsn) {
		k, v, _ := strings.Cut(f, "=")
		if k == "dbname" {
			db = v
			continue
		}
		q.Set(k, v)
	}
	return "postgres:///" + db + "?" + q.Encode()
}

func bygg(t *testing.T, pakke string) string {
	t.Helper()
	ut := filepath.Join(t.TempDir(), filepath.Base(pakke))
	cmd := exec.Command("go", "build", "-o", ut, pakke)
	cmd.Dir = ".."
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pakke, err, b)
	}
	return ut
}

// ledigAdresse is for what is to be stopped and started at one address. It lies below the ports that connections take by themselves (32768 and
// up on Linux), or one of those would now and then have it meanwhile.
func ledigAdresse(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000)))
		if err != nil {
			continue
		}
		defer l.Close()
		return l.Addr().String()
	}
	t.Fatal("ingen ledig adresse")
	return ""
}

type drapstest struct {
	t                       *testing.T
	demo, data, store, addr string
	mu                      sync.Mutex
	godtatt                 map[melding.ID]bool
}

// start runs the demo until it says that everything answers, and gives a sender of its own.
func (d *drapstest) start() (*exec.Cmd, *world.Avsender) {
	d.t.Helper()
	cmd := exec.Command(d.demo, "--data", d.data, "--addr", d.addr, "--store", d.store, "--quiet")
	ut, err := cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	var feil strings.Builder
	cmd.Stderr = &feil
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = cmd.Process.Kill() })
	klar := make(chan string, 1)
	go func() {
		s := bufio.NewScanner(ut)
		if s.Scan() {
			klar <- s.Text()
		}
		close(klar)
	}()
	select {
	case linje, ok := <-klar:
		if !ok || !strings.HasPrefix(linje, "klar ") {
			_ = cmd.Wait()
			d.t.Fatalf("demoen startet ikke: %q %s", linje, feil.String())
		}
		return cmd, d.avsender(strings.TrimPrefix(linje, "klar "))
	case <-time.After(60 * time.Second):
		d.t.Fatal("demoen ble ikke klar på 60 s")
	}
	return nil, nil
}

func (d *drapstest) avsender(ark string) *world.Avsender {
	d.t.Helper()
	b, err := os.ReadFile(ark)
	if err != nil {
		d.t.Fatal(err)
	}
	var a struct {
		API          string
		Maskinporten struct{ Issuer, TokenEndpoint string }
		Avsender     struct {
			FiksOrgID, Orgnr, Navn, IntegrasjonID, IntegrasjonPassord, KlientID, Sertifikat, PrivatNokkel string
		}
	}
	if err := json.Unmarshal(b, &a); err != nil {
		d.t.Fatal(err)
	}
	sert, err := sim.LesSertifikat(a.Avsender.Sertifikat, a.Avsender.PrivatNokkel)
	if err != nil {
		d.t.Fatal(err)
	}
	k, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: a.Maskinporten.TokenEndpoint, Issuer: a.Maskinporten.Issuer,
		KlientID: a.Avsender.KlientID, Nokkel: sert.Nokkel, Sertifikat: sert.Cert, Clock: sysclock.Clock{}})
	if err != nil {
		d.t.Fatal(err)
	}
	return &world.Avsender{API: a.API, Token: k.Token, Na: sysclock.Clock{}.Now, Data: world.Avsenderdata{Navn: a.Avsender.Navn, FiksOrgID: a.Avsender.FiksOrgID,
		IntegrasjonID: a.Avsender.IntegrasjonID, Passord: a.Avsender.IntegrasjonPassord, Sert: sert}}
}

var mottakere = []world.Sending{
	{Kommune: "4601", Bydel: "01", Slag: melding.Offentlig, Versjon: melding.V2},
	{Kommune: "5501", Bydel: "00", Slag: melding.Privat, Versjon: melding.V1},
	{Kommune: "4204", Bydel: "00", Slag: melding.Offentlig, Versjon: melding.V1},
}

// runde starts the demo, uploads from three senders at once, and kills it after a while with uploads in flight.
func (d *drapstest) runde(etter time.Duration) {
	d.t.Helper()
	cmd, a := d.start()
	ctx, stopp := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, m := range mottakere {
		wg.Go(func() {
			n, err := a.HentNokler(ctx, m.Kommune, m.Bydel)
			for err == nil && ctx.Err() == nil {
				var s world.Sending
				if s, err = world.Eksempel(ctx, a, n, m, "Prøve", "Prøve"); err != nil {
					return
				}
				id, perr := a.Post(ctx, s)
				if perr == nil {
					d.mu.Lock()
					d.godtatt[id] = true
					d.mu.Unlock()
				}
				var f *world.Feil
				if errors.As(perr, &f) && f.Status < 500 && f.Status != 429 {
					d.t.Errorf("avvist: %v", f)
				}
				if perr != nil && !errors.As(perr, &f) {
					return // the process is gone
				}
			}
		})
	}
	<-time.After(etter)
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		d.t.Fatal(err)
	}
	_ = cmd.Wait()
	stopp()
	wg.Wait()
}

// sluttspill starts once more, waits until every accepted report is in LEVERT, and stops in order. What the digital channel held died
// with the process; such a report ends by its frist, as a letter.
func (d *drapstest) sluttspill() {
	d.t.Helper()
	cmd, a := d.start()
	d.alleLevert(a)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		d.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		d.t.Errorf("demoen stanset ikke pent: %v", err)
	}
}

// alleLevert waits until every report that got a 201 is in LEVERT, once.
func (d *drapstest) alleLevert(a *world.Avsender) {
	d.t.Helper()
	ctx, stopp := context.WithTimeout(context.Background(), 4*time.Minute)
	defer stopp()
	igjen := d.godtatt
	tikk := time.NewTicker(500 * time.Millisecond)
	defer tikk.Stop()
	brev := 0
	for len(igjen) > 0 {
		for id := range igjen {
			rader, err := a.Status(ctx, id)
			if ctx.Err() != nil {
				d.t.Fatalf("%d av meldingene ble aldri levert, for eksempel %s: %v", len(igjen), id, rader)
			}
			var f *world.Feil
			if errors.As(err, &f) && f.Status == 404 {
				d.t.Fatalf("melding %s fikk 201 og finnes ikke", id)
			}
			if err != nil || len(rader) == 0 || rader[len(rader)-1].Tilstand != string(melding.LEVERT) {
				continue
			}
			levert := 0
			for _, r := range rader {
				if r.Tilstand == string(melding.LEVERT) {
					levert++
				}
				if r.Tilstand == string(melding.SENDT_PRINT) {
					brev++
				}
			}
			if levert != 1 || rader[0].Tilstand != string(melding.AKSEPTERT) {
				d.t.Errorf("melding %s har historikken %v", id, rader)
			}
			delete(igjen, id)
		}
		<-tikk.C
	}
	d.t.Logf("alle levert, %d som brev", brev)
}
