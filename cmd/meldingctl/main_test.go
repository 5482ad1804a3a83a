package main

import (
	"archive/zip"
	"bytes"
	"crypto/x509"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/skjema"
)

func os4204() ([]byte, error) {
	p := skjema.EksempelPrivat()
	p.Mottaker.Kommunenummer, p.Mottaker.Bydelsnummer = "4204", "00"
	k, err := p.JSON()
	return k.Bytes(), err
}

func TestNokler(t *testing.T) {
	is := is.New(t)
	v := setup(t)
	is.Equal(v.kjor("--ark", v.ark, "nokler", "--kommune", "4601", "--bydel", "01", "-o", v.fil("ut")), kodeOK)
	is.True(strings.Contains(v.ut.String(), "innehaver  Trykkeriet\n") && strings.Contains(v.ut.String(), "innehaver  Bydelen\n"))
	for fil, c := range map[string]*x509.Certificate{"ut/print.pem": v.nokler.print.Cert, "ut/mottaker.pem": v.mottaker.Cert} {
		kjede, err := lesKjede(v.fil(fil))
		is.NoErr(err)
		is.True(kjede[0].Equal(c))
	}
	is.Equal(v.kjor("--ark", v.ark, "nokler", "--kommune", "4601", "--bydel", "07"), kodeNei)
	is.True(strings.Contains(v.feil.String(), "UKJENT_RESSURS"))
	is.Equal(v.kjor("--ark", v.ark, "nokler", "--kommune", "460"), kodeBruk)
	is.Equal(v.kjor("--ark", v.ark, "nokler", "--kommune", "4601", "--bydel", "../"), kodeBruk)
}

func TestStatusIsAlignedAndLocal(t *testing.T) {
	is := is.New(t)
	v := setup(t)
	v.statussvar = `[{"tidspunkt":"2026-05-04T10:00:00.123456","tilstand":"AKSEPTERT","beskrivelse":"Meldingen er lagret."},
		{"tidspunkt":"2026-05-04T08:00:01Z","tilstand":"SENDT_FAGSYSTEM","beskrivelse":"Sendt.\u202e"}]`
	is.Equal(v.kjor("--ark", v.ark, "status", uuid), kodeOK)
	is.Equal(v.ut.String(), "04.05.2026 10:00:00  AKSEPTERT        Meldingen er lagret.\n04.05.2026 10:00:01  SENDT_FAGSYSTEM  Sendt.\n")
	is.Equal(v.kjor("--ark", v.ark, "status", "0190c0de-0000-7000-8000-000000000002"), kodeNei)
	is.Equal(v.kjor("--ark", v.ark, "status", "tull"), kodeBruk)
	v.statussvar = "ikke json"
	is.Equal(v.kjor("--ark", v.ark, "status", uuid), kodeUkjent)
	v.statussvar = "[]"
	is.Equal(v.kjor("--ark", v.ark, "status", uuid), kodeUkjent)
}

func TestConnection(t *testing.T) {
	is := is.New(t)
	v := setup(t)
	is.Equal(v.kjor("status", uuid), kodeBruk)
	is.True(strings.Contains(v.feil.String(), "--api, --issuer"))
	is.Equal(v.kjor("--ark", v.fil("borte.json"), "status", uuid), kodeBruk)
	is.Equal(v.kjor("--ark", v.skriv("x.json", []byte(`{"avsender": "`+passord)), "status", uuid), kodeBruk)
	is.Equal(v.kjor("--ark", v.ark, "--api", "http://portal.example/bekymringsmelding", "status", uuid), kodeBruk) // a password in the open
	is.True(strings.Contains(v.feil.String(), "https"))
	is.Equal(v.kjor("--ark", v.ark, "--api", "portal", "status", uuid), kodeBruk)
	is.Equal(v.kjor("--ark", v.ark, "--privat-nokkel", v.fil("mottaker.key"), "status", uuid), kodeBruk) // not the certificate's
	is.Equal(v.kjor("--ark", v.ark, "--privat-nokkel", v.fil("m.pdf"), "status", uuid), kodeBruk)
	is.Equal(v.kjor("--ark", v.ark, "--sertifikat", v.fil("m.pdf"), "status", uuid), kodeBruk)
	is.Equal(v.kjor("--ark", v.ark, "--klient-id", "ukjent", "status", uuid), kodeNei)
	is.True(strings.Contains(v.feil.String(), "Maskinporten ga ikke tilgang"))
	is.Equal(v.kjor("--ark", v.ark, "--fiks-org-id", "../x", "status", uuid), kodeBruk)
	v.mp.Stans()
	is.Equal(v.kjor("--ark", v.ark, "status", uuid), kodeUkjent)
	v.mp.Gjenoppta()

	t.Setenv("MELDINGCTL_PASSORD", "et annet") // before the sheet's
	is.Equal(v.kjor("--ark", v.ark, "status", uuid), kodeNei)
	is.True(strings.Contains(v.feil.String(), "IKKE_AUTENTISERT"))
	t.Setenv("MELDINGCTL_PASSORD", passord)
	t.Setenv("MELDINGCTL_ARK", v.ark)
	v.statussvar = `[{"tidspunkt":"2026-05-04T10:00:00","tilstand":"LEVERT"}]`
	is.Equal(v.kjor("status", uuid), kodeOK)
}

