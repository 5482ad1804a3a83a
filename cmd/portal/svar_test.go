package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/adapters/keystore"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// driftet is a portal's database and key folder as an operator finds them.
type driftet struct {
	lagervalg
	lager       compose.Lager
	nokler      string
	hemmelighet []byte
	sert        []byte // of the portal's own account
}

func nyDrift(t *testing.T) *driftet {
	t.Helper()
	mappe := t.TempDir()
	d := &driftet{lagervalg: lagervalg{Lager: "sqlite:" + filepath.Join(mappe, "portal.db"), Dev: true},
		nokler: filepath.Join(mappe, "nokler"), hemmelighet: make([]byte, 32)}
	var err error
	if d.lager, err = compose.ApneLager(t.Context(), d.config(), false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.lager.Close() })
	return d
}

func (d *driftet) lagNokler(t *testing.T) {
	t.Helper()
	is := is.New(t)
	is.NoErr(os.Mkdir(d.nokler, 0o700))
	k, err := keystore.Open(keystore.Config{Mappe: d.nokler, Gyldighet: time.Hour, Klokke: sysclock.Clock{}}, d.hemmelighet)
	is.NoErr(err)
	h, err := k.New(t.Context(), kommune.Portalen, 2048)
	is.NoErr(err)
	is.NoErr(d.lager.Announce(t.Context(), kommune.Portalen, h.Sertifikat(), time.Now()))
	d.sert = h.Sertifikat().Raw
}

// melding is a report that its receiver answered with these bodies, one after the other.
func (d *driftet) melding(t *testing.T, svar ...[]byte) melding.ID {
	t.Helper()
	n := contracts.NyMelding(t)
	id, err := d.lager.Create(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range svar {
		s := melding.Svar{ID: contracts.UUID(), Meldingstype: protokoll.Feilet, AvsenderKonto: n.Fakta.KontoID, Mottatt: contracts.Start,
			Innhold: melding.ForsegletBytes(melding.X509, b), Lesbarhet: melding.ArsakSvarUleselig}
		if _, err := d.lager.Update(t.Context(), id, func(u ports.Utgave) (ports.Endring, error) {
			return levering.BehandleSvar(u, levering.SvarOppdrag(s), contracts.Policy, contracts.Start)
		}); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

func (d *driftet) mappe() mappevalg {
	return mappevalg{Nokler: d.nokler, NokkelHemmelighet: base64.StdEncoding.EncodeToString(d.hemmelighet)}
}

func (d *driftet) svarCmd(id melding.ID) *svarCmd {
	return &svarCmd{lagervalg: d.lagervalg, mappevalg: d.mappe(), ID: string(id)}
}

func TestAnOperatorReadsWhyACaseSystemRejected(t *testing.T) {
	is, d := is.New(t), nyDrift(t)
	d.lagNokler(t)
	// What KS's Java client packed, sealed for this portal; then what Trondheim's client sends.
	pakke, err := os.ReadFile("../../adapters/cms/testdata/feilet-data.zip")
	is.NoErr(err)
	f, err := cms.Sealer{}.Seal(melding.NyKlartekst(pakke), melding.Mottakernokkel{Forsegling: melding.X509, Nokkel: d.sert})
	is.NoErr(err)
	lesbart, err := f.Bytes()
	is.NoErr(err)
	id := d.melding(t, lesbart, []byte("ikke til å lese"))

	var ut bytes.Buffer
	is.NoErr(d.svarCmd(id).vis(t.Context(), &ut))
	is.Equal(strings.Count(ut.String(), "«KANARI avvist»"), 1)
	is.Equal(strings.Count(ut.String(), "(uleselig)"), 1)

	ut.Reset()
	is.NoErr(d.svarCmd(d.melding(t)).vis(t.Context(), &ut))
	is.Equal(ut.String(), "Meldingen har ikke fått noe svar med innhold.\n")

	feil := d.svarCmd(id)
	feil.NokkelHemmelighet = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))
	is.True(errors.Is(feil.vis(t.Context(), &ut), keystore.ErrHemmelighet)) // the wrong secret is said, not «uleselig»
	is.True(errors.Is(d.svarCmd(melding.ID(contracts.UUID())).vis(t.Context(), &ut), ports.ErrNotFound))
}

func TestTheTextOfAnAnswerLeavesOnlyToATerminal(t *testing.T) {
	is, d := is.New(t), nyDrift(t)
	fil, err := os.Create(filepath.Join(t.TempDir(), "ut"))
	is.NoErr(err)
	gammel := os.Stdout
	os.Stdout = fil
	defer func() { os.Stdout = gammel }()
	is.Equal(d.svarCmd("x").Run(context.Background()), errIkkeTerminal)
}

func TestAStrangersTextCannotDriveTheTerminal(t *testing.T) {
	is := is.New(t)
	is.Equal(trygg("a\x1b[2Jb\r\nc\u202ed\x9be\xff æøå"), "a·[2Jb· c·d·e· æøå")
}
