package delivery_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

// katalogen holds what each account has registered, or why it cannot be told.
type katalogen map[kommune.KontoID]any

func (k katalogen) Certificate(_ context.Context, id kommune.KontoID) (*x509.Certificate, error) {
	switch v := k[id].(type) {
	case *x509.Certificate:
		return v, nil
	case error:
		return nil, v
	}
	return nil, ports.ErrNotFound
}

func mottaker(nr kommune.Bydelsnummer, id string, k kommune.Kanal) kommune.Mottakerkonto {
	return kommune.Mottakerkonto{Bydel: kommune.Bydel{RessursID: kommune.RessursID("r-" + id), Kommunenummer: "4601", Bydelsnummer: nr, Versjon: 2,
		Aktiv: true, StandardMottaker: nr == "01"}, Kanal: k, KontoID: kommune.KontoID("k-" + id), KontoAktiv: true,
		Adresse: kommune.Postadresse{Navn: "Kontoret", Linje1: "Veien 1", Postnummer: "0000", Poststed: "Byen"}}
}

func TestSendersSealForTheKeyTheCatalogueHasNow(t *testing.T) {
	is, r := is.New(t), nyRigg()
	is.NoErr(r.lager.Apply(t.Context(), ports.Oppsett{Kommuner: []kommune.Kommune{{Nummer: "4601"}}, Mottakere: []kommune.Mottakerkonto{
		mottaker("01", "a", kommune.FiksIO), mottaker("02", "b", kommune.FiksIO), mottaker("03", "c", kommune.SvarInn), mottaker("04", "d", kommune.FiksIO)}}))
	gammel, ny, nokkelC := contracts.NyttSertifikat(t), contracts.NyttSertifikat(t), contracts.NyttSertifikat(t)
	eier := kommune.MottakerEier
	is.NoErr(r.lager.Announce(t.Context(), eier("r-a"), gammel, t0))
	is.NoErr(r.lager.Announce(t.Context(), eier("r-b"), gammel, t0))
	is.NoErr(r.lager.Announce(t.Context(), eier("r-c"), nokkelC, t0))
	r.Catalogue = katalogen{"k-a": ny, "k-c": ny, "k-d": ports.ErrUnavailable}
	err := r.FolgKatalogen(t.Context())
	is.True(err != nil) // r-d could not be asked about, and is looked at again
	is.True(strings.Contains(err.Error(), "r-d"))

	na, err := r.lager.Current(t.Context(), eier("r-a"))
	is.NoErr(err)
	is.True(na.Equal(ny))
	godtatt, err := r.lager.Accepted(t.Context(), eier("r-a"), r.klokke.Now())
	is.NoErr(err)
	is.Equal(len(godtatt), 2) // who fetched the key a moment ago is not refused
	na, err = r.lager.Current(t.Context(), eier("r-b"))
	is.NoErr(err)
	is.True(na.Equal(gammel)) // an account without a key keeps the one it had, and a person is told
	na, err = r.lager.Current(t.Context(), eier("r-c"))
	is.NoErr(err)
	is.True(na.Equal(nokkelC)) // not a Fiks IO account: the catalogue has no say
	saker := r.apne(t)
	slices.Sort(saker)
	is.Equal(saker, []string{"katalogen-mangler-nokkel", "mottaker-byttet-nokkel"}) // of r-b and r-a: a person can ask them

	r.klokke.Sett(ny.NotAfter.Add(time.Hour))
	r.Catalogue = katalogen{"k-a": gammel, "k-b": gammel, "k-d": gammel}
	_ = r.FolgKatalogen(t.Context())
	na, err = r.lager.Current(t.Context(), eier("r-a"))
	is.NoErr(err)
	is.True(na.Equal(ny)) // an expired certificate never takes another's place
}

// Whoever can write to the catalogue puts a key of their own in it, waits until somebody has asked and closed the case, and does it again.
func TestAKeyThatComesBackIsToldAgain(t *testing.T) {
	is, r := is.New(t), nyRigg()
	is.NoErr(r.lager.Apply(t.Context(), ports.Oppsett{Kommuner: []kommune.Kommune{{Nummer: "4601"}}, Mottakere: []kommune.Mottakerkonto{mottaker("01", "a", kommune.FiksIO)}}))
	deres, fremmed := contracts.NyttSertifikat(t), contracts.NyttSertifikat(t)
	runde := func(c *x509.Certificate) {
		t.Helper()
		r.Catalogue = katalogen{"k-a": c}
		is.NoErr(r.FolgKatalogen(t.Context()))
	}
	lukk := func(ventet int) {
		t.Helper()
		saker, err := r.lager.Cases(t.Context(), true, 10)
		is.NoErr(err)
		is.Equal(len(saker), ventet)
		for _, s := range saker {
			is.NoErr(r.lager.CloseCase(t.Context(), s.ID, "operator:kari", "spurt", r.klokke.Now()))
		}
	}
	runde(deres) // the first key is no swap
	lukk(0)
	for range 2 {
		runde(fremmed)
		runde(fremmed)
		lukk(1)
		runde(deres)
		lukk(1)
	}
}

