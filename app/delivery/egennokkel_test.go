package delivery_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/memory/feil"
	"portal.example/bekymringsmelding/app/delivery"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// hendig is a key as far as a change looks at it.
type hendig struct {
	ports.Handle
	c *x509.Certificate
}

func (h hendig) Sertifikat() *x509.Certificate { return h.c }

// bytteverden is a portal's key folder and the catalogue that everybody seals by. Whatever the catalogue has ever had must be readable.
type bytteverden struct {
	rigg
	t       *testing.T
	mappe   []*x509.Certificate
	katalog []*x509.Certificate // newest last
	steg    int                 // writing calls so far
	brudd   int                 // the one that fails; 0 = none
	utfor   bool                // after its effect
}

func nyBytteverden(t *testing.T) *bytteverden {
	t.Helper()
	v := &bytteverden{rigg: nyRigg(), t: t}
	f := feil.Ny(func(feil.Kall) (bool, error) { return v.gjor() })
	v.Ledger, v.Certs = f.Ledger(v.lager), f.Certificates(v.lager)
	v.bytt()
	if err := v.runde(v.mappe); err != nil {
		t.Fatal(err)
	}
	v.steg = 0
	return v
}

func (v *bytteverden) gjor() (utfor bool, err error) {
	if v.steg++; v.steg == v.brudd {
		return v.utfor, ports.ErrUnavailable
	}
	return true, nil
}

func (v *bytteverden) New(context.Context, kommune.Eier, int) (ports.Handle, error) {
	utfor, err := v.gjor()
	c := contracts.NyttSertifikat(v.t)
	if utfor {
		v.mappe = append(v.mappe, c)
	}
	if err != nil {
		return nil, err
	}
	return hendig{c: c}, nil
}

func (v *bytteverden) Private(_ context.Context, c *x509.Certificate) (ports.Handle, error) {
	return mappe(v.mappe).Private(context.Background(), c)
}

func (v *bytteverden) Publish(_ context.Context, c *x509.Certificate) error {
	if v.katalogen().Equal(c) {
		return nil
	}
	utfor, err := v.gjor()
	if utfor {
		v.katalog = append(v.katalog, c)
		v.lesbart() // from this very moment
	}
	return err
}

func (v *bytteverden) katalogen() *x509.Certificate {
	if len(v.katalog) == 0 {
		return &x509.Certificate{}
	}
	return v.katalog[len(v.katalog)-1]
}

// lesbart fails the test when an answer sealed for anything the catalogue has had could not be opened now.
func (v *bytteverden) lesbart() {
	v.t.Helper()
	for i, c := range v.katalog {
		if !v.leser(c) {
			v.t.Fatalf("svar for nøkkel %d av %d i katalogen kan ikke leses", i+1, len(v.katalog))
		}
	}
}

func (v *bytteverden) leser(c *x509.Certificate) bool {
	v.t.Helper()
	if _, err := v.Private(v.t.Context(), c); err != nil {
		return false
	}
	for _, e := range []kommune.Eier{kommune.Portalen, kommune.PortalenNeste} {
		godtatt, err := v.lager.Accepted(v.t.Context(), e, v.klokke.Now())
		if err != nil {
			v.t.Fatal(err)
		}
		for _, g := range godtatt {
			if g.Equal(c) {
				return true
			}
		}
	}
	return false
}

// bytt is an operator who tries until she is told that it went well.
func (v *bytteverden) bytt() delivery.Nokkelbytte {
	v.t.Helper()
	for range 3 {
		b, err := v.NyEgenNokkel(v.t.Context(), v, 3072, "kari", "årlig bytte")
		v.lesbart()
		if err == nil {
			return b
		}
	}
	v.t.Fatal("nøkkelen lot seg ikke bytte")
	return delivery.Nokkelbytte{}
}

// runde is one round of a replica with this folder; what goes wrong is tried again at the next.
func (v *bytteverden) runde(m mappe) error {
	v.t.Helper()
	err := v.FolgEgenNokkel(v.t.Context(), m, v.Publish)
	v.lesbart()
	return err
}

// mappe is a folder that a replica reads.
type mappe []*x509.Certificate

func (mappe) New(context.Context, kommune.Eier, int) (ports.Handle, error) {
	return nil, ports.ErrUnavailable
}

func (m mappe) Private(_ context.Context, c *x509.Certificate) (ports.Handle, error) {
	for _, x := range m {
		if x.Equal(c) {
			return hendig{c: c}, nil
		}
	}
	return nil, fmt.Errorf("nøkkel: %w", ports.ErrNotFound)
}

