package fagklient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/domain/protokoll"
)

const (
	svarTTL     = 24 * time.Hour // what the protocol recommends (reference fiks-io.md §8.2)
	sendeforsok = 3
	maksHentet  = 1 << 30 // octets from Dokumentlager
)

// les makes what a case system is handed, and says whom to answer.
func (f *Fagklient) les(ctx context.Context, d amqp091.Delivery) (m sim.Mottatt, avsender string, err error) {
	h := map[string]string{}
	for navn, v := range d.Headers {
		if s, ok := v.(string); ok {
			h[navn] = s
		}
	}
	m = sim.Mottatt{Meldingstype: h[protokoll.HeaderType], MeldingID: h[protokoll.HeaderMeldingID], Headere: h, Innhold: d.Body,
		Korrelasjon: h[protokoll.HeaderEgendefinert+protokoll.HeaderKorrelasjon]}
	if m.Korrelasjon == "" {
		m.Korrelasjon = h[protokoll.HeaderEgendefinert+protokoll.HeaderKorrelasjonOld]
	}
	avsender = h[protokoll.HeaderAvsenderID]
	if m.Meldingstype == "" || m.MeldingID == "" || avsender == "" {
		return m, "", errors.New("fagklient: meldingen mangler type, melding-id eller avsender-id")
	}
	if id := h[protokoll.HeaderDokumentlager]; id != "" {
		m.Innhold, err = f.hent(ctx, id)
	}
	return m, avsender, err
}

func (f *Fagklient) hent(ctx context.Context, id string) ([]byte, error) {
	login, err := f.login(ctx)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.c.API+"/dokumentlager/nedlasting/"+id, nil)
	if err != nil {
		return nil, err
	}
	login.Hoder(req.Header)
	var ut []byte
	err = f.kall(req, http.StatusOK, func(r io.Reader) (err error) {
		ut, err = io.ReadAll(io.LimitReader(r, maksHentet))
		return err
	})
	return ut, err
}

// svar sends one answer. It is tried again when the platform may be away for a moment.
func (f *Fagklient) svar(ctx context.Context, m sim.Mottatt, til string, s sim.Svar) error {
	headere := map[string]string{}
	if m.Korrelasjon != "" {
		headere[protokoll.HeaderKorrelasjon], headere[protokoll.HeaderKorrelasjonOld] = m.Korrelasjon, m.Korrelasjon
	}
	metadata := map[string]any{"avsenderKontoId": f.c.KontoID, "mottakerKontoId": til, "meldingType": s.Meldingstype, "svarPaMelding": s.SvarTil,
		"ttl": svarTTL.Milliseconds(), "headere": headere}
	for forsok, pause := 1, forstePause; ; forsok, pause = forsok+1, 2*pause {
		err := f.send(ctx, metadata, s.Innhold)
		var avslag statusfeil
		if err == nil || errors.As(err, &avslag) && avslag < 500 || forsok == sendeforsok || !vent(ctx, pause) {
			return err
		}
	}
}

func (f *Fagklient) send(ctx context.Context, metadata map[string]any, innhold []byte) error {
	login, err := f.login(ctx)
	if err != nil {
		return err
	}
	req, err := login.Sending(ctx, f.c.API, metadata, innhold)
	if err != nil {
		return err
	}
	return f.kall(req, http.StatusAccepted, func(r io.Reader) error {
		_, err := io.Copy(io.Discard, io.LimitReader(r, 64<<10)) // an answer read to its end leaves the connection for the next call
		return err
	})
}

// statusfeil is an answer with another status than the one wanted.
type statusfeil int

func (s statusfeil) Error() string { return fmt.Sprintf("fagklient: status %d", int(s)) }

// login has a token asked for now.
func (f *Fagklient) login(ctx context.Context) (Login, error) {
	token, err := f.c.Token(ctx)
	return Login{f.c.IntegrasjonID, f.c.Passord, token}, err
}

func (f *Fagklient) kall(req *http.Request, vil int, les func(io.Reader) error) error {
	res, err := f.c.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != vil {
		return statusfeil(res.StatusCode)
	}
	return les(res.Body)
}
