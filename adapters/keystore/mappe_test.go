package keystore_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"portal.example/bekymringsmelding/adapters/keystore"
	"portal.example/bekymringsmelding/ports"
)

func TestOpenRefuses(t *testing.T) {
	is := is.New(t)
	mappe := nyMappe(t)
	is.NoErr(apne(t, config(mappe)).Close())

	for _, rett := range []os.FileMode{0o755, 0o750, 0o701, 0o720} {
		is.NoErr(os.Chmod(mappe, rett))
		_, err := keystore.Open(config(mappe), hemmelighet)
		is.True(errors.Is(err, keystore.ErrMappe))
	}
	is.NoErr(os.Chmod(mappe, 0o700))
	_, err := keystore.Open(config(mappe+"x"), hemmelighet)
	is.True(errors.Is(err, fs.ErrNotExist)) // a misspelled path is not an empty store
	for _, gjor := range []func(*keystore.Config){
		func(c *keystore.Config) { c.Mappe = "" },
		func(c *keystore.Config) { c.Klokke = nil },
		func(c *keystore.Config) { c.Gyldighet = 0 },
	} {
		c := config(mappe)
		gjor(&c)
		_, err := keystore.Open(c, hemmelighet)
		is.True(err != nil)
	}
	_, err = keystore.Open(config(mappe), hemmelighet[:31])
	is.Equal(err.Error(), "keystore: hemmeligheten må være minst 32 byte")
}

func TestWrongSecret(t *testing.T) {
	is := is.New(t)
	mappe := nyMappe(t)
	ny(t, apne(t, config(mappe)))
	_, err := keystore.Open(config(mappe), append([]byte("x"), hemmelighet[1:]...))
	is.True(errors.Is(err, keystore.ErrHemmelighet))
	is.Equal(err.Error(), "keystore: hemmeligheten passer ikke til nøklene i mappen")
	apne(t, config(mappe)) // the right one still does
}

// Whatever byte of a file is changed, and wherever it is cut, the key does not come out, and it is not called somebody else's.
func TestDamage(t *testing.T) {
	mappe := nyMappe(t)
	s := apne(t, config(mappe))
	sert := ny(t, s).Sertifikat()
	ny(t, s)
	fil := filen(t, mappe, sert)
	hel, err := os.ReadFile(fil)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		b := append([]byte(nil), hel...)
		if n := rapid.IntRange(0, len(b)-1).Draw(r, "plass"); rapid.Bool().Draw(r, "kutt") {
			b = b[:n]
		} else {
			b[n] ^= byte(rapid.IntRange(1, 255).Draw(r, "bit"))
		}
		if err := os.WriteFile(fil, b, 0o600); err != nil {
			r.Fatal(err)
		}
		if h, err := s.Private(t.Context(), sert); h != nil || !errors.Is(err, ports.ErrCorrupt) || errors.Is(err, ports.ErrNotFound) {
			r.Fatalf("Private: %v", err)
		}
		if err := s.Verify(t.Context()); !errors.Is(err, ports.ErrCorrupt) || !strings.Contains(err.Error(), filepath.Base(fil)) {
			r.Fatalf("Verify: %v", err)
		}
		igjen, err := keystore.Open(config(mappe), hemmelighet) // one damaged key does not keep the others from their work
		if err != nil {
			r.Fatal(err)
		}
		_ = igjen.Close()
	})
	is := is.New(t)
	is.NoErr(os.WriteFile(fil, hel, 0o600))
	is.NoErr(s.Verify(t.Context()))
}

// Each file opens in its own place only.
func TestSwappedFiles(t *testing.T) {
	is := is.New(t)
	mappe := nyMappe(t)
	s := apne(t, config(mappe))
	a, b := ny(t, s).Sertifikat(), ny(t, s).Sertifikat()
	is.NoErr(os.Rename(filen(t, mappe, a), filen(t, mappe, b)))
	_, err := s.Private(t.Context(), b)
	is.True(errors.Is(err, ports.ErrCorrupt))
	_, err = s.Private(t.Context(), a)
	is.True(errors.Is(err, ports.ErrNotFound))
}

