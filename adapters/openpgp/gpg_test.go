package openpgp_test

import (
	"bytes"
	"testing"
	"time"

	pgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/openpgp"
	"portal.example/bekymringsmelding/domain/melding"
)

func rapport(n int) []byte { return bytes.Repeat([]byte("bekymring "), n/10+1)[:n] }

// gpg's own keys: what we seal for them, gpg opens; and their private half works in our Opener.
func TestGpgApner(t *testing.T) {
	for _, algo := range [][]string{{"rsa3072", "rsa3072"}, {"ed25519", "cv25519"}} {
		t.Run(algo[1], func(t *testing.T) {
			g := nyGnupg(t)
			g.kjor(nil, "--quick-generate-key", "kommune@test.example", algo[0], "cert,sign", "never")
			fpr := string(g.kjor(nil, "--list-options", "show-only-fpr-mbox", "--list-secret-keys"))[:40]
			g.kjor(nil, "--quick-add-key", fpr, algo[1], "encr", "never")
			til := melding.Mottakernokkel{Forsegling: melding.OpenPGP, Nokkel: g.kjor(nil, "--export")}
			egen, err := openpgp.NewOpener(g.kjor(nil, "--export-secret-keys"))
			if err != nil {
				t.Fatal(err)
			}
			// gpg made its key now, by its own clock.
			sealer := openpgp.Sealer{Now: func() time.Time { return time.Now().Add(time.Minute) }}
			for _, n := range []int{0, 1, 511, 512, 100_000} {
				is := is.New(t)
				f, err := sealer.Seal(melding.NyKlartekst(rapport(n)), til)
				is.NoErr(err)
				sealed, err := f.Bytes()
				is.NoErr(err)
				is.True(bytes.Equal(g.kjor(sealed, "--decrypt"), rapport(n)))
				klar, err := apne(egen, sealed)
				is.NoErr(err)
				is.True(bytes.Equal(klar, rapport(n)))

				pakker := g.kjor(sealed, "--list-packets")
				is.True(bytes.Contains(pakker, []byte("mdc_method: 2"))) // integrity protected
				is.True(!bytes.Contains(pakker, []byte("aead")))         // and not with what gpg 2.2 cannot read
				is.True(!bytes.Contains(pakker, []byte("compressed")))
				is.True(bytes.Contains(pakker, []byte(`name="",`)))
			}
		})
	}
}

// What gpg seals, in the forms gpg has, we open.
func TestApnerGpg(t *testing.T) {
	for navn, args := range map[string][]string{
		"plain":            nil,
		"no compression":   {"--compress-algo", "none"},
		"zlib":             {"--compress-algo", "zlib"},
		"bzip2":            {"--compress-algo", "bzip2"},
		"aes128":           {"--cipher-algo", "AES128"},
		"hidden recipient": {"--throw-keyids"},
		"text mode":        {"--textmode"},
	} {
		for slag, e := range map[string]*pgp.Entity{"rsa": rsaNokkel(), "kurve": kurveNokkel()} {
			t.Run(navn+" "+slag, func(t *testing.T) {
				g := nyGnupg(t)
				til := g.fil("til.pgp", offentlig(e).Nokkel)
				annen := g.fil("annen.pgp", offentlig(annenNokkel()).Nokkel)
				for _, n := range []int{0, 1, 9000} {
					is := is.New(t)
					args := append([]string{"--encrypt", "-f", annen, "-f", til}, args...)
					klar, err := apne(apner(t, e), g.kjor(rapport(n), args...))
					is.NoErr(err)
					is.True(bytes.Equal(klar, rapport(n)))
				}
			})
		}
	}
}

// gpg can be told to leave integrity out, to use a password, or to seal nothing at all.
func TestApnerIkkeGpgUtenVern(t *testing.T) {
	g := nyGnupg(t)
	til := g.fil("til.pgp", offentlig(rsaNokkel()).Nokkel)
	for navn, args := range map[string][]string{
		"no MDC":        {"--encrypt", "-f", til, "--rfc2440", "--cipher-algo", "AES256"},
		"password only": {"--passphrase", "passord", "--symmetric"},
		"stored":        {"--store"},
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			sealed := g.kjor(rapport(100), args...)
			klar, err := apne(apner(t, rsaNokkel()), sealed)
			is.Equal(err, openpgp.ErrDecrypt)
			is.Equal(len(klar), 0)
		})
	}
}

// A bomb is refused before it fills the memory.
func TestApnerIkkeEnBombe(t *testing.T) {
	is := is.New(t)
	g := nyGnupg(t)
	til := g.fil("til.pgp", offentlig(kurveNokkel()).Nokkel)
	sealed := g.kjor(make([]byte, 65<<20), "--encrypt", "-f", til, "--compress-algo", "zlib")
	is.True(len(sealed) < 1<<20)
	_, err := apne(apner(t, kurveNokkel()), sealed)
	is.Equal(err, openpgp.ErrDecrypt)
}
