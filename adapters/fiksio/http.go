package fiksio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"portal.example/bekymringsmelding/ports"
)

// maksKropp is how much of an answer is read. Those that matter are under 10 kB.
const maksKropp = 64 << 10

// apisvar is one answer, of whatever status.
type apisvar struct {
	status int
	kropp  []byte // at most the limit that was asked for, and one byte more
}

// be makes a request to the API. sti begins with a slash.
func (t *Transport) be(ctx context.Context, metode, sti string, kropp io.Reader) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, metode, t.c.API+sti, kropp)
	if err != nil {
		return nil, fmt.Errorf("adressen kan ikke brukes: %w", ports.ErrUnavailable) // our own fault; err would quote it
	}
	r.Header.Set("Accept", "application/json, application/octet-stream")
	return r, nil
}

const bearer = "Bearer "

// legitimer puts on the three headers of an integration (ks-no/fiks-io-send-klient IntegrasjonAuthenticationStrategy.java).
func (t *Transport) legitimer(ctx context.Context, r *http.Request) error {
	token, err := t.token(ctx)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", bearer+token)
	r.Header.Set("IntegrasjonId", string(t.c.Integrasjon))
	r.Header.Set("IntegrasjonPassord", t.passord())
	return nil
}

var (
	errToken       = errors.New("access token kunne ikke hentes")
	errTokenNektet = errors.New("tokenutstederen sier nei")
)

// token never passes on the issuer's ErrRefused: that it refuses us says nothing about the receiver.
func (t *Transport) token(ctx context.Context) (string, error) {
	s, err := t.c.Token(ctx)
	switch {
	case err == nil && s != "":
		return s, nil
	case errors.Is(err, ports.ErrRefused):
		return "", fmt.Errorf("%w: %w", errTokenNektet, ports.ErrUnavailable)
	case ctx.Err() != nil:
		return "", utilgjengelig(ctx.Err())
	}
	return "", fmt.Errorf("%w: %w", errToken, ports.ErrUnavailable)
}

// gjor does a request and reads at most maks bytes of the answer, and one more when there are more. An error is always ErrUnavailable.
func (t *Transport) gjor(r *http.Request, maks int64) (apisvar, error) {
	res, err := t.http.Do(r)
	if err != nil {
		return apisvar{}, utilgjengelig(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden {
		if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), bearer); ok {
			t.c.Forkast(token) // it may be the password or a right that is wrong: then a new token costs little
		}
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maks+1))
	if err != nil {
		return apisvar{}, utilgjengelig(err)
	}
	return apisvar{status: res.StatusCode, kropp: b}, nil
}
