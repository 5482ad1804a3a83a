package plattform_test

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
)

// avslag is one message that is refused, and the switch that lets it through; nil = none does.
type avslag struct {
	navn     string
	meta     any
	data     string // "" = none, "ok" = a sealed report
	status   int
	kode     string
	lempelig func(*plattform.Lempelig)
}

const helMetadata = `{"avsenderKontoId":"` + portalen + `","mottakerKontoId":"` + bydelen + `","meldingType":"` + privatV2 + `"}`

func avslagene() []avslag {
	mottatt := "no.ks.fiks.bekymringsmelding.mottatt.v1"
	return []avslag{
		{"ttl under ett sekund", rapport(m{"ttl": 999}), "ok", 400, "TTL_UGYLDIG", nil},
		{"ttl som et tidsrom fra .NET", rapport(m{"ttl": "2.00:00:00"}), "ok", 400, "TTL_UGYLDIG", nil},
		{"ttl som tekst", rapport(m{"ttl": "86400000"}), "ok", 400, "TTL_UGYLDIG", func(l *plattform.Lempelig) { l.Verdier = true }},
		{"ttl med desimaler", rapport(m{"ttl": 1500.5}), "ok", 400, "TTL_UGYLDIG", func(l *plattform.Lempelig) { l.Verdier = true }},
		{"negativ ttl", rapport(m{"ttl": -5000}), "ok", 400, "TTL_UGYLDIG", nil},
		{"ttl over det en kø tar", rapport(m{"ttl": 4294967296}), "ok", 400, "TTL_UGYLDIG", nil},
		{"fremmed avsenderkonto", rapport(m{"avsenderKontoId": naboen}), "ok", 403, "KONTO_INGEN_TILGANG", nil},
		{"ukjent avsenderkonto", rapport(m{"avsenderKontoId": inNabo}), "ok", 403, "KONTO_INGEN_TILGANG", nil},
		{"ukjent mottaker", rapport(m{"mottakerKontoId": inNabo}), "ok", 400, "MOTTAKER_UKJENT", nil},
		{"mottaker er ikke UUID", rapport(m{"mottakerKontoId": "bergen"}), "ok", 400, "METADATA_UGYLDIG", nil},
		{"uten meldingType", m{"avsenderKontoId": portalen, "mottakerKontoId": bydelen}, "ok", 400, "METADATA_UGYLDIG", nil},
		{"meldingType med blank", rapport(m{"meldingType": "a b"}), "ok", 400, "METADATA_UGYLDIG", nil},
		{"svarPaMelding er ikke UUID", rapport(m{"svarPaMelding": "x"}), "ok", 400, "METADATA_UGYLDIG", nil},
		{"PascalCase", m{"AvsenderKontoId": portalen, "MottakerKontoId": bydelen, "MeldingType": privatV2}, "ok", 400, "METADATA_UGYLDIG", nil},
		{"ikke JSON", []byte("x"), "ok", 400, "METADATA_UGYLDIG", nil},
		{"noe etter objektet", []byte(helMetadata + ` {}`), "ok", 400, "METADATA_UGYLDIG", nil},
		{"ikke UTF-8", []byte(strings.Replace(helMetadata, "{", "{\"x\":\"\xe5\",", 1)), "ok", 400, "METADATA_UGYLDIG", nil},
		{"for store metadata", bytes.Repeat([]byte(" "), 64<<10+1), "ok", 400, "METADATA_UGYLDIG", nil},
		{"header som tall", rapport(m{"headere": m{"a": 1}}), "ok", 400, "HEADERE_UGYLDIG", func(l *plattform.Lempelig) { l.Verdier = true }},
		{"header som null", rapport(m{"headere": m{"a": nil}}), "ok", 400, "HEADERE_UGYLDIG", func(l *plattform.Lempelig) { l.Verdier = true }},
		{"header som objekt", rapport(m{"headere": m{"a": m{}}}), "ok", 400, "HEADERE_UGYLDIG", nil},
		{"header uten navn", rapport(m{"headere": m{"": "x"}}), "ok", 400, "HEADERE_UGYLDIG", nil},
		{"for langt headernavn", rapport(m{"headere": m{strings.Repeat("n", 236): "x"}}), "ok", 400, "HEADERE_UGYLDIG", nil},
		{"for mye i headere", rapport(m{"headere": m{"a": strings.Repeat("x", 16<<10)}}), "ok", 400, "HEADERE_UGYLDIG", nil},
		{"to like medlemmer", []byte(`{"avsenderKontoId":"` + portalen + `","mottakerKontoId":"` + bydelen + `","meldingType":"x","meldingType":"` + privatV2 + `"}`), "ok",
			400, "METADATA_UGYLDIG", func(l *plattform.Lempelig) { l.DobleMedlemmer = true }},
		{"klientMeldingId er ikke UUID", rapport(m{"headere": m{"klientMeldingId": "7"}}), "ok", 400, "KLIENTHEADERE_UGYLDIG",
			func(l *plattform.Lempelig) { l.KlientHeadere = true }},
		{"to ulike korrelasjoner", rapport(m{"headere": m{"klientKorrelasjonId": "a", "klientKorrelasjonsId": "b"}}), "ok", 400, "KLIENTHEADERE_UGYLDIG",
			func(l *plattform.Lempelig) { l.KlientHeadere = true }},
		{"klartekst", rapport(), `{"melding":"navn"}`, 400, "DATA_IKKE_KRYPTERT", func(l *plattform.Lempelig) { l.UkryptertData = true }},
		{"rapport uten innhold", rapport(), "", 400, "DATA_FEIL_FOR_TYPEN", func(l *plattform.Lempelig) { l.Kropp = true }},
		{"mottatt uten svarPaMelding", rapport(m{"meldingType": mottatt}), "", 400, "SVAR_PA_MANGLER", func(l *plattform.Lempelig) { l.FremmedSvar = true }},
		{"mottatt med innhold", rapport(m{"meldingType": mottatt, "svarPaMelding": naboen}), "ok", 400, "DATA_FEIL_FOR_TYPEN", func(l *plattform.Lempelig) { l.Kropp = true }},
		{"tom data-del", rapport(m{"meldingType": mottatt, "svarPaMelding": naboen}), "tom", 400, "DATA_TOM", func(l *plattform.Lempelig) { l.TomData = true }},
	}
}

