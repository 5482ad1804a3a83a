package producerapi

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// ukjentIntegrasjon is looked up when the header holds no UUID, so that every wrong integration costs the same.
const ukjentIntegrasjon kommune.IntegrasjonID = "00000000-0000-0000-0000-000000000000"

// slippInn verifies the token, then integration and password, and fills in kall. What was wrong is neither said nor logged
// beyond "access", and an unknown integration, a wrong password and another organisation's token do the same work: one lookup,
// one MAC, one comparison (D11, D19).
func (a *API) slippInn(k *kall) error {
	ctx, h := k.inn.Context(), k.inn.Header
	konsument, err := a.konsument(ctx, h.Get("Authorization"))
	if err != nil {
		return err
	}
	id := ukjentIntegrasjon
	if u, err := melding.ParseID(h.Get("IntegrasjonId")); err == nil {
		id = kommune.IntegrasjonID(u)
	}
	i, err := a.cfg.Integrasjoner.Integrasjon(ctx, id)
	kjent := err == nil
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return fmt.Errorf("integrasjon %s: %w", id, err)
	}
	fasit := i.PassordMAC
	if len(fasit) == 0 {
		fasit = make([]byte, sha256.Size) // a comparison of the same length, which nothing passes: kjent is false, or no password is set
	}
	passord := hmac.Equal(a.cfg.PassordMAC(h.Get("IntegrasjonPassord")), fasit) && len(i.PassordMAC) > 0
	if !kjent || !passord || !i.Aktiv || i.Orgnr != konsument {
		return &feil{kode: FeilIkkeAutentisert}
	}
	k.integrasjon = i
	return nil
}

func (a *API) konsument(ctx context.Context, autorisasjon string) (kommune.Orgnr, error) {
	// The scheme is case-insensitive (RFC 9110 §11.1).
	skjema, token, ok := strings.Cut(autorisasjon, " ")
	if !ok || !strings.EqualFold(skjema, "Bearer") || token == "" {
		return "", &feil{kode: FeilIkkeAutentisert}
	}
	orgnr, err := a.cfg.Tokens.Konsument(ctx, strings.TrimSpace(token))
	switch {
	case err == nil:
		return orgnr, nil
	case errors.Is(err, ports.ErrRefused):
		return "", &feil{kode: FeilIkkeAutentisert, arsak: err}
	}
	return "", fmt.Errorf("token: %w", err)
}

// utfordring is the header every 401 must have (RFC 9110 §11.6.1).
func utfordring(h http.Header) { h.Set("WWW-Authenticate", `Bearer realm="bekymringsmelding"`) }
