package contracts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

// TestCertificates is the contract of ports.Certificates.
func TestCertificates(t *testing.T, open func(t *testing.T) Lager) {
	eier := kommune.MottakerEier("r-1")
	annonser := func(t *testing.T, l Lager, e kommune.Eier, c *x509.Certificate, at time.Time) {
		t.Helper()
		if err := l.Certificates.Announce(t.Context(), e, c, at); err != nil {
			t.Fatalf("Announce: %v", err)
		}
	}
	erGjeldende := func(t *testing.T, l Lager, e kommune.Eier, c *x509.Certificate) {
		t.Helper()
		if g, err := l.Certificates.Current(t.Context(), e); err != nil || !g.Equal(c) {
			t.Fatalf("Current %s: feil sertifikat, %v", e, err)
		}
	}
	godtar := func(t *testing.T, l Lager, e kommune.Eier, na time.Time, ventet ...*x509.Certificate) {
		t.Helper()
		fikk, err := l.Certificates.Accepted(t.Context(), e, na)
		if err != nil || len(fikk) != len(ventet) {
			t.Fatalf("Accepted %s ved %v: %d, ventet %d, %v", e, na, len(fikk), len(ventet), err)
		}
		for i := range fikk {
			if !fikk[i].Equal(ventet[i]) {
				t.Fatalf("Accepted %s ved %v: feil sertifikat på plass %d", e, na, i)
			}
		}
	}

	t.Run("C1 an announced certificate is accepted for the overlap", func(t *testing.T) {
		is, l := is.New(t), open(t)
		a, b, c := NyttSertifikat(t), NyttSertifikat(t), NyttSertifikat(t)
		_, err := l.Certificates.Current(t.Context(), eier)
		is.True(errors.Is(err, ports.ErrNotFound))
		godtar(t, l, eier, Start)
		annonser(t, l, eier, a, Start)
		erGjeldende(t, l, eier, a)
		godtar(t, l, eier, Start, a)
		byttet := Start.Add(time.Microsecond) // replaced a moment later
		annonser(t, l, eier, b, byttet)
		l = l.pany(t)
		erGjeldende(t, l, eier, b)
		godtar(t, l, eier, byttet, b, a)
		godtar(t, l, eier, byttet.Add(ports.Overlap-time.Microsecond), b, a)
		godtar(t, l, eier, byttet.Add(ports.Overlap+time.Microsecond), b)
		annonser(t, l, eier, c, byttet.Add(24*time.Hour)) // each replaced one has its own overlap
		godtar(t, l, eier, byttet.Add(24*time.Hour), c, b, a)
		godtar(t, l, eier, byttet.Add(ports.Overlap+time.Hour), c, b)
		godtar(t, l, eier, byttet.AddDate(5, 0, 0), c) // expired: the caller's judgement
	})

	t.Run("C1 announcing the current one again changes nothing", func(t *testing.T) {
		is, l := is.New(t), open(t)
		a, b := NyttSertifikat(t), NyttSertifikat(t)
		annonser(t, l, eier, a, Start)
		samtidig(4, func(int) {
			if err := l.Certificates.Announce(t.Context(), eier, a, Start.Add(time.Hour)); err != nil {
				t.Errorf("Announce: %v", err)
			}
		})
		godtar(t, l, eier, Start.Add(time.Hour), a)
		annonser(t, l, eier, b, Start.Add(2*time.Hour))
		annonser(t, l, eier, a, Start.Add(3*time.Hour)) // back to the first, e.g. a set-up file that was rolled back
		erGjeldende(t, l, eier, a)
		godtar(t, l, eier, Start.Add(3*time.Hour), a, b)
		godtar(t, l, eier, Start.Add(3*time.Hour+ports.Overlap-time.Microsecond), a, b)
		is.True(!a.Equal(b))
	})

	t.Run("C1 owners are apart", func(t *testing.T) {
		is, l := is.New(t), open(t)
		a, b, c := NyttSertifikat(t), NyttSertifikat(t), NyttSertifikat(t)
		annonser(t, l, eier, a, Start)
		annonser(t, l, kommune.Printleverandor, b, Start)
		annonser(t, l, kommune.MottakerEier("r-2"), c, Start)
		godtar(t, l, eier, Start, a)
		godtar(t, l, kommune.Printleverandor, Start, b)
		godtar(t, l, kommune.Portalen, Start)
		alle, err := l.Certificates.All(t.Context())
		is.NoErr(err)
		is.Equal(len(alle), 3)
		is.True(alle[eier].Equal(a))
		is.True(alle[kommune.Printleverandor].Equal(b))
		is.True(alle[kommune.MottakerEier("r-2")].Equal(c))
	})

	t.Run("C2 a revoked certificate is never accepted", func(t *testing.T) {
		is, l := is.New(t), open(t)
		a, b := NyttSertifikat(t), NyttSertifikat(t)
		annonser(t, l, eier, a, Start)
		annonser(t, l, eier, b, Start.Add(time.Hour))
		na := Start.Add(2 * time.Hour)
		is.NoErr(l.Certificates.Revoke(t.Context(), a, na, "nøkkel på avveie"))
		godtar(t, l, eier, na, b)
		is.NoErr(l.Certificates.Revoke(t.Context(), a, na.Add(time.Hour), "en gang til"))
		is.NoErr(l.Certificates.Revoke(t.Context(), b, na, "denne også"))
		l = l.pany(t)
		godtar(t, l, eier, na)
		_, err := l.Certificates.Current(t.Context(), eier)
		is.True(errors.Is(err, ports.ErrNotFound)) // and the one before does not come back
		alle, err := l.Certificates.All(t.Context())
		is.NoErr(err)
		is.Equal(len(alle), 0)
		c := NyttSertifikat(t)
		annonser(t, l, eier, c, na)
		erGjeldende(t, l, eier, c)
		godtar(t, l, eier, na, c)
	})

	t.Run("C3 a revoked key comes back for nobody", func(t *testing.T) {
		is, l := is.New(t), open(t)
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		is.NoErr(err)
		c := sertifikatFor(t, k)
		annonser(t, l, eier, c, Start)
		is.NoErr(l.Certificates.Revoke(t.Context(), c, Start, "nøkkel på avveie"))
		l = l.pany(t)
		for _, e := range []kommune.Eier{eier, kommune.MottakerEier("en-annen"), kommune.Printleverandor} {
			for _, x := range []*x509.Certificate{c, sertifikatFor(t, k)} { // and not by a new certificate of the same key
				is.True(errors.Is(l.Certificates.Announce(t.Context(), e, x, Start.Add(time.Hour)), ports.ErrRefused))
				_, err = l.Certificates.Current(t.Context(), e)
				is.True(errors.Is(err, ports.ErrNotFound))
			}
		}
	})
}
