package fiksio

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// maksSvar is how much of an ordinary answer is read: far above what any call here gives.
const maksSvar = 64 << 10

// svar is one answer of the API: at most what was asked for of its body.
type svar struct {
	status int
	kropp  []byte
}

// kall adds the three headers, makes one call, and reads at most maks octets of the answer. An error means that nothing is known.
func (t *Transport) kall(req *http.Request, maks int64) (svar, error) {
	token, err := t.c.Token(req.Context())
	if err != nil {
		// Not wrapped: an issuer that refuses us has refused nothing about the message.
		return svar{}, fmt.Errorf("token: %s: %w", err.Error(), ports.ErrUnavailable)
	}
	h := req.Header
	h.Set("Authorization", "Bearer "+token)
	h.Set("IntegrasjonId", string(t.c.Integrasjon))
	h.Set("IntegrasjonPassord", t.c.Passord)
	h.Set("Accept", "application/json, application/octet-stream")
	res, err := t.http.Do(req)
	if err != nil {
		// The client's own error is left out: it has the whole URL in it.
		if cerr := req.Context().Err(); cerr != nil {
			return svar{}, fmt.Errorf("avbrutt: %w: %w", ports.ErrUnavailable, cerr)
		}
		return svar{}, fmt.Errorf("ikke noe svar: %w", ports.ErrUnavailable)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maks))
	if err != nil {
		return svar{}, fmt.Errorf("svaret kom ikke helt fram: %w", ports.ErrUnavailable)
	}
	return svar{status: res.StatusCode, kropp: b}, nil
}

// fiksfeil is KS's error body (reference fiks-io.md §2.4).
type fiksfeil struct {
	ErrorID   string `json:"errorId"`
	ErrorCode string `json:"errorCode"`
}

// fraFiks says whether an error answer is Fiks's own word, and not that of something on the way to it.
func (s svar) fraFiks() (fiksfeil, bool) {
	var f fiksfeil
	if json.Unmarshal(s.kropp, &f) != nil {
		return f, false
	}
	_, err := melding.ParseID(f.ErrorID)
	return f, err == nil
}

// feil is the sentinel for an answer that is no success. ErrRefused needs both a status that means «this message, never» and Fiks's own
// body. Everything else may pass: our own login and grants (401, 403), a pace that is too high, a proxy's page, a server's trouble. The
// frist guards the report meanwhile.
func (s svar) feil() error {
	f, ekte := s.fraFiks()
	if ekte {
		switch s.status {
		case http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
			return fmt.Errorf("status %d %s: %w", s.status, trygg(f.ErrorCode), ports.ErrRefused)
		}
	}
	return fmt.Errorf("status %d %s: %w", s.status, trygg(f.ErrorCode), ports.ErrUnavailable)
}

// trygg passes on an error code and nothing else.
func trygg(kode string) string {
	if len(kode) > 60 || strings.Trim(kode, "ABCDEFGHIJKLMNOPQRSTUVWXYZÆØÅ0123456789_") != "" {
		return ""
	}
	return kode
}
