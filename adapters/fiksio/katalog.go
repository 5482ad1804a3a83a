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
	"strings"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

const (
	katalogfrist = 5 * time.Second // a look-up that takes longer is not waited for
	aapenHuskes  = 5 * time.Minute // how long an open account is not asked about again
	ukjentHuskes = 30 * time.Second
)

// kontobok remembers which accounts were open a moment ago.
type kontobok struct {
	mu  *sync.Mutex
	til map[kommune.KontoID]time.Time
}

func nyKontobok() kontobok { return kontobok{&sync.Mutex{}, map[kommune.KontoID]time.Time{}} }

func (b kontobok) husk(k kommune.KontoID, til time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.til[k] = til
}

func (b kontobok) husker(k kommune.KontoID, na time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return na.Before(b.til[k])
}

// stengt says that the catalogue certainly shows the account as one that does not receive. A catalogue that does not answer stops
// nothing: the send itself is the judge.
func (t *Transport) stengt(ctx context.Context, k kommune.KontoID) bool {
	na := t.c.Clock.Now()
	if t.kontoer.husker(k, na) {
		return false
	}
	s, err := t.hent(ctx, "/fiks-io/katalog/api/v1/kontoer/"+string(k))
	var konto struct {
		Status struct {
			GyldigMottaker *bool `json:"gyldigMottaker"`
		} `json:"status"`
	}
	if err != nil || s.status != http.StatusOK || json.Unmarshal(s.kropp, &konto) != nil || konto.Status.GyldigMottaker == nil {
		t.kontoer.husk(k, na.Add(ukjentHuskes))
		return false
	}
	if !*konto.Status.GyldigMottaker {
		return true
	}
	t.kontoer.husk(k, na.Add(aapenHuskes))
	return false
}

func (t *Transport) hent(ctx context.Context, sti string) (svar, error) {
	ctx, avbryt := context.WithTimeout(ctx, katalogfrist)
	defer avbryt()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.api+sti, nil)
	if err != nil {
		return svar{}, err
	}
	return t.kall(req, maksSvar)
}

// Certificate: see ports.Catalogue.
func (t *Transport) Certificate(ctx context.Context, k kommune.KontoID) (*x509.Certificate, error) {
	s, err := t.hent(ctx, "/fiks-io/katalog/api/v1/kontoer/"+string(k)+"/offentligNokkel")
	if err != nil {
		return nil, fmt.Errorf("nøkkel for konto %s: %w", k, err)
	}
	if _, ekte := s.fraFiks(); s.status == http.StatusNotFound && ekte {
		return nil, fmt.Errorf("nøkkel for konto %s: %w", k, ports.ErrNotFound)
	}
	if s.status != http.StatusOK {
		return nil, fmt.Errorf("nøkkel for konto %s: status %d: %w", k, s.status, ports.ErrUnavailable)
	}
	var n struct {
		Nokkel string `json:"nokkel"`
	}
	if json.Unmarshal(s.kropp, &n) != nil {
		return nil, fmt.Errorf("nøkkel for konto %s: svaret er ikke katalogens: %w", k, ports.ErrUnavailable)
	}
	return lesSertifikat(k, n.Nokkel)
}

// Publish makes c what others seal for when they send to our own account, unless it is so already. Clients do the same at their start
// (§3); a catalogue that refuses it says so with ErrUnavailable, for it may be our login that lacks the right.
func (t *Transport) Publish(ctx context.Context, c *x509.Certificate) error {
	na, err := t.Certificate(ctx, t.c.Konto)
	if err == nil && na.Equal(c) {
		return nil
	}
	if err != nil && !errors.Is(err, ports.ErrNotFound) && !errors.Is(err, ports.ErrRefused) {
		return err
	}
	kropp, err := json.Marshal(map[string]string{"pem": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, t.api+"/fiks-io/konto/api/v1/kontoer/"+string(t.c.Konto)+"/offentligNokkel", bytes.NewReader(kropp))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	s, err := t.kall(req, maksSvar)
	if err != nil {
		return fmt.Errorf("offentlig nøkkel for konto %s: %w", t.c.Konto, err)
	}
	if s.status < 200 || s.status > 299 {
		return fmt.Errorf("offentlig nøkkel for konto %s: status %d: %w", t.c.Konto, s.status, ports.ErrUnavailable)
	}
	return nil
}

// lesSertifikat takes the first certificate of a PEM text, as KS's clients do.
func lesSertifikat(k kommune.KontoID, tekst string) (*x509.Certificate, error) {
	p, _ := pem.Decode([]byte(tekst))
	if p == nil || !strings.HasSuffix(p.Type, "CERTIFICATE") {
		return nil, fmt.Errorf("nøkkel for konto %s er ikke et PEM-sertifikat: %w", k, ports.ErrRefused)
	}
	c, err := x509.ParseCertificate(p.Bytes)
	if err != nil {
		return nil, fmt.Errorf("nøkkel for konto %s er ikke et sertifikat: %w", k, ports.ErrRefused)
	}
	if rk, ok := c.PublicKey.(*rsa.PublicKey); !ok || rk.N.BitLen() < 2048 {
		return nil, fmt.Errorf("nøkkel for konto %s er ikke RSA på minst 2048 bit: %w", k, ports.ErrRefused)
	}
	return c, nil
}
