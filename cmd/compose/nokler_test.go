package compose

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

var nokkeltid = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// ksNokkel is a key store with the one key that KS's Java client sealed adapters/cms/testdata/feilet-data.cms for.
type ksNokkel struct {
	*rsa.PrivateKey
	sert *x509.Certificate
}

func (k ksNokkel) Sertifikat() *x509.Certificate { return k.sert }

func (k ksNokkel) New(context.Context, kommune.Eier, int) (ports.Handle, error) {
	return nil, ports.ErrUnavailable
}

func (k ksNokkel) Private(_ context.Context, c *x509.Certificate) (ports.Handle, error) {
	if !c.Equal(k.sert) {
		return nil, ports.ErrNotFound
	}
	return k, nil
}

func testdata(t *testing.T, navn string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../adapters/cms/testdata", navn))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func lesKSNokkel(t *testing.T) ksNokkel {
	t.Helper()
	der, err := x509.ParsePKCS8PrivateKey(testdata(t, "portal.key.der"))
	if err != nil {
		t.Fatal(err)
	}
	p, _ := pem.Decode(testdata(t, "portal.pem"))
	c, err := x509.ParseCertificate(p.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return ksNokkel{der.(*rsa.PrivateKey), c}
}

func forseglet(b []byte) melding.Forseglet { return melding.ForsegletBytes(melding.X509, b) }

func TestABodyFromKSsJavaClientIsReadable(t *testing.T) {
	is, ctx := is.New(t), t.Context()
	k, klokke := lesKSNokkel(t), memory.NyKlokke(nokkeltid)
	lager := vaktlager{memory.NyttLager(klokke), 0}
	is.NoErr(lager.Announce(ctx, kommune.Portalen, k.sert, nokkeltid))
	s := &System{Lager: lager, clock: klokke}
	lesbar := s.lesbar(k)

	svar := testdata(t, "feilet-data.cms")
	is.Equal(lesbar(ctx, forseglet(svar)), melding.ArsakSvarLesbart)
	f, err := (&Svarleser{k, lager}).Les(ctx, forseglet(svar), nokkeltid)
	is.NoErr(err)
	is.Equal(f.Melding, "KANARI avvist")

	is.Equal(lesbar(ctx, melding.Forseglet{}), melding.ArsakSvarTomt)
	til := melding.Mottakernokkel{Forsegling: melding.X509, Nokkel: k.sert.Raw}
	rapport, err := cms.Sealer{}.Seal(melding.NyKlartekst(testdata(t, "asice.zip")), til)
	is.NoErr(err)
	for navn, f := range map[string]melding.Forseglet{
		"ikke CMS":                  forseglet([]byte("ikke til å lese")),
		"avkortet":                  forseglet(svar[:len(svar)-1]),
		"forseglet for en annen":    forseglet(testdata(t, "ugyldig-digest.cms")),
		"en pakke uten feilmelding": rapport,
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			is.Equal(lesbar(ctx, f), melding.ArsakSvarUleselig)
			_, err := (&Svarleser{k, lager}).Les(ctx, f, nokkeltid)
			is.True(errors.Is(err, ErrUleselig))
		})
	}

	// A new certificate: what was sealed for the old one is still read, by whoever says when it came.
	senere := nokkeltid.Add(30 * 24 * time.Hour)
	ny := lesKSNokkelsEtterfolger(t)
	is.NoErr(lager.Announce(ctx, kommune.Portalen, ny, nokkeltid.Add(time.Hour)))
	_, err = (&Svarleser{k, lager}).Les(ctx, forseglet(svar), nokkeltid)
	is.NoErr(err)
	_, err = (&Svarleser{k, lager}).Les(ctx, forseglet(svar), senere)
	is.True(errors.Is(err, ErrUleselig))
}

func lesKSNokkelsEtterfolger(t *testing.T) *x509.Certificate {
	t.Helper()
	p, _ := pem.Decode(testdata(t, "print.pem"))
	c, err := x509.ParseCertificate(p.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestThePortalAccountHasOneKeyThatStays(t *testing.T) {
	is, ctx := is.New(t), t.Context()
	lager := memory.NyttLager(memory.NyKlokke(nokkeltid))
	mappe := filepath.Join(t.TempDir(), "nokler")
	is.NoErr(os.Mkdir(mappe, 0o700))
	c := Config{Nokler: mappe, NokkelHemmelighet: base64.StdEncoding.EncodeToString(make([]byte, 32)), Deler: Deler{Clock: memory.NyKlokke(nokkeltid)}}

	k, err := apneNokler(c)
	is.NoErr(err)
	forste, err := portalnokkel(ctx, k, lager, nokkeltid)
	is.NoErr(err)
	na, err := lager.Current(ctx, kommune.Portalen)
	is.NoErr(err)
	is.True(na.Equal(forste.Sertifikat())) // announced

	k, err = apneNokler(c) // a restart
	is.NoErr(err)
	igjen, err := portalnokkel(ctx, k, lager, nokkeltid.Add(time.Hour))
	is.NoErr(err)
	is.True(igjen.Sertifikat().Equal(forste.Sertifikat()))

	c.Nokler = filepath.Join(t.TempDir(), "feil")
	is.NoErr(os.Mkdir(c.Nokler, 0o700))
	k, err = apneNokler(c)
	is.NoErr(err)
	_, err = portalnokkel(ctx, k, lager, nokkeltid)
	is.True(errors.Is(err, ErrConfig)) // the wrong folder is said, and no second key is made
	poster, err := os.ReadDir(c.Nokler)
	is.NoErr(err)
	is.Equal(len(poster), 0)
}

func TestTheKeyFolderMustBeNamedWithItsSecret(t *testing.T) {
	mappe := t.TempDir()
	for navn, c := range map[string]Config{
		"ingen mappe":       {NokkelHemmelighet: base64.StdEncoding.EncodeToString(make([]byte, 32))},
		"ingen hemmelighet": {Nokler: mappe},
		"kort hemmelighet":  {Nokler: mappe, NokkelHemmelighet: "a29ydA=="},
		"mappe som mangler": {Nokler: mappe + "x", NokkelHemmelighet: base64.StdEncoding.EncodeToString(make([]byte, 32))},
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			_, err := apneNokler(c)
			is.True(errors.Is(err, ErrConfig))
		})
	}
}
