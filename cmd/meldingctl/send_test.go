package main

import (
	"bytes"
	"context"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/skjema"
)

// deler reads a submission as a portal does.
func deler(t *testing.T, i innsending) map[string][]byte {
	t.Helper()
	_, par, err := mime.ParseMediaType(i.ct)
	if err != nil {
		t.Fatal(err)
	}
	ut := map[string][]byte{}
	for r := multipart.NewReader(bytes.NewReader(i.kropp), par["boundary"]); ; {
		d, err := r.NextPart()
		if err == io.EOF {
			return ut
		}
		if err != nil {
			t.Fatal(err)
		}
		if ut[d.FormName()], err = io.ReadAll(d); err != nil {
			t.Fatal(err)
		}
	}
}

func apne(t *testing.T, b []byte, s *sim.Sertifikat) []byte {
	t.Helper()
	var ut bytes.Buffer
	if err := cms.Decrypt(&ut, bytes.NewReader(b), cms.Key{Certificate: s.Cert, Decrypter: s.Nokkel}); err != nil {
		t.Fatal(err)
	}
	return ut.Bytes()
}

func TestSendSealsForBothAndPrintsTheID(t *testing.T) {
	is := is.New(t)
	v := setup(t)
	v.svar = []func(http.ResponseWriter){kvitter}
	is.Equal(v.send("--slag", "offentlig", "--versjon", "v1"), kodeOK)
	is.Equal(v.ut.String(), uuid+"\n") // a script reads it
	is.Equal(len(v.innsendt), 1)
	i := v.innsendt[0]
	is.Equal(i.sti, "/v1/mottak/fagsystem/"+fiksOrg+"/4601/01/offentlig")
	is.True(i.nokkel != "")

	d := deler(t, i)
	is.Equal(len(d), 2)
	is.True(bytes.Equal(apne(t, d["bekymringsmelding"], v.nokler.print), pdf("0 0 595 842")))
	c, err := asice.Read(melding.NyKlartekst(apne(t, d["asice"], v.mottaker)))
	is.NoErr(err)
	is.Equal(len(c.Filer), 2)
	is.Equal(c.Filer[0].Navn, "bekymringsmelding.json")
	is.Equal(c.Filer[1].Navn, "bekymringsmelding.pdf")
	is.True(c.Signer.Equal(v.avsender.Cert))
	is.Equal(c.SignedAt, start)
}

func TestSendRepeatsTheSameBytesUntilAnswered(t *testing.T) {
	is := is.New(t)
	v := setup(t)
	v.svar = []func(http.ResponseWriter){nekt(503, "UTILGJENGELIG", ""), nekt(500, "INTERN_FEIL", ""), nekt(429, "FOR_MANGE_KALL", ""), kvitter}
	is.Equal(v.send(), kodeOK)
	is.Equal(v.ut.String(), uuid+"\n")
	is.Equal(len(v.innsendt), 4)
	for _, i := range v.innsendt {
		is.True(bytes.Equal(i.kropp, v.innsendt[0].kropp))
		is.Equal(i.nokkel, v.innsendt[0].nokkel)
		is.Equal(i.ct, v.innsendt[0].ct)
	}
	is.Equal(v.pauser, []time.Duration{7 * time.Second, 7 * time.Second, 7 * time.Second}) // Retry-After, where it is longer than ours
}

func TestSendAfterALostAnswer(t *testing.T) {
	is := is.New(t)
	v := setup(t)
	v.svar = []func(http.ResponseWriter){brudd}
	is.Equal(v.send("--idempotensnokkel", "min-nokkel"), kodeUkjent)
	is.Equal(v.ut.String(), "")
	is.True(strings.Contains(v.feil.String(), "--idempotensnokkel min-nokkel"))
	is.Equal(len(v.pauser), maksForsok-1)
	for _, i := range v.innsendt {
		is.Equal(i.nokkel, "min-nokkel")
		is.True(bytes.Equal(i.kropp, v.innsendt[0].kropp))
	}
	// The next day: sealed anew, and the portal says that the first one had arrived.
	v.innsendt, v.svar = nil, []func(http.ResponseWriter){nekt(409, "IDEMPOTENSNOKKEL_BRUKT", `,"errorJson":{"bekymringsmeldingId":"`+uuid+`"}`)}
	is.Equal(v.send("--idempotensnokkel", "min-nokkel"), kodeOK)
	is.Equal(v.ut.String(), uuid+"\n")
	is.True(strings.Contains(v.feil.String(), "Ingenting nytt er sendt"))
}

func TestSendGivesUpWhenTold(t *testing.T) {
	is := is.New(t)
	v := setup(t)
	ctx, stopp := context.WithCancelCause(context.Background())
	v.svar = []func(http.ResponseWriter){func(w http.ResponseWriter) { stopp(errStopp); nekt(503, "UTILGJENGELIG", "")(w) }}
	is.Equal(v.kjorMed(ctx, "--ark", v.ark, "send", "--kommune", "4601", "--bydel", "01", "--pdf", v.fil("m.pdf"), "--json", v.fil("m.json")), kodeUkjent)
	is.Equal(len(v.innsendt), 1)
}

