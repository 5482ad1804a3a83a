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
	Versjon string `enum:"velg,v1,v2" default:"velg" help:"Versjonen av skjemaet: v1, v2, eller velg: det nyeste mottakeren leser."`
	Likevel bool   `help:"Send selv om JSON-filen nevner en annen mottaker enn --kommune og --bydel."`
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
	pdf, dok, krever, err := k.innhold(p, kom, bydel)
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
	versjon, err := k.velgVersjon(a, kom, bydel, krever)
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
	sti := "/" + versjon.String() + "/mottak/fagsystem/" + fra + "/" + string(kom) + "/" + string(bydel) + "/" + k.Slag
	return a.send(sti, k.Nokkel, forsegletPDF, forsegletAsice)
}

// innhold reads both files and looks at them: an error here costs nothing, and later a letter. krever is the oldest version that holds
// everything the document says.
func (k *sendKommando) innhold(p *program, kom kommune.Kommunenummer, bydel kommune.Bydelsnummer) (pdf, dok melding.Klartekst, krever melding.Versjon, err error) {
	b, err := lesFil(k.PDF, preflight.MaksStorrelse)
	if err != nil {
		return pdf, dok, 0, err
	}
	if err := p.visPreflight(preflight.Kontroller(b)); err != nil {
		return pdf, dok, 0, err
	}
	pdf = melding.NyKlartekst(b)
	if b, err = lesFil(k.JSON, preflight.MaksStorrelse); err != nil {
		return pdf, dok, 0, err
	}
	dok = melding.NyKlartekst(b)
	// Read as v2, which is v1 and one member more: read as v1, that member would be an extension nobody looks at.
	d, err := skjema.Les(melding.Slag(k.Slag), melding.V2, dok)
	var f *skjema.Feil
	if errors.As(err, &f) {
		for _, x := range f.Brudd {
			p.merk("%s %s %s", k.JSON, stiEller(x.Sti), x.Regel)
		}
		return pdf, dok, 0, nei("JSON-filen følger ikke skjemaet for %s melding. Ingenting er sendt.", k.Slag)
	}
	if err != nil {
		return pdf, dok, 0, err
	}
	if m := mottakerI(d); (m.Kommunenummer != kom || m.Bydelsnummer != bydel) && !k.Likevel {
		return pdf, dok, 0, nei("JSON-filen nevner en annen mottaker enn --kommune og --bydel. Ingenting er sendt. Bruk --likevel hvis det er riktig.")
	}
	krever = melding.V1
	if o, ok := d.(skjema.Offentlig); ok && !o.Melding.AndreSynspunkter.Tom() {
		krever = melding.V2
	}
	return pdf, dok, krever, nil
}

// velgVersjon is the version to send: the one asked for, or the newest that the receiver reads. A receiver that reads only v1 would
// never see what v2 adds, so that is refused here and not by the portal after everything is sealed.
func (k *sendKommando) velgVersjon(a *api, kom kommune.Kommunenummer, bydel kommune.Bydelsnummer, krever melding.Versjon) (melding.Versjon, error) {
	if k.Versjon == melding.V1.String() {
		if krever == melding.V2 {
			return 0, nei("JSON-filen har andreSynspunkter, som bare finnes i v2. Ingenting er sendt.")
		}
		return melding.V1, nil
	}
	leser, err := a.stottetVersjon(kom, bydel)
	switch {
	case err != nil:
		return 0, err
	case leser == melding.V2:
		return melding.V2, nil
	case krever == melding.V2:
		return 0, nei("JSON-filen har andreSynspunkter, som bare finnes i v2, og mottakeren leser bare v1. Ingenting er sendt. Ta det med i meldingsteksten i stedet.")
	case k.Versjon == melding.V2.String():
		return 0, nei("Mottakeren leser bare v1. Ingenting er sendt.")
	}
	return melding.V1, nil
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
