package cms_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/melding"
)

type forsegler interface {
	Seal(melding.Klartekst, melding.Mottakernokkel) (melding.Forseglet, error)
}

var forseglere = map[string]forsegler{"CBC": cms.Sealer{}, "GCM": cms.AuthenticatedSealer{}}

func TestForseglOgAapne(t *testing.T) {
	for navn, s := range forseglere {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			for _, n := range []int{0, 1, 15, 16, 17, 32, 100, 32 << 10, 100_001} {
				klar := bytes.Repeat([]byte("melding "), n/8+1)[:n]
				f, err := s.Seal(melding.NyKlartekst(klar), mottaker(vaar()))
				is.NoErr(err)
				is.Equal(f.Forsegling(), melding.X509)
				k, err := cms.NewOpener(annen(), vaar()).Open(context.Background(), f)
				is.NoErr(err)
				is.True(bytes.Equal(k.Bytes(), klar))
			}
			klar := []byte("melding")
			for _, m := range []melding.Mottakernokkel{
				{}, {Forsegling: melding.OpenPGP, Nokkel: vaar().Certificate.Raw}, {Forsegling: melding.X509, Nokkel: []byte("tull")},
				mottaker(svak()),
			} {
				_, err := s.Seal(melding.NyKlartekst(klar), m)
				is.True(errors.Is(err, cms.ErrKey))
			}
		})
	}
}

// A failure that is ours and not the message's keeps its name: the message may be opened later.
func TestFeilSomErVaare(t *testing.T) {
	is := is.New(t)
	f, err := cms.Sealer{}.Seal(melding.NyKlartekst([]byte("melding")), mottaker(vaar()))
	is.NoErr(err)
	borte := errors.New("key store is away")
	_, err = cms.NewOpenerFunc(func(context.Context) ([]cms.Key, error) { return nil, borte }).Open(context.Background(), f)
	is.True(errors.Is(err, borte))
	is.True(!errors.Is(err, cms.ErrDecrypt))
	ctx, stopp := context.WithCancel(context.Background())
	stopp()
	_, err = cms.NewOpener(vaar()).Open(ctx, f)
	is.True(errors.Is(err, context.Canceled))
	_, err = cms.NewOpener(vaar()).Open(context.Background(), melding.NyForseglet(melding.X509, ulest{borte}, 1000))
	is.True(errors.Is(err, borte))
}

type ulest struct{ err error }

func (u ulest) ReadAt([]byte, int64) (int, error) { return 0, u.err }

// Through the port each direction allocates at most 2.2 times the content.
func TestMinneGjennomPorten(t *testing.T) {
	const n = 5 << 20
	klar := melding.NyKlartekst(make([]byte, n))
	for navn, s := range forseglere {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			var f melding.Forseglet
			var err error
			forseglet := allokert(func() { f, err = s.Seal(klar, mottaker(vaar())) })
			is.NoErr(err)
			o := cms.NewOpener(vaar())
			apnet := allokert(func() { _, err = o.Open(context.Background(), f) })
			is.NoErr(err)
			if max(forseglet, apnet) > n*22/10 {
				t.Errorf("sealed with %d and opened with %d bytes for %d", forseglet, apnet, n)
			}
		})
	}
}
