package main

import (
	"time"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/virketid"
)

type statusKommando struct {
	ID string `arg:"" help:"Id-en fra kvitteringen."`
}

// Run is called by kong.
func (k *statusKommando) Run(p *program) error {
	id, err := melding.ParseID(k.ID)
	if err != nil {
		return bruk("Id-en skal være en UUID.")
	}
	a, err := p.koble()
	if err != nil {
		return err
	}
	fra, err := a.organisasjon()
	if err != nil {
		return err
	}
	var rader []struct {
		Tidspunkt   string `json:"tidspunkt"`
		Tilstand    string `json:"tilstand"`
		Beskrivelse string `json:"beskrivelse"`
	}
	if err := a.hent("/v1/mottak/fagsystem/"+fra+"/bekymringsmelding/"+string(id)+"/status", &rader); err != nil {
		return err
	}
	if len(rader) == 0 {
		return ukjent("Portalen svarte uten historikk.")
	}
	bredde := 0
	for _, r := range rader {
		bredde = max(bredde, len([]rune(rent(r.Tilstand))))
	}
	for _, r := range rader {
		p.si("%s  %-*s  %s", visTid(r.Tidspunkt), bredde, rent(r.Tilstand), rent(r.Beskrivelse))
	}
	return nil
}

// organisasjon is whom we act for; it goes into an address, so its form is judged first.
func (a *api) organisasjon() (string, error) {
	id, err := melding.ParseID(a.fiksOrg)
	if err != nil {
		return "", bruk("--fiks-org-id mangler eller er ikke en UUID.")
	}
	return string(id), nil
}

// visTid shows the API's Norwegian time without offset as it stands; a time with one, from some other portal, is converted.
func visTid(s string) string {
	const ut = "02.01.2006 15:04:05"
	if t, err := time.Parse("2006-01-02T15:04:05", s); err == nil {
		return t.Format(ut)
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.In(virketid.Oslo()).Format(ut)
	}
	return rent(s)
}
