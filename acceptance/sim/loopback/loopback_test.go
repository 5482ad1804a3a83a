package loopback_test

import (
	"errors"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/loopback"
)

func TestOnlyThisMachineIsBound(t *testing.T) {
	is := is.New(t)
	for inn, vil := range map[string]string{"127.0.0.1:0": "127.0.0.1:0", "localhost:5671": "127.0.0.1:5671", "[::1]:1": "[::1]:1", "127.8.8.8:1": "127.8.8.8:1"} {
		fikk, err := loopback.Adresse(inn)
		is.NoErr(err)
		is.Equal(fikk, vil)
	}
	for _, inn := range []string{"0.0.0.0:0", ":8080", "[::]:1", "10.0.0.1:1", "example.com:443", "api.fiks.ks.no:443", "io.fiks.test.ks.no.:5671", "localhost.example:1"} {
		_, err := loopback.Adresse(inn)
		is.True(errors.Is(err, loopback.ErrUtenfor))
	}
	_, err := loopback.Adresse("127.0.0.1")
	is.True(err != nil)
	is.True(!loopback.ErKS("eksempelks.no"))
}
