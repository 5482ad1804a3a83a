package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

// MerkeLyttet is where the book of silences lies (levering.Hullbok): when any replica last took answers from the digital channel.
const MerkeLyttet = "svar-lyttet"

// lyttegrenser are how long nobody may have listened before a case opens; the last is critical.
var lyttegrenser = []time.Duration{time.Hour, 12 * time.Hour}

func (s *Service) hullbok(ctx context.Context) (levering.Hullbok, error) {
	v, err := s.Ledger.Mark(ctx, MerkeLyttet)
	if err != nil {
		return levering.Hullbok{}, err
	}
	bok, err := levering.LesHullbok(v)
	if err != nil {
		return levering.Hullbok{}, nil //nolint:nilerr // a mark nobody can read must not stop letters
	}
	return bok, nil
}

// Lyttet is told by the transport that this process took answers without a break from fra to til. A crash between two such calls makes
// the silence look longer, never shorter.
func (s *Service) Lyttet(ctx context.Context, fra, til time.Time) error {
	bok, err := s.hullbok(ctx)
	if err != nil {
		return err
	}
	for _, g := range lyttegrenser { // first, because the cases are named by the instant the book is about to forget
		if err := s.lukk(ctx, lyttesak(bok.Lyttet, g), "tar imot svar igjen", til); err != nil {
			return err
		}
	}
	if !bok.Lyttet.Before(til) {
		return nil
	}
	return s.Ledger.SetMark(ctx, MerkeLyttet, bok.Med(fra, til).Tekst())
}

func lyttesak(siden time.Time, grense time.Duration) levering.SakID {
	return levering.SakID(fmt.Sprintf("ledger/%s/%d/%s", levering.SakLytterIkke, siden.Unix(), grense))
}

// lukk closes a case that the world itself has answered; one that was never opened is no error.
func (s *Service) lukk(ctx context.Context, id levering.SakID, grunn string, na time.Time) error {
	err := s.Ledger.CloseCase(ctx, id, "portalen", grunn, na)
	if errors.Is(err, ports.ErrNotFound) {
		return nil
	}
	return err
}

// SjekkLytting opens a case when no replica has taken answers for an hour, and a critical one after twelve. The clock of a portal that
// has never listened starts at its first look.
func (s *Service) SjekkLytting(ctx context.Context) error {
	bok, err := s.hullbok(ctx)
	if err != nil {
		return err
	}
	na := s.Clock.Now()
	if bok.Lyttet.IsZero() {
		return s.Ledger.SetMark(ctx, MerkeLyttet, bok.Med(na, na).Tekst())
	}
	for i, g := range lyttegrenser {
		if na.Sub(bok.Lyttet) < g {
			break
		}
		sak := levering.Sak{ID: lyttesak(bok.Lyttet, g), Art: levering.SakLytterIkke, Kritisk: i == len(lyttegrenser)-1, Apnet: na, Frist: na.Add(time.Hour),
			Grunn: "ingen har tatt imot svar siden " + bok.Lyttet.Format(time.RFC3339)}
		if err := s.apneSak(ctx, sak); err != nil {
			return err
		}
	}
	return nil
}

// apneSak opens a case of no report, and says so in the log, once a process.
func (s *Service) apneSak(ctx context.Context, sak levering.Sak) error {
	if err := s.Ledger.OpenCase(ctx, sak); err != nil {
		return err
	}
	if _, sagt := s.sagt.LoadOrStore(sak.ID, true); sagt {
		return nil
	}
	s.Logg.ErrorContext(ctx, "sak åpnet", "sak", sak.ID, "art", sak.Art, "kritisk", sak.Kritisk)
	return nil
}

// Tokenvakt opens a case when no access token could be had for five minutes, and closes it when one can. Accepting goes on meanwhile.
type Tokenvakt struct {
	s     *Service
	token func(context.Context) (string, error)
	siden time.Time // of the first failure in a row; zero = the last one succeeded
}

// utenToken is how long a portal may be without a token before a person is told.
const utenToken = 5 * time.Minute

// NyTokenvakt watches one source of tokens. Sjekk is for one goroutine.
func (s *Service) NyTokenvakt(token func(context.Context) (string, error)) *Tokenvakt {
	return &Tokenvakt{s: s, token: token}
}

// Sjekk asks for a token (a cached one will do) and judges how long there has been none.
func (v *Tokenvakt) Sjekk(ctx context.Context) error {
	_, err := v.token(ctx)
	na := v.s.Clock.Now()
	sak := levering.SakID("ledger/" + string(levering.SakUtenToken) + "/" + v.siden.UTC().Format(time.RFC3339))
	switch {
	case err == nil && v.siden.IsZero():
		return nil
	case err == nil:
		if err := v.s.lukk(ctx, sak, "token hentet", na); err != nil {
			return err
		}
		v.siden = time.Time{}
		return nil
	case v.siden.IsZero():
		v.siden = na
		return nil
	case na.Sub(v.siden) < utenToken:
		return nil
	}
	return v.s.apneSak(ctx, levering.Sak{ID: sak, Art: levering.SakUtenToken, Kritisk: true, Apnet: na, Frist: na.Add(time.Hour),
		Grunn: "Maskinporten har ikke gitt token siden " + v.siden.UTC().Format(time.RFC3339)})
}
