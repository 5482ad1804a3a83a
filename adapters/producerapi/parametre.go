package producerapi

import (
	"fmt"
	"net/http"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
)

// Parameters, exported because huma does not look into embedded types that are not. The patterns are for the OpenAPI file; les judges them, because huma's own validation repeats the value.
type (
	ParKommune struct {
		Kommunenummer string `path:"kommunenummer" pattern:"^\\d{4}$" doc:"Kommunenummer, fire siffer" example:"4601"`
	}
	ParBydel struct {
		ParKommune
		Bydelsnummer string `path:"bydelsnummer" pattern:"^\\d{2}$" doc:"Bydelsnummer, to siffer. 00 når kommunen ikke er delt" example:"01"`
	}
	ParFylke struct {
		Fylkenummer string `path:"fylkenummer" pattern:"^\\d{2}$" doc:"Fylkesnummer, to siffer" example:"46"`
	}
	ParFra struct {
		FraFiksOrgID string `path:"fraFiksOrgId" format:"uuid" doc:"Fiks-organisasjonen det sendes på vegne av"`
	}
	ParSprak struct {
		SprakKode string `query:"sprakKode" doc:"Språk for navn: nb, nn, se eller en. Ellers bokmål" example:"nb"`
	}
)

func ugyldig(navn string) error {
	return &feil{kode: FeilParameter, melding: fmt.Sprintf("Parameteren %s har ikke riktig form.", navn)}
}

func (p ParKommune) les() (kommune.Kommunenummer, error) {
	k, err := kommune.ParseKommunenummer(p.Kommunenummer)
	if err != nil {
		return "", ugyldig("kommunenummer")
	}
	return k, nil
}

func (p ParBydel) les() (kommune.Kommunenummer, kommune.Bydelsnummer, error) {
	k, err := p.ParKommune.les()
	if err != nil {
		return "", "", err
	}
	b, err := kommune.ParseBydelsnummer(p.Bydelsnummer)
	if err != nil {
		return "", "", ugyldig("bydelsnummer")
	}
	return k, b, nil
}

func (p ParFylke) les() (kommune.Fylkesnummer, error) {
	f, err := kommune.ParseFylkesnummer(p.Fylkenummer)
	if err != nil {
		return "", ugyldig("fylkenummer")
	}
	return f, nil
}

func (p ParFra) les() (kommune.FiksOrgID, error) {
	id, err := melding.ParseID(p.FraFiksOrgID)
	if err != nil {
		return "", ugyldig("fraFiksOrgId")
	}
	return kommune.FiksOrgID(id), nil
}

// idempotensnokkel reads the header; "" when it is absent.
func idempotensnokkel(h http.Header) (string, error) {
	verdier := h.Values("Idempotency-Key")
	if len(verdier) == 0 {
		return "", nil
	}
	s := verdier[0]
	if len(verdier) > 1 || s == "" || len(s) > 255 {
		return "", &feil{kode: FeilIdempotensnokkel}
	}
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return "", &feil{kode: FeilIdempotensnokkel}
		}
	}
	return s, nil
}
