package delivery_test

import (
	"context"
	"crypto/x509"
	"errors"
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
	"portal.example/bekymringsmelding/ports"
)

// medMottaker gives the rig a receiver on Fiks IO, and its first key.
func (r rigg) medMottaker(t *testing.T) (kommune.Mottakerkonto, *x509.Certificate) {
	t.Helper()
	o, c := contracts.OppsettFor("0301", "01"), contracts.NyttSertifikat(t)
	if err := r.lager.Apply(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if err := r.lager.Announce(t.Context(), kommune.MottakerEier(o.Mottakere[0].Bydel.RessursID), c, t0); err != nil {
		t.Fatal(err)
	}
	return o.Mottakere[0], c
}

func (r rigg) trekk(t *testing.T, navn string) error {
	t.Helper()
	rader, err := r.Nokler(t.Context())
	if err != nil {
		return err
	}
	valgt, err := delivery.FinnNokkel(rader, navn)
	if err != nil {
		return err
	}
	return r.TrekkNokkel(t.Context(), valgt, "kari", "tyveri")
}

func TestTheCatalogueCannotBringARevokedKeyBackAndAnotherKeyIsAskedAbout(t *testing.T) {
	is, r := is.New(t), nyRigg()
	m, stjalet := r.medMottaker(t)
	eier := kommune.MottakerEier(m.Bydel.RessursID)
	is.NoErr(r.trekk(t, stjalet.SerialNumber.Text(16)))

	r.Catalogue = katalogen{m.KontoID: stjalet} // the receiver has not changed it yet
	is.NoErr(r.FolgKatalogen(t.Context()))
	_, err := r.lager.Current(t.Context(), eier)
	is.True(errors.Is(err, ports.ErrNotFound))
	is.Equal(sortert(r.apne(t)), "katalogen-mangler-nokkel,nokkel-trukket kritisk")

	ny := contracts.NyttSertifikat(t)
	r.Catalogue = katalogen{m.KontoID: ny} // by the receiver, or by whoever stole the first
	is.NoErr(r.FolgKatalogen(t.Context()))
	na, err := r.lager.Current(t.Context(), eier)
	is.NoErr(err)
	is.True(na.Equal(ny))
	is.Equal(sortert(r.apne(t)), "katalogen-mangler-nokkel,mottaker-byttet-nokkel,nokkel-trukket kritisk")
	saker, err := r.lager.Cases(t.Context(), true, 9)
	is.NoErr(err)
	i := slices.IndexFunc(saker, func(s levering.Sak) bool { return s.Art == levering.SakNyNokkel })
	is.True(strings.Contains(saker[i].Grunn, "fra serienummer "+stjalet.SerialNumber.Text(16)+" til "+ny.SerialNumber.Text(16)))
}

func TestAFirstKeyFromTheCatalogueIsNoChange(t *testing.T) {
	is, r := is.New(t), nyRigg()
	o := contracts.OppsettFor("0301", "01")
	is.NoErr(r.lager.Apply(t.Context(), o))
	r.Catalogue = katalogen{o.Mottakere[0].KontoID: contracts.NyttSertifikat(t)}
	is.NoErr(r.FolgKatalogen(t.Context()))
	is.Equal(len(r.apne(t)), 0)
}

func sortert(s []string) string { return strings.Join(slices.Sorted(slices.Values(s)), ",") }

// Whichever write fails, before or after its effect, a key is never revoked without a trace, the list tells the truth, and the operator's
// second try does the rest.
func TestARevocationThatFailsHalfwayIsSeenAndDoneAgain(t *testing.T) {
	for n := 1; n <= 3; n++ {
		for _, utfor := range []bool{false, true} {
			is, r := is.New(t), nyRigg()
			_, c := r.medMottaker(t)
			f := feil.Ny(feil.Nte(n, utfor, ports.ErrUnavailable))
			r.Ledger, r.Certs = f.Ledger(r.lager), f.Certificates(r.lager)
			is.True(errors.Is(r.trekk(t, c.SerialNumber.Text(16)), ports.ErrUnavailable))
			status := func() (ut []delivery.Nokkelstatus) {
				rader, err := r.Nokler(t.Context())
				is.NoErr(err)
				for _, x := range rader {
					if x.Serie == c.SerialNumber.Text(16) {
						ut = append(ut, x.Status)
					}
				}
				return ut
			}
			if trukket := n == 3 && utfor; trukket {
				is.Equal(status(), []delivery.Nokkelstatus{delivery.NokkelTrukket})
				is.True(errors.Is(r.trekk(t, c.SerialNumber.Text(16)), delivery.ErrIngenNokkel))
			} else {
				is.Equal(status(), []delivery.Nokkelstatus{delivery.NokkelGjeldende})
				is.NoErr(r.trekk(t, c.SerialNumber.Text(16)))
			}
			is.Equal(status(), []delivery.Nokkelstatus{delivery.NokkelTrukket})
			is.Equal(sortert(r.apne(t)), "nokkel-trukket kritisk")
			is.Equal(len(f.Kall()) >= 3, true)
		}
	}
}

// midtI is a ledger in which something else happens just before a mark is written.
type midtI struct {
	ports.Ledger
	skjer func()
}

func (m *midtI) SetMark(ctx context.Context, navn, verdi string) error {
	if f := m.skjer; f != nil {
		m.skjer = nil
		f()
	}
	return m.Ledger.SetMark(ctx, navn, verdi)
}

func TestTwoRevocationsAtOnceAreBothKept(t *testing.T) {
	is, r := is.New(t), nyRigg()
	m, en := r.medMottaker(t)
	to := contracts.NyttSertifikat(t)
	is.NoErr(r.lager.Announce(t.Context(), kommune.MottakerEier(m.Bydel.RessursID), to, t0.Add(time.Hour)))
	r.Ledger = &midtI{Ledger: r.lager, skjer: func() { is.NoErr(r.trekk(t, to.SerialNumber.Text(16))) }}
	is.NoErr(r.trekk(t, en.SerialNumber.Text(16)))
	rader, err := r.Nokler(t.Context())
	is.NoErr(err)
	var trukket []string
	for _, x := range rader {
		if x.Status == delivery.NokkelTrukket {
			trukket = append(trukket, x.Serie)
		}
	}
	is.Equal(sortert(trukket), sortert([]string{en.SerialNumber.Text(16), to.SerialNumber.Text(16)}))
}

// A mark of the owner's name alone has one a line, and another owner's is not read for it.
func TestRevocationsThatStandALineEachAreListedToo(t *testing.T) {
	is, r := is.New(t), nyRigg()
	m, c := r.medMottaker(t)
	eier := kommune.MottakerEier(m.Bydel.RessursID)
	merke := string(levering.SakNokkelTrukket) + "/" + eier.String()
	is.NoErr(r.lager.SetMark(t.Context(), merke, "aa 1f 2026-01-02T00:00:00Z\nbb 2f 2026-01-03T00:00:00Z\nuleselig\n"))
	is.NoErr(r.lager.SetMark(t.Context(), merke+"0/cc", "cc 3f 2026-01-04T00:00:00Z"))
	is.NoErr(r.trekk(t, c.SerialNumber.Text(16)))
	rader, err := r.Nokler(t.Context())
	is.NoErr(err)
	var serier []string
	for _, x := range rader {
		if x.Status == delivery.NokkelTrukket {
			serier = append(serier, x.Serie)
		}
	}
	is.Equal(sortert(serier), sortert([]string{"1f", "2f", c.SerialNumber.Text(16)}))
}

// Whoever issues a certificate chooses its serial number: a copy of the number must not protect a key, nor have it revoked.
func TestTwoKeysWithOneSerialNumberAreToldApart(t *testing.T) {
	is, r := is.New(t), nyRigg()
	m, c := r.medMottaker(t)
	eier := kommune.MottakerEier(m.Bydel.RessursID)
	lik := contracts.NyttSertifikat(t)
	lik.SerialNumber = c.SerialNumber
	is.NoErr(r.lager.Announce(t.Context(), eier, lik, t0.Add(time.Hour)))
	err := r.trekk(t, c.SerialNumber.Text(16))
	is.True(errors.Is(err, delivery.ErrFlereNokler))
	_, rest, ok := strings.Cut(err.Error(), "avtrykk ") // the newest first
	is.True(ok)
	is.NoErr(r.trekk(t, rest[:16]))
	godtatt, err := r.lager.Accepted(t.Context(), eier, t0.Add(time.Hour))
	is.NoErr(err)
	is.Equal(len(godtatt), 1)
	is.True(godtatt[0].Equal(c))
}

// The portal's certificate and the printer's are public: who can write to the catalogue can put one in for a receiver.
func TestAReceiverIsNeverGivenSomebodyElsesKey(t *testing.T) {
	for _, e := range []kommune.Eier{kommune.Portalen, kommune.PortalenNeste, kommune.Printleverandor} {
		is, r := is.New(t), nyRigg()
		m, gammel := r.medMottaker(t)
		vart := contracts.NyttSertifikat(t)
		is.NoErr(r.lager.Announce(t.Context(), e, vart, t0))
		r.Catalogue = katalogen{m.KontoID: vart}
		is.NoErr(r.FolgKatalogen(t.Context()))
		na, err := r.lager.Current(t.Context(), kommune.MottakerEier(m.Bydel.RessursID))
		is.NoErr(err)
		is.True(na.Equal(gammel)) // senders go on with the one they had
		is.Equal(sortert(r.apne(t)), "katalogen-mangler-nokkel")
	}
}

func TestTheRefusalToRevokeThePortalsOwnKeyLeavesNoTrace(t *testing.T) {
	is, r := is.New(t), nyRigg()
	m, _ := r.medMottaker(t)
	vart := contracts.NyttSertifikat(t)
	is.NoErr(r.lager.Announce(t.Context(), kommune.Portalen, vart, t0))
	is.NoErr(r.lager.Announce(t.Context(), kommune.MottakerEier(m.Bydel.RessursID), vart, t0))
	is.True(errors.Is(r.trekk(t, vart.SerialNumber.Text(16)), delivery.ErrEgenNokkel))
	is.Equal(len(r.apne(t)), 0)
}
