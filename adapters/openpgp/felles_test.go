package openpgp_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	pgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"portal.example/bekymringsmelding/adapters/openpgp"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

var (
	_ ports.Sealer = openpgp.Sealer{}
	_ ports.Opener = (*openpgp.Opener)(nil)
)

var (
	laget = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	naa   = laget.AddDate(0, 0, 2)
)

// Keys are made once for the whole package.
var (
	rsaNokkel   = sync.OnceValue(func() *pgp.Entity { return nyNokkel(packet.Config{RSABits: 2048}) })
	annenNokkel = sync.OnceValue(func() *pgp.Entity { return nyNokkel(packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}) })
	kurveNokkel = sync.OnceValue(func() *pgp.Entity { return nyNokkel(packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}) })
	aeadNokkel  = sync.OnceValue(func() *pgp.Entity {
		return nyNokkel(packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, AEADConfig: &packet.AEADConfig{}})
	})
	svakNokkel    = sync.OnceValue(func() *pgp.Entity { return nyNokkel(packet.Config{RSABits: 1024}) })
	utloptNokkel  = sync.OnceValue(func() *pgp.Entity { return nyNokkel(packet.Config{RSABits: 2048, KeyLifetimeSecs: 3600}) })
	trukketNokkel = sync.OnceValue(func() *pgp.Entity {
		e := nyNokkel(packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
		if err := e.RevokeKey(packet.KeyCompromised, "", &packet.Config{Time: func() time.Time { return laget }}); err != nil {
			panic(err)
		}
		return e
	})
)

func nyNokkel(c packet.Config) *pgp.Entity {
	c.Time = func() time.Time { return laget }
	e, err := pgp.NewEntity("Kastetest", "", "kaste@test.example", &c)
	if err != nil {
		panic(err)
	}
	return e
}

func offentlig(e *pgp.Entity) melding.Mottakernokkel {
	var b bytes.Buffer
	if err := e.Serialize(&b); err != nil {
		panic(err)
	}
	return melding.Mottakernokkel{Forsegling: melding.OpenPGP, Nokkel: b.Bytes()}
}

func privat(e *pgp.Entity) []byte {
	var b bytes.Buffer
	if err := e.SerializePrivateWithoutSigning(&b, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func forsegler() openpgp.Sealer { return openpgp.Sealer{Now: func() time.Time { return naa }} }

func forsegl(t testing.TB, e *pgp.Entity, klar []byte) []byte {
	t.Helper()
	f, err := forsegler().Seal(melding.NyKlartekst(klar), offentlig(e))
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func apner(t testing.TB, e ...*pgp.Entity) *openpgp.Opener {
	t.Helper()
	var keys [][]byte
	for _, x := range e {
		keys = append(keys, privat(x))
	}
	o, err := openpgp.NewOpener(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func apne(o *openpgp.Opener, sealed []byte) ([]byte, error) {
	k, err := o.Open(context.Background(), melding.ForsegletBytes(melding.OpenPGP, sealed))
	return k.Bytes(), err
}

// gnupg is a gpg with a home of its own.
type gnupg struct {
	t    *testing.T
	home string
}

func nyGnupg(t *testing.T) gnupg {
	t.Helper()
	if _, err := exec.LookPath("gpg"); err != nil {
		if strings.Contains(os.Getenv("KREV"), "gpg") {
			t.Fatal("gpg is required (KREV) and missing")
		}
		t.Skip("needs the gpg program")
	}
	// Not t.TempDir: the agent's socket lies here, and a socket's path may have 107 characters.
	home, err := os.MkdirTemp("", "gpg")
	if err != nil {
		t.Fatal(err)
	}
	g := gnupg{t, home}
	t.Cleanup(func() {
		cmd := exec.Command("gpgconf", "--homedir", home, "--kill", "all") // the agent gpg started for this home
		_ = cmd.Run()
		_ = os.RemoveAll(home)
	})
	return g
}

func (g gnupg) kjor(inn []byte, args ...string) []byte {
	g.t.Helper()
	cmd := exec.Command("gpg", append([]string{"--homedir", g.home, "--batch", "--yes", "--quiet", "--trust-model", "always",
		"--pinentry-mode", "loopback", "--passphrase", ""}, args...)...)
	cmd.Stdin = bytes.NewReader(inn)
	var feil bytes.Buffer
	cmd.Stderr = &feil
	ut, err := cmd.Output()
	if err != nil {
		g.t.Fatalf("gpg %s: %v\n%s", strings.Join(args, " "), err, feil.String())
	}
	return ut
}

func (g gnupg) fil(navn string, b []byte) string {
	g.t.Helper()
	sti := filepath.Join(g.home, navn)
	if err := os.WriteFile(sti, b, 0o600); err != nil {
		g.t.Fatal(err)
	}
	return sti
}
