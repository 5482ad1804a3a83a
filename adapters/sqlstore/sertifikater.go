package sqlstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

type sertifikatRad struct {
	bun.BaseModel `bun:"table:sertifikat,alias:c"`

	Seq       int64  `bun:",pk,autoincrement"`
	EierArt   string `bun:"eier_art"`
	EierID    string `bun:"eier_id"`
	SHA256    []byte `bun:"sha256"`
	Der       []byte
	Annonsert int64
	Erstattet *int64
	Trukket   *int64
	Grunn     string
}

func (r sertifikatRad) sertifikat() (*x509.Certificate, error) {
	c, err := x509.ParseCertificate(r.Der)
	if err != nil {
		return nil, fmt.Errorf("sertifikat til %s: %w", r.eier(), ports.ErrCorrupt)
	}
	return c, nil
}

func (r sertifikatRad) eier() kommune.Eier { return kommune.Eier{Art: r.EierArt, ID: r.EierID} }

const gjeldende = "c.erstattet IS NULL AND c.trukket IS NULL"

// Current: see ports.Certificates.
func (s *Store) Current(ctx context.Context, eier kommune.Eier) (*x509.Certificate, error) {
	var r sertifikatRad
	if err := s.les.NewSelect().Model(&r).Where("c.eier_art = ? AND c.eier_id = ?", eier.Art, eier.ID).Where(gjeldende).Scan(ctx); err != nil {
		return nil, s.feil("sertifikat til "+eier.String(), err)
	}
	return r.sertifikat()
}

// Accepted: see ports.Certificates.
func (s *Store) Accepted(ctx context.Context, eier kommune.Eier, now time.Time) ([]*x509.Certificate, error) {
	ss, err := s.lesSertifikater(ctx, s.les, eier)
	return godtatte(ss, now), err
}

// Announce: see ports.Certificates. The old one is replaced and the new one current in one commit, so there is never none and, by
// the unique index, never two. A certificate that was revoked is not taken back.
func (s *Store) Announce(ctx context.Context, eier kommune.Eier, c *x509.Certificate, at time.Time) error {
	hva := "sertifikat til " + eier.String()
	sum := sha256.Sum256(c.Raw)
	return s.iSkriv(ctx, hva, func(tx bun.Tx) error {
		// Two replicas that start at once announce the same certificate: the second finds that it is done.
		if err := s.alene(ctx, tx, "sertifikat"); err != nil {
			return err
		}
		var rr []sertifikatRad
		if err := tx.NewSelect().Model(&rr).Where("c.eier_art = ? AND c.eier_id = ? AND c.sha256 = ?", eier.Art, eier.ID, sum[:]).Scan(ctx); err != nil {
			return s.feil(hva, err)
		}
		if len(rr) > 0 && rr[0].Erstattet == nil && rr[0].Trukket == nil {
			return nil
		}
		if err := s.ikkeTrukket(ctx, tx, hva, c); err != nil {
			return err
		}
		if _, err := tx.NewRaw("UPDATE sertifikat SET erstattet = ? WHERE eier_art = ? AND eier_id = ? AND erstattet IS NULL AND trukket IS NULL",
			mikro(at), eier.Art, eier.ID).Exec(ctx); err != nil {
			return s.feil(hva, err)
		}
		if len(rr) > 0 {
			_, err := tx.NewRaw("UPDATE sertifikat SET erstattet = NULL, annonsert = ? WHERE seq = ?", mikro(at), rr[0].Seq).Exec(ctx)
			return s.feil(hva, err)
		}
		_, err := tx.NewInsert().Model(&sertifikatRad{EierArt: eier.Art, EierID: eier.ID, SHA256: sum[:], Der: c.Raw, Annonsert: mikro(at)}).
			Returning("NULL").Exec(ctx)
		return s.feil(hva, err)
	})
}

// ikkeTrukket refuses a key that was revoked, whoever had it and whatever certificate it comes in. They are few, and a key is announced
// seldom.
func (s *Store) ikkeTrukket(ctx context.Context, tx bun.Tx, hva string, c *x509.Certificate) error {
	var trukne []sertifikatRad
	if err := tx.NewSelect().Model(&trukne).Where("c.trukket IS NOT NULL").Scan(ctx); err != nil {
		return s.feil(hva, err)
	}
	for _, r := range trukne {
		t, err := r.sertifikat()
		if err != nil {
			return err
		}
		if bytes.Equal(t.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo) {
			return fmt.Errorf("%s er trukket tilbake: %w", hva, ports.ErrRefused)
		}
	}
	return nil
}

// Revoke: see ports.Certificates. The first time and reason stay.
func (s *Store) Revoke(ctx context.Context, c *x509.Certificate, at time.Time, grunn string) error {
	sum := sha256.Sum256(c.Raw)
	hva := "sertifikat " + c.SerialNumber.Text(16)
	return s.iSkriv(ctx, hva, func(tx bun.Tx) error {
		n, err := tx.NewSelect().Model((*sertifikatRad)(nil)).Where("c.sha256 = ?", sum[:]).Count(ctx)
		if err != nil {
			return s.feil(hva, err)
		}
		if n == 0 {
			return fmt.Errorf("%s: %w", hva, ports.ErrNotFound)
		}
		_, err = tx.NewRaw("UPDATE sertifikat SET trukket = ?, grunn = ? WHERE sha256 = ? AND trukket IS NULL", mikro(at), grunn, sum[:]).Exec(ctx)
		return s.feil(hva, err)
	})
}

// All: see ports.Certificates.
func (s *Store) All(ctx context.Context) (map[kommune.Eier]*x509.Certificate, error) {
	var rr []sertifikatRad
	if err := s.les.NewSelect().Model(&rr).Where(gjeldende).Scan(ctx); err != nil {
		return nil, s.feil("sertifikater", err)
	}
	ut := map[kommune.Eier]*x509.Certificate{}
	for _, r := range rr {
		c, err := r.sertifikat()
		if err != nil {
			return nil, err
		}
		ut[r.eier()] = c
	}
	return ut, nil
}
