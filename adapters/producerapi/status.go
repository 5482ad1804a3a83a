package producerapi

import (
	"context"
	"errors"
	"net/http"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

type innStatus struct {
	ParFra
	BekymringsmeldingID string `path:"bekymringsmeldingId" format:"uuid" doc:"Id-en fra kvitteringen"`
}

// Historikk is one row of a report's history: four members, no more (D8).
type Historikk struct {
	BekymringsmeldingID string   `json:"bekymringsmeldingId" format:"uuid" doc:"Meldingens id"`
	Tidspunkt           Lokaltid `json:"tidspunkt" doc:"Da det skjedde, norsk tid"`
	Tilstand            string   `json:"tilstand" doc:"AKSEPTERT, SENDT_FAGSYSTEM, AVVIST_FAGSYSTEM, SENDT_PRINT, AVVIST_PRINT eller LEVERT" example:"SENDT_FAGSYSTEM"`
	Beskrivelse         string   `json:"beskrivelse,omitempty" doc:"Hva som skjedde, på bokmål" example:"Meldingen er sendt til mottakerens fagsystem."`
}

type utStatus struct {
	Body []Historikk `nullable:"false"`
}

func (a *API) registrerStatus(v melding.Versjon) {
	registrer(a, operasjon{
		id: "hent-status-" + v.String(), metode: http.MethodGet, gruppe: gruppe(v, "mottak fagsystem"),
		sti:    Prefiks + "/" + v.String() + "/mottak/fagsystem/{fraFiksOrgId}/bekymringsmelding/{bekymringsmeldingId}/status",
		tittel: "Hent status for en melding", tekst: "Hele historikken, eldst først. Rekkefølgen er den det skjedde i, også natten da klokken stilles.",
		status: http.StatusOK, svar: "Historikken", feil: []*Feilkode{FeilParameter, FeilUkjentMelding},
	}, func(ctx context.Context, k *kall, inn *innStatus) (*utStatus, error) {
		fra, err := inn.les()
		if err != nil {
			return nil, err
		}
		id, err := melding.ParseID(inn.BekymringsmeldingID)
		if err != nil {
			return nil, ugyldig("bekymringsmeldingId")
		}
		historikk, err := a.cfg.Oversikt.Status(ctx, fra, k.integrasjon.ID, id)
		if errors.Is(err, ports.ErrNotFound) && !errors.Is(err, ports.ErrUnavailable) {
			return nil, &feil{kode: FeilUkjentMelding}
		}
		if err != nil {
			return nil, err
		}
		ut := &utStatus{Body: make([]Historikk, 0, len(historikk))}
		for _, h := range historikk {
			ut.Body = append(ut.Body, Historikk{string(id), Lokaltid{h.Tidspunkt}, string(h.Tilstand), h.Kode.Beskrivelse()})
		}
		return ut, nil
	})
}
