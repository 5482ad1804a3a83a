package plattform_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/protokoll"
)

func TestAPersonAnswersInTheReceiversName(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	id, _ := r.lagtRapport(m{"headere": m{"klientKorrelasjonsId": "k1"}})
	ctx := t.Context()
	is.NoErr(r.p.Svar(ctx, id, plattform.SvarIngen, ""))
	is.Equal(r.b.antall(koPrefiks+portalen), 0)
	is.NoErr(r.p.Svar(ctx, id, plattform.SvarToGanger, ""))
	is.NoErr(r.p.Svar(ctx, id, plattform.SvarMottatt, ""))
	ko := r.b.ta(koPrefiks + portalen)
	is.Equal(len(ko), 3)
	for _, s := range ko {
		is.Equal(s.Headere["type"], protokoll.Mottatt)
		is.Equal(s.Headere["svar-til"], id)
		is.Equal(s.Headere["avsender-id"], bydelen)
		is.Equal(s.Headere["egendefinert-header.klientKorrelasjonId"], "k1")
	}

	is.NoErr(r.p.Svar(ctx, id, plattform.SvarFeilet, "Kan ikke lese vedlegget"))
	feilet := r.p.Logg(1)[0]
	is.Equal(feilet.Meldingstype, protokoll.Feilet)
	filer, err := r.p.Apne(feilet.MeldingID) // sealed for the portal, whose key this world has
	is.NoErr(err)
	f, err := protokoll.ParseFeilmelding(filer[0].Innhold.Bytes())
	is.NoErr(err)
	is.Equal(f.Melding, "Kan ikke lese vedlegget")

	is.True(r.p.Svar(ctx, feilet.MeldingID, plattform.SvarMottatt, "") != nil) // a receipt
	is.True(r.p.Svar(ctx, inNabo, plattform.SvarMottatt, "") != nil)           // unknown
	is.True(r.p.Svar(ctx, id, "noe", "") != nil)
}

func TestAMessageIsShownOnlyWithTheReceiversOwnKey(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	id, _ := r.lagtRapport()
	filer, err := r.p.Apne(id)
	is.NoErr(err)
	is.Equal(filer[0].Navn, protokoll.FilJSON)
	is.Equal(string(filer[0].Innhold.Bytes()), `{"melding":"Åse er redd"}`)

	s := r.send(rapport(), forseglet(t, r.n.Portal, r.n.Portal)) // for the wrong one
	_, err = r.p.Apne(s.json["meldingId"].(string))
	is.True(errors.Is(err, plattform.ErrAnnenNokkel))
	var forseglet0 bytes.Buffer
	is.NoErr(cms.Encrypt(&forseglet0, strings.NewReader("ikke en pakke"), 13, r.n.Bydel.Cert))
	s = r.send(rapport(), forseglet0.Bytes())
	_, err = r.p.Apne(s.json["meldingId"].(string))
	is.True(errors.Is(err, plattform.ErrIkkePakke))
	s = r.send(rapport(m{"mottakerKontoId": naboen}), forseglet(t, r.n.Bydel, r.n.Portal))
	_, err = r.p.Apne(s.json["meldingId"].(string))
	is.True(errors.Is(err, plattform.ErrUtenNokkel)) // nobody here has naboen's key
	is.True(r.p.Svar(t.Context(), s.json["meldingId"].(string), plattform.SvarFeilet, "x") != nil)
	r.p.GlemInnhold()
	_, err = r.p.Apne(id)
	is.True(errors.Is(err, plattform.ErrGlemt)) // it had one: that it is gone is not that it was empty
}
