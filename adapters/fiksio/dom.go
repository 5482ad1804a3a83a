package fiksio

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// fiksfeil is the error body of every Fiks API (developers.fiks.ks.no, felles/integrasjoner). Nothing else in it is read: its text may
// repeat what was sent.
type fiksfeil struct {
	ErrorID   string `json:"errorId"`
	ErrorCode string `json:"errorCode"`
}

// egenFeil says whether a body is Fiks's own word, and not that of a proxy on the way.
func egenFeil(kropp []byte) (f fiksfeil, ok bool) {
	if json.Unmarshal(kropp, &f) != nil {
		return fiksfeil{}, false
	}
	_, err := melding.ParseID(f.ErrorID)
	return f, err == nil
}

// sendedom judges the answer to a send. Only five statuses can be certain, and only in Fiks's own words: the message or its receiver is
// not one the platform takes. Which of the two, and whether the fault is ours, its caller asks the catalogue. A 401 or 403 is about us:
// our token, password or rights may be wrong, and with ErrRefused every report in the country would turn into a letter. 408, 409, 425,
// 429 and 5xx are for later.
func sendedom(s apisvar) (ref string, err error) {
	if s.status >= 200 && s.status < 300 {
		var sendt struct {
			MeldingID string `json:"meldingId"`
		}
		if json.Unmarshal(s.kropp, &sendt) == nil {
			if id, err := melding.ParseID(sendt.MeldingID); err == nil {
				return string(id), nil
			}
		}
		return "", fmt.Errorf("status %d uten meldingId: %w", s.status, ports.ErrUnavailable)
	}
	f, egen := egenFeil(s.kropp)
	switch s.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		if egen {
			return "", statusfeil(s.status, f, ports.ErrRefused)
		}
	}
	return "", statusfeil(s.status, f, ports.ErrUnavailable)
}

// statusfeil passes on the status, and an error code of safe shape.
func statusfeil(status int, f fiksfeil, err error) error {
	const trygge = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	if f.ErrorCode == "" || len(f.ErrorCode) > 60 || strings.Trim(f.ErrorCode, trygge) != "" {
		return fmt.Errorf("status %d: %w", status, err)
	}
	return fmt.Errorf("status %d, %s: %w", status, f.ErrorCode, err)
}
