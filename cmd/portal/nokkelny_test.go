package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/keystore"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/app/delivery"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

// bytt runs the command and gives what it says, and the certificate in it.
func (d *driftet) bytt(t *testing.T, grunn string) (string, *x509.Certificate, error) {
	t.Helper()
	var ut bytes.Buffer
	err := (&nokkelnyCmd{lagervalg: d.lagervalg, mappevalg: d.mappe(), Hvem: "kari", Grunn: grunn}).bytt(t.Context(), &ut)
	p, rest := pem.Decode(ut.Bytes())
	if err != nil || p == nil {
		return ut.String(), nil, err
	}
	c, perr := x509.ParseCertificate(p.Bytes)
	if perr != nil || p.Type != "CERTIFICATE" || len(rest) > 0 {
		t.Fatalf("ikke ett sertifikat: %v", perr)
	}
	return ut.String(), c, nil
}

// nokkelfiler counts the keys in the folder.
func (d *driftet) nokkelfiler(t *testing.T) int {
	t.Helper()
	poster, err := os.ReadDir(d.nokler)
	if err != nil {
		t.Fatal(err)
	}
	return len(poster)
}

func TestAnOperatorChangesThePortalsOwnKey(t *testing.T) {
	is, d := is.New(t), nyDrift(t)
	d.lagNokler(t)
	gammelt, err := x509.ParseCertificate(d.sert)
	is.NoErr(err)
	_, _, err = d.bytt(t, "")
	is.True(errors.Is(err, levering.ErrOperator))
	is.Equal(d.nokkelfiler(t), 1)

	ut, ny, err := d.bytt(t, "årlig bytte")
	is.NoErr(err)
	is.True(strings.Contains(ut, "Serienummer "+serie(ny)+", gyldig til "+lokal(ny.NotAfter)))
	is.Equal(d.nokkelfiler(t), 2) // the old one is kept
	liste := d.liste(t)
	is.True(strings.Contains(liste, "portalen – "+serie(gammelt)+" "+lokal(gammelt.NotAfter)+" gjeldende\n"))
	is.True(strings.Contains(liste, "portalen – "+serie(ny)+" "+lokal(ny.NotAfter)+" venter på katalogen\n"))

	ut, igjen, err := d.bytt(t, "kom ikke fram?")
	is.NoErr(err)
	is.True(igjen.Equal(ny)) // the same certificate, for whoever puts it in by hand
	is.True(strings.Contains(ut, "alt i gang"))
	is.Equal(d.nokkelfiler(t), 2)
	_, err = d.trekk(t, serie(ny), "tyveri")
	is.True(errors.Is(err, delivery.ErrEgenNokkel))

	// What a running portal does when the catalogue takes it.
	k, err := keystore.Open(keystore.Config{Mappe: d.nokler, Gyldighet: 1, Klokke: sysclock.Clock{}}, d.hemmelighet)
	is.NoErr(err)
	is.NoErr(nokkeldrift(d.lager).FolgEgenNokkel(t.Context(), k, func(context.Context, *x509.Certificate) error { return nil }))
	liste = d.liste(t)
	is.True(strings.Contains(liste, "portalen – "+serie(ny)+" "+lokal(ny.NotAfter)+" gjeldende\n"))
	is.True(strings.Contains(liste, "portalen – "+serie(gammelt)+" "+lokal(gammelt.NotAfter)+" erstattet, godtas ennå\n"))
	is.Equal(strings.Count(liste, "portalen"), 2)
	saker, err := d.lager.Cases(t.Context(), false, 9)
	is.NoErr(err)
	is.Equal(len(saker), 1)
	is.True(!saker[0].Apen())
	is.True(strings.Contains(saker[0].Grunn, "av kari til serienummer "+serie(ny)+": årlig bytte; katalogen har den nye nøkkelen"))
}

func TestTheFirstKeyCanBeMadeBeforeTheAccountIs(t *testing.T) {
	is, d := is.New(t), nyDrift(t) // KS asks for the key when the account is made
	is.NoErr(os.Mkdir(d.nokler, 0o700))
	ut, c, err := d.bytt(t, "ny portal")
	is.NoErr(err)
	is.True(strings.Contains(ut, "første nøkkel"))
	na, err := d.lager.Current(t.Context(), kommune.Portalen)
	is.NoErr(err)
	is.True(na.Equal(c)) // what the portal starts with
}

func TestAKeyIsNotMadeWhereThePortalDoesNotLook(t *testing.T) {
	is, d := is.New(t), nyDrift(t)
	d.lagNokler(t)
	rett := d.nokler
	d.nokler = t.TempDir()
	is.NoErr(os.Chmod(d.nokler, 0o700))
	_, _, err := d.bytt(t, "årlig bytte")
	is.True(errors.Is(err, delivery.ErrFeilMappe))
	is.Equal(d.nokkelfiler(t), 0)
	d.nokler, d.hemmelighet = rett, bytes.Repeat([]byte{1}, 32)
	_, _, err = d.bytt(t, "årlig bytte")
	is.True(errors.Is(err, keystore.ErrHemmelighet))
	_, err = d.lager.Current(t.Context(), kommune.PortalenNeste)
	is.True(errors.Is(err, ports.ErrNotFound))
}
