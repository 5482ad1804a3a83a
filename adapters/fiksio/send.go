package fiksio

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

const sendSti = "/fiks-io/api/v1/send"

// Send: see ports.Transport. A crash, or a lost answer, after the platform has the message leaves it on its way: a repeat is a second
// message with the same klientMeldingId.
func (t *Transport) Send(ctx context.Context, f ports.Forsendelse) (string, error) {
	ref, err := t.send(ctx, f)
	if err != nil {
		return "", fmt.Errorf("forsøk %s: %w", f.Forsok, err)
	}
	return ref, nil
}

func (t *Transport) send(ctx context.Context, f ports.Forsendelse) (string, error) {
	if f.TTL < time.Second {
		return "", fmt.Errorf("for kort tid igjen: %w", ports.ErrRefused)
	}
	if t.stengt(ctx, f.Til.KontoID) {
		return "", fmt.Errorf("konto %s tar ikke imot: %w", f.Til.KontoID, ports.ErrRefused)
	}
	k := t.sendekropp(f)
	r, err := t.be(ctx, http.MethodPost, sendSti, k.les())
	if err != nil {
		return "", err
	}
	if err := t.legitimer(ctx, r); err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", k.slag)
	r.ContentLength = k.lengde()
	// Used only when a kept connection turns out to be closed before one byte was written.
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(k.les()), nil }
	s, err := t.gjor(r, maksKropp)
	if err != nil {
		return "", err
	}
	ref, err := sendedom(s)
	if errors.Is(err, ports.ErrRefused) && !t.bekreftetBorte(ctx, f.Til.KontoID) {
		f, _ := egenFeil(s.kropp)
		return "", statusfeil(s.status, f, ports.ErrUnavailable)
	}
	return ref, err
}

// metadata is the part of that name (ks-no/fiks-io-send-klient MeldingSpesifikasjonApiModel.java). A report answers nothing, so
// svarPaMelding is not in it.
type metadata struct {
	AvsenderKontoID string            `json:"avsenderKontoId"`
	MottakerKontoID string            `json:"mottakerKontoId"`
	MeldingType     string            `json:"meldingType"`
	TTL             int64             `json:"ttl"` // ms
	Headere         map[string]string `json:"headere"`
}

func (t *Transport) metadata(f ports.Forsendelse) metadata {
	h := map[string]string{
		protokoll.HeaderBekymring:      string(f.Melding),
		protokoll.HeaderKlientMelding:  string(f.Forsok),
		protokoll.HeaderKorrelasjon:    string(f.Melding),
		protokoll.HeaderKorrelasjonOld: string(f.Melding),
	}
	if r := f.Til.Bydel.RessursID; r != "" {
		h[protokoll.HeaderBydelRessurs] = string(r)
	}
	return metadata{AvsenderKontoID: string(t.c.Konto), MottakerKontoID: string(f.Til.KontoID), MeldingType: protokoll.Meldingstype(f.Slag, f.Versjon),
		TTL: f.TTL.Milliseconds(), Headere: h}
}

// sendekropp is a multipart body around content that is read where it lies, anew at each reading.
type sendekropp struct {
	slag         string
	foran, etter []byte
	innhold      melding.Forseglet
}

func (k sendekropp) les() io.Reader {
	return io.MultiReader(bytes.NewReader(k.foran), k.innhold.Les(), bytes.NewReader(k.etter))
}

func (k sendekropp) lengde() int64 {
	return int64(len(k.foran)) + k.innhold.Storrelse() + int64(len(k.etter))
}

func (t *Transport) sendekropp(f ports.Forsendelse) sendekropp {
	meta, _ := json.Marshal(t.metadata(f)) // cannot fail: strings and a number
	filnavn := protokoll.Filnavn(string(f.Til.FiksOrgID), cmp.Or(string(f.Til.Bydel.Bydelsnummer), "00"))
	var b bytes.Buffer // writing to it never fails
	w := multipart.NewWriter(&b)
	del := func(disposisjon, innholdstype string) io.Writer {
		d, _ := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposisjon}, "Content-Type": {innholdstype}})
		return d
	}
	_, _ = del(`form-data; name="metadata"`, "application/json").Write(meta)
	_ = del(`form-data; name="data"; filename="`+tryggFil.Replace(filnavn)+`"`, "application/octet-stream")
	delt := b.Len()
	_ = w.Close()
	return sendekropp{slag: w.FormDataContentType(), foran: b.Bytes()[:delt], etter: b.Bytes()[delt:], innhold: f.Innhold}
}

// tryggFil keeps a set-up's ids from ending the header they stand in.
var tryggFil = strings.NewReplacer("\r", "", "\n", "", `"`, "", `\`, "")