func TestPreflight(t *testing.T) {
	is := is.New(t)
	v := setup(t)
	is.Equal(v.kjor("preflight", v.fil("m.pdf")), kodeOK)
	is.Equal(v.ut.String(), "PDF-en kan skrives ut: 1 side.\n")
	is.Equal(v.kjor("preflight", v.skriv("liggende.pdf", pdf("0 0 842 595"))), kodeOK)
	is.True(strings.Contains(v.feil.String(), "Merk: "))
	is.Equal(v.kjor("preflight", v.ark), kodeNei)
	is.Equal(v.kjor("preflight", v.fil("borte")), kodeBruk)
	is.Equal(v.kjor("preflight", v.skriv("stor", make([]byte, 5<<20+1))), kodeBruk)
}

// pakk is a container of the two files, and the same sealed for the receiver.
func (v *verden) pakk(filer ...melding.Fil) (apen, forseglet []byte) {
	v.t.Helper()
	p, err := asice.NewPacker(v.avsender.Nokkel, func() time.Time { return start }, v.avsender.Cert)
	v.ok(err)
	k, err := p.Pack(v.t.Context(), filer)
	v.ok(err)
	f, err := segl(k, v.mottaker.Cert)
	v.ok(err)
	return k.Bytes(), f
}

func TestVerify(t *testing.T) {
	is := is.New(t)
	v := setup(t)
	tekst := func(navn string) melding.Fil {
		return melding.Fil{Navn: navn, Innhold: melding.NyKlartekst([]byte("noe oppdiktet"))}
	}
	apen, forseglet := v.pakk(tekst("bekymringsmelding.json"), tekst("bekymringsmelding.pdf"))
	is.Equal(v.kjor("verify", v.skriv("a.zip", apen)), kodeOK)
	is.True(strings.Contains(v.ut.String(), "signaturen er gyldig") && strings.Contains(v.ut.String(), "Signert av Skolen, org.nr. "))
	is.True(!strings.Contains(v.feil.String(), "nøyaktig"))

	fil := v.skriv("a.cms", forseglet)
	is.Equal(v.kjor("verify", fil), kodeOK)
	is.True(strings.Contains(v.ut.String(), v.mottaker.Cert.SerialNumber.String()))
	is.True(strings.Contains(v.feil.String(), "ikke kontrollert"))
	med := []string{"--mottakersertifikat", v.fil("mottaker.pem"), "--mottakernokkel", v.fil("mottaker.key")}
	is.Equal(v.kjor(append([]string{"verify", fil}, med...)...), kodeOK)
	is.True(strings.Contains(v.ut.String(), "bekymringsmelding.pdf"))
	is.Equal(v.kjor(append([]string{"verify", fil}, med[:2]...)...), kodeBruk)
	is.Equal(v.kjor("verify", fil, "--mottakersertifikat", v.fil("avsender.pem"), "--mottakernokkel", v.fil("avsender.key")), kodeNei)

	apen, _ = v.pakk(tekst("annet.json"))
	is.Equal(v.kjor("verify", v.skriv("annet.zip", apen)), kodeOK)
	is.True(strings.Contains(v.feil.String(), "nøyaktig"))
}

