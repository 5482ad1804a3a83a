package plattform

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"portal.example/bekymringsmelding/acceptance/sim/eksempel"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/domain/skjema"
)

// proveTTL is what a portal gives a report at least: 40 hours of working days.
const proveTTL = 40 * time.Hour

// Prove sends a made-up report from one account to another, packed, sealed and headed as the portal does it, and gives its melding-id.
// Everything that can go wrong with a message can go wrong with it. The sending account's Nokkel must be known here.
func (p *Plattform) Prove(ctx context.Context, fra, til string, v melding.Versjon) (meldingID string, err error) {
	f, t := p.konto(fra), p.konto(til)
	if f == nil || t == nil {
		return "", feilKontoID.feil()
	}
	filer, err := provefiler(t, v, p.na())
	if err != nil {
		return "", err
	}
	data, err := p.forsegl(f, t, filer...)
	if err != nil {
		return "", err
	}
	id := uuid.NewString()
	bydel := uuid.NewSHA1(uuid.NameSpaceURL, []byte("bydel/"+t.ID)) // the same for an account each time, and nothing else's id
	s, err := p.send(ctx, innsendt{data: data, metadata: metadata{avsender: f.ID, mottaker: t.ID, meldingstype: protokoll.Meldingstype(melding.Offentlig, v), ttl: proveTTL,
		headere: map[string]string{protokoll.HeaderBekymring: id, protokoll.HeaderBydelRessurs: bydel.String(), protokoll.HeaderKlientMelding: uuid.NewString(),
			protokoll.HeaderKorrelasjon: id, protokoll.HeaderKorrelasjonOld: id}}})
	if errors.Is(err, errMistSvar) {
		err = nil // it is queued, and nobody here waits for an answer
	}
	return s.MeldingID, err
}

// provefiler are the two files of a report about people who do not exist.
func provefiler(til *konto, v melding.Versjon, na time.Time) ([]melding.Fil, error) {
	o := skjema.EksempelOffentlig(v)
	o.Sendingstidspunkt, o.Leveringskanal = na, "fiks-sim"
	if til.Kommunenummer != "" {
		o.Mottaker = skjema.Mottaker{Kommunenummer: kommune.Kommunenummer(til.Kommunenummer), Kommunenavn: til.FiksOrgNavn, Bydelsnummer: "00", Bydelsnavn: til.Navn}
	}
	j, err := o.JSON()
	pdf := eksempel.PDF("Bekymringsmelding (prøve)", "Til: "+til.Navn, "", "Dette er en oppdiktet melding fra fiks-sim.", "Alle navn og nummer er laget for prøver.")
	return []melding.Fil{{Navn: protokoll.FilJSON, Innhold: j}, {Navn: protokoll.FilPDF, Innhold: melding.NyKlartekst(pdf)}}, err
}
