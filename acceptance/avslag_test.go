package acceptance_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/eksempel"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// feilkropp is the error body of a call that must fail.
func feilkropp(t *testing.T, err error) *world.Feil {
	t.Helper()
	var f *world.Feil
	if !errors.As(err, &f) {
		t.Fatalf("ventet et avslag med KS sin feilkropp, fikk %v", err)
	}
	return f
}

func ingenLagret(l *liv) {
	l.t.Helper()
	n, err := l.Lager.Count(context.Background(), ports.Filter{})
	if err != nil || n != 0 {
		l.t.Errorf("%d meldinger er lagret, ventet ingen (%v)", n, err)
	}
}

// avslag are calls that are answered and store nothing: there is no writing call that could fail.
var avslag = []scenario{
	{navn: "1 og 2 bydeler, også i en kommune som ikke er aktiv", stille: true, driv: func(l *liv) {
		is := is.New(l.t)
		ctx := context.Background()
		type bydel struct {
			Bydelsnummer, Bydelsnavn string
			StandardMottaker         bool
			StottetVersjon           string
		}
		var b []bydel
		is.NoErr(l.Avsender.Hent(ctx, "/api/v2/kommuner/4601/bydeler", &b))
		is.Equal(len(b), 2)
		is.True(b[0].StandardMottaker != b[1].StandardMottaker) // exactly one
		is.Equal(b[0].StottetVersjon+b[1].StottetVersjon, "V2V1")
		b = nil
		is.NoErr(l.Avsender.Hent(ctx, "/api/v2/kommuner/0301/bydeler", &b))
		is.True(b != nil && len(b) == 0) // 200 [], never 404
		is.NoErr(l.Avsender.Hent(ctx, "/api/v1/kommuner/9999/bydeler", &b))
	}},
	{navn: "3 og 4 ukjent bydel er 404, feil form er 400", stille: true, driv: func(l *liv) {
		is := is.New(l.t)
		ctx := context.Background()
		is.Equal(feilkropp(l.t, l.Avsender.Hent(ctx, "/api/v2/kommuner/4601/bydeler/77", nil)).Status, 404)
		is.Equal(feilkropp(l.t, l.Avsender.Hent(ctx, "/api/v2/kommuner/46/bydeler", nil)).Status, 400)
		_, err := l.Avsender.HentNokler(ctx, "4601", "7x")
		is.Equal(feilkropp(l.t, err).Status, 400)
	}},
	{navn: "5 nøkler med lokal tid uten sone", stille: true, driv: func(l *liv) {
		is := is.New(l.t)
		var svar map[string]map[string]any
		is.NoErr(l.Avsender.Hent(context.Background(), "/api/v2/mottak/fagsystem/4601/01/krypteringsnokler", &svar))
		for _, n := range []string{"printOffentligNokkel", "fiksIOOffentligNokkel"} {
			is.Equal(svar[n]["gyldig"], true)
			erLocalDateTime(is, svar[n]["validTo"].(string))
		}
	}},
	{navn: "7 token uten riktig scope, feil organisasjon, utløpt, usignert: 401 og ingenting lagret", stille: true, driv: func(l *liv) {
		is := is.New(l.t)
		s := l.Forseglet("4601", "01")
		for _, art := range sim.Feilarter() {
			a := *l.Avsender
			a.Token = func(context.Context) (string, error) { return l.MP.Feiltoken(art, l.D.Avsender.KlientID) }
			_, err := a.Post(context.Background(), s)
			var f *world.Feil
			if !errors.As(err, &f) || f.Status != 401 && art != sim.UkjentKid {
				l.t.Errorf("%s: %v", art, err)
			}
		}
		a := *l.Avsender
		a.Data.Passord = "feil-passord-feil-passord"
		_, err := a.Post(context.Background(), s)
		is.Equal(feilkropp(l.t, err).Status, 401)
		a = *l.Avsender
		a.Data.IntegrasjonID = l.D.AnnenAvsender.IntegrasjonID
		_, err = a.Post(context.Background(), s)
		is.Equal(feilkropp(l.t, err).Status, 401)
		ingenLagret(l)
	}},
	{navn: "7 fremmed organisasjon er 404, som en ukjent", stille: true, driv: func(l *liv) {
		is := is.New(l.t)
		s := l.Forseglet("4601", "01")
		fremmed, ukjent := *l.Avsender, *l.Avsender
		fremmed.Data.FiksOrgID = l.D.AnnenAvsender.FiksOrgID
		ukjent.Data.FiksOrgID = "11111111-1111-4111-8111-111111111111"
		_, err1 := fremmed.Post(context.Background(), s)
		_, err2 := ukjent.Post(context.Background(), s)
		f1, f2 := feilkropp(l.t, err1), feilkropp(l.t, err2)
		is.Equal(f1.Status, 404)
		is.Equal([]any{f1.Status, f1.ErrorCode, f1.Message}, []any{f2.Status, f2.ErrorCode, f2.Message})
		ingenLagret(l)
	}},
	{navn: "9 en del mangler", stille: true, driv: func(l *liv) {
		is := is.New(l.t)
		s := l.Forseglet("4601", "01")
		s.PDF = nil
		_, err := l.Avsender.Post(context.Background(), s)
		f := feilkropp(l.t, err)
		is.Equal(f.Status, 400)
		is.True(strings.Contains(f.Message, "bekymringsmelding"))
		ingenLagret(l)
	}},
	{navn: "10 én byte over 5 MiB, med og uten Content-Length", stille: true, driv: func(l *liv) {
		is := is.New(l.t)
		s := l.Forseglet("4601", "01")
		s.PDF = make([]byte, 5<<20+1-len(s.Asice))
		for _, chunked := range []bool{false, true} {
			req, err := l.Avsender.Foresporsel(context.Background(), s)
			is.NoErr(err)
			if chunked {
				req.ContentLength, req.Body, req.GetBody = -1, io.NopCloser(req.Body), nil
			}
			is.Equal(feilkropp(l.t, l.Avsender.Kall(req, nil)).Status, 413)
		}
		ingenLagret(l)
	}},
	{navn: "13 v2 til en V1-mottaker", stille: true, driv: func(l *liv) {
		is := is.New(l.t)
		s := l.Forseglet("4601", "02")
		s.Versjon = melding.V2
		_, err := l.Avsender.Post(context.Background(), s)
		is.Equal(feilkropp(l.t, err).ErrorCode, "VERSJON_IKKE_STOTTET")
		ingenLagret(l)
	}},
	{navn: "49 feil nøkkel, ikke CMS, avkuttet, zip-bombe, klartekst", stille: true, driv: func(l *liv) {
		god := l.Forseglet("4601", "01")
		annen := l.Forseglet("5501", "00")
		for navn, x := range map[string]struct {
			pdf, asice []byte
			kode       string
		}{
			"forseglet for en annen mottaker": {god.PDF, annen.Asice, "NOKKEL_FEIL"},
			"innholdet i delene byttet om":    {god.Asice, god.PDF, "NOKKEL_FEIL"},
			"ikke CMS":                        {god.PDF, []byte("PK\x03\x04 en zip"), "UGYLDIG_CMS"},
			"zip-bombe":                       {god.PDF, onde().bombe, "UGYLDIG_CMS"},
			"zip med stier ut av mappen":      {god.PDF, onde().stier, "UGYLDIG_CMS"},
			"XML-bombe":                       {god.PDF, onde().xml, "UGYLDIG_CMS"},
			"avkuttet":                        {god.PDF, god.Asice[:len(god.Asice)-1], "UGYLDIG_CMS"},
			"noe etter slutten":               {god.PDF, append(bytes.Clone(god.Asice), 0), "UGYLDIG_CMS"},
			"PDF uten kryptering":             {eksempel.PDF("Åpen"), god.Asice, "UGYLDIG_CMS"},
		} {
			s := god
			s.PDF, s.Asice = x.pdf, x.asice
			_, err := l.Avsender.Post(context.Background(), s)
			if f := feilkropp(l.t, err); f.Status != 400 || f.ErrorCode != x.kode {
				l.t.Errorf("%s: %v", navn, f)
			}
		}
		ingenLagret(l)
	}},
}
