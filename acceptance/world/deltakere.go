// Package world is the glue between a composed portal and the simulated outside world: who takes part (keys, accounts, set-up), a
// sender that uses the public API as a vendor would, and case systems on the far side of a Kanal. cmd/demo and the
// scenarios in acceptance share it.
package world

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/app/onboarding"
	"portal.example/bekymringsmelding/domain/kommune"
)

// Avsenderdata is one sending organisation and its login.
type Avsenderdata struct {
	Navn          string
	FiksOrgID     string
	Orgnr         string
	IntegrasjonID string
	Passord       string
	KlientID      string
	Sert          *sim.Sertifikat `json:"-"`
}

// Login is one integration on Fiks IO and its client in Maskinporten.
type Login struct{ IntegrasjonID, Passord, KlientID string }

// Mottakerdata is one receiving bydel and the account behind it.
type Mottakerdata struct {
	Kommunenummer string
	Bydelsnummer  string
	Standard      bool
	Versjon       string
	Kanal         kommune.Kanal
	RessursID     string
	KontoID       string
	IntegrasjonID string
	Passord       string
	KlientID      string
	Fagsystem     string        // a character: kvitterer, avviser, stille, …
	SentEtter     time.Duration `json:",omitempty"` // how late «sent» answers
	FristSekunder int
	Sert          *sim.Sertifikat `json:"-"`
}

// Kommunedata is one kommune's organisation.
type Kommunedata struct {
	Nummer, FiksOrgID, Orgnr string
	Navn                     kommune.Navn
	Fylke                    string
	Fylkenavn                kommune.Navn
	Bydelsnavn               map[string]kommune.Navn
}

// Deltakere is everybody in the world. Keys and ids are made once and kept in a folder, so that a second start is the same world.
type Deltakere struct {
	Hemmelighet string // base64, the portal's
	// NokkelHemmelighet seals the portal's key folder, base64.
	NokkelHemmelighet string
	// PortalLogin is how the portal logs in to Fiks IO and Maskinporten.
	PortalLogin   Login
	Avsender      Avsenderdata
	AnnenAvsender Avsenderdata
	Kommuner      []Kommunedata
	Mottakere     []Mottakerdata

	CA    *sim.CA         `json:"-"`
	Print *sim.Sertifikat `json:"-"`
	// Portal is the portal's own account: answers with a body are sealed for it.
	Portal *sim.Sertifikat `json:"-"`
	Mappe  string          `json:"-"`
}

// Finn gives the receiver by number.
func (d *Deltakere) Finn(kommunenummer, bydelsnummer string) *Mottakerdata {
	for i := range d.Mottakere {
		if m := &d.Mottakere[i]; m.Kommunenummer == kommunenummer && m.Bydelsnummer == bydelsnummer {
			return m
		}
	}
	return nil
}

// Kommune gives a kommune by number.
func (d *Deltakere) Kommune(nr string) *Kommunedata {
	for i := range d.Kommuner {
		if d.Kommuner[i].Nummer == nr {
			return &d.Kommuner[i]
		}
	}
	return nil
}

func nb(s string) kommune.Navn { return kommune.Navn{"nb": s} }

// nye are the participants of ../shared/demo.md. The organisations' numbers are from the 3xx test series.
func nye() *Deltakere {
	d := &Deltakere{
		Hemmelighet:   tilfeldig64(32),
		Avsender:      avsender("Eksempelby oppvekst (test)", 1),
		AnnenAvsender: avsender("Fjordvik skole (test)", 2),
		Kommuner: []Kommunedata{
			{Nummer: "4601", Navn: nb("Bergen"), Fylke: "46", Fylkenavn: nb("Vestland"), Bydelsnavn: map[string]kommune.Navn{"01": nb("Bergen 01 (test)"), "02": nb("Bergen 02 (test)")}},
			{Nummer: "5501", Navn: kommune.Navn{"nb": "Tromsø", "se": "Romsa"}, Fylke: "55", Fylkenavn: kommune.Navn{"nb": "Troms", "se": "Romsa"}, Bydelsnavn: map[string]kommune.Navn{"00": nb("Tromsø")}},
			{Nummer: "4204", Navn: nb("Kristiansand"), Fylke: "42", Fylkenavn: nb("Agder"), Bydelsnavn: map[string]kommune.Navn{"00": nb("Kristiansand")}},
			{Nummer: "0301", Navn: nb("Oslo"), Fylke: "03", Fylkenavn: nb("Oslo")},
		},
		Mottakere: []Mottakerdata{
			{Kommunenummer: "4601", Bydelsnummer: "01", Standard: true, Versjon: "V2", Fagsystem: "kvitterer"},
			{Kommunenummer: "4601", Bydelsnummer: "02", Versjon: "V1", Fagsystem: "ingen"},
			{Kommunenummer: "5501", Bydelsnummer: "00", Standard: true, Versjon: "V2", Fagsystem: "avviser"},
			{Kommunenummer: "4204", Bydelsnummer: "00", Standard: true, Versjon: "V2", Fagsystem: "stille"},
		},
	}
	d.fyllUt()
	for i := range d.Kommuner {
		d.Kommuner[i].FiksOrgID, d.Kommuner[i].Orgnr = uuid(), string(sim.Orgnr(10+i))
	}
	for i := range d.Mottakere {
		m := &d.Mottakere[i]
		m.Kanal, m.RessursID, m.KontoID, m.IntegrasjonID, m.KlientID, m.Passord = kommune.FiksIO, uuid(), uuid(), uuid(), uuid(), onboarding.NyttPassord()
	}
	return d
}