func TestEachStrictRuleRefusesAndItsOwnSwitchLetsThrough(t *testing.T) {
	for _, a := range avslagene() {
		t.Run(a.navn, func(t *testing.T) {
			is := is.New(t)
			var lempelig plattform.Lempelig
			r := nyRigg(t, func(c *plattform.Config) { c.Lempelig = lempelig })
			data := []byte(a.data)
			switch a.data {
			case "":
				data = nil
			case "tom":
				data = []byte{}
			case "ok":
				data = forseglet(t, r.n.Bydel, r.n.Portal)
			}
			s := r.send(a.meta, data)
			is.Equal(s.status, a.status)
			is.Equal(s.kode, a.kode)
			is.Equal(r.b.antall(koPrefiks+bydelen), 0)
			if a.lempelig != nil {
				a.lempelig(&lempelig)
				r = nyRigg(t, func(c *plattform.Config) { c.Lempelig = lempelig })
				is.Equal(r.send(a.meta, data).status, http.StatusAccepted)
				is.Equal(r.b.antall(koPrefiks+bydelen), 1)
			}
		})
	}
}

// Written as text on the queue, or left out: clients read nothing but long strings there.
func TestLenientValuesAreWhatTheyWouldHaveBeenAsText(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t, func(c *plattform.Config) { c.Lempelig.Verdier = true })
	_, lagt := r.lagtRapport(m{"ttl": "86400000", "headere": m{"tall": 1.50, "ja": true, "tom": nil, "tekst": "x"}})
	is.Equal(lagt.TTL, 24*time.Hour)
	is.Equal(lagt.Headere["egendefinert-header.tall"], "1.5")
	is.Equal(lagt.Headere["egendefinert-header.ja"], "true")
	is.Equal(lagt.Headere["egendefinert-header.tekst"], "x")
	_, har := lagt.Headere["egendefinert-header.tom"]
	is.True(!har)
	for _, ttl := range []any{"NaN", "Inf", "-1", "", "999.9", "1e30", true, []int{5000}} { // no switch helps these
		is.Equal(r.send(rapport(m{"ttl": ttl}), nil).kode, "TTL_UGYLDIG")
	}
}

