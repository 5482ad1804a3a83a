package delivery

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

// MerkeKatalog is where the instant lies when any replica last had an answer about every receiver.
const MerkeKatalog = "katalog-fulgt"

const (
	utenKatalog     = time.Hour        // how long there may be receivers that cannot be asked about before a person is told
	katalogSamtidig = 4                // accounts asked about at once
	katalogfrist    = 10 * time.Second // an account that answers no faster is asked about in the next round
)

// FolgKatalogen announces for every Fiks IO receiver the certificate its account has in the catalogue now, so that senders seal for the
// key its case system really has. The one before is still accepted for the overlap (ports.Overlap). One receiver's trouble does not
// keep the others from being looked at, and holds them back no longer than katalogfrist. A person is told when an hour has gone without
// a round that had an answer about everybody: a key may have been replaced without anybody knowing.
func (s *Service) FolgKatalogen(ctx context.Context) error {
	if s.Catalogue == nil {
		return nil
	}
	var feil error
	err := s.vokt(ctx, vaktpost{merke: MerkeKatalog, uten: utenKatalog, art: levering.SakKatalogTaus, lukket: "alle mottakere er sett etter"}, func() string {
		var uten []kommune.RessursID
		switch uten, feil = s.katalogrunde(ctx); {
		case feil == nil:
			return ""
		case len(uten) == 0:
			return "ingen runde i katalogen er fullført siden"
		}
		return fmt.Sprintf("runden i katalogen kommer ikke i mål for mottaker %s (%d i alt), og ingen er fullført siden", uten[0], len(uten))
	})
	return errors.Join(feil, err)
}

// katalogrunde looks at every receiver once. uten are those nobody could be asked about.
func (s *Service) katalogrunde(ctx context.Context) (uten []kommune.RessursID, err error) {
	kommuner, err := s.Directory.Kommuner(ctx)
	if err != nil {
		return nil, err
	}
	var mottakere []kommune.RessursID
	for _, k := range kommuner {
		bydeler, err := s.Directory.Bydeler(ctx, k.Nummer)
		if err != nil {
			return nil, err
		}
		for _, b := range bydeler {
			mottakere = append(mottakere, b.RessursID)
		}
	}
	feil, neste := make([]error, len(mottakere)), make(chan int)
	var wg sync.WaitGroup
	for range katalogSamtidig {
		wg.Go(func() {
			for i := range neste {
				if err := s.folgMottaker(ctx, mottakere[i]); err != nil {
					feil[i] = fmt.Errorf("mottaker %s: %w", mottakere[i], err)
				}
			}
		})
	}
	for i := range mottakere {
		neste <- i
	}
	close(neste)
	wg.Wait()
	for i, err := range feil {
		if err != nil {
			uten = append(uten, mottakere[i])
		}
	}
	return uten, errors.Join(feil...)
}

func (s *Service) folgMottaker(ctx context.Context, r kommune.RessursID) error {
	konto, err := s.Directory.Mottaker(ctx, r)
	if err != nil || konto.Kanal != kommune.FiksIO {
		return err
	}
	eier, na := kommune.MottakerEier(r), s.Clock.Now()
	c, err := s.iKatalogen(ctx, konto.KontoID)
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
	if vart, err := s.vart(ctx, c); err != nil {
		return err
	} else if vart {
		return s.katalogsak(ctx, r, na)
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

func (s *Service) iKatalogen(ctx context.Context, konto kommune.KontoID) (*x509.Certificate, error) {
	ctx, avbryt := context.WithTimeout(ctx, katalogfrist)
	defer avbryt()
	return s.Catalogue.Certificate(ctx, konto)
}

// katalogsak tells a person, once a day, that an account has no key that can be used.
func (s *Service) katalogsak(ctx context.Context, r kommune.RessursID, na time.Time) error {
	return s.apneSak(ctx, levering.Sak{ID: levering.SakID(fmt.Sprintf("ledger/%s/%s/%s", levering.SakKatalog, r, na.Format("2006-01-02"))),
		Art: levering.SakKatalog, Apnet: na, Frist: na.Add(24 * time.Hour), Grunn: "mottaker " + string(r) + " har ingen brukbar nøkkel i katalogen"})
}

// vart says whether a key is the portal's own or the printer's. Their certificates are public, so anybody who can write to the catalogue can
// put one in: senders would seal a receiver's reports for somebody else's key.
func (s *Service) vart(ctx context.Context, c *x509.Certificate) (bool, error) {
	for _, e := range []kommune.Eier{kommune.Portalen, kommune.PortalenNeste, kommune.Printleverandor} {
		godtatt, err := s.Certs.Accepted(ctx, e, s.Clock.Now())
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(godtatt, func(g *x509.Certificate) bool {
			return bytes.Equal(g.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo)
		}) {
			return true, nil
		}
	}
	return false, nil
}

// nokkelsak tells a person that senders are about to seal for another key. Who can write to the catalogue decides who can read reports, so
// somebody must be able to ask the receiver: most of all when the key before was revoked.
func (s *Service) nokkelsak(ctx context.Context, r kommune.RessursID, fra string, til *x509.Certificate, na time.Time) error {
	// The certificate's own bytes, for whoever issues one chooses its serial number; and numbered, for a key that comes back after its case
	// was closed is a new swap.
	id, apen, err := s.sisteSak(ctx, levering.SakID(fmt.Sprintf("ledger/%s/%s/%s", levering.SakNyNokkel, r, avtrykk(til))))
	if err != nil || apen {
		return err
	}
	return s.apneSak(ctx, levering.Sak{ID: id, Art: levering.SakNyNokkel, Apnet: na, Frist: na.Add(3 * 24 * time.Hour),
		Grunn: fmt.Sprintf("mottaker %s har byttet nøkkel i katalogen, fra serienummer %s til %s", r, fra, til.SerialNumber.Text(16))})
}
