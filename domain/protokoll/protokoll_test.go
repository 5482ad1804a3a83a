package protokoll_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	p "portal.example/bekymringsmelding/domain/protokoll"
)

// The names as they stand in the metadata files of KS's protocol repository, written out so that no constant is tested by itself.
func TestNavn(t *testing.T) {
	is := is.New(t)
	is.Equal(p.Meldingstype(melding.Privat, melding.V1), "no.ks.fiks.bekymringsmelding.privat.v1")
	is.Equal(p.Meldingstype(melding.Privat, melding.V2), "no.ks.fiks.bekymringsmelding.privat.v2")
	is.Equal(p.Meldingstype(melding.Offentlig, melding.V1), "no.ks.fiks.bekymringsmelding.offentlig.v1")
	is.Equal(p.Meldingstype(melding.Offentlig, melding.V2), "no.ks.fiks.bekymringsmelding.offentlig.v2")
	is.Equal(p.Mottatt, "no.ks.fiks.bekymringsmelding.mottatt.v1")
	is.Equal(p.Feilet, "no.ks.fiks.bekymringsmelding.feilet.v1")
	is.Equal(p.Tidsavbrudd, "no.ks.fiks.kvittering.tidsavbrudd")
	is.Equal(p.Serverfeil, "no.ks.fiks.kvittering.serverfeil.v1")
	is.Equal(p.ProtokollV1, "no.ks.fiks.bekymringsmelding.v1")
	is.Equal(p.ProtokollV2, "no.ks.fiks.bekymringsmelding.v2")
	is.Equal(p.HeaderEgendefinert+p.HeaderKlientMelding, "egendefinert-header.klientMeldingId")
	is.Equal(p.HeaderKorrelasjon, "klientKorrelasjonsId")
	is.Equal(p.HeaderKorrelasjonOld, "klientKorrelasjonId")
	is.Equal(p.Filnavn("a65b4e9c-bdf0-4c29-bb77-0242ac130002", "00"), "FiksIO_encrypted_a65b4e9c-bdf0-4c29-bb77-0242ac130002_00.zip")
}

func TestParseMeldingstype(t *testing.T) {
	is := is.New(t)
	for _, s := range []melding.Slag{melding.Privat, melding.Offentlig} {
		for _, v := range []melding.Versjon{melding.V1, melding.V2} {
			for _, navn := range []string{p.Meldingstype(s, v), strings.ToUpper(p.Meldingstype(s, v))} {
				slag, versjon, err := p.ParseMeldingstype(navn)
				is.NoErr(err)
				is.Equal(slag, s)
				is.Equal(versjon, v)
			}
		}
	}
	for _, navn := range []string{"", p.Mottatt, p.ProtokollV1, "no.ks.fiks.bekymringsmelding.privat.v3", "no.ks.fiks.bekymringsmelding.privat.v1 "} {
		_, _, err := p.ParseMeldingstype(navn)
		is.Equal(err, p.ErrType)
	}
}

func TestKanoniskOgErKvittering(t *testing.T) {
	for _, tt := range []struct {
		navn, vil  string
		kvittering bool
	}{
		{p.Mottatt, p.Mottatt, true},
		{"NO.KS.Fiks.Bekymringsmelding.Mottatt.V1", p.Mottatt, true},
		{"no.ks.fiks.bekymringsmelding.privat.mottatt.v1", p.Mottatt, true},
		{"no.ks.fiks.bekymringsmelding.offentlig.feilet.v1", p.Feilet, true},
		{"No.ks.fiks.kvittering.Tidsavbrudd", p.Tidsavbrudd, true},
		{p.Serverfeil, p.Serverfeil, true},
		{p.Ikkefunnet, p.Ikkefunnet, true},
		{"no.ks.fiks.kvittering.ugyldigforespørsel.v1", "no.ks.fiks.kvittering.ugyldigforespørsel.v1", true},
		{"No.ks.fiks.kvittering.Nytt.v9", "No.ks.fiks.kvittering.Nytt.v9", true},
		{p.Meldingstype(melding.Privat, melding.V1), p.Meldingstype(melding.Privat, melding.V1), false},
		{"no.ks.fiks.bekymringsmelding.privat.tapt.v1", "no.ks.fiks.bekymringsmelding.privat.tapt.v1", false},
		{"", "", false},
	} {
		t.Run(tt.navn, func(t *testing.T) {
			is := is.New(t)
			is.Equal(p.Kanonisk(tt.navn), tt.vil)
			is.Equal(p.ErKvittering(tt.navn), tt.kvittering)
		})
	}
}

func TestKonavn(t *testing.T) {
	is := is.New(t)
	const id = "0b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad0aa"
	is.Equal(p.Konavn(kommune.KontoID(strings.ToUpper(id))), "fiksio.konto."+id)
	k, ok := p.ParseKonavn("fiksio.konto." + id)
	is.True(ok)
	is.Equal(string(k), id)
	for _, s := range []string{id, "fiksio.konto.", "fiksio.konto.x", "fiksio.konto." + id + "a"} {
		_, ok := p.ParseKonavn(s)
		is.True(!ok)
	}
}

// KS's two examples, Trondheim's extra member, and what the POC makes by gluing strings together.
func TestParseFeilmelding(t *testing.T) {
	is := is.New(t)
	for inn, vil := range map[string]string{
		`{"melding": "Kunne ikke parse JSON-filen bekymringsmelding.json"}`: "Kunne ikke parse JSON-filen bekymringsmelding.json",
		"{\n}": "",
		`{"meldingType":"no.ks.fiks.bekymringsmelding.feilet.v1","melding":"m"}`: "m",
		`{"melding":null}`: "",
	} {
		f, err := p.ParseFeilmelding([]byte(inn))
		is.NoErr(err)
		is.Equal(f.Melding, vil)
	}
	for _, inn := range []string{``, `null`, `[]`, `"x"`, `{"melding": "sa "hei""}`, `{"melding": 7}`, `{} {}`} {
		_, err := p.ParseFeilmelding([]byte(inn))
		is.Equal(err, p.ErrFeilmelding)
	}
	is.Equal(string(p.Feilmelding{}.JSON()), "{}")
}

func TestFeilmeldingTurRetur(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := p.Feilmelding{Melding: rapid.String().Draw(r, "melding")}
		if got, err := p.ParseFeilmelding(f.JSON()); err != nil || got != f {
			r.Fatal("ikke den samme")
		}
	})
}

func TestFeilmeldingErSkjult(t *testing.T) {
	is := is.New(t)
	const tekst = "Kari"
	f := p.Feilmelding{Melding: tekst}
	var ut strings.Builder
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		fmt.Fprintf(&ut, format, f)
		fmt.Fprintf(&ut, format, &f)
		fmt.Fprintf(&ut, format, []any{f})
	}
	b, err := json.Marshal(map[string]any{"f": f})
	is.NoErr(err)
	ut.Write(b)
	slog.New(slog.NewTextHandler(&ut, nil)).Info("m", "f", f)
	slog.New(slog.NewJSONHandler(&ut, nil)).Info("m", "f", f)
	is.True(!strings.Contains(ut.String(), tekst))
	is.True(!strings.Contains(ut.String(), fmt.Sprintf("%x", tekst)))
}
