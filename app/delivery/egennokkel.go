package delivery

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// The key of the portal's own account is what case systems seal the bodies of their answers for, and they find it in the catalogue. So
// the change goes by what the catalogue has: the new key is readable (PortalenNeste) before anybody can seal for it, and the old one is
// replaced, and its overlap begins, only when the catalogue is known to have the new one, however long that takes.

// ErrFeilMappe says that the key folder has not the key that answers are sealed for: it is the wrong folder, or this user may not read it.
var ErrFeilMappe = errors.New("nøkkelen som svar krypteres for, er ikke i mappen")

// Nokkelbytte is a change of the portal's own key.
type Nokkelbytte struct {
	Sertifikat *x509.Certificate // of the new key
	Fra        *x509.Certificate // nil: there was none
	Begynt     bool              // false: it was under way already
}

// NyEgenNokkel makes a new key for the portal's own account and begins the change to it. While one is under way it makes none, and gives
// that one. A case keeps who and why.
func (s *Service) NyEgenNokkel(ctx context.Context, k ports.KeyStore, bits int, hvem, grunn string) (b Nokkelbytte, err error) {
	if err := levering.KontrollerOperator(hvem, grunn); err != nil {
		return b, err
	}
	gjeldende, neste, err := s.egneNokler(ctx)
	if err != nil {
		return b, err
	}
	na := s.Clock.Now()
	for _, c := range []*x509.Certificate{gjeldende, neste} { // a key made in the wrong folder would be read by nobody
		if err := harNokkel(ctx, k, c); err != nil {
			return b, err
		}
	}
	if neste != nil && na.Before(neste.NotAfter) {
		return Nokkelbytte{Sertifikat: neste, Fra: gjeldende}, nil
	}
	if err := s.lukkNokkelbytter(ctx, melding.AktorOperator(hvem), "avløst av et nytt", na); err != nil {
		return b, err
	}
	h, err := k.New(ctx, kommune.Portalen, bits)
	if err != nil {
		return b, err
	}
	// A crash from here to the announcement leaves a key nothing is sealed for, and perhaps a case about a change that has not begun: the next
	// try closes it and makes another key.
	b = Nokkelbytte{Sertifikat: h.Sertifikat(), Fra: gjeldende, Begynt: true}
	if err := s.Ledger.OpenCase(ctx, levering.Sak{ID: nokkelbyttesak(b.Sertifikat), Art: levering.SakNokkelbytte, Apnet: na, Frist: na.Add(24 * time.Hour),
		Grunn: fmt.Sprintf("portalens nøkkel byttes av %s til serienummer %s: %s", hvem, b.Sertifikat.SerialNumber.Text(16), grunn)}); err != nil {
		return Nokkelbytte{}, err
	}
	til := kommune.PortalenNeste
	if gjeldende == nil {
		til = kommune.Portalen
	}
	// A crash after it leaves a change under way: FolgEgenNokkel does the rest, and this function gives the same key again.
	return b, s.Certs.Announce(ctx, til, b.Sertifikat, na)
}

// FolgEgenNokkel makes the catalogue have the key that the portal's account should have, and ends a change when it does.
func (s *Service) FolgEgenNokkel(ctx context.Context, k ports.KeyStore, publiser func(context.Context, *x509.Certificate) error) error {
	c, neste, err := s.egneNokler(ctx)
	if err != nil {
		return err
	}
	if neste != nil {
		c = neste
	}
	if c == nil {
		return fmt.Errorf("portalens nøkkel: %w", ports.ErrNotFound)
	}
	// What this process cannot read it must not ask anybody to seal for. While a change is under way it leaves the catalogue alone, too: the
	// old key is not put back over the new one that another replica has published.
	if err := harNokkel(ctx, k, c); err != nil {
		return err
	}
	if err := publiser(ctx, c); err != nil {
		return err
	}
	na := s.Clock.Now()
	if neste != nil {
		// A crash before it leaves both keys readable and the change under way: the next round finds the key in the catalogue.
		if err := s.Certs.Announce(ctx, kommune.Portalen, neste, na); err != nil {
			return err
		}
		s.Logg.InfoContext(ctx, "portalens nøkkel er byttet", "serie", neste.SerialNumber.Text(16))
		// Two operators may have begun one each: the last to announce its key has it, and both changes are over.
		return s.lukkNokkelbytter(ctx, melding.AktorPortal, "katalogen har den nye nøkkelen", na)
	}
	return s.lukkHvisApen(ctx, nokkelbyttesak(c), melding.AktorPortal, "katalogen har den nye nøkkelen", na)
}

// egneNokler are the portal's key now and the one it is about to change to; nil = none.
func (s *Service) egneNokler(ctx context.Context) (gjeldende, neste *x509.Certificate, err error) {
	if gjeldende, err = s.gjeldende(ctx, kommune.Portalen); err != nil {
		return nil, nil, err
	}
	neste, err = s.gjeldende(ctx, kommune.PortalenNeste)
	if neste != nil && gjeldende != nil && neste.Equal(gjeldende) {
		neste = nil // that change is over
	}
	return gjeldende, neste, err
}

// gjeldende is Certificates.Current, with nil for none.
func (s *Service) gjeldende(ctx context.Context, e kommune.Eier) (*x509.Certificate, error) {
	c, err := s.Certs.Current(ctx, e)
	if errors.Is(err, ports.ErrNotFound) {
		return nil, nil
	}
	return c, err
}

func harNokkel(ctx context.Context, k ports.KeyStore, c *x509.Certificate) error {
	if c == nil {
		return nil
	}
	_, err := k.Private(ctx, c)
	if errors.Is(err, ports.ErrNotFound) {
		return fmt.Errorf("%w (serienummer %s)", ErrFeilMappe, c.SerialNumber.Text(16))
	}
	return err
}

func nokkelbyttesak(c *x509.Certificate) levering.SakID {
	return levering.SakID("ledger/" + string(levering.SakNokkelbytte) + "/" + avtrykk(c))
}

// lukkNokkelbytter closes the cases of every change.
func (s *Service) lukkNokkelbytter(ctx context.Context, av, grunn string, na time.Time) error {
	apne, err := s.Overview.Cases(ctx, true, 1000)
	if err != nil {
		return err
	}
	for _, sak := range apne {
		if sak.Art != levering.SakNokkelbytte {
			continue
		}
		if err := s.lukkMed(ctx, sak, av, grunn, na); err != nil {
			return err
		}
	}
	return nil
}
