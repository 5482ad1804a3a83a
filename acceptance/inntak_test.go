package acceptance_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// avslag is the error body of a call that must fail.
func avslag(t *testing.T, err error) *world.Feil {
	t.Helper()
	var f *world.Feil
	if !errors.As(err, &f) {
		t.Fatalf("ventet et avslag med KS sin feilkropp, fikk %v", err)
	}
	return f
}

func ingenLagret(t *testing.T, v *world.Verden) {
	t.Helper()
	n, err := v.Lager.Count(context.Background(), ports.Filter{})
	if err != nil || n != 0 {
		t.Errorf("%d meldinger er lagret, ventet ingen (%v)", n, err)
	}
}

var inntak = []scenario{
	{"1 og 2 bydeler, også i en kommune som ikke er aktiv", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		ctx := context.Background()
		type bydel struct {
			Bydelsnummer, Bydelsnavn string
			StandardMottaker         bool
			StottetVersjon           string
		}
		var b []bydel
		is.NoErr(v.Avsender.Hent(ctx, "/api/v2/kommuner/4601/bydeler", &b))
		is.Equal(len(b), 2)
		is.True(b[0].StandardMottaker != b[1].StandardMottaker) // exactly one
		is.Equal(b[0].StottetVersjon+b[1].StottetVersjon, "V2V1")
		b = nil
		is.NoErr(v.Avsender.Hent(ctx, "/api/v2/kommuner/0301/bydeler", &b))
		is.True(b != nil && len(b) == 0) // 200 [], never 404
		is.NoErr(v.Avsender.Hent(ctx, "/api/v1/kommuner/9999/bydeler", &b))
	}},
	{"3 og 4 ukjent bydel er 404, feil form er 400", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		ctx := context.Background()
		is.Equal(avslag(t, v.Avsender.Hent(ctx, "/api/v2/kommuner/4601/bydeler/77", nil)).Status, 404)
		is.Equal(avslag(t, v.Avsender.Hent(ctx, "/api/v2/kommuner/46/bydeler", nil)).Status, 400)
		_, err := v.Avsender.HentNokler(ctx, "4601", "7x")
		is.Equal(avslag(t, err).Status, 400)
	}},
	{"5 nøkler med lokal tid uten sone", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		var svar map[string]map[string]any
		is.NoErr(v.Avsender.Hent(context.Background(), "/api/v2/mottak/fagsystem/4601/01/krypteringsnokler", &svar))
		for _, n := range []string{"printOffentligNokkel", "fiksIOOffentligNokkel"} {
			k := svar[n]
			is.Equal(k["gyldig"], true)
			_, err := time.Parse("2006-01-02T15:04:05", k["validTo"].(string))
			is.NoErr(err) // Java's LocalDateTime
		}
	}},
	{"7 token uten riktig scope, feil organisasjon, utløpt, usignert: 401 og ingenting lagret", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		s := v.Forseglet("4601", "01")
		for _, art := range sim.Feilarter() {
			a := *v.Avsender
			a.Token = func(context.Context) (string, error) { return v.MP.Feiltoken(art, v.D.Avsender.KlientID) }
			_, err := a.Post(context.Background(), s)
			var f *world.Feil
			if !errors.As(err, &f) || f.Status != 401 && art != sim.UkjentKid {
				t.Errorf("%s: %v", art, err)
			}
		}
		a := *v.Avsender
		a.Data.Passord = "feil-passord-feil-passord"
		_, err := a.Post(context.Background(), s)
		is.Equal(avslag(t, err).Status, 401)
		a = *v.Avsender
		a.Data.IntegrasjonID = v.D.AnnenAvsender.IntegrasjonID
		_, err = a.Post(context.Background(), s)
		is.Equal(avslag(t, err).Status, 401)
		ingenLagret(t, v)
	}},
	{"7 fremmed organisasjon er 404, som en ukjent", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		s := v.Forseglet("4601", "01")
		fremmed, ukjent := *v.Avsender, *v.Avsender
		fremmed.Data.FiksOrgID = v.D.AnnenAvsender.FiksOrgID
		ukjent.Data.FiksOrgID = "11111111-1111-4111-8111-111111111111"
		_, err1 := fremmed.Post(context.Background(), s)
		_, err2 := ukjent.Post(context.Background(), s)
		f1, f2 := avslag(t, err1), avslag(t, err2)
		is.Equal(f1.Status, 404)
		is.Equal([]any{f1.Status, f1.ErrorCode, f1.Message}, []any{f2.Status, f2.ErrorCode, f2.Message})
		ingenLagret(t, v)
	}},
	{"9 en del mangler", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		s := v.Forseglet("4601", "01")
		s.PDF = nil
		_, err := v.Avsender.Post(context.Background(), s)
		f := avslag(t, err)
		is.Equal(f.Status, 400)
		is.True(strings.Contains(f.Message, "bekymringsmelding"))
		ingenLagret(t, v)
	}},
	{"10 én byte over 5 MiB, uten Content-Length", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		s := v.Forseglet("4601", "01")
		s.PDF = make([]byte, 5<<20+1-len(s.Asice))
		for _, chunked := range []bool{false, true} {
			req, err := v.Avsender.Foresporsel(context.Background(), s)
			is.NoErr(err)
			if chunked {
				req.ContentLength, req.Body, req.GetBody = -1, io.NopCloser(req.Body), nil
			}
			is.Equal(avslag(t, v.Avsender.Kall(req, nil)).Status, 413)
		}
		ingenLagret(t, v)
	}},
	{"12 samme bytes igjen gir den første id-en, også på en gang", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		s := v.Forseglet("4601", "01")
		ids := make([]melding.ID, 8)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() { ids[i], _ = v.Avsender.Post(context.Background(), s) })
		}
		wg.Wait()
		for _, id := range ids {
			is.Equal(id, ids[0])
			is.True(id != "")
		}
		v.Pump()
		is.Equal(len(v.Nett.Sendte("")), 1) // no second delivery
		ny := v.Send("4601", "01")
		is.True(ny != ids[0])
		is.True(v.Utgave(ny).Melding.Har(melding.MuligDublett)) // sealed anew: noted, never suppressed
	}},
	{"12 Idempotency-Key brukt for andre byter", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		a, b := v.Forseglet("4601", "01"), v.Forseglet("4601", "01")
		a.Nokkel, b.Nokkel = "n1", "n1"
		id, err := v.Avsender.Post(context.Background(), a)
		is.NoErr(err)
		igjen, err := v.Avsender.Post(context.Background(), a)
		is.NoErr(err)
		is.Equal(igjen, id)
		_, err = v.Avsender.Post(context.Background(), b)
		f := avslag(t, err)
		is.Equal(f.Status, 409)
		is.Equal(f.ErrorCode, "IDEMPOTENSNOKKEL_BRUKT")
		is.True(strings.Contains(string(f.ErrorJSON), string(id)))
	}},
	{"13 v2 til en V1-mottaker", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		s := v.Forseglet("4601", "02")
		s.Versjon = melding.V2
		_, err := v.Avsender.Post(context.Background(), s)
		is.Equal(avslag(t, err).ErrorCode, "VERSJON_IKKE_STOTTET")
		ingenLagret(t, v)
		v.Send("4601", "01") // v1 to a V2 receiver
	}},
	{"14 en annen avsender ser ingenting", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		id := v.Send("4601", "01")
		_, err := v.Annen.Status(context.Background(), id)
		f := avslag(t, err)
		is.Equal(f.Status, 404)
		_, err = v.Annen.Status(context.Background(), "11111111-1111-4111-8111-111111111111")
		is.Equal(avslag(t, err).Message, f.Message) // as an unknown one
	}},
	{"49 feil nøkkel, ikke CMS, avkuttet, klartekst", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		god := v.Forseglet("4601", "01")
		annen := v.Forseglet("5501", "00")
		for navn, x := range map[string]struct {
			pdf, asice []byte
			kode       string
		}{
			"forseglet for en annen mottaker": {god.PDF, annen.Asice, "NOKKEL_FEIL"},
			"delene byttet om":                {god.Asice, god.PDF, "NOKKEL_FEIL"},
			"ikke CMS":                        {god.PDF, []byte("PK\x03\x04 en zip"), "UGYLDIG_CMS"},
			"avkuttet":                        {god.PDF, god.Asice[:len(god.Asice)-1], "UGYLDIG_CMS"},
			"noe etter slutten":               {god.PDF, append(bytes.Clone(god.Asice), 0), "UGYLDIG_CMS"},
			"PDF uten kryptering":             {world.EksempelPDF("Åpen"), god.Asice, "UGYLDIG_CMS"},
		} {
			s := god
			s.PDF, s.Asice = x.pdf, x.asice
			_, err := v.Avsender.Post(context.Background(), s)
			if f := avslag(t, err); f.Status != 400 || f.ErrorCode != x.kode {
				t.Errorf("%s: %v", navn, f)
			}
		}
		is.Equal(len(god.PDF) > 0, true)
		ingenLagret(t, v)
	}},
	{"forbindelsen brytes midt i opplastingen", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		s := v.Forseglet("4601", "01")
		req, err := v.Avsender.Foresporsel(context.Background(), s)
		is.NoErr(err)
		b, err := io.ReadAll(req.Body)
		is.NoErr(err)
		req.Body, req.GetBody = io.NopCloser(io.MultiReader(bytes.NewReader(b[:len(b)*6/10]), brutt{})), nil
		is.True(v.Avsender.Kall(req, nil) != nil)
		ingenLagret(t, v)
		_, err = v.Avsender.Post(context.Background(), s)
		is.NoErr(err) // and the same bytes are welcome afterwards
	}},
	{"svaret tapt etter lagring: samme bytes gir samme id", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		s := v.Forseglet("4601", "01")
		a := *v.Avsender
		a.HTTP = &http.Client{Transport: mistSvar{v.Server.Client().Transport}}
		_, err := a.Post(context.Background(), s)
		is.True(err != nil)
		n, err := v.Lager.Count(context.Background(), ports.Filter{})
		is.NoErr(err)
		is.Equal(n, 1)
		id, err := v.Avsender.Post(context.Background(), s)
		is.NoErr(err)
		v.Pump()
		is.Equal(v.Tilstander(id), bekreftet)
		is.Equal(len(v.Nett.Sendte("")), 1)
	}},
	{"lite plass: nye meldinger får 503, leveringen går", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		s := v.Forseglet("4601", "01")
		id := v.Send("4601", "01")
		v.Plass.Store(100 << 20)
		_, err := v.Avsender.Post(context.Background(), s)
		f := avslag(t, err)
		is.Equal(f.Status, 503)
		is.True(f.Header.Get("Retry-After") != "")
		v.Pump()
		is.Equal(v.Tilstander(id), bekreftet)
		v.Plass.Store(1 << 20) // really full: nothing is claimed
		v.Klokke.Sett(v.Klokke.Now().Add(2 * time.Second))
		is.True(v.System.Klar(context.Background()) != nil)
		v.Plass.Store(1 << 30)
		v.Klokke.Sett(v.Klokke.Now().Add(2 * time.Second))
		is.NoErr(v.System.Klar(context.Background()))
		_, err = v.Avsender.Post(context.Background(), s)
		is.NoErr(err)
	}},
	{"en kommune sender videre til en annen", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		m := v.D.Finn("4601", "01")
		k := v.D.Kommune("4601")
		a := v.NyAvsender(world.Avsenderdata{Navn: "Bergen", FiksOrgID: k.FiksOrgID, Orgnr: k.Orgnr, IntegrasjonID: m.IntegrasjonID, Passord: m.Passord, KlientID: m.KlientID, Sert: m.Sert})
		ctx := context.Background()
		n, err := a.HentNokler(ctx, "5501", "00")
		is.NoErr(err)
		s, err := world.Eksempel(ctx, a, n, world.Sending{Kommune: "5501", Bydel: "00", Slag: melding.Offentlig, Versjon: melding.V2}, "Prøve", "Prøve")
		is.NoErr(err)
		v.Fagsystem["5501/00"].Svarer(world.Kvitterer)
		id, err := a.Post(ctx, s)
		is.NoErr(err)
		v.Pump()
		rader, err := a.Status(ctx, id)
		is.NoErr(err)
		is.Equal(rader[len(rader)-1].Tilstand, "LEVERT")
	}},
	{"nøkkelen byttes mens en avsender forsegler", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		s := v.Forseglet("4601", "01") // for the old certificate
		m := v.D.Finn("4601", "01")
		gammel := m.Sert
		nytt, err := v.D.CA.Utsted(sim.Bestilling{Navn: "Ny nøkkel (test)", Formal: sim.Mottaker, Bits: 2048})
		is.NoErr(err)
		m.Sert = nytt
		v.Oppsett()
		id, err := v.Avsender.Post(context.Background(), s)
		is.NoErr(err) // the old one is accepted for 14 days
		v.Pump()
		is.Equal(v.Tilstander(id), bekreftet) // and its case system still has the old key
		is.True(v.Fagsystem["4601/01"].Har(id))
		n, err := v.Avsender.HentNokler(context.Background(), "4601", "01")
		is.NoErr(err)
		is.True(n.Mottaker.Equal(nytt.Cert) && !n.Mottaker.Equal(gammel.Cert))
		v.Klokke.Sett(v.Klokke.Now().Add(15 * 24 * time.Hour))
		s2, err := world.Eksempel(context.Background(), v.Avsender, world.Nokler{Print: n.Print, Mottaker: gammel.Cert},
			world.Sending{Kommune: "4601", Bydel: "01", Slag: melding.Offentlig, Versjon: melding.V1}, "Prøve", "Prøve")
		is.NoErr(err)
		_, err = v.Avsender.Post(context.Background(), s2)
		is.Equal(avslag(t, err).ErrorCode, "NOKKEL_FEIL")
	}},
	{"50 ingenting fra meldingen i logg eller målinger", world.Valg{}, func(t *testing.T, v *world.Verden) {
		for _, m := range [][2]string{{"4601", "01"}, {"5501", "00"}, {"4204", "00"}} {
			v.Send(m[0], m[1])
		}
		v.Nett.Nede(true)
		v.Send("4601", "01")
		v.Fram(4 * 24 * time.Hour)
		res, err := http.Get(v.Server.URL + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		alt := v.Logg.String() + string(b)
		for _, hemmelig := range []string{"Havørn", "Fjellbj", "Testveien", "Eksempelveien", "14831691965", "@eksempel", v.D.Avsender.Passord, "Bearer", "oppdiktet"} {
			if strings.Contains(alt, hemmelig) {
				t.Errorf("%q står i logg eller målinger", hemmelig)
			}
		}
		if !strings.Contains(alt, "sak_apen") || !strings.Contains(alt, "melding akseptert") {
			t.Error("prøven så ikke på noe")
		}
	}},
}

