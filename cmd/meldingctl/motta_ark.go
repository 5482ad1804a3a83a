package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/adapters/fagsystem"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
)

// mottakerark is the part of a connection sheet (demo.json, fiks-sim.json) that a receiver needs.
type mottakerark struct {
	Fiks         string `json:"fiks"`
	Maskinporten struct {
		Issuer        string `json:"issuer"`
		TokenEndpoint string `json:"tokenEndpoint"`
	} `json:"maskinporten"`
	AMQP struct {
		Host string `json:"host"`
		Port uint16 `json:"port"`
		CA   string `json:"ca"` // PEM; "" = what the machine trusts
	} `json:"amqp"`
	PortalKontoID string        `json:"portalKontoId"`
	Mottakere     []arkmottaker `json:"mottakere"` // demo.json
	Kontoer       []arkmottaker `json:"kontoer"`   // fiks-sim.json
}

type arkmottaker struct {
	Kommunenummer  string `json:"kommunenummer"`
	Bydelsnummer   string `json:"bydelsnummer"`
	StottetVersjon string `json:"stottetVersjon"` // "" = V2
	KontoID        string `json:"kontoId"`
	IntegrasjonID  string `json:"integrasjonId"`
	Passord        string `json:"integrasjonPassord"`
	KlientID       string `json:"klientId"`
	Sertifikat     string `json:"sertifikat"`
	PrivatNokkel   string `json:"privatNokkel"`
}

// oppsett is the client's set-up out of the sheet, all but where it stores and whom it tells.
func (k *mottaKommando) oppsett(p *program) (c fagsystem.Config, err error) {
	a, m, err := k.lesArk(p)
	if err != nil {
		return c, err
	}
	for _, adresse := range []string{a.Fiks, a.Maskinporten.TokenEndpoint} {
		if err := trygg(adresse); err != nil {
			return c, err
		}
	}
	konto, err := melding.ParseID(m.KontoID)
	if err != nil {
		return c, bruk("kontoId i %s er ikke en UUID.", p.kobl.Ark)
	}
	portal, err := melding.ParseID(a.PortalKontoID)
	if err != nil {
		return c, bruk("portalKontoId i %s er ikke en UUID.", p.kobl.Ark)
	}
	hvem, err := lesIdentitet(m.Sertifikat, m.PrivatNokkel)
	if err != nil {
		return c, err
	}
	pakker, err := asice.NewPacker(hvem.nokkel, p.klokke.Now, hvem.kjede...)
	if err != nil {
		return c, bruk("Svar kan ikke signeres: %v.", err)
	}
	tillit, err := lesTillit(a.AMQP.CA)
	if err != nil {
		return c, err
	}
	h, t := nyHTTP(), http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = tillit
	h.Transport = t
	tokens, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: a.Maskinporten.TokenEndpoint, Issuer: a.Maskinporten.Issuer,
		KlientID: m.KlientID, Nokkel: hvem.nokkel, Sertifikat: hvem.kjede[0], Clock: p.klokke, HTTP: h})
	if err != nil {
		return c, bruk("Tilkoblingen til Maskinporten er ikke riktig satt opp: %v.", err)
	}
	versjon := melding.V2
	if m.StottetVersjon == "V1" {
		versjon = melding.V1
	}
	return fagsystem.Config{Konto: kommune.KontoID(konto), Portalkonto: kommune.KontoID(portal), IntegrasjonID: m.IntegrasjonID, Passord: m.Passord, Token: tokens.Token,
		AMQP: net.JoinHostPort(a.AMQP.Host, strconv.Itoa(int(a.AMQP.Port))), API: strings.TrimSuffix(a.Fiks, "/"), TLS: tillit, Versjon: versjon,
		Nokler: []cms.Key{{Certificate: hvem.kjede[0], Decrypter: hvem.nokkel}}, Pakker: pakker}, nil
}

// lesArk finds the receiver's row. What is missing is named all at once.
func (k *mottaKommando) lesArk(p *program) (a mottakerark, m arkmottaker, err error) {
	er, hvem, err := k.velg()
	if err != nil {
		return a, m, err
	}
	if p.kobl.Ark == "" {
		return a, m, bruk("Oppgi --ark: koblingsarket sier hvor køen er, og hvem mottakeren er.")
	}
	b, err := lesFil(p.kobl.Ark, 1<<20)
	if err != nil {
		return a, m, err
	}
	if json.Unmarshal(b, &a) != nil { // its error can quote the file, and the file holds passwords
		return a, m, bruk("%s er ikke et koblingsark i JSON.", p.kobl.Ark)
	}
	alle := slices.Concat(a.Mottakere, a.Kontoer)
	i := slices.IndexFunc(alle, er)
	if i < 0 {
		return a, m, bruk("Koblingsarket har ingen mottaker %s.", hvem)
	}
	m = alle[i]
	var mangler []string
	for _, x := range []struct{ navn, verdi string }{
		{"fiks", a.Fiks}, {"amqp", a.AMQP.Host}, {"portalKontoId", a.PortalKontoID}, {"maskinporten.issuer", a.Maskinporten.Issuer}, {"maskinporten.tokenEndpoint", a.Maskinporten.TokenEndpoint},
		{"kontoId", m.KontoID}, {"integrasjonId", m.IntegrasjonID}, {"integrasjonPassord", m.Passord}, {"klientId", m.KlientID},
		{"sertifikat", m.Sertifikat}, {"privatNokkel", m.PrivatNokkel},
	} {
		if x.verdi == "" {
			mangler = append(mangler, x.navn)
		}
	}
	if len(mangler) > 0 {
		return a, m, bruk("Koblingsarket mangler for %s: %s.", hvem, strings.Join(mangler, ", "))
	}
	return a, m, nil
}

// velg says which row is meant, and what it is called.
func (k *mottaKommando) velg() (er func(arkmottaker) bool, hvem string, err error) {
	if k.Konto != "" {
		return func(m arkmottaker) bool { return strings.EqualFold(m.KontoID, k.Konto) }, rent(k.Konto), nil
	}
	kom, bydel, err := Mottakervalg{Kommune: k.Kommune, Bydel: k.Bydel}.les()
	return func(m arkmottaker) bool { return m.Kommunenummer == string(kom) && m.Bydelsnummer == string(bydel) }, string(kom) + "/" + string(bydel), err
}

// lesTillit trusts what the machine does, and the sandbox's own root beside it.
func lesTillit(fil string) (*tls.Config, error) {
	if fil == "" {
		return nil, nil
	}
	kjede, err := lesKjede(fil)
	if err != nil {
		return nil, err
	}
	rot, err := x509.SystemCertPool()
	if err != nil {
		rot = x509.NewCertPool() // a machine that trusts nobody
	}
	for _, c := range kjede {
		rot.AddCert(c)
	}
	return &tls.Config{RootCAs: rot}, nil
}
