package onboarding_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/app/onboarding"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

func tilPEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// A set-up file that still names a revoked key is applied as often as before, until somebody takes the key out of it.
func TestARevokedKeyInTheSetUpKeepsNothingElseFromBeingUsed(t *testing.T) {
	for range 8 { // certificates are announced in any order
		is, klokke := is.New(t), memory.NyKlokke(contracts.Start)
		lager := memory.NyttLager(klokke)
		s := &onboarding.Service{Registry: lager, Access: lager, Certs: lager, Clock: klokke, Hemmelighet: make([]byte, 32)}
		stjalet, ny, trykk := contracts.NyttSertifikat(t), contracts.NyttSertifikat(t), contracts.NyttSertifikat(t)
		bydel := func(nr, id string, standard bool, c *x509.Certificate) onboarding.BydelFil {
			return onboarding.BydelFil{Bydelsnummer: nr, RessursID: id, StandardMottaker: standard, StottetVersjon: "V2", Aktiv: true, Kanal: kommune.FiksIO,
				KontoID: "k-" + id, Sertifikat: tilPEM(c), Adresse: kommune.Postadresse{Navn: "Kontoret", Linje1: "Veien 1", Postnummer: "0000", Poststed: "Byen"}}
		}
		f := onboarding.Fil{Kommuner: []onboarding.KommuneFil{{Kommunenummer: "4601", Navn: kommune.Navn{"nb": "Byen"}, Fylkenummer: "46", FiksOrgID: "org", Orgnr: "987654321",
			Bydeler: []onboarding.BydelFil{bydel("01", "a", true, stjalet), bydel("02", "b", false, ny)}}},
			Integrasjoner: []onboarding.IntegrasjonFil{{ID: "i-1", Orgnr: "987654321"}}}
		f.Print = &struct {
			Sertifikat string `json:"sertifikat"`
		}{tilPEM(trykk)}
		is.NoErr(lager.Announce(t.Context(), kommune.MottakerEier("a"), stjalet, contracts.Start))
		is.NoErr(lager.Revoke(t.Context(), stjalet, contracts.Start, "på avveie"))

		passord, err := s.Bruk(t.Context(), f)
		is.True(errors.Is(err, ports.ErrRefused)) // it is said
		is.True(passord["i-1"] != "")             // and shown, for it is stored only as HMAC
		_, err = lager.Current(t.Context(), kommune.MottakerEier("a"))
		is.True(errors.Is(err, ports.ErrNotFound))
		for e, c := range map[kommune.Eier]*x509.Certificate{kommune.MottakerEier("b"): ny, kommune.Printleverandor: trykk} {
			na, err := lager.Current(t.Context(), e)
			is.NoErr(err)
			is.True(na.Equal(c))
		}
	}
}
