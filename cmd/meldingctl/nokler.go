package main

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/virketid"
)

// Mottakervalg says which bydel a command is about.
type Mottakervalg struct {
	Kommune string `required:"" help:"Kommunenummer, fire sifre." placeholder:"4601"`
	Bydel   string `default:"00" help:"Bydelsnummer, to sifre. 00 der kommunen ikke er delt." placeholder:"00"`
}

func (m Mottakervalg) les() (kommune.Kommunenummer, kommune.Bydelsnummer, error) {
	k, err := kommune.ParseKommunenummer(m.Kommune)
	if err != nil {
		return "", "", bruk("--kommune skal ha fire sifre.")
	}
	b, err := kommune.ParseBydelsnummer(m.Bydel)
	if err != nil {
		return "", "", bruk("--bydel skal ha to sifre.")
	}
	return k, b, nil
}

type noklerKommando struct {
	Mottakervalg
	Til string `short:"o" help:"Mappe der sertifikatene lagres som print.pem og mottaker.pem." placeholder:"MAPPE"`
}

// Run is called by kong.
func (k *noklerKommando) Run(p *program) error {
	kom, bydel, err := k.les()
	if err != nil {
		return err
	}
	a, err := p.koble()
	if err != nil {
		return err
	}
	n, err := a.nokler(kom, bydel)
	if err != nil {
		return err
	}
	p.visNokkel("Print, til delen bekymringsmelding", n.print)
	p.si("")
	p.visNokkel("Mottaker, til delen asice", n.mottaker)
	if k.Til == "" {
		return nil
	}
	if err := os.MkdirAll(k.Til, 0o755); err != nil { //nolint:gosec // certificates are public
		return bruk("%s kan ikke lages: %v.", k.Til, grunn(err))
	}
	for navn, c := range map[string]*x509.Certificate{"print.pem": n.print, "mottaker.pem": n.mottaker} {
		fil := filepath.Join(k.Til, navn)
		if err := os.WriteFile(fil, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o644); err != nil { //nolint:gosec // as above
			return bruk("%s kan ikke skrives: %v.", fil, grunn(err))
		}
	}
	p.merk("Sertifikatene er lagret i %s.", k.Til)
	return nil
}

func (p *program) visNokkel(hva string, c *x509.Certificate) {
	avtrykk := sha256.Sum256(c.Raw)
	p.si("%s", hva)
	p.si("  innehaver  %s", eier(c.Subject))
	p.si("  utsteder   %s", eier(c.Issuer))
	p.si("  serie      %s", c.SerialNumber)
	p.si("  gyldig     %s til %s%s", lokal(c.NotBefore), lokal(c.NotAfter), p.utlopt(c))
	p.si("  sha-256    %s", hex.EncodeToString(avtrykk[:]))
}

// eier is a name as a person compares it: Go prints organizationIdentifier as hexadecimal DER, which nobody can read.
func eier(n pkix.Name) string {
	ut := rent(n.CommonName)
	if n.SerialNumber != "" {
		ut += ", org.nr. " + rent(n.SerialNumber)
	}
	return ut
}

// utlopt says aloud what a sender would otherwise find out by a letter two days later.
func (p *program) utlopt(c *x509.Certificate) string {
	switch na := p.klokke.Now(); {
	case na.After(c.NotAfter):
		return " – UTLØPT"
	case na.Before(c.NotBefore):
		return " – IKKE GYLDIG ENNÅ"
	}
	return ""
}

type nokkelpar struct{ print, mottaker *x509.Certificate }

// nokler fetches by version 1, which every portal has; the certificates are the same in both.
func (a *api) nokler(k kommune.Kommunenummer, b kommune.Bydelsnummer) (nokkelpar, error) {
	type nokkel struct {
		PEM string `json:"nokkel"`
	}
	var ut struct {
		Print    nokkel `json:"printOffentligNokkel"`
		Mottaker nokkel `json:"fiksIOOffentligNokkel"`
	}
	if err := a.hent("/v1/mottak/fagsystem/"+string(k)+"/"+string(b)+"/krypteringsnokler", &ut); err != nil {
		return nokkelpar{}, err
	}
	print, mottaker := pemKjede([]byte(ut.Print.PEM)), pemKjede([]byte(ut.Mottaker.PEM))
	if len(print) == 0 || len(mottaker) == 0 {
		return nokkelpar{}, ukjent("Portalen svarte uten sertifikater i PEM.")
	}
	return nokkelpar{print: print[0], mottaker: mottaker[0]}, nil
}

// stottetVersjon is the newest version the receiver reads.
func (a *api) stottetVersjon(k kommune.Kommunenummer, b kommune.Bydelsnummer) (melding.Versjon, error) {
	var bydeler []struct {
		Nummer  string `json:"bydelsnummer"`
		Versjon string `json:"stottetVersjon"`
	}
	if err := a.hent("/v2/kommuner/"+string(k)+"/bydeler", &bydeler); err != nil {
		return 0, err
	}
	for _, x := range bydeler {
		if x.Nummer != string(b) {
			continue
		}
		if x.Versjon == "V2" {
			return melding.V2, nil
		}
		return melding.V1, nil
	}
	return 0, nei("Kommune %s bydel %s tar ikke imot meldinger her.", k, b)
}

// lokal is a time as a person in Norway reads it.
func lokal(t time.Time) string { return t.In(virketid.Oslo()).Format("02.01.2006 15:04") }
