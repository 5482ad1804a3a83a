package main

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"

	"portal.example/bekymringsmelding/adapters/maskinporten"
)

// Tilkobling is where the portal is and who we are. Flags and environment go before the connection sheet. It prints as [skjult].
type Tilkobling struct {
	Ark           string `help:"Koblingsark, for eksempel demo.json." env:"MELDINGCTL_ARK" placeholder:"FIL"`
	API           string `name:"api" help:"Adressen til API-et, med /bekymringsmelding." env:"MELDINGCTL_API" placeholder:"URL"`
	Issuer        string `help:"Utstederen i Maskinporten, med skråstrek til slutt." env:"MELDINGCTL_ISSUER" placeholder:"URL"`
	TokenEndpoint string `help:"Tokenadressen i Maskinporten." env:"MELDINGCTL_TOKEN_ENDPOINT" placeholder:"URL"`
	KlientID      string `name:"klient-id" help:"Klienten i Maskinporten." env:"MELDINGCTL_KLIENT_ID" placeholder:"ID"`
	KID           string `name:"kid" help:"Nøkkel-id i Maskinporten. Uten den brukes virksomhetssertifikatet." env:"MELDINGCTL_KID" placeholder:"ID"`
	Sertifikat    string `help:"Virksomhetssertifikatet, PEM." env:"MELDINGCTL_SERTIFIKAT" placeholder:"FIL"`
	PrivatNokkel  string `help:"Den private nøkkelen, PEM." env:"MELDINGCTL_PRIVAT_NOKKEL" placeholder:"FIL"`
	IntegrasjonID string `name:"integrasjon-id" help:"Integrasjonen. Passordet leses fra MELDINGCTL_PASSORD eller koblingsarket." env:"MELDINGCTL_INTEGRASJON_ID" placeholder:"UUID"`
	FiksOrgID     string `name:"fiks-org-id" help:"Organisasjonen det sendes for." env:"MELDINGCTL_FIKS_ORG_ID" placeholder:"UUID"`

	passord string // never a flag
}

func (Tilkobling) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[skjult]") }

// ark is the part of a connection sheet (demo.json) that a sender needs.
type ark struct {
	API          string `json:"api"`
	Maskinporten struct {
		Issuer        string `json:"issuer"`
		TokenEndpoint string `json:"tokenEndpoint"`
	} `json:"maskinporten"`
	Avsender struct {
		FiksOrgID     string `json:"fiksOrgId"`
		IntegrasjonID string `json:"integrasjonId"`
		Passord       string `json:"integrasjonPassord"`
		KlientID      string `json:"klientId"`
		Sertifikat    string `json:"sertifikat"`
		PrivatNokkel  string `json:"privatNokkel"`
	} `json:"avsender"`
}

// fyll takes from the sheet what neither flag nor environment said.
func (t *Tilkobling) fyll() error {
	t.passord = os.Getenv("MELDINGCTL_PASSORD")
	if t.Ark == "" {
		return nil
	}
	b, err := lesFil(t.Ark, 1<<20)
	if err != nil {
		return err
	}
	var a ark
	if json.Unmarshal(b, &a) != nil { // its error can quote the file, and the file holds a password
		return bruk("%s er ikke et koblingsark i JSON.", t.Ark)
	}
	for _, x := range []struct {
		felt *string
		fra  string
	}{
		{&t.API, a.API}, {&t.Issuer, a.Maskinporten.Issuer}, {&t.TokenEndpoint, a.Maskinporten.TokenEndpoint},
		{&t.KlientID, a.Avsender.KlientID}, {&t.Sertifikat, a.Avsender.Sertifikat}, {&t.PrivatNokkel, a.Avsender.PrivatNokkel},
		{&t.IntegrasjonID, a.Avsender.IntegrasjonID}, {&t.FiksOrgID, a.Avsender.FiksOrgID}, {&t.passord, a.Avsender.Passord},
	} {
		if *x.felt == "" {
			*x.felt = x.fra
		}
	}
	return nil
}

// identitet is the key pair of the sender. The certificate may be missing where a kid is enough.
type identitet struct {
	nokkel *rsa.PrivateKey
	kjede  []*x509.Certificate
}

