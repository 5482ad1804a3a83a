package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"portal.example/bekymringsmelding/ports"
)

// api is the portal's HTTP API as a sender sees it.
type api struct {
	p      *program
	grunn  string // …/bekymringsmelding/api
	tokens interface {
		Token(context.Context) (string, error)
	}
	integrasjon string
	passord     string
	fiksOrg     string
	hvem        identitet
}

// svar is an answer that is there: whatever it says, the portal has said it.
type svar struct {
	status int
	kropp  []byte
	vent   time.Duration // Retry-After
}

const maksSvar = 4 << 20

// kall makes one call. An error means that no answer came: for a POST, the outcome is unknown.
func (a *api) kall(metode, sti string, hoder map[string]string, kropp []byte) (*svar, error) {
	token, err := a.tokens.Token(a.p.ctx)
	if errors.Is(err, ports.ErrRefused) {
		return nil, nei("Maskinporten ga ikke tilgang (%v). Kontroller klient, sertifikat og scope.", err)
	}
	if err != nil {
		return nil, ukjent("Maskinporten svarer ikke: %v.", err)
	}
	r, err := http.NewRequestWithContext(a.p.ctx, metode, a.grunn+sti, bytes.NewReader(kropp))
	if err != nil {
		return nil, bruk("Adressen kan ikke brukes: %v.", err)
	}
	for h, v := range hoder {
		r.Header.Set(h, v)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("IntegrasjonId", a.integrasjon)
	r.Header.Set("IntegrasjonPassord", a.passord)
	s, err := a.p.http.Do(r)
	if err != nil {
		return nil, ukjent("Portalen svarer ikke: %v.", err)
	}
	defer func() { _ = s.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(s.Body, maksSvar))
	if err != nil {
		return nil, ukjent("Svaret fra portalen ble avbrutt: %v.", err)
	}
	sekunder, _ := strconv.Atoi(s.Header.Get("Retry-After"))
	return &svar{status: s.StatusCode, kropp: b, vent: time.Duration(sekunder) * time.Second}, nil
}

// hent reads one resource into ut.
func (a *api) hent(sti string, ut any) error {
	s, err := a.kall(http.MethodGet, sti, nil, nil)
	if err != nil {
		return err
	}
	if s.status != http.StatusOK {
		return s.feil()
	}
	if json.Unmarshal(s.kropp, ut) != nil {
		return ukjent("Svaret fra portalen kan ikke leses.")
	}
	return nil
}

// feilkropp is the error body of every Fiks API.
type feilkropp struct {
	Message   string            `json:"message"`
	ErrorCode string            `json:"errorCode"`
	ErrorID   string            `json:"errorId"`
	ErrorJSON map[string]string `json:"errorJson"`
}

func (s *svar) feilkropp() (f feilkropp) {
	_ = json.Unmarshal(s.kropp, &f) // something else than the portal may have answered: then there is only the status
	return f
}

// forbigaende says whether the same call may go better later.
func (s *svar) forbigaende() bool {
	return s.status >= 500 || s.status == http.StatusRequestTimeout || s.status == http.StatusTooManyRequests
}

func (s *svar) feil() error {
	f := s.feilkropp()
	tekst := "Portalen svarte " + strconv.Itoa(s.status)
	if f.ErrorCode != "" {
		tekst += " " + rent(f.ErrorCode)
	}
	if f.Message != "" {
		tekst += ": " + rent(f.Message)
	}
	if f.ErrorID != "" {
		tekst += " (errorId " + rent(f.ErrorID) + ")"
	}
	if s.forbigaende() {
		return ukjent("%s", tekst)
	}
	return nei("%s", tekst)
}

// rent keeps what somebody else wrote from steering the terminal.
func rent(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 300 {
		return string(r[:300]) + " …"
	}
	return s
}
