package compose

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/app/delivery"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// An answer is sealed for whatever key the catalogue had when the case system looked. The portal is changing its own.
func TestAnAnswerIsReadWhicheverOfThePortalsKeysItIsSealedFor(t *testing.T) {
	is, ctx := is.New(t), t.Context()
	klokke := memory.NyKlokke(nokkeltid)
	lager := vaktlager{memory.NyttLager(klokke), 0}
	mappe := filepath.Join(t.TempDir(), "nokler")
	is.NoErr(os.Mkdir(mappe, 0o700))
	cfg := Config{Nokler: mappe, NokkelHemmelighet: base64.StdEncoding.EncodeToString(make([]byte, 32)), Deler: Deler{Clock: klokke}}
	k, err := apneNokler(cfg)
	is.NoErr(err)
	forste, err := portalnokkel(ctx, k, lager, nokkeltid)
	is.NoErr(err)
	gammel := forste.Sertifikat()

	svar := func(c *x509.Certificate) melding.Forseglet {
		f, err := cms.Sealer{}.Seal(melding.NyKlartekst(testdata(t, "feilet-data.zip")), melding.Mottakernokkel{Forsegling: melding.X509, Nokkel: c.Raw})
		is.NoErr(err)
		return f
	}
	s := &System{Lager: lager, clock: klokke}
	lesbar := s.lesbar(k) // of a worker that has run since before the change
	leser := &Svarleser{k, lager}
	lest := func(f melding.Forseglet, nar time.Time) bool {
		m, err := leser.Les(ctx, f, nar)
		if errors.Is(err, ErrUleselig) {
			return false
		}
		is.NoErr(err)
		return m.Melding == "KANARI avvist"
	}
	forGammel := svar(gammel)
	is.True(lest(forGammel, nokkeltid))

	b, err := BytterNokkel(ctx, cfg, lager, "kari", "årlig bytte") // another process, on the same folder
	is.NoErr(err)
	forNy := svar(b.Sertifikat)
	begge := func() {
		t.Helper()
		is.Equal(lesbar(ctx, forGammel), melding.ArsakSvarLesbart)
		is.Equal(lesbar(ctx, forNy), melding.ArsakSvarLesbart)
	}
	begge() // before the catalogue has it

	d := delivery.New(delivery.Config{Ledger: lager, Certs: lager, Overview: lager, Clock: klokke})
	var katalog *x509.Certificate
	tapt := errors.New("svaret fra katalogen gikk tapt")
	err = d.FolgEgenNokkel(ctx, k, func(_ context.Context, c *x509.Certificate) error { katalog = c; return tapt })
	is.True(errors.Is(err, tapt))
	is.True(katalog.Equal(b.Sertifikat))
	begge() // while the catalogue has it and the store does not know

	k, err = apneNokler(cfg) // a restart in the middle
	is.NoErr(err)
	h, err := portalnokkel(ctx, k, lager, klokke.Now())
	is.NoErr(err)
	is.True(h.Sertifikat().Equal(gammel))
	begge()
	is.NoErr(d.FolgEgenNokkel(ctx, k, func(context.Context, *x509.Certificate) error { return nil }))
	na, err := lager.Current(ctx, kommune.Portalen)
	is.NoErr(err)
	is.True(na.Equal(b.Sertifikat))
	begge()
	kom := klokke.Now()
	klokke.Sett(kom.Add(ports.Overlap - time.Minute))
	begge()
	klokke.Sett(kom.Add(300 * 24 * time.Hour))
	is.True(lest(forGammel, kom)) // `portal svar` reads what came then for as long as it is kept
	is.True(lest(forNy, klokke.Now()))
	h, err = portalnokkel(ctx, k, lager, klokke.Now())
	is.NoErr(err)
	is.True(h.Sertifikat().Equal(b.Sertifikat))
}
