package main

import (
	"bytes"
	"errors"
	"strconv"

	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/cmd/meldingctl/preflight"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

type preflightKommando struct {
	Fil string `arg:"" help:"PDF-filen."`
}

// Run is called by kong.
func (k *preflightKommando) Run(p *program) error {
	b, err := lesFil(k.Fil, preflight.MaksStorrelse)
	if err != nil {
		return err
	}
	r := preflight.Kontroller(b)
	if err := p.visPreflight(r); err != nil {
		return err
	}
	p.si("PDF-en kan skrives ut: %d %s.", r.Sider, entall(r.Sider, "side", "sider"))
	return nil
}

func (p *program) visPreflight(r preflight.Rapport) error {
	for _, f := range r.Feil {
		p.merk("Feil: %s", f)
	}
	for _, m := range r.Merknader {
		p.merk("Merk: %s", m)
	}
	if !r.OK() {
		return nei("PDF-en kan ikke skrives ut slik den er.")
	}
	return nil
}

func entall(n int, en, flere string) string {
	if n == 1 {
		return en
	}
	return flere
}

type verifyKommando struct {
	Fil        string `arg:"" help:"ASiC-E-filen, forseglet eller åpen."`
	Sertifikat string `name:"mottakersertifikat" help:"Mottakerens sertifikat, PEM, når filen er forseglet." placeholder:"FIL"`
	Nokkel     string `name:"mottakernokkel" help:"Mottakerens private nøkkel, PEM, når filen er forseglet." placeholder:"FIL"`
}

const maksBeholder = 16 << 20 // three times the most that can be sent

// Run is called by kong.
func (k *verifyKommando) Run(p *program) error {
	b, err := lesFil(k.Fil, maksBeholder)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(b, []byte("PK")) {
		if b, err = k.apne(p, b); err != nil || b == nil {
			return err
		}
	}
	return p.visBeholder(b)
}

// apne looks at the seal, and opens it when the key is given; nil without an error = the seal is all there is to see.
func (k *verifyKommando) apne(p *program, b []byte) ([]byte, error) {
	info, err := cms.Inspect(bytes.NewReader(b))
	if err != nil {
		return nil, nei("Filen er verken en hel, forseglet melding (CMS) eller en beholder (zip).")
	}
	p.si("Forseglet: %s med %s, hel til siste byte.", rent(string(info.ContentType)), rent(string(info.Cipher)))
	for _, r := range info.Recipients {
		serie := "uten serienummer"
		if r.Serial != nil {
			serie = r.Serial.String()
		}
		p.si("  for sertifikat %s, nøkkel med %s", serie, rent(string(r.KeyTransport)))
	}
	switch {
	case k.Sertifikat == "" && k.Nokkel == "":
		p.merk("Innholdet er ikke kontrollert. Oppgi --mottakersertifikat og --mottakernokkel for å se i beholderen.")
		return nil, nil
	case k.Sertifikat == "" || k.Nokkel == "":
		return nil, bruk("--mottakersertifikat og --mottakernokkel hører sammen.")
	}
	hvem, err := lesIdentitet(k.Sertifikat, k.Nokkel)
	if err != nil {
		return nil, err
	}
	var ut bytes.Buffer
	if err := cms.Decrypt(&ut, bytes.NewReader(b), cms.Key{Certificate: hvem.kjede[0], Decrypter: hvem.nokkel}); err != nil {
		return nil, nei("Forseglingen kan ikke åpnes med denne nøkkelen, eller innholdet er skadet.")
	}
	return ut.Bytes(), nil
}

// funn says what each of the reader's refusals means to somebody who has made the container.
var funn = []struct {
	err   error
	tekst string
}{
	{asice.ErrNotZip, "Innholdet er ikke en lesbar zip."},
	{asice.ErrUnsafe, "Beholderen er utrygg: et filnavn, en størrelse eller en oppføring som ingen ærlig avsender lager."},
	{asice.ErrManifest, "Manifestet mangler eller kan ikke forstås."},
	{asice.ErrDigest, "Filene er ikke dem manifestet nevner: en fil er endret, mangler, eller ligger der uten å være nevnt."},
	{asice.ErrSignature, "Signaturen mangler eller stemmer ikke."},
}

func (p *program) visBeholder(b []byte) error {
	c, err := asice.Read(melding.NyKlartekst(b))
	for _, f := range funn {
		if errors.Is(err, f.err) {
			return nei("%s", f.tekst)
		}
	}
	if err != nil {
		return nei("Beholderen kan ikke leses.")
	}
	p.si("Beholder: alle filer er nevnt i manifestet, hashene stemmer, og signaturen er gyldig.")
	navn := map[string]bool{}
	for _, f := range c.Filer {
		navn[f.Navn] = true
		p.si("  %-24s %d byte", strconv.QuoteToGraphic(f.Navn), f.Innhold.Storrelse())
	}
	p.si("Signert av %s (utsteder %s) med %v%s.", eier(c.Signer.Subject), eier(c.Signer.Issuer), c.Algorithm, signertTid(c))
	p.merk("Signaturen sier hvem som signerte, ikke om du kan stole på sertifikatet.")
	if c.SHA1 {
		p.merk("Merk: signaturen bruker SHA-1, som er svak. KS' egen Java-klient signerer slik.")
	}
	if len(c.Filer) != 2 || !navn[protokoll.FilJSON] || !navn[protokoll.FilPDF] {
		p.merk("Merk: en bekymringsmelding har nøyaktig %s og %s.", protokoll.FilJSON, protokoll.FilPDF)
	}
	return nil
}

func signertTid(c asice.Container) string {
	if c.SignedAt.IsZero() {
		return ""
	}
	return ", oppgitt tid " + lokal(c.SignedAt)
}
