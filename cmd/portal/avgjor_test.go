package main

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/app/delivery"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

func (d *driftet) avgjor(t *testing.T, c avgjorCmd) error {
	t.Helper()
	c.lagervalg = d.lagervalg
	return c.Run(t.Context(), slog.New(slog.DiscardHandler))
}

func TestADecisionNeedsAnActorAndAReasonThatCanBeRead(t *testing.T) {
	is, d := is.New(t), nyDrift(t)
	id := d.melding(t)
	for _, c := range []avgjorCmd{
		{Valg: "notat", ID: string(id), Hvem: "kari", Grunn: " \t"},
		{Valg: "notat", ID: string(id), Hvem: "kari", Grunn: "a\nb"},
		{Valg: "notat", ID: string(id), Hvem: "ka\x1bri", Grunn: "a"},
		{Valg: "notat", ID: string(id), Hvem: "kari", Grunn: strings.Repeat("a", levering.MaksGrunn+1)},
		{Valg: "brevstopp", Hvem: "kari", Grunn: "a\nb", Timer: 1},
		{Valg: "lukk", ID: "ledger/x", Hvem: "kari", Grunn: "a\nb"},
	} {
		err := d.avgjor(t, c)
		is.True(errors.Is(err, levering.ErrOperator))
		is.True(strings.Contains(err.Error(), "--grunn"))
	}
	is.NoErr(d.avgjor(t, avgjorCmd{Valg: "notat", ID: string(id), Hvem: " kari ", Grunn: "ringte mottakeren"}))
	u, err := d.lager.Get(t.Context(), id)
	is.NoErr(err)
	siste := u.Melding.Historikk[len(u.Melding.Historikk)-1]
	is.Equal(siste.Aktor, melding.AktorOperator("kari"))
	is.Equal(siste.Grunn, "ringte mottakeren")
}

func TestAHoldOnLettersCanBeLiftedEarly(t *testing.T) {
	is, d := is.New(t), nyDrift(t)
	merke := func() string {
		v, err := d.lager.Mark(t.Context(), delivery.MerkeBrevstopp)
		is.NoErr(err)
		return v
	}
	opphev := avgjorCmd{Valg: "brevstopp", Opphev: true, Hvem: "ola", Grunn: "klokka var riktig"}
	is.True(errors.Is(d.avgjor(t, opphev), delivery.ErrBrevstopp)) // nothing is held
	is.True(errors.Is(d.avgjor(t, avgjorCmd{Valg: "brevstopp", Timer: 5, Hvem: "kari", Grunn: "x"}), delivery.ErrBrevstopp))
	is.NoErr(d.avgjor(t, avgjorCmd{Valg: "brevstopp", Timer: 1, Hvem: "per", Grunn: "uvanlig mange"}))
	is.NoErr(d.avgjor(t, avgjorCmd{Valg: "brevstopp", Timer: 4, Hvem: "kari", Grunn: "fagsystemet svarer ikke"})) // longer
	is.True(merke() != "")
	is.NoErr(d.avgjor(t, opphev))
	is.Equal(merke(), "")

	saker, err := d.lager.Cases(t.Context(), false, 9)
	is.NoErr(err)
	is.Equal(len(saker), 2)
	for _, s := range saker { // both closed, and each says who and why, both times
		is.True(!s.Apen())
		is.Equal(s.Art, levering.SakBrevstopp)
	}
	alt := saker[0].Grunn + "|" + saker[0].LukketAv + "|" + saker[1].Grunn + "|" + saker[1].LukketAv
	for _, vil := range []string{"brevstopp av per: uvanlig mange; avløst av et nytt", "brevstopp av kari: fagsystemet svarer ikke; opphevet: klokka var riktig", "operator:ola", "operator:kari"} {
		is.True(strings.Contains(alt, vil))
	}
}