func TestTheWordBearerIsReadAsItStandsOrInAnyCase(t *testing.T) {
	is := is.New(t)
	const sti = "/fiks-io/katalog/api/v1/kontoer/" + bydelen
	for lempelig, vil := range map[bool]int{false: http.StatusUnauthorized, true: http.StatusOK} {
		r := nyRigg(t, func(c *plattform.Config) { c.Lempelig.Bearer = lempelig })
		req := r.som(inPortal, "GET", sti, nil)
		req.Header.Set("Authorization", "bEARER "+r.token(inPortal))
		is.Equal(r.kall(req).status, vil)
		for _, feil := range []string{r.token(inPortal), "bearer ", "bearer", "Basic " + r.token(inPortal)} {
			req.Header.Set("Authorization", feil)
			is.Equal(r.kall(req).status, http.StatusUnauthorized)
		}
	}
}

func TestEveryRefusalHasKSsErrorBody(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	s := r.send(rapport(m{"ttl": 1}), nil)
	is.Equal(s.hode.Get("Content-Type"), "application/json")
	is.Equal(s.json["timestamp"], float64(simtest.Start.UnixMilli()))
	is.Equal(s.json["status"], 400.0)
	is.Equal(s.json["error"], "Bad Request")
	is.Equal(s.json["path"], "/fiks-io/api/v1/send")
	is.True(s.json["message"] != "")
	_, err := uuid.Parse(s.json["errorId"].(string))
	is.NoErr(err)
	is.Equal(r.kall(r.som(inPortal, "GET", "/fiks-io/api/v1/send", nil)).kode, "METODE_UGYLDIG")
	is.Equal(r.kall(r.som(inPortal, "GET", "/fiks-io/annet", nil)).kode, "STI_UKJENT")
}

func TestALoginThatIsWrongSaysTheSameWhateverIsWrong(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	const sti = "/fiks-io/katalog/api/v1/kontoer/" + bydelen
	utlopt, err := r.mp.Feiltoken(sim.Utlopt, inPortal)
	is.NoErr(err)
	for _, token := range []string{"", "Bearer", "Bearer x", "Bearer " + utlopt, "bearer " + r.token(inPortal)} {
		req := r.som(inPortal, "GET", sti, nil)
		req.Header.Set("Authorization", token)
		s := r.kall(req)
		is.Equal(s.status, http.StatusUnauthorized)
		is.Equal(s.json["message"], "Klarte ikke å validere access_token")
	}
	for hode, verdi := range map[string]string{"IntegrasjonPassord": "feil", "Authorization": "Bearer " + r.token(inNabo)} {
		req := r.som(inPortal, "GET", sti, nil)
		req.Header.Set(hode, verdi)
		s := r.kall(req)
		is.Equal(s.status, http.StatusUnauthorized)
		is.Equal(s.json["message"], "Autentisering feilet for integrasjon med id "+inPortal)
	}
	req := r.som(inPortal, "GET", sti, nil)
	req.Header.Set("IntegrasjonId", portalen) // no such integration
	s := r.kall(req)
	is.Equal(s.json["message"], "Autentisering feilet for integrasjon med id "+portalen)
	is.Equal(s.kode, "INTEGRASJON_UGYLDIG")
	req = r.som(inPortal, "GET", sti, nil)
	req.Header.Add("IntegrasjonPassord", passord) // twice
	is.Equal(r.kall(req).status, http.StatusUnauthorized)
	is.Equal(r.kall(r.som(inPortal, "GET", sti, nil)).status, http.StatusOK)
}

