package memory

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

// OpenCase: see ports.Ledger.
func (l *Lager) OpenCase(ctx context.Context, s levering.Sak) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, finnes := l.saker[s.ID]; !finnes {
		l.saker[s.ID] = kopiSak(s)
	}
	return nil
}

// Case: see ports.Ledger.
func (l *Lager) Case(ctx context.Context, id levering.SakID) (levering.Sak, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return levering.Sak{}, err
	}
	s, finnes := l.saker[id]
	if !finnes {
		return levering.Sak{}, fmt.Errorf("sak %s: %w", id, ports.ErrNotFound)
	}
	return s, nil
}

// CloseCase: see ports.Ledger.
func (l *Lager) CloseCase(ctx context.Context, id levering.SakID, av, grunn string, at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	s, finnes := l.saker[id]
	if !finnes {
		return fmt.Errorf("sak %s: %w", id, ports.ErrNotFound)
	}
	if s.Apen() {
		s.Lukket, s.LukketAv, s.Grunn = mikro(at), av, grunn
		l.saker[id] = s
	}
	return nil
}

// Mark: see ports.Ledger.
func (l *Lager) Mark(ctx context.Context, name string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.merker[name], ctx.Err()
}

// SetMark: see ports.Ledger.
func (l *Lager) SetMark(ctx context.Context, name, value string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	l.merker[name] = value
	return nil
}

// Marks: see ports.Ledger.
func (l *Lager) Marks(ctx context.Context, prefix string) (map[string]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ut := map[string]string{}
	for navn, v := range l.merker {
		if strings.HasPrefix(navn, prefix) && v != "" {
			ut[navn] = v
		}
	}
	return ut, ctx.Err()
}

// Now: see ports.Ledger. The store's clock is the one it was given.
func (l *Lager) Now(ctx context.Context) (time.Time, error) { return l.klokke.Now(), ctx.Err() }

// sertifikat is one announcement. A certificate announced again after it was replaced is the same one, current again.
type sertifikat struct {
	eier      kommune.Eier
	c         *x509.Certificate
	annonsert time.Time
	erstattet time.Time // zero = never
	trukket   bool
}

func (s *sertifikat) gjeldende() bool { return s.erstattet.IsZero() && !s.trukket }

// finnGjeldende gives the owner's current certificate. The caller holds mu.
func (l *Lager) finnGjeldende(eier kommune.Eier) *sertifikat {
	for _, s := range l.certs {
		if s.eier == eier && s.gjeldende() {
			return s
		}
	}
	return nil
}

// Current: see ports.Certificates.
func (l *Lager) Current(ctx context.Context, eier kommune.Eier) (*x509.Certificate, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s := l.finnGjeldende(eier); s != nil {
		return s.c, nil
	}
	return nil, fmt.Errorf("sertifikat til %s: %w", eier, ports.ErrNotFound)
}

// Accepted: see ports.Certificates.
func (l *Lager) Accepted(ctx context.Context, eier kommune.Eier, now time.Time) ([]*x509.Certificate, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return l.godtatte(eier, now), nil
}

// godtatte is Accepted. The caller holds mu.
func (l *Lager) godtatte(eier kommune.Eier, now time.Time) (ut []*x509.Certificate) {
	for _, s := range slices.Backward(l.certs) { // in the order announced: newest last
		if s.eier == eier && !s.trukket && (s.erstattet.IsZero() || s.erstattet.Add(ports.Overlap).After(now)) {
			ut = append(ut, s.c)
		}
	}
	return ut
}

// Announce: see ports.Certificates.
func (l *Lager) Announce(ctx context.Context, eier kommune.Eier, c *x509.Certificate, at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	var denne *sertifikat
	for _, s := range l.certs {
		if s.eier == eier && s.c.Equal(c) {
			denne = s
		}
	}
	gammel := l.finnGjeldende(eier)
	switch {
	case denne != nil && denne == gammel:
		return nil
	case slices.ContainsFunc(l.certs, func(s *sertifikat) bool {
		return s.trukket && bytes.Equal(s.c.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo)
	}):
		return fmt.Errorf("sertifikat til %s er trukket tilbake: %w", eier, ports.ErrRefused)
	}
	if gammel != nil {
		gammel.erstattet = mikro(at)
	}
	if denne == nil {
		denne = &sertifikat{eier: eier, c: c}
	}
	denne.annonsert, denne.erstattet = mikro(at), time.Time{}
	l.certs = append(slices.DeleteFunc(l.certs, func(s *sertifikat) bool { return s == denne }), denne)
	return nil
}

// Revoke: see ports.Certificates.
func (l *Lager) Revoke(ctx context.Context, c *x509.Certificate, _ time.Time, _ string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	funnet := false
	for _, s := range l.certs {
		if s.c.Equal(c) {
			s.trukket, funnet = true, true
		}
	}
	if !funnet {
		return fmt.Errorf("sertifikat: %w", ports.ErrNotFound)
	}
	return nil
}

// All: see ports.Certificates.
func (l *Lager) All(ctx context.Context) (map[kommune.Eier]*x509.Certificate, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ut := map[kommune.Eier]*x509.Certificate{}
	for _, s := range l.certs {
		if s.gjeldende() {
			ut[s.eier] = s.c
		}
	}
	return ut, ctx.Err()
}