func TestInntak(t *testing.T) {
	for _, s := range inntak {
		t.Run(s.navn, func(t *testing.T) {
			t.Parallel()
			iHverVerden(t, s.valg, s.kjor)
		})
	}
}

type brutt struct{}

func (brutt) Read([]byte) (int, error) { return 0, errors.New("forbindelsen er brutt") }

// mistSvar lets a call through and loses its answer.
type mistSvar struct{ http.RoundTripper }

func (m mistSvar) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := m.RoundTripper.RoundTrip(r)
	if err != nil || r.Method != http.MethodPost {
		return res, err
	}
	_ = res.Body.Close()
	return nil, errors.New("svaret gikk tapt")
}

// TestToPortalerPaEttLager: two portals share one PostgreSQL, one channel and one print vendor. Every report is delivered once.
func TestToPortalerPaEttLager(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	var andre compose.Lager
	v := world.Ny(t, world.Valg{Lager: func(t testing.TB) compose.Lager {
		en, to := toPostgres(t)
		andre = to
		return en
	}})
	b := v.NySystem(andre, nil)
	var ids []melding.ID
	for range 10 {
		ids = append(ids, v.Send("4601", "01"), v.Send("5501", "00"))
	}
	var wg sync.WaitGroup
	for _, s := range []*compose.System{v.System, b} {
		wg.Go(func() { _, _ = s.Outbox.Pump(context.Background()) })
	}
	wg.Wait()
	v.Fram(time.Hour)
	for _, id := range ids {
		is.Equal(len(v.Nett.Sendte(id)), 1)
		is.True(strings.HasSuffix(v.Tilstander(id), "LEVERT"))
		is.True(len(v.Brev(id)) <= 1)
	}
}
