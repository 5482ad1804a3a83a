package delivery

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

// FolgKatalogen announces for every Fiks IO receiver the certificate its account has in the catalogue now, so that senders seal for the
// key its case system really has. The one before is still accepted for the overlap (ports.Overlap). One receiver's trouble does not
// keep the others from being looked at.
func (s *Service) FolgKatalogen(ctx context.Context) error {
	if s.Catalogue == nil {
		return nil
	}
	kommuner, err := s.Directory.Kommuner(ctx)
	if err != nil {
		return err
	}
	var feil error
	for _, k := range kommuner {
		bydeler, err := s.Directory.Bydeler(ctx, k.Nummer)
		if err != nil {
			return err
		}
		for _, b := range bydeler {
			if err := s.folgMottaker(ctx, b.RessursID); err != nil {
				feil = errors.Join(feil, fmt.Errorf("mottaker %s: %w", b.RessursID, err))
			}
		}
	}
	return feil
}

func (s *Service) folgMottaker(ctx context.Context, r kommune.RessursID) error {
	konto, err := s.Directory.Mottaker(ctx, r)
	if err != nil || konto.Kanal != kommune.FiksIO {
		return err
	}
	eier, na := kommune.MottakerEier(r), s.Clock.Now()
	c, err := s.Catalogue.Certificate(ctx, konto.KontoID)
	if errors.Is(err, ports.ErrNotFound) || errors.Is(err, ports.ErrRefused) || err == nil && na.After(c.NotAfter) {
		return s.katalogsak(ctx, r, na) // what senders seal for now stays: an expired or missing key must not take its place
	} else if err != nil {
		return err
	}
	gammelt, err := s.Certs.Current(ctx, eier)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return err
	}
	if gammelt != nil && gammelt.Equal(c) {
		return nil
	}
	trukne, err := s.trukne(ctx, eier)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(trukne, func(t trukket) bool { return t.avtrykk == avtrykk(c) }) {
		return s.katalogsak(ctx, r, na) // revoked here, and still in the catalogue
	}
	var fra string // "" = the receiver's first key
	if gammelt != nil {
		fra = gammelt.SerialNumber.Text(16)
	} else if len(trukne) > 0 {
		fra = trukne[0].serie
	}
	if fra != "" {
		// Before the key is announced: a crash here leaves a case about what the next round does.
		if err := s.nokkelsak(ctx, r, fra, c, na); err != nil {
			return err
		}
	}
	switch err := s.Certs.Announce(ctx, eier, c, na); {
	case errors.Is(err, ports.ErrRefused):
		return s.katalogsak(ctx, r, na) // revoked, and no mark says so
	case err != nil:
		return err
	}
	s.Logg.InfoContext(ctx, "nytt sertifikat fra katalogen", "mottaker", r, "serie", c.SerialNumber.Text(16))
	return nil
}

// katalogsak tells a person, once a day, that an account has no key that can be used.
func (s *Service) katalogsak(ctx context.Context, r kommune.RessursID, na time.Time) error {
	return s.apneSak(ctx, levering.Sak{ID: levering.SakID(fmt.Sprintf("ledger/%s/%s/%s", levering.SakKatalog, r, na.Format("2006-01-02"))),
		Art: levering.SakKatalog, Apnet: na, Frist: na.Add(24 * time.Hour), Grunn: "mottaker " + string(r) + " har ingen brukbar nøkkel i katalogen"})
}

// nokkelsak tells a person that senders are about to seal for another key. Who can write to the catalogue decides who can read reports, so
// somebody must be able to ask the receiver: most of all when the key before was revoked.
func (s *Service) nokkelsak(ctx context.Context, r kommune.RessursID, fra string, til *x509.Certificate, na time.Time) error {
	return s.apneSak(ctx, levering.Sak{ID: levering.SakID(fmt.Sprintf("ledger/%s/%s/%s", levering.SakNyNokkel, r, avtrykk(til))), Art: levering.SakNyNokkel,
		Apnet: na, Frist: na.Add(3 * 24 * time.Hour), Grunn: fmt.Sprintf("mottaker %s har byttet nøkkel i katalogen, fra serienummer %s til %s", r, fra, til.SerialNumber.Text(16))})
}