// What a crash in the middle of a write leaves: no key, and nothing in the way.
func TestLeftovers(t *testing.T) {
	is := is.New(t)
	mappe := nyMappe(t)
	s := apne(t, config(mappe))
	sert := ny(t, s).Sertifikat()
	fil := filen(t, mappe, sert)
	is.NoErr(os.Rename(fil, fil+".tmp"))
	is.NoErr(os.Truncate(fil+".tmp", 100))
	is.NoErr(os.WriteFile(filepath.Join(mappe, "LESMEG.txt"), nil, 0o600))
	s = apne(t, config(mappe))
	is.NoErr(s.Verify(t.Context()))
	_, err := s.Private(t.Context(), sert)
	is.True(errors.Is(err, ports.ErrNotFound))
	ny(t, s)
}

// A write that fails says so and leaves nothing behind. (That each step is synced before the next cannot be seen from here: strace shows it.)
func TestFailedWrite(t *testing.T) {
	is := is.New(t)
	mappe := nyMappe(t)
	s := apne(t, config(mappe))
	is.NoErr(os.MkdirAll(filepath.Join(mappe, "a.nokkel", "full"), 0o700)) // nothing can be renamed to it
	is.True(s.Skriv("a.nokkel", []byte("x")) != nil)
	is.NoErr(os.RemoveAll(filepath.Join(mappe, "a.nokkel")))
	is.NoErr(os.WriteFile(filepath.Join(mappe, "b.nokkel.tmp"), []byte("somebody else's"), 0o600))
	is.True(errors.Is(s.Skriv("b.nokkel", []byte("x")), fs.ErrExist))
	poster, err := os.ReadDir(mappe)
	is.NoErr(err)
	is.Equal(len(poster), 1)
}

func filen(t testing.TB, mappe string, c *x509.Certificate) string {
	t.Helper()
	f, err := filepath.Glob(filepath.Join(mappe, c.SerialNumber.Text(16)+"-*.nokkel"))
	if err != nil || len(f) != 1 {
		t.Fatalf("%d filer, %v", len(f), err)
	}
	return f[0]
}

// Old keys stay also when the program is new [K2]: this one was written by the first. The test fails when the format changes without the
// old one being read.
func TestFirstFormat(t *testing.T) {
	is := is.New(t)
	mappe := nyMappe(t) // git does not keep the folder's mode
	is.NoErr(os.CopyFS(mappe, os.DirFS(filepath.Join("testdata", "forste"))))
	b, err := os.ReadFile(filepath.Join(mappe, "sertifikat.pem"))
	is.NoErr(err)
	blokk, _ := pem.Decode(b)
	sert, err := x509.ParseCertificate(blokk.Bytes)
	is.NoErr(err)
	h, err := apne(t, config(mappe)).Private(t.Context(), sert)
	is.NoErr(err)
	virker(t, h, sert)
}

// Neither the secret nor a key comes out of a log line, whatever is put in it.
func TestNothingLeaks(t *testing.T) {
	is := is.New(t)
	c := config(nyMappe(t))
	s := apne(t, c)
	h := ny(t, s)
	k := keystore.Privat(h)

	var ut strings.Builder
	tekst, jsonlogg := slog.New(slog.NewTextHandler(&ut, nil)), slog.New(slog.NewJSONHandler(&ut, nil))
	for _, v := range []any{c, &c, s, *s, h} {
		type skjultFelt struct{ v any } // fmt may not call Format in here
		for _, f := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t"} {
			fmt.Fprintf(&ut, f+"\n", v)
			fmt.Fprintf(&ut, f+"\n", skjultFelt{v})
			fmt.Fprintf(&ut, f+"\n", []any{v})
			fmt.Fprintf(&ut, f+"\n", struct{ h ports.Handle }{h})
		}
		b, err := json.Marshal(v)
		is.NoErr(err)
		ut.Write(b)
		tekst.Info("m", "v", v)
		jsonlogg.Info("m", "v", v)
	}
	for _, hemmelig := range append([]*big.Int{k.D, new(big.Int).SetBytes(hemmelighet)}, k.Primes...) {
		b := hemmelig.Bytes()[:8] // enough to know it by
		for _, form := range []string{string(b), fmt.Sprintf("%x", b), fmt.Sprintf("%X", b), strings.Trim(fmt.Sprint(b), "[]"),
			fmt.Sprintf("%#v", b)[7:30], hemmelig.String()[:20], fmt.Sprint(hemmelig.Bits()[0])} {
			is.True(!strings.Contains(ut.String(), form))
		}
	}
	is.Equal(fmt.Sprint(h), "[skjult]")
}
