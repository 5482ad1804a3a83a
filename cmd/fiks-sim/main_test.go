package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/fikssim"
)

// TestMain lets the test binary be the program, so that signals and exit codes are the real ones.
func TestMain(m *testing.M) {
	if os.Getenv("SOM_FIKS_SIM") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), "SOM_FIKS_SIM=1")
	cmd.Stderr = os.Stderr
	return cmd
}

func TestTheProgramSaysWhereEverythingIsAndEndsCleanlyOnSIGTERM(t *testing.T) {
	is := is.New(t)
	data := filepath.Join(t.TempDir(), "sim")
	cmd := program(t, "--data", data)
	ut, err := cmd.StdoutPipe()
	is.NoErr(err)
	is.NoErr(cmd.Start())
	linjer := bufio.NewScanner(ut)
	var sett strings.Builder
	for linjer.Scan() {
		sett.WriteString(linjer.Text() + "\n")
		if strings.Contains(linjer.Text(), "Ctrl-C") {
			break
		}
	}
	b, err := os.ReadFile(filepath.Join(data, "fiks-sim.json"))
	is.NoErr(err)
	var ark fikssim.Ark
	is.NoErr(json.Unmarshal(b, &ark))
	is.Equal(len(ark.Kontoer), 5)
	is.True(strings.Contains(sett.String(), ark.Fiks))
	for _, k := range ark.Kontoer {
		is.True(strings.Contains(sett.String(), k.KontoID))
		is.True(!strings.Contains(sett.String(), k.IntegrasjonPassord)) // a screen is shared more easily than a file
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", ark.Admin, nil)
	is.NoErr(err)
	res, err := http.DefaultClient.Do(req)
	is.NoErr(err)
	_ = res.Body.Close()
	is.Equal(res.StatusCode, http.StatusOK)

	is.NoErr(cmd.Process.Signal(syscall.SIGTERM))
	_, err = io.Copy(io.Discard, ut)
	is.NoErr(err)
	is.NoErr(cmd.Wait()) // exit code 0

	igjen := program(t, "--data", data, "--quiet")
	ut, err = igjen.StdoutPipe()
	is.NoErr(err)
	is.NoErr(igjen.Start())
	linje, err := bufio.NewReader(ut).ReadString('\n')
	is.NoErr(err)
	is.Equal(linje, "klar "+filepath.Join(data, "fiks-sim.json")+"\n")
	is.NoErr(igjen.Process.Signal(syscall.SIGTERM))
	is.NoErr(igjen.Wait())
}

func TestTheProgramRefusesToListenToOthers(t *testing.T) {
	is := is.New(t)
	cmd := program(t, "--data", filepath.Join(t.TempDir(), "sim"), "--fiks", "0.0.0.0:0")
	cmd.Stderr = nil
	is.True(cmd.Run() != nil)
}
