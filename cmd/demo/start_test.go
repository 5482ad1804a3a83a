package main

import (
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/world"
)

// verden is a world whose keys are made: they take longer than everything else together.
var verden = sync.OnceValues(func() (fs.FS, error) {
	mappe, err := os.MkdirTemp("", "demo")
	if err != nil {
		return nil, err
	}
	rydd = func() { _ = os.RemoveAll(mappe) }
	_, err = world.Apne(mappe, 2048, time.Now)
	return os.DirFS(mappe), err
})

var rydd = func() {}

func TestMain(m *testing.M) {
	kode := m.Run()
	rydd()
	os.Exit(kode)
}

func data(t *testing.T) string {
	t.Helper()
	w, err := verden()
	if err != nil {
		t.Fatal(err)
	}
	mappe := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(mappe, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(mappe, "verden"), w); err != nil {
		t.Fatal(err)
	}
	return mappe
}

var porter = []string{"maskinporten.port", "fiks.port", "amqp.port", "tls.port"}

// lytter lists those of the demo's ports that somebody answers on.
func lytter(t *testing.T, data string) (ut []string) {
	t.Helper()
	for _, fil := range porter {
		b, err := os.ReadFile(filepath.Join(data, fil))
		if err != nil {
			continue // it did not come so far
		}
		if c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strings.TrimSpace(string(b)))); err == nil {
			_ = c.Close()
			ut = append(ut, fil)
		}
	}
	return ut
}

func TestADemoThatStopsLeavesNothingOpen(t *testing.T) {
	is, mappe := is.New(t), data(t)
	d, err := start(t.Context(), flagg{Addr: "127.0.0.1:0", Data: mappe, Store: "sqlite"}, slog.New(slog.DiscardHandler), &skjerm{stum: true})
	is.NoErr(err)
	is.Equal(lytter(t, mappe), porter)
	is.NoErr(d.stopp())
	is.Equal(lytter(t, mappe), nil)
	_, err = net.Dial("tcp", strings.TrimPrefix(d.adr, "http://"))
	is.True(err != nil)
}

// Each part in turn cannot start. What was started before it is closed again: whoever calls may go on, and try once more.
func TestADemoThatCannotStartLeavesNothingOpen(t *testing.T) {
	opptatt, err := net.Listen("tcp", "127.0.0.1:0")
	is.New(t).NoErr(err)
	t.Cleanup(func() { _ = opptatt.Close() })
	mappe := func(fil string) func(*flagg) { // where a file should be
		return func(f *flagg) { _ = os.Mkdir(filepath.Join(f.Data, fil), 0o700) }
	}
	for navn, brekk := range map[string]func(*flagg){
		"Maskinporten": mappe("maskinporten.port"), "Fiks IO": mappe("fiks.port"), "the broker": mappe("amqp.port"), "the letters": func(f *flagg) {
			_ = os.WriteFile(filepath.Join(f.Data, "brev"), nil, 0o600)
		},
		"the portal's address": func(f *flagg) { f.Addr = opptatt.Addr().String() }, "the store": func(f *flagg) { f.Store = "sqlite:" + filepath.Join(f.Data, "finnes", "ikke.db") },
		"TLS": mappe("tls.port"),
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			f := flagg{Addr: "127.0.0.1:0", Data: data(t), Store: "sqlite"}
			brekk(&f)
			_, err := start(t.Context(), f, slog.New(slog.DiscardHandler), &skjerm{stum: true})
			is.True(err != nil)
			is.Equal(lytter(t, f.Data), nil)
		})
	}
}

func TestAFolderOthersCanReadIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	is, mappe := is.New(t), filepath.Join(t.TempDir(), "data")
	is.NoErr(os.Mkdir(mappe, 0o755))
	err := kjor(t.Context(), flagg{Addr: "127.0.0.1:0", Data: mappe, Store: "sqlite", Quiet: true})
	is.True(err != nil)
	is.True(strings.Contains(err.Error(), "kan leses av andre; sett rettighetene til 0700"))
	filer, err := os.ReadDir(mappe)
	is.NoErr(err)
	is.Equal(len(filer), 0)
}