func TestWhicheverStepOfAKeyChangeFailsEveryAnswerCanBeRead(t *testing.T) {
	rent := nyBytteverden(t)
	rent.bytt()
	is.New(t).NoErr(rent.runde(rent.mappe))
	is.New(t).Equal(rent.steg, 6) // new key, case, announced, published, current, case closed
	for n := 1; n <= rent.steg; n++ {
		for _, utfor := range []bool{false, true} {
			t.Run(fmt.Sprint(n, utfor), func(t *testing.T) {
				is, v := is.New(t), nyBytteverden(t)
				gammel := v.katalogen()
				v.brudd, v.utfor = n, utfor
				ny := v.bytt().Sertifikat
				for range 3 {
					_ = v.runde(v.mappe)
				}
				is.True(v.katalogen().Equal(ny))
				na, err := v.lager.Current(t.Context(), kommune.Portalen)
				is.NoErr(err)
				is.True(na.Equal(ny))
				is.Equal(len(v.apne(t)), 0)
				saker, err := v.lager.Cases(t.Context(), false, 9)
				is.NoErr(err)
				i := slices.IndexFunc(saker, func(s levering.Sak) bool { return strings.Contains(s.Grunn, ny.SerialNumber.Text(16)) })
				is.True(strings.Contains(saker[i].Grunn, "byttes av kari til serienummer "+ny.SerialNumber.Text(16)+": årlig bytte"))
				is.Equal(saker[i].LukketAv, melding.AktorPortal)

				v.klokke.Sett(v.klokke.Now().Add(ports.Overlap - time.Second))
				is.True(v.leser(gammel)) // who sealed for it a moment before
				v.klokke.Sett(v.klokke.Now().Add(time.Hour))
				is.True(!v.leser(gammel))
				is.True(v.leser(ny))
			})
		}
	}
}

func TestTheOldKeyIsReadForAsLongAsTheCatalogueHasIt(t *testing.T) {
	is, v := is.New(t), nyBytteverden(t)
	gammel := v.katalogen()
	ny := v.bytt()
	is.True(ny.Begynt)
	avvist := func(context.Context, *x509.Certificate) error { return ports.ErrUnavailable }
	for range 10 { // the platform says no, for months
		v.klokke.Sett(v.klokke.Now().Add(10 * 24 * time.Hour))
		is.True(errors.Is(v.FolgEgenNokkel(t.Context(), v, avvist), ports.ErrUnavailable))
		is.True(v.leser(gammel) && v.leser(ny.Sertifikat))
	}
	is.Equal(strings.Join(v.apne(t), ","), "nokkelbytte") // a person is told
	igjen := v.bytt()
	is.True(!igjen.Begynt)                          // no other key
	is.True(igjen.Sertifikat.Equal(ny.Sertifikat))  // the same certificate, to be put in by hand
	v.katalog = append(v.katalog, igjen.Sertifikat) // by hand
	is.NoErr(v.runde(v.mappe))                      // and the portal sees it
	na, err := v.lager.Current(t.Context(), kommune.Portalen)
	is.NoErr(err)
	is.True(na.Equal(ny.Sertifikat))
	is.Equal(len(v.apne(t)), 0)
	is.True(v.leser(gammel)) // its overlap has only begun
}

func TestAReplicaWithAnotherFolderAsksNobodyToSealForWhatItCannotRead(t *testing.T) {
	is, v := is.New(t), nyBytteverden(t)
	annen := mappe{v.katalogen()}
	v.bytt()
	is.True(errors.Is(v.runde(annen), delivery.ErrFeilMappe)) // while it is under way
	is.Equal(len(v.katalog), 1)
	is.NoErr(v.runde(v.mappe))
	is.Equal(len(v.katalog), 2)
	is.True(errors.Is(v.runde(annen), delivery.ErrFeilMappe)) // and the old one is not put back
	is.Equal(len(v.katalog), 2)
}

func TestAKeyIsNotMadeInTheWrongFolderNorWithoutWhoAndWhy(t *testing.T) {
	is, v := is.New(t), nyBytteverden(t)
	rett := v.mappe
	v.mappe = nil
	_, err := v.NyEgenNokkel(t.Context(), v, 3072, "kari", "årlig bytte")
	is.True(errors.Is(err, delivery.ErrFeilMappe))
	is.Equal(len(v.mappe), 0)
	v.mappe = rett
	_, err = v.NyEgenNokkel(t.Context(), v, 3072, "kari", " ")
	is.True(errors.Is(err, levering.ErrOperator))
	is.Equal(len(v.mappe), len(rett))
	is.Equal(v.steg, 0)
}

func TestAKeyThatWaitsForTheCatalogueIsNoSecondAlarmWhenItExpires(t *testing.T) {
	is, v := is.New(t), nyBytteverden(t)
	v.bytt()
	is.NoErr(v.runde(v.mappe))
	v.klokke.Sett(contracts.Start.AddDate(2, 0, -1))
	is.NoErr(v.SjekkNokler(t.Context()))
	is.Equal(strings.Join(v.apne(t), ","), "nokkel-utloper kritisk")
}

// Two operators began a change each at the same time: one key was announced last, and both cases are about what is over.
func TestWhenTheChangeIsOverNoCaseAboutOneIsLeft(t *testing.T) {
	is, v := is.New(t), nyBytteverden(t)
	v.bytt()
	is.NoErr(v.lager.OpenCase(t.Context(), levering.Sak{ID: "ledger/nokkelbytte/den-andre", Art: levering.SakNokkelbytte, Apnet: t0, Frist: t0.Add(time.Hour), Grunn: "den andre"}))
	is.Equal(len(v.apne(t)), 2)
	is.NoErr(v.runde(v.mappe))
	is.Equal(len(v.apne(t)), 0)
}
