package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/app/onboarding"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/melding"
)

// BenchmarkOpplasting is the memory of a portal that takes 200 uploads of 5 MiB at once. The portal is a process of its own, so that
// the clients are not in the figure: this test binary again, as an API-only portal over SQLite on disk. Each client stops when all but
// its last KiB is sent and goes on when all are there; the peak is the process's VmHWM from then idle to the last 201.
func BenchmarkOpplasting(b *testing.B) {
	const antall = 200
	var verst minne
	for b.Loop() {
		if m := lastOpp(b, antall, 5<<20); m.topp-m.tom > verst.topp-verst.tom {
			verst = m
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(verst.tom)/1024, "tom-MiB")
	b.ReportMetric(float64(verst.topp)/1024, "topp-MiB")
	b.ReportMetric(float64(verst.topp-verst.tom)/1024/float64(antall), "MiB/opplasting")
}

type minne struct{ tom, topp int } // KiB

const (
	barnMappe    = "BENK_BARN"
	barnUtsteder = "BENK_UTSTEDER"
	barnJWKS     = "BENK_JWKS"
)

// barn is the portal. It lives until its standard input ends.
func barn(mappe string) int {
	if err := kjorBarn(mappe); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func kjorBarn(mappe string) (err error) {
	ctx, stans := context.WithCancel(context.Background())
	defer stans()
	d, err := world.Apne(filepath.Join(mappe, "verden"), 2048, time.Now)
	if err != nil {
		return err
	}
	deler := filepath.Join(mappe, "deler")
	if err := os.MkdirAll(deler, 0o700); err != nil {
		return err
	}
	s, err := compose.Open(ctx, compose.Config{Lager: "sqlite:" + filepath.Join(mappe, "portal.db"), Hemmelighet: d.Hemmelighet,
		Utsteder: os.Getenv(barnUtsteder), JWKS: os.Getenv(barnJWKS), Transport: "memory:", Print: "mappe:" + filepath.Join(mappe, "brev"),
		Retur: "Portalen (test);Testveien 2;0000;Testby", Roller: []string{"api"}, Reserve: 256 << 20, Mappe: deler, Dev: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	b, err := d.Oppsett()
	if err != nil {
		return err
	}
	fil, err := onboarding.Les(bytes.NewReader(b))
	if err != nil {
		return err
	}
	if _, err := s.Oppsett.Bruk(ctx, fil); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stans()
	}()
	if _, err := fmt.Fprintln(os.Stdout, l.Addr()); err != nil {
		return err
	}
	return s.ServeOn(ctx, l)
}

func lastOpp(t testing.TB, antall, storrelse int) minne {
	t.Helper()
	mappe := t.TempDir()
	d, err := world.Apne(filepath.Join(mappe, "verden"), 2048, time.Now)
	ma(t, err)
	mp, err := sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: time.Now})
	ma(t, err)
	ma(t, mp.Start())
	defer func() { ma(t, mp.Lukk()) }()
	ma(t, world.Registrer(mp, d))
	adr, pid, stopp := startBarn(t, mappe, mp)
	defer stopp()
	k, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: mp.TokenURL(), Issuer: mp.Utsteder(), KlientID: d.Avsender.KlientID,
		Nokkel: d.Avsender.Sert.Nokkel, Sertifikat: d.Avsender.Sert.Cert, Clock: sysclock.Clock{}})
	ma(t, err)
	a := &world.Avsender{API: "http://" + adr + "/bekymringsmelding", Data: d.Avsender, Token: k.Token, Na: time.Now, HTTP: &http.Client{Transport: &http.Transport{}}}
	n, err := a.HentNokler(context.Background(), "4601", "01")
	ma(t, err)
	var pdf, pakke bytes.Buffer
	for _, x := range []struct {
		ut *bytes.Buffer
		n  int
	}{{&pdf, storrelse * 2 / 5}, {&pakke, storrelse*3/5 - 2<<10}} { // the envelopes fit in what is left
		c := n.Print
		if x.ut == &pakke {
			c = n.Mottaker
		}
		ma(t, cms.Encrypt(x.ut, bytes.NewReader(make([]byte, x.n)), int64(x.n), c))
	}
	mal, err := a.Foresporsel(context.Background(), world.Sending{Kommune: "4601", Bydel: "01", Slag: melding.Offentlig, Versjon: melding.V1, PDF: pdf.Bytes(), Asice: pakke.Bytes()})
	ma(t, err)
	kropp, err := io.ReadAll(mal.Body)
	ma(t, err)
	midt := bytes.Index(kropp, pdf.Bytes()) + pdf.Len()/2 // ciphertext: see inntak.ny
	// Written as 5: the peak is forgotten, and starts again from what the process has now.
	ma(t, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0))
	m := minne{tom: status(t, pid, "VmRSS")}
	var fremme, ferdig sync.WaitGroup
	fremme.Add(antall)
	for i := range antall {
		ferdig.Go(func() {
			var eget [8]byte
			binary.BigEndian.PutUint64(eget[:], uint64(i)+1)
			v := &venter{fremme: &fremme}
			slutt := len(kropp) - 1024
			r := io.MultiReader(bytes.NewReader(kropp[:midt]), bytes.NewReader(eget[:]), bytes.NewReader(kropp[midt+8:slutt]), v, bytes.NewReader(kropp[slutt:]))
			req, err := http.NewRequest(http.MethodPost, mal.URL.String(), r)
			if err != nil {
				t.Error(err)
				return
			}
			req.Header, req.ContentLength = mal.Header.Clone(), int64(len(kropp))
			var svar struct{ UUID string }
			err = a.Kall(req, &svar)
			v.naa() // one that was refused early must not hold up the others
			if err != nil {
				t.Error(err)
			}
		})
	}
	ferdig.Wait()
	m.topp = status(t, pid, "VmHWM")
	return m
}

// venter is an empty reader that ends when everybody has come to theirs.
type venter struct {
	fremme *sync.WaitGroup
	en     sync.Once
}

func (v *venter) naa() { v.en.Do(v.fremme.Done) }

func (v *venter) Read([]byte) (int, error) {
	v.naa()
	v.fremme.Wait()
	return 0, io.EOF
}

func startBarn(t testing.TB, mappe string, mp *sim.Maskinporten) (adr string, pid int, stopp func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), barnMappe+"="+mappe, barnUtsteder+"="+mp.Utsteder(), barnJWKS+"="+mp.JWKURL())
	cmd.Stderr = os.Stderr
	inn, err := cmd.StdinPipe()
	ma(t, err)
	ut, err := cmd.StdoutPipe()
	ma(t, err)
	ma(t, cmd.Start())
	stopp = func() {
		if err := errors.Join(inn.Close(), cmd.Wait()); err != nil {
			t.Error(err)
		}
	}
	if _, err := fmt.Fscanln(ut, &adr); err != nil {
		stopp()
		t.Fatal(err)
	}
	return adr, cmd.Process.Pid, stopp
}

// status reads one figure in KiB from /proc.
func status(t testing.TB, pid int, navn string) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	ma(t, err)
	for linje := range strings.Lines(string(b)) {
		if verdi, ok := strings.CutPrefix(linje, navn+":"); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(verdi), " kB"))
			ma(t, err)
			return n
		}
	}
	t.Fatal("finner ikke " + navn)
	return 0
}
