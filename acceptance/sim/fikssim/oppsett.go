package fikssim

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/uuid"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/domain/melding"
)

// Oppsett is who takes part: the accounts, the keys they have, and their case systems. It is a JSON file; paths are relative to it.
type Oppsett struct {
	// CA issues the server's certificate, and on a first start all others. nil = made in the data folder.
	CA      *Nokkelfiler `json:"ca,omitempty"`
	Kontoer []Konto      `json:"kontoer"`
}

// Nokkelfiler are the paths of a certificate and its PKCS#8 key, both PEM.
type Nokkelfiler struct {
	Sertifikat   string `json:"sertifikat"`
	PrivatNokkel string `json:"privatNokkel"`
}

// Konto is one account with its one integration and its Maskinporten client, which is known by the account's certificate.
type Konto struct {
	Nokkelfiler
	KontoID            string `json:"kontoId"`
	Ko                 string `json:"ko,omitempty"` // only written
	Navn               string `json:"navn"`
	FiksOrgID          string `json:"fiksOrgId"`
	FiksOrgNavn        string `json:"fiksOrgNavn"`
	Orgnr              string `json:"orgnr"`
	Kommunenummer      string `json:"kommunenummer"`
	IntegrasjonID      string `json:"integrasjonId"`
	IntegrasjonPassord string `json:"integrasjonPassord"`
	KlientID           string `json:"klientId"`
	// Fagsystem is the character of a built-in case system (sim.Oppforsler); "ingen" = nobody takes from the queue, a vendor's own
	// client may.
	Fagsystem      string `json:"fagsystem"`
	StottetVersjon string `json:"stottetVersjon,omitempty"` // V1 or V2, what the case system reads; "" = V2
	SentEtter      int    `json:"sentEtterSekunder,omitempty"`
	Lager          string `json:"lager,omitempty"` // folder where the case system keeps sealed reports; "" = in memory
	Stengt         bool   `json:"stengt,omitempty"`
	// Portal marks the account that sends reports, exactly one: rejections are sealed for its certificate.
	Portal bool `json:"portal,omitempty"`
}

func (k Konto) versjon() melding.Versjon {
	if k.StottetVersjon == "V1" {
		return melding.V1
	}
	return melding.V2
}

// lesOppsett reads a file and makes its paths absolute or relative to the working directory.
func lesOppsett(fil string) (Oppsett, error) {
	b, err := os.ReadFile(fil)
	if err != nil {
		return Oppsett{}, err
	}
	var o Oppsett
	if err := json.Unmarshal(b, &o); err != nil {
		return Oppsett{}, fmt.Errorf("%s: %w", fil, err)
	}
	rel := func(n *Nokkelfiler) {
		for _, sti := range []*string{&n.Sertifikat, &n.PrivatNokkel} {
			if *sti != "" && !filepath.IsAbs(*sti) {
				*sti = filepath.Join(filepath.Dir(fil), *sti)
			}
		}
	}
	if o.CA != nil {
		rel(o.CA)
	}
	portaler := 0
	for i := range o.Kontoer {
		k := &o.Kontoer[i]
		rel(&k.Nokkelfiler)
		if k.Lager != "" && !filepath.IsAbs(k.Lager) {
			k.Lager = filepath.Join(filepath.Dir(fil), k.Lager)
		}
		if k.Portal {
			portaler++
		}
		if !slices.Contains(sim.Oppforsler(), sim.Oppforsel(k.Fagsystem)) {
			return Oppsett{}, fmt.Errorf("%s: konto %s: ukjent fagsystem %q; velg blant %v", fil, k.KontoID, k.Fagsystem, sim.Oppforsler())
		}
		if v := k.StottetVersjon; v != "" && v != "V1" && v != "V2" {
			return Oppsett{}, fmt.Errorf("%s: konto %s: stottetVersjon må være V1 eller V2", fil, k.KontoID)
		}
	}
	if portaler != 1 {
		return Oppsett{}, fmt.Errorf("%s: nøyaktig én konto skal ha \"portal\": true", fil)
	}
	return o, nil
}

const oppsettfil = "oppsett.json"

// standard gives the data folder's own set-up and makes it at the first start: a portal and four receivers as in the demo. Keys come
// first and the file last, by rename: a crash before that means all is made anew.
func standard(data string, ca *sim.CA, bits int) (Oppsett, error) {
	fil := filepath.Join(data, oppsettfil)
	if _, err := os.Stat(fil); err == nil {
		return lesOppsett(fil)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return Oppsett{}, err
	}
	o := Oppsett{Kontoer: []Konto{
		nyKonto("portal", "Portalen (test)", 31, "", "ingen", ""),
		nyKonto("bergen-01", "Bergen 01 barnevern (test)", 10, "4601", "kvitterer", "V2"),
		nyKonto("bergen-02", "Bergen 02 barnevern (test)", 10, "4601", "ingen", "V1"),
		nyKonto("tromso", "Tromsø barnevern (test)", 11, "5501", "avviser", "V2"),
		nyKonto("kristiansand", "Kristiansand barnevern (test)", 12, "4204", "stille", "V2"),
	}}
	o.Kontoer[0].Portal = true
	o.Kontoer[2].FiksOrgID = o.Kontoer[1].FiksOrgID // one kommune
	numre := []int{31, 10, 10, 11, 12}
	var bestilt []sim.Bestilling
	for i, k := range o.Kontoer {
		bestilt = append(bestilt, sim.Bestilling{Navn: k.Navn, Orgnr: sim.Orgnr(numre[i]), Formal: sim.Portal, Bits: bits}) // one key: it opens, signs and logs in
	}
	laget, err := ca.UtstedAlle(bestilt...)
	if err != nil {
		return Oppsett{}, err
	}
	for i, k := range o.Kontoer {
		if err := laget[i].Skriv(filepath.Join(data, k.Sertifikat), filepath.Join(data, k.PrivatNokkel)); err != nil {
			return Oppsett{}, err
		}
	}
	if err := skrivJSON(fil, o); err != nil {
		return Oppsett{}, err
	}
	return lesOppsett(fil)
}

func nyKonto(fil, navn string, orgnr int, kommune, fagsystem, versjon string) Konto {
	return Konto{Nokkelfiler: Nokkelfiler{fil + ".pem", fil + ".key.pem"}, KontoID: uuid.NewString(), Navn: navn, FiksOrgID: uuid.NewString(), FiksOrgNavn: navn,
		Orgnr: string(sim.Orgnr(orgnr)), Kommunenummer: kommune, IntegrasjonID: uuid.NewString(), IntegrasjonPassord: rand.Text(), KlientID: uuid.NewString(),
		Fagsystem: fagsystem, StottetVersjon: versjon}
}

// skrivJSON makes a private file appear whole or not at all.
func skrivJSON(fil string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(fil+".ny", append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(fil+".ny", fil)
}
