package main

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"time"

	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/cmd/meldingctl/preflight"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/domain/skjema"
)

type sendKommando struct {
	Mottakervalg
	PDF     string `name:"pdf" required:"" help:"Meldingen som PDF." placeholder:"FIL"`
	JSON    string `name:"json" required:"" help:"Meldingen som bekymringsmelding.json." placeholder:"FIL"`
	Slag    string `enum:"offentlig,privat" default:"offentlig" help:"Hvilket skjema: offentlig eller privat."`
	Versjon string `enum:"v1,v2" default:"v1" help:"Versjonen av skjemaet: v1 eller v2."`
	Nokkel  string `name:"idempotensnokkel" help:"Idempotency-Key. Oppgi den samme når en sending med ukjent utfall skal prøves igjen." placeholder:"NØKKEL"`
}

const (
	maksSamlet = 5 << 20 // both parts, sealed
	maksForsok = 6
	maksVent   = time.Minute
)

// Run is called by kong.
func (k *sendKommando) Run(p *program) error {
	kom, bydel, err := k.les()
	if err != nil {
		return err
	}
	pdf, dok, err := k.innhold(p, kom, bydel)
	if err != nil {
		return err
	}
	a, err := p.koble()
	if err != nil {
		return err
	}
	fra, err := a.organisasjon()
	if err != nil {
		return err
	}
	if len(a.hvem.kjede) == 0 {
		return bruk("--sertifikat mangler: beholderen skal signeres.")
	}
	n, err := a.nokler(kom, bydel)
	if err != nil {
		return err
	}
	for _, c := range []*x509.Certificate{n.print, n.mottaker} {
		if u := p.utlopt(c); u != "" {
			p.merk("Merk: sertifikatet til %s%s. Meldingen kan bli sendt som brev.", rent(c.Subject.CommonName), u)
		}
	}
	forsegletPDF, forsegletAsice, err := a.forsegle(n, pdf, dok)
	if err != nil {
		return err
	}
	if k.Nokkel == "" {
		k.Nokkel = rand.Text()
	}
	sti := "/" + k.Versjon + "/mottak/fagsystem/" + fra + "/" + string(kom) + "/" + string(bydel) + "/" + k.Slag
	return a.send(sti, k.Nokkel, forsegletPDF, forsegletAsice)
}

// innhold reads both files and looks at them: an error here costs nothing, and later a letter.
func (k *sendKommando) innhold(p *program, kom kommune.Kommunenummer, bydel kommune.Bydelsnummer) (pdf, dok melding.Klartekst, err error) {
	b, err := lesFil(k.PDF, preflight.MaksStorrelse)
	if err != nil {
		return pdf, dok, err
	}
	if err := p.visPreflight(preflight.Kontroller(b)); err != nil {
		return pdf, dok, err
	}
	pdf = melding.NyKlartekst(b)
	if b, err = lesFil(k.JSON, preflight.MaksStorrelse); err != nil {
		return pdf, dok, err
	}
	dok = melding.NyKlartekst(b)
	versjon := melding.V1
	if k.Versjon == melding.V2.String() {
		versjon = melding.V2
	}
	d, err := skjema.Les(melding.Slag(k.Slag), versjon, dok)
	var f *skjema.Feil
	if errors.As(err, &f) {
		for _, x := range f.Brudd {
			p.merk("%s %s %s", k.JSON, stiEller(x.Sti), x.Regel)
		}
		return pdf, dok, nei("JSON-filen følger ikke skjemaet %s %s. Ingenting er sendt.", k.Slag, k.Versjon)
	}
	if err != nil {
		return pdf, dok, err
	}
	if m := mottakerI(d); m.Kommunenummer != kom || m.Bydelsnummer != bydel {
		p.merk("Merk: JSON-filen nevner en annen mottaker enn --kommune og --bydel.")
	}
	return pdf, dok, nil
}

func mottakerI(d skjema.Dokument) skjema.Mottaker {
	switch d := d.(type) {
	case skjema.Privat:
		return d.Mottaker
	case skjema.Offentlig:
		return d.Mottaker
	}
	return skjema.Mottaker{}
}

func stiEller(sti string) string {
	if sti == "" {
		return "(hele dokumentet)"
	}
	return rent(sti)
}