// treg is a catalogue where one account does not answer until the others have been asked about.
type treg struct {
	konto   kommune.KontoID
	c       *x509.Certificate
	andre   atomic.Int64 // how many others there are still to ask about
	spurt   chan struct{}
	avbrutt bool
	frist   time.Duration
}

func (k *treg) Certificate(ctx context.Context, id kommune.KontoID) (*x509.Certificate, error) {
	if id != k.konto {
		if k.andre.Add(-1) == 0 {
			close(k.spurt)
		}
		return k.c, nil
	}
	if til, ok := ctx.Deadline(); ok {
		k.frist = time.Until(til)
	}
	select {
	case <-k.spurt:
		return k.c, nil
	case <-ctx.Done():
		k.avbrutt = true
		return nil, ctx.Err()
	}
}

func TestASlowAccountHoldsNoOtherBack(t *testing.T) {
	is, r := is.New(t), nyRigg()
	var alle []kommune.Mottakerkonto
	for i := range 9 {
		alle = append(alle, mottaker(kommune.Bydelsnummer(fmt.Sprintf("%02d", i+1)), string(rune('a'+i)), kommune.FiksIO))
	}
	is.NoErr(r.lager.Apply(t.Context(), ports.Oppsett{Kommuner: []kommune.Kommune{{Nummer: "4601"}}, Mottakere: alle}))
	k := &treg{konto: "k-a", c: contracts.NyttSertifikat(t), spurt: make(chan struct{})}
	k.andre.Store(8)
	r.Catalogue = k
	is.NoErr(r.FolgKatalogen(t.Context()))
	is.True(!k.avbrutt)                                                 // the others were asked about meanwhile
	is.True(k.frist > 0 && k.frist < time.Minute)                       // and one that never answers costs a round no more than that
	c, err := r.lager.Current(t.Context(), kommune.MottakerEier("r-i")) // the last one
	is.NoErr(err)
	is.True(c.Equal(k.c))
}

func TestACatalogueThatCannotBeAskedIsACaseUntilEverybodyHasBeenLookedAt(t *testing.T) {
	is, r := is.New(t), nyRigg()
	is.NoErr(r.lager.Apply(t.Context(), ports.Oppsett{Kommuner: []kommune.Kommune{{Nummer: "4601"}}, Mottakere: []kommune.Mottakerkonto{
		mottaker("01", "a", kommune.FiksIO), mottaker("02", "b", kommune.FiksIO)}}))
	c := contracts.NyttSertifikat(t)
	runde := func(k katalogen, venter error, saker ...string) {
		t.Helper()
		r.Catalogue = k
		is.True(errors.Is(r.FolgKatalogen(t.Context()), venter))
		is.Equal(r.apne(t), saker)
	}
	oppe, nede := katalogen{"k-a": c, "k-b": c}, katalogen{"k-a": c, "k-b": ports.ErrUnavailable}
	runde(nede, ports.ErrUnavailable) // a portal that never had a round: the clock starts here
	r.klokke.Sett(t0.Add(59 * time.Minute))
	runde(nede, ports.ErrUnavailable)
	runde(oppe, nil)
	r.klokke.Sett(t0.Add(118 * time.Minute))
	runde(nede, ports.ErrUnavailable)
	r.klokke.Sett(t0.Add(119 * time.Minute))
	for range 3 {
		runde(nede, ports.ErrUnavailable, "katalogen-svarer-ikke") // one, however often it is tried
	}
	saker, err := r.lager.Cases(t.Context(), true, 1)
	is.NoErr(err)
	is.True(strings.Contains(saker[0].Grunn, "r-b")) // whom it is about
	is.True(!strings.Contains(saker[0].Grunn, "r-a"))
	runde(oppe, nil) // as well by another process: nothing of this is remembered in one
}
