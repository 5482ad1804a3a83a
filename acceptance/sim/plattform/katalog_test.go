package plattform_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
)

const katalog = "/fiks-io/katalog/api/v1"

func TestCatalogueShowsAnAccountWithEveryMemberThatClientsUnbox(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	s := r.kall(r.som(inPortal, "GET", katalog+"/kontoer/"+strings.ToUpper(bydelen), nil))
	is.Equal(s.status, http.StatusOK)
	status := m{"gyldigAvsender": true, "gyldigMottaker": true, "antallKonsumenter": 1.0, "antallUavhentedeMeldinger": 2.0, "melding": "Kontoen er åpen."}
	is.Equal(s.json, m{"fiksOrgId": bydelen, "fiksOrgNavn": "Bydelen (test)", "kontoId": bydelen, "kontoNavn": "Bydelen",
		"organisasjonsnummer": string(sim.Orgnr(2)), "kommunenummer": "", "status": status})
	is.Equal(r.kall(r.som(inPortal, "GET", katalog+"/kontoer/"+bydelen+"/status", nil)).json, status)
	is.Equal(r.kall(r.som(inPortal, "GET", katalog+"/kontoer/"+inNabo, nil)).kode, "KONTO_UKJENT")
	uten := r.kall(r.som(inPortal, "GET", katalog+"/kontoer/"+naboen+"/status", nil)) // has no key
	is.Equal(uten.json["gyldigMottaker"], false)
	is.Equal(uten.json["melding"], "Kontoen har ingen offentlig nøkkel.")
}

func TestPublicKeyNeedsNoLoginAndItsDatesHaveAnOffset(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	hent := func(konto string) svar {
		req, err := http.NewRequestWithContext(t.Context(), "GET", r.url+katalog+"/kontoer/"+konto+"/offentligNokkel", nil)
		is.NoErr(err)
		return r.kall(req)
	}
	s := hent(bydelen)
	is.Equal(s.status, http.StatusOK)
	is.Equal(s.json["nokkel"], string(r.n.Bydel.PEM()))
	is.Equal(s.json["valid"], true)
	for _, felt := range []string{"validFrom", "validTo"} {
		_, err := time.Parse(time.RFC3339, s.json[felt].(string)) // refuses a date without an offset
		is.NoErr(err)
	}
	for _, felt := range []string{"serial", "subjectDN", "issuerDN", "statusMessage"} {
		is.True(s.json[felt].(string) != "")
	}
	is.Equal(hent(naboen).status, http.StatusNotFound)
	is.Equal(hent(naboen).kode, "NOKKEL_MANGLER")
	is.Equal(hent(inNabo).kode, "KONTO_UKJENT")
	r.klokke.Flytt(4 * 365 * 24 * time.Hour)
	is.Equal(hent(bydelen).json["valid"], false)
}

func TestLookupFindsAnOrganisationsAccount(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	slaOpp := func(sporring string) svar { return r.kall(r.som(inPortal, "GET", katalog+"/lookup?"+sporring, nil)) }
	const resten = "&meldingProtokoll=no.ks.fiks.bekymringsmelding.v2&sikkerhetsniva=4"
	is.Equal(slaOpp("identifikator=ORG_NO." + string(sim.Orgnr(2)) + resten).json["kontoId"], bydelen)
	is.Equal(slaOpp("identifikator=ORG_NO."+string(sim.Orgnr(50))+resten).status, http.StatusNotFound)
	for _, q := range []string{"", "identifikator=" + string(sim.Orgnr(2)) + resten, "identifikator=ORG_NO.1&meldingProtokoll=x&sikkerhetsniva=5", "identifikator=ORG_NO.1&sikkerhetsniva=4"} {
		is.Equal(slaOpp(q).kode, "OPPSLAG_UGYLDIG")
	}
}

func TestAnAccountPublishesANewKeyAndOldMessagesCanStillBeShown(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	gammel, _ := r.lagtRapport()
	bytt := func(som, konto, pem string) svar {
		b, err := json.Marshal(m{"pem": pem})
		is.NoErr(err)
		return r.kall(r.som(som, "PUT", "/fiks-io/konto/api/v1/kontoer/"+konto+"/offentligNokkel", strings.NewReader(string(b))))
	}
	is.Equal(bytt(inPortal, bydelen, string(r.n.NyBydel.PEM())).status, http.StatusForbidden)
	nokkel, err := r.n.NyBydel.NokkelPEM()
	is.NoErr(err)
	svakt, err := r.n.CA.Utsted(sim.Bestilling{Navn: "Bydelen", Formal: sim.Portal, Bits: 1024})
	is.NoErr(err)
	utlopt, err := r.n.CA.Sertifiser(sim.Bestilling{Navn: "Bydelen", Formal: sim.Portal, Fra: simtest.Start.Add(-48 * time.Hour), Varer: time.Hour}, r.n.NyBydel.Nokkel)
	is.NoErr(err)
	for _, pem := range []string{"", "x", string(nokkel), string(svakt.PEM()), string(utlopt.PEM()), string(r.n.NyBydel.PEM()) + string(r.n.Portal.PEM())} {
		is.Equal(bytt(inBydel, bydelen, pem).kode, "NOKKEL_UGYLDIG")
	}
	is.Equal(bytt(inBydel, bydelen, string(r.n.NyBydel.PEM())).status, http.StatusCreated)
	is.Equal(r.kall(r.som(inBydel, "GET", katalog+"/kontoer/"+bydelen+"/offentligNokkel", nil)).json["nokkel"], string(r.n.NyBydel.PEM()))
	filer, err := r.p.Apne(gammel)
	is.NoErr(err)
	is.Equal(len(filer), 2)
}