// forsegle packs JSON first, then PDF, as KS's own client does, and seals both parts.
func (a *api) forsegle(n nokkelpar, pdf, dok melding.Klartekst) (print, mottaker []byte, err error) {
	pakker, err := asice.NewPacker(a.hvem.nokkel, a.p.klokke.Now, a.hvem.kjede...)
	if err != nil {
		return nil, nil, bruk("Beholderen kan ikke signeres: %v.", err)
	}
	pakke, err := pakker.Pack(a.p.ctx, []melding.Fil{{Navn: protokoll.FilJSON, Innhold: dok}, {Navn: protokoll.FilPDF, Innhold: pdf}})
	if err != nil {
		return nil, nil, nei("Beholderen kan ikke pakkes: %v.", err)
	}
	if print, err = segl(pdf, n.print); err != nil {
		return nil, nil, nei("PDF-en kan ikke forsegles for print: %v.", err)
	}
	if mottaker, err = segl(pakke, n.mottaker); err != nil {
		return nil, nil, nei("Beholderen kan ikke forsegles for mottakeren: %v.", err)
	}
	if sum := len(print) + len(mottaker); sum > maksSamlet {
		return nil, nil, nei("Meldingen er for stor: %.1f MiB forseglet, og grensen er 5. PDF-en er med i begge delene.", float64(sum)/(1<<20))
	}
	return print, mottaker, nil
}

func segl(k melding.Klartekst, til *x509.Certificate) ([]byte, error) {
	f, err := cms.Sealer{}.Seal(k, melding.Mottakernokkel{Forsegling: melding.X509, Nokkel: til.Raw})
	if err != nil {
		return nil, err
	}
	return f.Bytes()
}

// send posts the parts until somebody has answered. Every try has the same key and the same bytes: CMS is random, so sealing again
// would be a new report, and the receiver would get two.
func (a *api) send(sti, nokkel string, print, mottaker []byte) error {
	kropp, ct := flerdel(print, mottaker)
	hoder := map[string]string{"Content-Type": ct, "Idempotency-Key": nokkel}
	var sist error
	for forsok := 1; ; forsok++ {
		s, err := a.kall(http.MethodPost, sti, hoder, kropp)
		var u *avslutt
		if errors.As(err, &u) && u.kode != kodeUkjent && sist == nil {
			return err // no call has left
		}
		pause := time.Second << (forsok - 1)
		if err == nil {
			if !s.forbigaende() {
				return a.kvitter(s, nokkel)
			}
			err, pause = s.feil(), max(pause, s.vent)
		}
		sist = err
		if forsok == maksForsok {
			break
		}
		pause = min(pause, maksVent)
		a.p.merk("%v Prøver igjen om %v med de samme bytene.", sist, pause)
		if a.p.vent(a.p.ctx, pause) != nil {
			break
		}
	}
	return ukjent("%v\nUtfallet er ukjent. Prøv igjen senere med --idempotensnokkel %s: da blir meldingen aldri sendt to ganger.", sist, nokkel)
}

func (a *api) kvitter(s *svar, nokkel string) error {
	f := s.feilkropp()
	if id, err := melding.ParseID(f.ErrorJSON["bekymringsmeldingId"]); s.status == http.StatusConflict && err == nil {
		// Sealed anew under the key of an earlier try: that one had arrived.
		a.p.si("%s", id)
		a.p.merk("En melding med idempotensnøkkelen %s var tatt imot fra før. Ingenting nytt er sendt.", nokkel)
		return nil
	}
	if s.status != http.StatusCreated && s.status != http.StatusOK {
		return s.feil()
	}
	var ut struct {
		UUID string `json:"uuid"`
	}
	_ = json.Unmarshal(s.kropp, &ut)
	id, err := melding.ParseID(ut.UUID)
	if err != nil {
		return ukjent("Portalen svarte %d uten id. Prøv igjen med --idempotensnokkel %s.", s.status, nokkel)
	}
	a.p.si("%s", id)
	a.p.merk("Meldingen er tatt imot. Følg den med meldingctl status %s.", id)
	return nil
}

// flerdel is the body, made once.
func flerdel(print, mottaker []byte) (kropp []byte, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b) // a bytes.Buffer never fails
	for _, d := range []struct {
		navn, fil string
		innhold   []byte
	}{{protokoll.DelPDF, protokoll.FilPDF, print}, {protokoll.DelAsice, protokoll.FilAsice, mottaker}} {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", `form-data; name="`+d.navn+`"; filename="`+d.fil+`"`)
		h.Set("Content-Type", "application/octet-stream")
		del, _ := w.CreatePart(h)
		_, _ = del.Write(d.innhold)
	}
	_ = w.Close()
	return b.Bytes(), w.FormDataContentType()
}