func TestAccountsCanCloseChangePasswordAndRotateWhileRunning(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	k := r.konto[bydelen]
	k.Stengt = true
	r.registrer(k)
	s := r.send(rapport(), forseglet(t, r.n.Bydel, r.n.Portal))
	is.Equal(s.status, http.StatusBadRequest)
	is.Equal(s.kode, "MOTTAKER_STENGT")
	s = r.sendSom(inBydel, m{"avsenderKontoId": bydelen, "mottakerKontoId": portalen, "meldingType": "x"}, nil)
	is.Equal(s.status, http.StatusForbidden)
	is.Equal(s.kode, "AVSENDER_STENGT")

	k.Stengt, k.Integrasjoner[0].Passord = false, "nytt"
	r.registrer(k)
	const sti = "/fiks-io/katalog/api/v1/kontoer/" + bydelen
	is.Equal(r.kall(r.som(inBydel, "GET", sti, nil)).status, http.StatusUnauthorized)
	is.True(!r.p.LoggInn(t.Context(), inBydel, passord+" "+r.token(inBydel)))
	is.True(r.p.LoggInn(t.Context(), inBydel, "nytt "+r.token(inBydel)))

	for _, feil := range []plattform.Konto{{}, {ID: bydelen, Navn: "x", FiksOrgID: "x", FiksOrgNavn: "x", Orgnr: "1"},
		{ID: bydelen, Navn: "x", FiksOrgID: "x", FiksOrgNavn: "x", Orgnr: k.Orgnr, Integrasjoner: []plattform.Integrasjon{{ID: inBydel, Passord: "a b", Orgnr: k.Orgnr}}},
		{ID: bydelen, Navn: "x", FiksOrgID: "x", FiksOrgNavn: "x", Orgnr: k.Orgnr, Sertifikat: r.n.Portal.Cert, Nokkel: r.n.Bydel.Nokkel}} {
		is.True(r.p.Registrer(t.Context(), feil) != nil)
	}
}

func TestABrokerIsToldWhoMayLogInAndReadWhat(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	ctx := t.Context()
	is.True(r.p.LoggInn(ctx, inBydel, passord+" "+r.token(inBydel)))
	is.True(!r.p.LoggInn(ctx, inBydel, passord))
	is.True(!r.p.LoggInn(ctx, inBydel, passord+" x "+r.token(inBydel))) // the password is all before the last blank
	is.True(!r.p.LoggInn(ctx, inBydel, passord+" "+r.token(inNabo)))
	is.True(!r.p.LoggInn(ctx, inNabo, passord+" "+r.token(inBydel)))
	is.True(r.p.KanLese(ctx, inBydel, koPrefiks+bydelen))
	is.True(!r.p.KanLese(ctx, inBydel, koPrefiks+portalen))
	is.True(!r.p.KanLese(ctx, inBydel, "fiksio.dlq"))
	is.True(!r.p.KanLese(ctx, "", koPrefiks+bydelen))
}

func TestAnAnswerMustBeToTheOneWhoSentAndNeverToAReceipt(t *testing.T) {
	is := is.New(t)
	for _, lempelig := range []bool{false, true} {
		vil := map[bool]int{false: http.StatusBadRequest, true: http.StatusAccepted}[lempelig]
		r := nyRigg(t, func(c *plattform.Config) { c.Lempelig.FremmedSvar = lempelig })
		id, _ := r.lagtRapport()
		svar := func(fra, konto, til, pa string) int {
			return r.sendSom(fra, m{"avsenderKontoId": konto, "mottakerKontoId": til, "meldingType": "no.ks.fiks.bekymringsmelding.mottatt.v1", "svarPaMelding": pa}, nil).status
		}
		is.Equal(svar(inNabo, naboen, portalen, id), vil)
		is.Equal(svar(inBydel, bydelen, naboen, id), vil)
		is.Equal(svar(inBydel, bydelen, portalen, id), http.StatusAccepted)
		kvittering := r.p.Logg(1)[0].MeldingID
		is.Equal(svar(inPortal, portalen, bydelen, kvittering), vil)
		is.Equal(svar(inBydel, bydelen, portalen, inNabo), http.StatusAccepted) // from before the last start
	}
}

func TestTheDocumentListsEveryErrorCode(t *testing.T) {
	b, err := os.ReadFile("../../../docs/fiks-sim.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range plattform.Feilkodenavn() {
		if !strings.Contains(string(b), "`"+k+"`") {
			t.Errorf("docs/fiks-sim.md mangler %s", k)
		}
	}
}

