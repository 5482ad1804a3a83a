package delivery

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
)

// Nokkelstatus is what a certificate is to its owner now.
type Nokkelstatus string

const (
	NokkelGjeldende Nokkelstatus = "gjeldende"              // what senders are given
	NokkelErstattet Nokkelstatus = "erstattet, godtas ennå" // within the overlap
	NokkelTidligere Nokkelstatus = "erstattet"              // accepted no longer, and not revoked: it may be announced again
	NokkelTrukket   Nokkelstatus = "trukket"
	NokkelVenter    Nokkelstatus = "venter på katalogen" // the portal's own, while it is changed
	NokkelMangler   Nokkelstatus = "ingen nøkkel"        // senders are given nothing
)

// Nokkelrad is one certificate of one owner, as an operator looks for it.
type Nokkelrad struct {
	Eier       kommune.Eier
	Konto      kommune.Mottakerkonto // zero unless the owner is a receiver
	Sertifikat *x509.Certificate     // nil for NokkelTrukket and NokkelMangler
	Serie      string                // hex; "" for NokkelMangler
	Status     Nokkelstatus
	Trukket    time.Time
}

// eier is the owner in words a person can look up.
func (r Nokkelrad) eier() string {
	if b := r.Konto.Bydel; b.Kommunenummer != "" {
		return fmt.Sprintf("%s/%s, %s", b.Kommunenummer, b.Bydelsnummer, r.Eier)
	}
	return r.Eier.String()
}

// Nokler lists the certificates of every receiver, of the printer and of the portal: receivers by number, each owner's newest first.
func (s *Service) Nokler(ctx context.Context) ([]Nokkelrad, error) {
	eiere, err := s.nokkeleiere(ctx)
	if err != nil {
		return nil, err
	}
	var ut []Nokkelrad
	for _, e := range eiere {
		rader, err := s.noklerTil(ctx, e)
		if err != nil {
			return nil, err
		}
		ut = append(ut, rader...)
	}
	_, neste, err := s.egneNokler(ctx)
	if neste != nil {
		ut = append(ut, Nokkelrad{Eier: kommune.PortalenNeste, Sertifikat: neste, Serie: neste.SerialNumber.Text(16), Status: NokkelVenter})
	}
	return ut, err
}

func (s *Service) noklerTil(ctx context.Context, e Nokkelrad) (ut []Nokkelrad, err error) {
	gjeldende, err := s.gjeldende(ctx, e.Eier)
	if err != nil {
		return nil, err
	}
	if gjeldende == nil && (e.Konto.Bydel.Aktiv || e.Eier == kommune.Printleverandor) {
		mangler := e
		mangler.Status = NokkelMangler
		ut = append(ut, mangler)
	}
	godtatt, err := s.Certs.Accepted(ctx, e.Eier, s.Clock.Now())
	if err != nil {
		return nil, err
	}
	alle, err := s.Certs.Accepted(ctx, e.Eier, time.Unix(0, 0)) // at the beginning of time nothing had been replaced for long
	if err != nil {
		return nil, err
	}
	for _, c := range alle {
		rad := e
		rad.Sertifikat, rad.Serie, rad.Status = c, c.SerialNumber.Text(16), NokkelErstattet
		switch {
		case gjeldende != nil && c.Equal(gjeldende):
			rad.Status = NokkelGjeldende
		case !slices.ContainsFunc(godtatt, c.Equal):
			rad.Status = NokkelTidligere
		}
		ut = append(ut, rad)
	}
	trukne, err := s.trukne(ctx, e.Eier)
	if err != nil {
		return nil, err
	}
	for _, t := range trukne {
		if slices.ContainsFunc(alle, func(c *x509.Certificate) bool { return avtrykk(c) == t.avtrykk }) {
			continue // begun, and not done: it is in force still
		}
		rad := e
		rad.Serie, rad.Status, rad.Trukket = t.serie, NokkelTrukket, t.nar
		ut = append(ut, rad)
	}
	return ut, nil
}

// nokkeleiere are everybody who may have a certificate. The directory lists active receivers; the others are known by what they have.
func (s *Service) nokkeleiere(ctx context.Context) ([]Nokkelrad, error) {
	eiere, err := s.Certs.All(ctx)
	if err != nil {
		return nil, err
	}
	delete(eiere, kommune.PortalenNeste)
	eiere[kommune.Printleverandor] = nil
	kommuner, err := s.Directory.Kommuner(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range kommuner {
		bydeler, err := s.Directory.Bydeler(ctx, k.Nummer)
		if err != nil {
			return nil, err
		}
		for _, b := range bydeler {
			eiere[kommune.MottakerEier(b.RessursID)] = nil
		}
	}
	var ut []Nokkelrad
	for e := range eiere {
		rad := Nokkelrad{Eier: e}
		if r := kommune.RessursID(e.ID); e == kommune.MottakerEier(r) {
			if rad.Konto, err = s.Directory.Mottaker(ctx, r); err != nil {
				return nil, err
			}
		}
		ut = append(ut, rad)
	}
	slices.SortFunc(ut, func(a, b Nokkelrad) int {
		return cmp.Or(cmp.Compare(a.Eier.Art, b.Eier.Art), cmp.Compare(a.Konto.Bydel.Kommunenummer, b.Konto.Bydel.Kommunenummer),
			cmp.Compare(a.Konto.Bydel.Bydelsnummer, b.Konto.Bydel.Bydelsnummer), cmp.Compare(a.Eier.ID, b.Eier.ID))
	})
	return ut, nil
}
