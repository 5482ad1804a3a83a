package fiksio

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

const (
	statusVarer  = 5 * time.Minute  // how long an account that takes messages is not asked about again
	ukjentVarer  = 30 * time.Second // the same after the catalogue could not say: a dead one must not slow every send
	statusfrist  = 5 * time.Second  // a slow one must not hold a report back either
	maksStatuser = 10_000
	maksNokkel   = 1 << 20 // bytes of a key's answer
)

func kontoSti(id kommune.KontoID, rest string) string {
	return "/fiks-io/katalog/api/v1/kontoer/" + url.PathEscape(string(id)) + rest
}

// stengt says whether the catalogue is certain that an account takes no messages. Whatever else it says, or that it says nothing, means
// that the send itself has to find out. That an account is closed is asked anew each time: it may have been opened a moment ago.
func (t *Transport) stengt(ctx context.Context, id kommune.KontoID) bool {
	na := t.c.Clock.Now()
	t.mu.Lock()
	til := t.apne[id]
	t.mu.Unlock()
	if na.Before(til) {
		return false
	}
	varer := ukjentVarer
	switch t.sporStatus(ctx, id) {
	case tarIkkeImot:
		return true
	case tarImot:
		varer = statusVarer
	default:
		if ctx.Err() != nil {
			return false // says nothing about the catalogue
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.apne) >= maksStatuser {
		clear(t.apne)
	}
	t.apne[id] = na.Add(varer)
	return false
}

// bekreftetBorte asks the catalogue about an account after the send API has refused a message to it. A refusal alone may be about us (a
// moved address, a header the platform has begun to dislike), and believed it would turn every report into a letter. That an account is
// unknown is certain only when the same catalogue knows our own.
func (t *Transport) bekreftetBorte(ctx context.Context, id kommune.KontoID) bool {
	t.mu.Lock()
	delete(t.apne, id)
	t.mu.Unlock()
	sagt := t.sporStatus(ctx, id)
	if sagt != finnesIkke {
		return sagt == tarIkkeImot
	}
	egen := t.sporStatus(ctx, t.c.Konto)
	return egen == tarImot || egen == tarIkkeImot
}

// katalogord is what the catalogue says of an account. Its zero value: nothing that can be believed.
type katalogord int

const (
	sierIngenting katalogord = iota
	tarImot
	tarIkkeImot
	finnesIkke
)

func (t *Transport) sporStatus(ctx context.Context, id kommune.KontoID) katalogord {
	ctx, avbryt := context.WithTimeout(ctx, statusfrist)
	defer avbryt()
	r, err := t.be(ctx, http.MethodGet, kontoSti(id, "/status"), nil)
	if err == nil {
		err = t.legitimer(ctx, r)
	}
	if err != nil {
		return sierIngenting
	}
	s, err := t.gjor(r, maksKropp)
	if err != nil {
		return sierIngenting
	}
	var status struct {
		GyldigMottaker *bool `json:"gyldigMottaker"`
	}
	_, egen := egenFeil(s.kropp)
	switch {
	case s.status == http.StatusNotFound && egen:
		return finnesIkke
	case s.status != http.StatusOK || json.Unmarshal(s.kropp, &status) != nil || status.GyldigMottaker == nil:
		return sierIngenting
	case *status.GyldigMottaker:
		return tarImot
	}
	return tarIkkeImot
}

// Certificate: see ports.Catalogue. The call carries no login (ks-no/fiks-io-klient-java FiksIOKlientFactory.java has a client without one
// for it).
func (t *Transport) Certificate(ctx context.Context, id kommune.KontoID) (*x509.Certificate, error) {
	c, err := t.sertifikat(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("nøkkelen til konto %s: %w", id, err)
	}
	return c, nil
}

func (t *Transport) sertifikat(ctx context.Context, id kommune.KontoID) (*x509.Certificate, error) {
	r, err := t.be(ctx, http.MethodGet, kontoSti(id, "/offentligNokkel"), nil)
	if err != nil {
		return nil, err
	}
	s, err := t.gjor(r, maksNokkel)
	if err != nil {
		return nil, err
	}
	f, egen := egenFeil(s.kropp)
	switch {
	case s.status == http.StatusNotFound && egen:
		return nil, statusfeil(s.status, f, ports.ErrNotFound)
	case s.status != http.StatusOK:
		return nil, statusfeil(s.status, f, ports.ErrUnavailable)
	}
	var svar struct {
		Nokkel *string `json:"nokkel"`
	}
	if json.Unmarshal(s.kropp, &svar) != nil || svar.Nokkel == nil {
		return nil, fmt.Errorf("svaret har ingen nøkkel: %w", ports.ErrUnavailable)
	}
	return lesSertifikat([]byte(*svar.Nokkel))
}

// Publish makes c what others seal for when they send to our own account, unless it is so already. KS's clients do the same at their start
// (ks-no/fiks-io-klient-java FiksIOKlientFactory.java). A platform that says no gives ErrUnavailable: it may be our login that lacks the
// right, and nothing is lost meanwhile.
func (t *Transport) Publish(ctx context.Context, c *x509.Certificate) error {
	na, err := t.sertifikat(ctx, t.c.Konto)
	switch {
	case err == nil && na.Equal(c):
		return nil
	case err != nil && !errors.Is(err, ports.ErrNotFound) && !errors.Is(err, ports.ErrRefused):
		return fmt.Errorf("egen nøkkel: %w", err)
	}
	kropp, err := json.Marshal(map[string]string{"pem": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))})
	if err != nil {
		return err
	}
	r, err := t.be(ctx, http.MethodPut, "/fiks-io/konto/api/v1/kontoer/"+url.PathEscape(string(t.c.Konto))+"/offentligNokkel", bytes.NewReader(kropp))
	if err == nil {
		r.Header.Set("Content-Type", "application/json")
		err = t.legitimer(ctx, r)
	}
	if err != nil {
		return fmt.Errorf("egen nøkkel: %w", err)
	}
	s, err := t.gjor(r, maksNokkel)
	if err != nil {
		return fmt.Errorf("egen nøkkel: %w", err)
	}
	if s.status < 200 || s.status > 299 {
		f, _ := egenFeil(s.kropp)
		return fmt.Errorf("egen nøkkel: %w", statusfeil(s.status, f, ports.ErrUnavailable))
	}
	return nil
}

// lesSertifikat takes the first block that is a certificate, as Java's reader does (ks-no/kryptering X509CertificateReader.cs: the label
// ends in CERTIFICATE): some publish a chain, or text before it.
func lesSertifikat(b []byte) (*x509.Certificate, error) {
	for blokk, rest := pem.Decode(b); blokk != nil; blokk, rest = pem.Decode(rest) {
		if !strings.HasSuffix(blokk.Type, "CERTIFICATE") {
			continue
		}
		c, err := x509.ParseCertificate(blokk.Bytes)
		if err != nil {
			return nil, fmt.Errorf("sertifikatet kan ikke leses: %w", ports.ErrRefused) // without err: it can quote the certificate
		}
		if pub, ok := c.PublicKey.(*rsa.PublicKey); !ok || pub.N.BitLen() < 2048 {
			return nil, fmt.Errorf("nøkkelen er ikke RSA på minst 2048 bit: %w", ports.ErrRefused)
		}
		return c, nil
	}
	return nil, fmt.Errorf("det er ikke et sertifikat: %w", ports.ErrRefused)
}