func TestATooLargePayloadGetsIts413AlsoWhenTheClientIsStillSending(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t, func(c *plattform.Config) { c.Maks = 1 << 20 })
	for _, data := range [][]byte{make([]byte, 1<<20+1), make([]byte, 12<<20)} { // 12 MB: the largest KS's client was seen to send and read the answer to
		s := r.send(rapport(), data)
		is.Equal(s.status, http.StatusRequestEntityTooLarge)
		is.Equal(s.kode, "DATA_FOR_STOR")
	}
	req := r.som(inPortal, "POST", "/fiks-io/api/v1/send", bytes.NewReader(make([]byte, 12<<20)))
	req.Header.Set("IntegrasjonPassord", "feil")
	is.Equal(r.kall(req).status, http.StatusUnauthorized)
}

func TestARefusalComesBeforeTheRestOfTheBodyAndTheRestIsStillRead(t *testing.T) {
	r := nyRigg(t)
	// One waits for an answer before it goes on. The other writes all it has before it looks, and must not be cut off: 12 MB is the most
	// KS's Java client was seen to send and still read its answer.
	for navn, skriver := range map[string]int{"venter": 4, "skriver alt": 12 << 20} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			c, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
			is.NoErr(err)
			defer func() { _ = c.Close() }()
			is.NoErr(c.SetDeadline(time.Now().Add(5 * time.Second))) // shorter than the platform reads on
			_, err = c.Write([]byte("POST /fiks-io/api/v1/send HTTP/1.1\r\nHost: x\r\nContent-Length: 12582912\r\n\r\n"))
			is.NoErr(err)
			_, err = c.Write(make([]byte, skriver))
			is.NoErr(err)
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			is.NoErr(err)
			_ = res.Body.Close()
			is.Equal(res.StatusCode, http.StatusUnauthorized)
		})
	}
}

func TestPartsMustBeTheTwoAndOnce(t *testing.T) {
	is := is.New(t)
	del := func(navn string) string {
		return "--" + grense + "\r\nContent-Disposition: form-data; name=" + navn + "\r\n\r\n{}\r\n"
	}
	for _, v := range []struct{ kropp, kode string }{
		{del("metadata") + del("vedlegg"), "DEL_UKJENT"},
		{del("metadata") + del("metadata"), "DEL_DOBBEL"},
		{del("data"), "METADATA_MANGLER"},
		{"--" + grense + "\r\n\r\nx\r\n", "DEL_UKJENT"},
	} {
		_, err := plattform.LesSend(grense, []byte(v.kropp+"--"+grense+"--\r\n"), plattform.Lempelig{})
		is.True(err != nil)
		is.True(strings.Contains(err.Error(), v.kode))
	}
	meta := medMetadata([]byte(`{"avsenderKontoId":"` + portalen + `","mottakerKontoId":"` + bydelen + `","meldingType":"x"}`))
	_, err := plattform.LesSend(grense, append([]byte(del("vedlegg")), meta...), plattform.Lempelig{UkjenteDeler: true})
	is.NoErr(err)
	_, err = plattform.LesSend(grense, append([]byte(strings.Repeat(del("vedlegg"), 20)), meta...), plattform.Lempelig{UkjenteDeler: true})
	is.True(err != nil) // not for ever
}

func TestTheDocumentListsEveryLenientSwitch(t *testing.T) {
	b, err := os.ReadFile("../../../docs/fiks-sim.md")
	if err != nil {
		t.Fatal(err)
	}
	felt := reflect.TypeFor[plattform.Lempelig]()
	for i := range felt.NumField() {
		var flagg strings.Builder
		for _, r := range felt.Field(i).Name {
			if r >= 'A' && r <= 'Z' {
				flagg.WriteByte('-')
			}
			flagg.WriteRune(r)
		}
		if navn := "`--lempelig" + strings.ToLower(flagg.String()) + "`"; !strings.Contains(string(b), navn) {
			t.Errorf("docs/fiks-sim.md mangler %s", navn)
		}
	}
}
