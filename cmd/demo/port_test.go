package main

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/matryer/is"
)

func TestTheNextStartFindsTheSamePort(t *testing.T) {
	is, fil := is.New(t), filepath.Join(t.TempDir(), "maskinporten.port")
	lytt := func() (net.Listener, string) {
		l, err := fastPort(t.Context(), fil)
		is.NoErr(err)
		is.True(l.Addr().(*net.TCPAddr).IP.IsLoopback())
		return l, l.Addr().String()
	}
	l, forst := lytt()
	is.NoErr(l.Close())
	l, igjen := lytt()
	is.Equal(igjen, forst)

	opptatt := l // somebody else has it meanwhile
	l, ny := lytt()
	is.True(ny != forst)
	is.NoErr(l.Close())
	is.NoErr(opptatt.Close())
	l, igjen = lytt()
	is.Equal(igjen, ny) // and the new one is remembered
	is.NoErr(l.Close())

	for _, rart := range []string{"", "0", "70000", "-1", "0.0.0.0:8080", "x"} {
		is.NoErr(os.WriteFile(fil, []byte(rart), 0o600))
		l, _ := lytt()
		is.NoErr(l.Close())
	}
}
