package delivery_test

import (
	"context"
	"crypto/x509"
	"slices"
	"strings"
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

func TestSendersSealForTheKeyTheCatalogueHasNow(t *testing.T) {
	is, r := is.New(t), nyRigg()
	adr := kommune.Postadresse{Navn: "Kontoret", Linje1: "Veien 1", Postnummer: "0000", Poststed: "Byen"}
	mottaker := func(nr kommune.Bydelsnummer, id string, k kommune.Kanal) kommune.Mottakerkonto {
		return kommune.Mottakerkonto{Bydel: kommune.Bydel{RessursID: kommune.RessursID("r-" + id), Kommunenummer: "4601", Bydelsnummer: nr, Versjon: 2,
			Aktiv: true, StandardMottaker: nr == "01"}, Kanal: k, KontoID: kommune.KontoID("k-" + id), KontoAktiv: true, Adresse: adr}
	}
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