func avsender(navn string, n int) Avsenderdata {
	return Avsenderdata{Navn: navn, FiksOrgID: uuid(), Orgnr: string(sim.Orgnr(n)), IntegrasjonID: uuid(), Passord: onboarding.NyttPassord(), KlientID: uuid()}
}

// Apne reads the participants of a folder, or makes them there. bits is the size of new RSA keys; 0 = 3072.
func Apne(mappe string, bits int, klokke func() time.Time) (*Deltakere, error) {
	if err := os.MkdirAll(mappe, 0o700); err != nil {
		return nil, err
	}
	fil := filepath.Join(mappe, "deltakere.json")
	d := nye()
	switch b, err := os.ReadFile(fil); {
	case err == nil:
		d = &Deltakere{}
		if err := json.Unmarshal(b, d); err != nil {
			return nil, fmt.Errorf("%s: %w", fil, err)
		}
		d.Mappe = mappe
		d.fyllUt()
		return d, errors.Join(d.skriv(fil), d.lesSertifikater(klokke))
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	d.Mappe = mappe
	if err := d.lagSertifikater(bits, klokke); err != nil {
		return nil, err
	}
	// Written last: a crash before it means that all is made anew next time.
	return d, d.skriv(fil)
}

// skriv writes by rename, so that nobody reads half of it.
func (d *Deltakere) skriv(fil string) error {
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(fil+".ny", b, 0o600); err != nil {
		return err
	}
	return os.Rename(fil+".ny", fil)
}

// fyllUt adds what a folder from before the Fiks IO wire lacks.
func (d *Deltakere) fyllUt() {
	if d.NokkelHemmelighet == "" {
		d.NokkelHemmelighet = tilfeldig64(32)
	}
	if d.PortalLogin.IntegrasjonID == "" {
		d.PortalLogin = Login{IntegrasjonID: uuid(), Passord: onboarding.NyttPassord(), KlientID: uuid()}
	}
}

// plasser lists every certificate with its files' name.
func (d *Deltakere) plasser() map[string]**sim.Sertifikat {
	p := map[string]**sim.Sertifikat{"print": &d.Print, "portal": &d.Portal, "avsender": &d.Avsender.Sert, "annen-avsender": &d.AnnenAvsender.Sert}
	for i := range d.Mottakere {
		m := &d.Mottakere[i]
		p["mottaker-"+m.Kommunenummer+"-"+m.Bydelsnummer] = &m.Sert
	}
	return p
}

// tiAr: senders' certificates outlive the receivers', whose expiry is a scenario.
const tiAr = 10 * 365 * 24 * time.Hour

func (d *Deltakere) bestilling(navn string, bits int) sim.Bestilling {
	switch navn {
	case "print":
		return sim.Bestilling{Navn: "Eksempeltrykk (test)", Orgnr: sim.Orgnr(30), Formal: sim.Printer, Bits: bits}
	case "portal":
		return sim.Bestilling{Navn: "Portalen (test)", Orgnr: portalOrgnr, Formal: sim.Portal, Bits: bits, Varer: tiAr}
	case "avsender":
		return sim.Bestilling{Navn: d.Avsender.Navn, Orgnr: kommune.Orgnr(d.Avsender.Orgnr), Formal: sim.Virksomhet, Bits: bits, Varer: tiAr}
	case "annen-avsender":
		return sim.Bestilling{Navn: d.AnnenAvsender.Navn, Orgnr: kommune.Orgnr(d.AnnenAvsender.Orgnr), Formal: sim.Virksomhet, Bits: bits, Varer: tiAr}
	}
	for _, m := range d.Mottakere {
		if navn == "mottaker-"+m.Kommunenummer+"-"+m.Bydelsnummer {
			k := d.Kommune(m.Kommunenummer)
			return sim.Bestilling{Navn: k.Navn["nb"] + " " + m.Bydelsnummer + " barnevern (test)", Orgnr: kommune.Orgnr(k.Orgnr), Formal: sim.Portal, Bits: bits} // a key for both: it opens reports, and logs in
		}
	}
	return sim.Bestilling{}
}

// FilSert and FilNokkel are where a participant's PEM files lie.
func (d *Deltakere) FilSert(navn string) string   { return filepath.Join(d.Mappe, navn+".pem") }
func (d *Deltakere) FilNokkel(navn string) string { return filepath.Join(d.Mappe, navn+".key.pem") }

func (d *Deltakere) lagSertifikater(bits int, klokke func() time.Time) error {
	ca, err := sim.NyCA("Eksempelsertifikater (test)", bits, klokke)
	if err != nil {
		return err
	}
	d.CA = ca
	if err := ca.Skriv(d.FilSert("ca"), d.FilNokkel("ca")); err != nil {
		return err
	}
	var navn []string
	var bestilt []sim.Bestilling
	for n := range d.plasser() {
		navn, bestilt = append(navn, n), append(bestilt, d.bestilling(n, bits))
	}
	laget, err := ca.UtstedAlle(bestilt...)
	if err != nil {
		return err
	}
	for i, n := range navn {
		*d.plasser()[n] = laget[i]
		if err := laget[i].Skriv(d.FilSert(n), d.FilNokkel(n)); err != nil {
			return err
		}
	}
	return nil
}

func (d *Deltakere) lesSertifikater(klokke func() time.Time) error {
	ca, err := sim.LesSertifikat(d.FilSert("ca"), d.FilNokkel("ca"))
	if err != nil {
		return err
	}
	d.CA = sim.CAFra(ca, klokke)
	for n, p := range d.plasser() {
		if *p, err = sim.LesSertifikat(d.FilSert(n), d.FilNokkel(n)); err != nil {
			return err
		}
	}
	return nil
}

// Oppsett is the declarative file of this world, as `portal oppsett` reads it.
func (d *Deltakere) Oppsett() ([]byte, error) {
	type m = map[string]any
	tilgang := func(a Avsenderdata) []m {
		return []m{{"fiksOrgId": a.FiksOrgID, "tilgang": kommune.TilgangSende}}
	}
	var orger, integrasjoner, kommuner []m
	for _, a := range []Avsenderdata{d.Avsender, d.AnnenAvsender} {
		orger = append(orger, m{"fiksOrgId": a.FiksOrgID, "orgnr": a.Orgnr, "navn": a.Navn})
		integrasjoner = append(integrasjoner, m{"id": a.IntegrasjonID, "orgnr": a.Orgnr, "passord": a.Passord, "tilganger": tilgang(a)})
	}
	for _, k := range d.Kommuner {
		orger = append(orger, m{"fiksOrgId": k.FiksOrgID, "orgnr": k.Orgnr, "navn": k.Navn["nb"] + " kommune (test)"})
		bydeler := []m{}
		for _, x := range d.Mottakere {
			if x.Kommunenummer != k.Nummer {
				continue
			}
			bydeler = append(bydeler, m{"bydelsnummer": x.Bydelsnummer, "navn": k.Bydelsnavn[x.Bydelsnummer], "ressursId": x.RessursID, "standardMottaker": x.Standard,
				"stottetVersjon": x.Versjon, "aktiv": true, "kanal": x.Kanal, "kontoId": x.KontoID, "sertifikat": string(x.Sert.PEM()), "fristSekunder": x.FristSekunder,
				"adresse": kommune.Postadresse{Navn: k.Navn["nb"] + " barnevern", Linje1: "Testveien 1", Postnummer: "0000", Poststed: "Testby"}})
			integrasjoner = append(integrasjoner, m{"id": x.IntegrasjonID, "orgnr": k.Orgnr, "passord": x.Passord,
				"tilganger": []m{{"fiksOrgId": k.FiksOrgID, "tilgang": kommune.TilgangMotta}, {"fiksOrgId": k.FiksOrgID, "tilgang": kommune.TilgangSende}}})
		}
		kommuner = append(kommuner, m{"kommunenummer": k.Nummer, "navn": k.Navn, "fylkenummer": k.Fylke, "fylkenavn": k.Fylkenavn, "fiksOrgId": k.FiksOrgID, "orgnr": k.Orgnr, "bydeler": bydeler})
	}
	return json.MarshalIndent(m{"organisasjoner": orger, "kommuner": kommuner, "integrasjoner": integrasjoner, "print": m{"sertifikat": string(d.Print.PEM())}}, "", "  ")
}

func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	x := hex.EncodeToString(b[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

func tilfeldig64(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.StdEncoding.EncodeToString(b)
}