func TestSendRefused(t *testing.T) {
	for _, tt := range []struct {
		navn string
		svar func(http.ResponseWriter)
		kode int
		sier string
	}{
		{"wrong key", nekt(400, "NOKKEL_FEIL", ""), kodeNei, "400 NOKKEL_FEIL: En setning.[31m (errorId feil-1)"}, // its escape is gone
		{"too large", nekt(413, "FOR_STOR", ""), kodeNei, "FOR_STOR"},
		{"conflict without an id", nekt(409, "IDEMPOTENSNOKKEL_BRUKT", ""), kodeNei, "409"},
		{"not JSON", func(w http.ResponseWriter) { http.Error(w, "<html>", http.StatusForbidden) }, kodeNei, "403"},
		{"created without an id", func(w http.ResponseWriter) { w.WriteHeader(http.StatusCreated) }, kodeUkjent, "uten id"},
		{"redirect is not followed", func(w http.ResponseWriter) {
			w.Header().Set("Location", "/x")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, kodeNei, "307"},
	} {
		t.Run(tt.navn, func(t *testing.T) {
			is := is.New(t)
			v := setup(t)
			v.svar = []func(http.ResponseWriter){tt.svar}
			is.Equal(v.send(), tt.kode)
			is.Equal(len(v.innsendt), 1)
			is.Equal(v.ut.String(), "")
			is.True(strings.Contains(v.feil.String(), tt.sier))
			is.True(!strings.Contains(v.feil.String(), "\x1b"))
		})
	}
}

func TestSendLooksBeforeItSends(t *testing.T) {
	is := is.New(t)
	v := setup(t)
	v.skriv("m.pdf", pdf("0 0 612 792"))
	is.Equal(v.send(), kodeNei)
	is.True(strings.Contains(v.feil.String(), "A4"))

	v.skriv("m.pdf", pdf("0 0 595 842"))
	v.skriv("m.json", []byte(`{"melding": "noe oppdiktet"}`))
	is.Equal(v.send(), kodeNei)
	is.True(strings.Contains(v.feil.String(), "mangler"))
	is.Equal(v.send("--slag", "privat", "--versjon", "v2"), kodeNei)

	is.Equal(v.send("--slag", "begge"), kodeBruk)
	is.Equal(v.send("--pdf", v.fil("borte.pdf")), kodeBruk)
	is.Equal(v.mp.Tellere(), sim.Tellere{}) // nobody was asked
	is.Equal(len(v.innsendt), 0)
}

func TestSendSaysWhatLooksWrong(t *testing.T) {
	is := is.New(t)
	v := setup(t)
	utlopt, err := sim.CAFra(v.ca, klokke{}.Now).Sertifiser(
		sim.Bestilling{Navn: "Trykkeriet", Formal: sim.Printer, Fra: start.Add(-48 * time.Hour), Varer: time.Hour}, v.nokler.print.Nokkel)
	is.NoErr(err)
	v.print = utlopt.Cert
	v.svar = []func(http.ResponseWriter){kvitter}
	dok, err := os4204()
	is.NoErr(err)
	v.skriv("m.json", dok)
	is.Equal(v.send("--slag", "privat", "--versjon", "v2", "--likevel"), kodeOK)
	is.Equal(v.innsendt[0].sti, "/v2/mottak/fagsystem/"+fiksOrg+"/4601/01/privat")
	is.True(strings.Contains(v.feil.String(), "UTLØPT"))
}

func TestAReportForAnotherOfficeIsNotSent(t *testing.T) {
	is := is.New(t)
	v := setup(t)
	dok, err := os4204()
	is.NoErr(err)
	v.skriv("m.json", dok)
	is.Equal(v.send("--slag", "privat"), kodeNei)
	is.True(strings.Contains(v.feil.String(), "annen mottaker") && strings.Contains(v.feil.String(), "--likevel"))
	is.Equal(v.mp.Tellere(), sim.Tellere{}) // nobody was asked
	is.Equal(len(v.innsendt), 0)
}

func TestTheVersionFollowsTheReportAndItsReceiver(t *testing.T) {
	v1, v2 := skjema.EksempelOffentlig(melding.V1), skjema.EksempelOffentlig(melding.V2)
	v2.Melding.AndreSynspunkter = skjema.NyTekst("Noe mer.")
	for _, x := range []struct {
		navn    string
		dok     skjema.Offentlig
		leser   string
		versjon []string
		sti     string // "" = refused before anything is sent
	}{
		{"v2-felt til V2", v2, "V2", nil, "/v2/"},
		{"v2-felt til V1", v2, "V1", nil, ""},
		{"v2-felt sendt som v1", v2, "V2", []string{"--versjon", "v1"}, ""},
		{"uten v2-felt til V1", v1, "V1", nil, "/v1/"},
		{"uten v2-felt til V2", v1, "V2", nil, "/v2/"},
		{"v1 til V2", v1, "V2", []string{"--versjon", "v1"}, "/v1/"},
		{"v2 til V1", v1, "V1", []string{"--versjon", "v2"}, ""},
	} {
		t.Run(x.navn, func(t *testing.T) {
			is := is.New(t)
			v := setup(t)
			v.leser, v.svar = x.leser, []func(http.ResponseWriter){kvitter}
			dok, err := x.dok.JSON()
			is.NoErr(err)
			v.skriv("m.json", dok.Bytes())
			if x.sti == "" {
				is.Equal(v.send(x.versjon...), kodeNei)
				is.Equal(len(v.innsendt), 0)
				is.True(strings.Contains(v.feil.String(), "Ingenting er sendt"))
				return
			}
			is.Equal(v.send(x.versjon...), kodeOK)
			is.True(strings.HasPrefix(v.innsendt[0].sti, x.sti))
		})
	}
}
