package openpgp_test

import (
	"os"
	"testing"
	"time"
)

func FuzzZZ(f *testing.F) {
	f.Add(forsegl(f, kurveNokkel(), rapport(100)))
	f.Add(forsegl(f, rsaNokkel(), nil))
	f.Add([]byte{0xd2, 0xff})
	f.Add([]byte("-----BEGIN PGP MESSAGE-----"))
	o := apner(f, kurveNokkel())
	f.Fuzz(func(t *testing.T, b []byte) {
		d := make(chan int)
		go func() { apne(o, b); close(d) }()
		select {
		case <-d:
		case <-time.After(4 * time.Second):
			os.WriteFile("/tmp/hang.bin", b, 0o600)
			panic("hang")
		}
	})
}