// koble makes the client of the API. What is missing is named all at once.
func (p *program) koble() (*api, error) {
	t := &p.kobl
	if err := t.fyll(); err != nil {
		return nil, err
	}
	var mangler []string
	for _, x := range []struct{ navn, verdi string }{
		{"--api", t.API}, {"--issuer", t.Issuer}, {"--token-endpoint", t.TokenEndpoint}, {"--klient-id", t.KlientID},
		{"--privat-nokkel", t.PrivatNokkel}, {"--integrasjon-id", t.IntegrasjonID}, {"MELDINGCTL_PASSORD", t.passord},
	} {
		if x.verdi == "" {
			mangler = append(mangler, x.navn)
		}
	}
	if t.Sertifikat == "" && t.KID == "" {
		mangler = append(mangler, "--sertifikat eller --kid")
	}
	if len(mangler) > 0 {
		return nil, bruk("Tilkoblingen er ikke komplett. Oppgi --ark, eller: %s.", strings.Join(mangler, ", "))
	}
	for _, adresse := range []string{t.API, t.TokenEndpoint} {
		if err := trygg(adresse); err != nil {
			return nil, err
		}
	}
	hvem, err := lesIdentitet(t.Sertifikat, t.PrivatNokkel)
	if err != nil {
		return nil, err
	}
	c := maskinporten.KlientConfig{TokenEndpoint: t.TokenEndpoint, Issuer: t.Issuer, KlientID: t.KlientID, Nokkel: hvem.nokkel,
		KID: t.KID, Clock: p.klokke, HTTP: p.http}
	if t.KID == "" {
		c.Sertifikat = hvem.kjede[0]
	}
	tokens, err := maskinporten.NyKlient(c)
	if err != nil {
		return nil, bruk("Tilkoblingen til Maskinporten er ikke riktig satt opp: %v.", err)
	}
	return &api{p: p, grunn: strings.TrimSuffix(t.API, "/") + "/api", tokens: tokens, integrasjon: t.IntegrasjonID, passord: t.passord,
		fiksOrg: t.FiksOrgID, hvem: hvem}, nil
}

// trygg refuses plain HTTP to anywhere but this machine: the call carries a password.
func trygg(adresse string) error {
	u, err := url.Parse(adresse)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return bruk("%q er ikke en adresse som begynner med https://.", adresse)
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return bruk("%s bruker http. Passord og token sendes bare med https, unntatt til denne maskinen.", u.Host)
	}
	return nil
}

const maksPEM = 1 << 20

func lesIdentitet(sertFil, nokkelFil string) (identitet, error) {
	nokkel, err := lesNokkel(nokkelFil)
	if err != nil || sertFil == "" {
		return identitet{nokkel: nokkel}, err
	}
	kjede, err := lesKjede(sertFil)
	if err != nil {
		return identitet{}, err
	}
	if !nokkel.PublicKey.Equal(kjede[0].PublicKey) {
		return identitet{}, bruk("%s hører ikke til sertifikatet i %s.", nokkelFil, sertFil)
	}
	return identitet{nokkel: nokkel, kjede: kjede}, nil
}

func lesNokkel(fil string) (*rsa.PrivateKey, error) {
	b, err := lesFil(fil, maksPEM)
	if err != nil {
		return nil, err
	}
	for blokk, resten := pem.Decode(b); blokk != nil; blokk, resten = pem.Decode(resten) {
		k, err := x509.ParsePKCS8PrivateKey(blokk.Bytes)
		if err != nil {
			k, err = x509.ParsePKCS1PrivateKey(blokk.Bytes)
		}
		if rsaNokkel, ok := k.(*rsa.PrivateKey); ok && err == nil {
			return rsaNokkel, nil
		}
	}
	return nil, bruk("%s inneholder ingen privat RSA-nøkkel i PEM uten passord.", fil)
}

// lesKjede reads every certificate of a file, the owner's first.
func lesKjede(fil string) ([]*x509.Certificate, error) {
	b, err := lesFil(fil, maksPEM)
	if err != nil {
		return nil, err
	}
	kjede := pemKjede(b)
	if len(kjede) == 0 {
		return nil, bruk("%s inneholder ikke et sertifikat i PEM.", fil)
	}
	return kjede, nil
}

func pemKjede(b []byte) (kjede []*x509.Certificate) {
	for blokk, resten := pem.Decode(b); blokk != nil; blokk, resten = pem.Decode(resten) {
		if c, err := x509.ParseCertificate(blokk.Bytes); err == nil && blokk.Type == "CERTIFICATE" {
			kjede = append(kjede, c)
		}
	}
	return kjede
}
