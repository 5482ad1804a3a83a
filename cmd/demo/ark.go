package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"portal.example/bekymringsmelding/acceptance/world"
)

// skrivArk writes the connection sheet, demo.json: what a vendor's own client needs to know. By rename, so that a reader never sees
// half of it.
func (d *demo) skrivArk() (string, error) {
	type m = map[string]any
	avsender := func(a world.Avsenderdata, navn string) m {
		return m{"fiksOrgId": a.FiksOrgID, "orgnr": a.Orgnr, "navn": a.Navn, "integrasjonId": a.IntegrasjonID, "integrasjonPassord": a.Passord,
			"klientId": a.KlientID, "sertifikat": d.d.FilSert(navn), "privatNokkel": d.d.FilNokkel(navn)}
	}
	mottakere := []m{}
	for _, x := range d.d.Mottakere {
		k := d.d.Kommune(x.Kommunenummer)
		navn := "mottaker-" + x.Kommunenummer + "-" + x.Bydelsnummer
		mottakere = append(mottakere, m{"kommunenummer": x.Kommunenummer, "kommunenavn": k.Navn["nb"], "bydelsnummer": x.Bydelsnummer, "kanal": x.Kanal,
			"stottetVersjon": x.Versjon, "bydelRessursId": x.RessursID, "fiksOrgId": k.FiksOrgID, "orgnr": k.Orgnr, "kontoId": x.KontoID,
			"integrasjonId": x.IntegrasjonID, "integrasjonPassord": x.Passord, "klientId": x.KlientID,
			"sertifikat": d.d.FilSert(navn), "privatNokkel": d.d.FilNokkel(navn), "fagsystem": x.Fagsystem})
	}
	ca, err := filepath.Abs(d.d.FilSert("ca"))
	if err != nil {
		return "", err
	}
	vert, port, err := net.SplitHostPort(d.fiks.Broker.Adresse())
	if err != nil {
		return "", err
	}
	portnr, err := strconv.Atoi(port)
	if err != nil {
		return "", err
	}
	b, err := json.MarshalIndent(m{
		"portal": d.adr, "api": d.adr + "/bekymringsmelding", "apiTls": d.adrTLS + "/bekymringsmelding", "docs": d.adr + "/docs", "metrics": d.adr + "/metrics",
		"fiks":          d.fiks.API,
		"portalKontoId": world.Portalkonto,
		"amqp":          m{"host": vert, "port": portnr, "tls": true, "ca": ca},
		"maskinporten":  m{"issuer": d.mp.Utsteder(), "tokenEndpoint": d.mp.TokenURL(), "jwks": d.mp.JWKURL()},
		"avsender":      avsender(d.d.Avsender, "avsender"),
		"annenAvsender": avsender(d.d.AnnenAvsender, "annen-avsender"),
		"mottakere":     mottakere,
		"print":         m{"sertifikat": d.d.FilSert("print"), "privatNokkel": d.d.FilNokkel("print"), "brev": d.brev},
	}, "", "  ")
	if err != nil {
		return "", err
	}
	fil, err := filepath.Abs(filepath.Join(d.f.Data, "demo.json"))
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(fil+".ny", append(b, '\n'), 0o600); err != nil {
		return "", err
	}
	return fil, os.Rename(fil+".ny", fil)
}
