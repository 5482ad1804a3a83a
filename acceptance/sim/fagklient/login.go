package fagklient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// Login is who an integration says it is. Tests that are a client of their own use it too.
type Login struct{ IntegrasjonID, Passord, Token string }

// SASL is the login over AMQP.
func (l Login) SASL() []amqp091.Authentication {
	return []amqp091.Authentication{&amqp091.PlainAuth{Username: l.IntegrasjonID, Password: l.Passord + " " + l.Token}}
}

// Hoder puts the three headers on a call.
func (l Login) Hoder(h http.Header) {
	h.Set("Authorization", "Bearer "+l.Token)
	h.Set("IntegrasjonId", l.IntegrasjonID)
	h.Set("IntegrasjonPassord", l.Passord)
}

// Sending is the call of the send API for one message. Without innhold it has no data part.
func (l Login) Sending(ctx context.Context, api string, metadata map[string]any, innhold []byte) (*http.Request, error) {
	meta, err := json.Marshal(metadata)
	if err != nil {
		return nil, err
	}
	var kropp bytes.Buffer
	w := multipart.NewWriter(&kropp)
	err = w.WriteField("metadata", string(meta))
	if err == nil && innhold != nil {
		var del io.Writer
		if del, err = w.CreateFormFile("data", "data"); err == nil {
			_, err = del.Write(innhold)
		}
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, api+"/fiks-io/api/v1/send", &kropp)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	l.Hoder(req.Header)
	return req, nil
}
