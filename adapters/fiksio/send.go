package fiksio

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"time"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// metadata is the send API's JSON part (reference fiks-io.md §2.2).
type metadata struct {
	Avsender    string            `json:"avsenderKontoId"`
	Mottaker    string            `json:"mottakerKontoId"`
	Meldingtype string            `json:"meldingType"`
	TTL         int64             `json:"ttl"` // ms
	Headere     map[string]string `json:"headere"`
}

// Send: see ports.Transport. It tries once. A crash after the platform took the message leaves an attempt whose outcome is unknown; the
// retry carries the same klientMeldingId.
func (t *Transport) Send(ctx context.Context, f ports.Forsendelse) (string, error) {
	if f.TTL < time.Second {
		return "", fmt.Errorf("forsøk %s: for kort tid igjen: %w", f.Forsok, ports.ErrRefused)
	}
	if t.stengt(ctx, f.Til.KontoID) {
		return "", fmt.Errorf("forsøk %s: konto %s tar ikke imot: %w", f.Forsok, f.Til.KontoID, ports.ErrRefused)
	}
	req, err := t.foresporsel(ctx, f)
	if err != nil {
		return "", fmt.Errorf("forsøk %s: %w", f.Forsok, err)
	}
	s, err := t.kall(req, maksSvar)
	if err != nil {
		return "", fmt.Errorf("forsøk %s: %w", f.Forsok, err)
	}
	if s.status < 200 || s.status > 299 {
		return "", fmt.Errorf("forsøk %s: %w", f.Forsok, s.feil())
	}
	var sendt struct {
		MeldingID string `json:"meldingId"`
	}
	_ = json.Unmarshal(s.kropp, &sendt) // what is no JSON has no meldingId
	id, err := melding.ParseID(sendt.MeldingID)
	if err != nil {
		return "", fmt.Errorf("forsøk %s: svaret har ingen meldingId: %w", f.Forsok, ports.ErrUnavailable)
	}
	return string(id), nil
}

// foresporsel is the POST, unsent. The sealed content is read from where it lies, and read again when net/http finds that a kept
// connection was closed before a byte of the request was written.
func (t *Transport) foresporsel(ctx context.Context, f ports.Forsendelse) (*http.Request, error) {
	m := metadata{Avsender: string(t.c.Konto), Mottaker: string(f.Til.KontoID), Meldingtype: protokoll.Meldingstype(f.Slag, f.Versjon), TTL: f.TTL.Milliseconds(),
		Headere: map[string]string{
			protokoll.HeaderBydelRessurs: string(f.Til.Bydel.RessursID), protokoll.HeaderBekymring: string(f.Melding), protokoll.HeaderKlientMelding: string(f.Forsok),
			protokoll.HeaderKorrelasjon: string(f.Melding), protokoll.HeaderKorrelasjonOld: string(f.Melding)}}
	mj, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	var for0 bytes.Buffer
	w := multipart.NewWriter(&for0)
	del := func(navn, fil, type_ string) error {
		h := textproto.MIMEHeader{}
		d := `form-data; name="` + navn + `"`
		if fil != "" {
			d += `; filename="` + fil + `"`
		}
		h.Set("Content-Disposition", d)
		h.Set("Content-Type", type_)
		_, err := w.CreatePart(h)
		return err
	}
	if err := del("metadata", "", "application/json"); err != nil {
		return nil, err
	}
	_, _ = for0.Write(mj) // a bytes.Buffer takes everything
	if err := del("data", protokoll.Filnavn(string(f.Til.FiksOrgID), string(f.Til.Bydel.Bydelsnummer)), "application/octet-stream"); err != nil {
		return nil, err
	}
	hode := bytes.Clone(for0.Bytes())
	for0.Reset()
	if err := w.Close(); err != nil {
		return nil, err
	}
	hale := for0.Bytes()
	kropp := func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(hode), f.Innhold.Les(), bytes.NewReader(hale))), nil
	}
	forste, _ := kropp()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.api+"/fiks-io/api/v1/send", forste)
	if err != nil {
		return nil, err
	}
	req.GetBody, req.ContentLength = kropp, int64(len(hode))+f.Innhold.Storrelse()+int64(len(hale))
	req.Header.Set("Content-Type", w.FormDataContentType())
	return req, nil
}
