package rabbit_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/rabbit"
	"portal.example/bekymringsmelding/acceptance/sim/rabbit/rabbittest"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
)

// barn names the variable that makes this test binary a process which starts the shared node, says where it is, and waits to be killed.
const barn = "RABBIT_BARN"

func TestNothingIsLeftOfANodeWhoseStarterWasKilled(t *testing.T) {
	if os.Getenv(barn) != "" {
		n := rabbittest.Start(t, alle{})
		fmt.Println("klar", n.Porter())
		<-time.After(2 * time.Minute) // the parent is gone as well
		return
	}
	is := is.New(t)
	rabbittest.Start(t, alle{}) // skips without RabbitMQ
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	tmp := t.TempDir()
	cmd.Env = append(os.Environ(), barn+"=1", "TMPDIR="+tmp)
	ut, err := cmd.StdoutPipe()
	is.NoErr(err)
	is.NoErr(cmd.Start())
	linje, err := bufio.NewReader(ut).ReadString('\n')
	is.NoErr(err)
	var tls, epmd, dist int
	_, err = fmt.Sscanf(linje, "klar [%d %d %d]", &tls, &epmd, &dist)
	is.NoErr(err)
	for _, p := range []int{tls, epmd, dist} {
		is.True(lytter(p))
	}
	is.NoErr(cmd.Process.Kill())
	is.True(cmd.Wait() != nil)
	simtest.Til(t, "ingenting lytter og mappen er borte", func() bool {
		return !lytter(tls) && !lytter(epmd) && !lytter(dist) && len(mapper(t, tmp)) == 0
	})
}

func lytter(port int) bool {
	c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

func mapper(t *testing.T, i string) []string {
	m, err := filepath.Glob(filepath.Join(i, "fiks-rabbit*"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestNothingIsLeftOfAStartThatWasGivenUp(t *testing.T) {
	is := is.New(t)
	n := rabbittest.Start(t, alle{})
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	c := rabbit.Config{Adresse: "127.0.0.1:0", Tilgang: alle{}}
	c.SertifikatFil, c.NokkelFil = sertifikat(t, n)
	ctx, avbryt := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer avbryt()
	_, err := rabbit.Start(ctx, c)
	is.True(errors.Is(err, context.DeadlineExceeded))
	is.Equal(len(mapper(t, tmp)), 0)
	simtest.Til(t, "ingen prosess kjenner mappen", func() bool { // killed, and soon gone
		return !slices.ContainsFunc(prosesser(t), func(p string) bool { return strings.Contains(p, tmp) })
	})
}

// prosesser are the command lines and environments of everything that runs and that we may look at.
func prosesser(t *testing.T) (ut []string) {
	alle, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(alle) == 0 {
		t.Fatal("ser ingen prosesser")
	}
	for _, p := range alle {
		a, _ := os.ReadFile(filepath.Join(p, "cmdline"))
		b, _ := os.ReadFile(filepath.Join(p, "environ"))
		ut = append(ut, string(a)+string(b))
	}
	return ut
}

func TestTheNodeListensOnLoopbackOnly(t *testing.T) {
	is := is.New(t)
	n := rabbittest.Start(t, alle{})
	funnet := 0
	for _, fil := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, err := os.ReadFile(fil)
		is.NoErr(err)
		for _, p := range n.Porter() {
			for linje := range strings.Lines(string(b)) {
				f := strings.Fields(linje)
				if f[3] != "0A" || !strings.HasSuffix(f[1], fmt.Sprintf(":%04X", p)) { // 0A = listens
					continue
				}
				funnet++
				is.True(strings.HasPrefix(f[1], "0100007F:") || strings.HasPrefix(f[1], "00000000000000000000000001000000:"))
			}
		}
	}
	is.True(funnet >= len(n.Porter()))
}

func TestAStartThatCannotGoWellIsRefusedBeforeAnythingRuns(t *testing.T) {
	is := is.New(t)
	n := rabbittest.Start(t, alle{})
	sert, nokkel := sertifikat(t, n)
	_, annenNokkel := sertifikat(t, n)
	for hva, c := range map[string]rabbit.Config{
		"outside loopback":      {Adresse: "0.0.0.0:0", SertifikatFil: sert, NokkelFil: nokkel, Tilgang: alle{}},
		"a name":                {Adresse: "megler.example:5671", SertifikatFil: sert, NokkelFil: nokkel, Tilgang: alle{}},
		"no one to ask":         {Adresse: "127.0.0.1:0", SertifikatFil: sert, NokkelFil: nokkel},
		"another's private key": {Adresse: "127.0.0.1:0", SertifikatFil: sert, NokkelFil: annenNokkel, Tilgang: alle{}},
		"no certificate":        {Adresse: "127.0.0.1:0", NokkelFil: nokkel, Tilgang: alle{}},
	} {
		t.Run(hva, func(t *testing.T) {
			b, err := rabbit.Start(medFrist(t, time.Second), c)
			if err == nil {
				_ = b.Close()
			}
			is.True(err != nil && !errors.Is(err, context.DeadlineExceeded))
		})
	}
}

func TestAPortThatSomebodyElseHasIsAnErrorThatSaysSo(t *testing.T) {
	is := is.New(t)
	n := rabbittest.Start(t, alle{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	is.NoErr(err)
	defer func() { _ = l.Close() }()
	c := rabbit.Config{Adresse: l.Addr().String(), Tilgang: alle{}}
	c.SertifikatFil, c.NokkelFil = sertifikat(t, n)
	_, err = rabbit.Start(medFrist(t, 200*time.Millisecond), c)
	is.True(errors.Is(err, syscall.EADDRINUSE))
}