func TestVerifyHostileFiles(t *testing.T) {
	is := is.New(t)
	v := setup(t)
	apen, forseglet := v.pakk(melding.Fil{Navn: "bekymringsmelding.json", Innhold: melding.NyKlartekst(bytes.Repeat([]byte("x"), 100))})
	for navn, b := range map[string][]byte{
		"empty": nil, "text": []byte("hei"), "cut": apen[:len(apen)/2], "cut seal": forseglet[:len(forseglet)-1], "PK only": []byte("PK"),
		"bomb": zipMed(t, "bekymringsmelding.json", make([]byte, 40<<20)), "path": zipMed(t, "../../etc/passwd", []byte("x")),
		"unlisted": zipMed(t, "bekymringsmelding.json", []byte("{}")), "escape": zipMed(t, "\x1b[31m.json", []byte("{}")),
	} {
		t.Run(navn, func(t *testing.T) {
			v.t = t
			is := is.New(t)
			is.Equal(v.kjor("verify", v.skriv("x", b)), kodeNei)
			is.True(v.feil.Len() > 0 && !strings.Contains(v.feil.String(), "\x1b") && !strings.Contains(v.feil.String(), "passwd"))
		})
	}
	v.t = t
	is.Equal(v.kjor("verify", v.skriv("x", make([]byte, maksBeholder+1))), kodeBruk)
	for i := 0; i < len(apen); i += 11 { // no damage is worth a panic
		skadet := bytes.Clone(apen)
		skadet[i] ^= 0xff
		v.kjor("verify", v.skriv("x", skadet))
	}
}

func zipMed(t *testing.T, navn string, innhold []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(navn)
	if err == nil {
		_, err = f.Write(innhold)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGeneratedPages(t *testing.T) {
	is := is.New(t)
	v := setup(t)
	is.Equal(v.kjor("tilstander"), kodeOK)
	is.True(strings.HasPrefix(v.ut.String(), "# Tilstander\n"))
	for versjon, fil := range map[string]string{"3.1": "openapi-3.1.json", "3.0": "openapi-3.0.json"} {
		golden, err := os.ReadFile("../../contracts/openapi/" + fil)
		is.NoErr(err)
		is.Equal(v.kjor("openapi", "--versjon", versjon), kodeOK)
		is.True(bytes.Equal(v.ut.Bytes(), golden))
	}
}

func TestCommandLine(t *testing.T) {
	is := is.New(t)
	v := setup(t)
	is.Equal(v.kjor("--help"), kodeOK)
	is.True(strings.Contains(v.ut.String(), "preflight"))
	engelsk := regexp.MustCompile(`\b(Usage|Flags?|Arguments?|Commands?|command|Show|Run|STRING|INT)\b`)
	for _, kommando := range []string{"", "nokler", "send", "status", "preflight", "verify", "tilstander", "openapi"} {
		is.Equal(v.kjor(strings.Fields(kommando+" --help")...), kodeOK)
		is.True(strings.HasPrefix(v.ut.String(), "Bruk: meldingctl"))
		is.Equal(engelsk.FindAllString(v.ut.String(), -1), nil)
	}
	is.Equal(v.kjor(), kodeBruk)
	is.True(strings.Contains(v.feil.String(), "oppgi en av"))
	is.Equal(v.kjor("finnesikke"), kodeBruk)
}

func TestKIDInsteadOfCertificate(t *testing.T) {
	is := is.New(t)
	v := setup(t)
	id, err := lesIdentitet("", v.fil("avsender.key"))
	is.NoErr(err)
	is.Equal(len(id.kjede), 0)
	is.Equal(v.kjor("--ark", v.ark, "--kid", "ukjent", "status", uuid), kodeNei) // asked with the kid, which nobody has registered
	is.Equal(v.mp.Tellere(), sim.Tellere{Token: 1})
}

func TestTheConnectionDoesNotPrintItsPassword(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		is.New(t).Equal(fmt.Sprintf(verb, Tilkobling{passord: passord}), "[skjult]")
	}
}
