package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/app/delivery"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// mottaker sets up 4601 with these bydeler and gives their owners. All of them take reports on accounts of their own.
func (d *driftet) mottaker(t *testing.T, bydeler ...kommune.Bydelsnummer) (ut []kommune.Eier) {
	t.Helper()
	o := ports.Oppsett{Kommuner: []kommune.Kommune{{Nummer: "4601", Navn: kommune.Navn{"nb": "Fjordby"}}}}
	for i, b := range bydeler {
		r := kommune.RessursID(contracts.UUID())
		o.Mottakere = append(o.Mottakere, kommune.Mottakerkonto{Kommunenavn: kommune.Navn{"nb": "Fjordby"}, Kanal: kommune.FiksIO, KontoAktiv: true,
			KontoID: kommune.KontoID("konto-" + string(b)), Adresse: kommune.Postadresse{Navn: "Kontoret", Linje1: "Veien 1", Postnummer: "0000", Poststed: "Fjordby"},
			Bydel: kommune.Bydel{RessursID: r, Kommunenummer: "4601", Bydelsnummer: b, Navn: kommune.Navn{"nb": "Bydel " + string(b)}, Versjon: 2, Aktiv: true, StandardMottaker: i == 0}})
		ut = append(ut, kommune.MottakerEier(r))
	}
	if err := d.lager.Apply(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return ut
}

// nokkel announces a new certificate for the owners.
func (d *driftet) nokkel(t *testing.T, eiere ...kommune.Eier) *x509.Certificate {
	t.Helper()
	c := contracts.NyttSertifikat(t)
	for _, e := range eiere {
		if err := d.lager.Announce(t.Context(), e, c, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// liste is what the operator sees, with single spaces.
func (d *driftet) liste(t *testing.T) string {
	t.Helper()
	var ut bytes.Buffer
	if err := (&nokkellisteCmd{d.lagervalg}).vis(t.Context(), &ut); err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(` +`).ReplaceAllString(ut.String(), " ")
}

func (d *driftet) trekk(t *testing.T, nokkel, grunn string) (string, error) {
	t.Helper()
	var ut bytes.Buffer
	err := (&nokkeltrekkCmd{lagervalg: d.lagervalg, Nokkel: nokkel, Hvem: "kari", Grunn: grunn}).trekk(t.Context(), &ut)
	return ut.String(), err
}

func serie(c *x509.Certificate) string { return c.SerialNumber.Text(16) }

func TestAnOperatorFindsEveryKeyThatIsInForce(t *testing.T) {
	is, d := is.New(t), nyDrift(t)
	m := d.mottaker(t, "01", "02")
	gammel, ny := d.nokkel(t, m[0]), d.nokkel(t, m[0])
	trykk, portal := d.nokkel(t, kommune.Printleverandor), d.nokkel(t, kommune.Portalen)
	ut := d.liste(t)
	for _, vil := range []string{
		"4601/01 Fjordby, Bydel 01 konto-01 " + serie(ny) + " " + lokal(ny.NotAfter) + " gjeldende\n",
		"4601/01 Fjordby, Bydel 01 konto-01 " + serie(gammel) + " " + lokal(gammel.NotAfter) + " erstattet, godtas ennå\n",
		"4601/02 Fjordby, Bydel 02 konto-02 – – ingen nøkkel\n",
		"trykkeriet – " + serie(trykk) + " " + lokal(trykk.NotAfter) + " gjeldende\n",
		"portalen – " + serie(portal) + " " + lokal(portal.NotAfter) + " gjeldende\n",
	} {
		is.True(strings.Contains(ut, vil))
	}
	_, err := d.trekk(t, serie(gammel), "tyveri")
	is.NoErr(err)
	is.True(regexp.MustCompile("konto-01 " + serie(gammel) + ` – trukket \d{4}-`).MatchString(d.liste(t)))
}

func TestAKeyGoneAstrayIsRevokedByWhateverNameTheOperatorHas(t *testing.T) {
	for navn, hva := range map[string]func(c *x509.Certificate) string{
		"serienummeret i listen":   serie,
		"serienummeret fra API-et": func(c *x509.Certificate) string { return c.SerialNumber.String() },
		"serienummeret fra openssl": func(c *x509.Certificate) string {
			return "00:" + strings.ToUpper(regexp.MustCompile(`..`).ReplaceAllString(serie(c), "$0:"))
		},
		"kontoen": func(*x509.Certificate) string { return "KONTO-01" },
	} {
		t.Run(navn, func(t *testing.T) {
			is, d := is.New(t), nyDrift(t)
			m := d.mottaker(t, "01", "02")
			c, annen := d.nokkel(t, m[0]), d.nokkel(t, m[1])
			ut, err := d.trekk(t, strings.TrimSuffix(hva(c), ":"), "bærbar maskin stjålet")
			is.NoErr(err)
			is.True(strings.Contains(ut, serie(c)))
			is.True(strings.Contains(ut, "Ingen kan sende inn meldinger hit før mottakeren har en ny i katalogen"))
			_, err = d.lager.Current(t.Context(), m[0])
			is.True(errors.Is(err, ports.ErrNotFound))
			godtatt, err := d.lager.Accepted(t.Context(), m[0], time.Now())
			is.NoErr(err)
			is.Equal(len(godtatt), 0)
			na, err := d.lager.Current(t.Context(), m[1]) // nobody else's
			is.NoErr(err)
			is.True(na.Equal(annen))
		})
	}
}

func TestWhoRevokedAKeyAndWhyStaysAlsoWhenTheCaseIsClosed(t *testing.T) {
	is, d := is.New(t), nyDrift(t)
	m := d.mottaker(t, "01", "02")
	c := d.nokkel(t, m...) // one key on both accounts, as some case systems have
	_, err := d.trekk(t, "konto-01", " \t")
	is.True(errors.Is(err, levering.ErrOperator))
	is.True(strings.Contains(err.Error(), "--grunn"))
	_, err = d.trekk(t, "konto-01", "bærbar maskin stjålet")
	is.NoErr(err)
	_, err = d.lager.Current(t.Context(), m[1]) // it is revoked for everybody who has it
	is.True(errors.Is(err, ports.ErrNotFound))

	saker, err := d.lager.Cases(t.Context(), true, 9)
	is.NoErr(err)
	is.Equal(len(saker), 2) // somebody asks each of them
	for _, s := range saker {
		is.Equal(s.Art, levering.SakNokkelTrukket)
		is.True(s.Kritisk) // senders get no key
		is.True(strings.HasSuffix(s.Grunn, "med serienummer "+serie(c)+" er trukket tilbake av kari: bærbar maskin stjålet"))
		is.NoErr(d.avgjor(t, avgjorCmd{Valg: "lukk", ID: string(s.ID), Hvem: "ola", Grunn: "mottakeren har ny nøkkel"}))
	}
	saker, err = d.lager.Cases(t.Context(), false, 9)
	is.NoErr(err)
	is.True(!saker[0].Apen())
	is.Equal(saker[0].LukketAv, melding.AktorOperator("ola"))
	is.True(strings.HasSuffix(saker[0].Grunn, "av kari: bærbar maskin stjålet; mottakeren har ny nøkkel"))
}

func TestAKeyThatCannotBeToldFromAnotherIsNotRevoked(t *testing.T) {
	is, d := is.New(t), nyDrift(t)
	m := d.mottaker(t, "01")
	gammel, ny := d.nokkel(t, m[0]), d.nokkel(t, m[0])
	_, err := d.trekk(t, "konto-01", "tyveri")
	is.True(errors.Is(err, delivery.ErrFlereNokler))
	is.True(strings.Contains(err.Error(), serie(gammel)) && strings.Contains(err.Error(), serie(ny))) // so that she can choose
	_, err = d.trekk(t, "123456", "tyveri")
	is.True(errors.Is(err, delivery.ErrIngenNokkel))
	egen := d.nokkel(t, kommune.Portalen)
	_, err = d.trekk(t, serie(egen), "tyveri")
	is.True(errors.Is(err, delivery.ErrEgenNokkel))
	is.Equal(strings.Count(d.liste(t), "trukket"), 0)
	saker, err := d.lager.Cases(t.Context(), false, 9)
	is.NoErr(err)
	is.Equal(len(saker), 0)

	// The old one while a new one is in place: nobody has to wait.
	ut, err := d.trekk(t, serie(gammel), "tyveri")
	is.NoErr(err)
	is.True(strings.Contains(ut, "avsendere får nøkkelen med serienummer "+serie(ny)))
	_, err = d.trekk(t, serie(gammel), "tyveri")
	is.True(errors.Is(err, delivery.ErrIngenNokkel)) // once
	is.True(d.lager.Announce(t.Context(), m[0], gammel, time.Now()) != nil)
}

func TestAKeyReplacedLongAgoCanBeRevokedBeforeItComesBack(t *testing.T) {
	is, d := is.New(t), nyDrift(t)
	m := d.mottaker(t, "01")
	gammel, ny, lenge := contracts.NyttSertifikat(t), contracts.NyttSertifikat(t), time.Now().Add(-2*ports.Overlap)
	is.NoErr(d.lager.Announce(t.Context(), m[0], gammel, lenge))
	is.NoErr(d.lager.Announce(t.Context(), m[0], ny, lenge.Add(time.Hour)))
	is.True(!strings.Contains(d.liste(t), serie(gammel))) // not in force
	_, err := d.trekk(t, serie(gammel), "funnet på en gammel disk")
	is.NoErr(err)
	is.True(errors.Is(d.lager.Announce(t.Context(), m[0], gammel, time.Now()), ports.ErrRefused))
}
