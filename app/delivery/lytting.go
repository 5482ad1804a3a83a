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

// hullbok is the mark as it stands, and what it says.
func (s *Service) hullbok(ctx context.Context) (string, levering.Hullbok, error) {
	v, err := s.Ledger.Mark(ctx, MerkeLyttet)
	if err != nil {
		return "", levering.Hullbok{}, err
	}
	bok, err := levering.LesHullbok(v)
	if err != nil {
		return v, levering.Hullbok{}, nil //nolint:nilerr // a mark nobody can read must not stop letters
	}
	return v, bok.Rettet(s.Clock.Now().Add(klokkeslingre)), nil
}

// Lyttet is told by the transport that this process took answers without a break from fra to til. A crash between two such calls makes
// the silence look longer, never shorter.
func (s *Service) Lyttet(ctx context.Context, fra, til time.Time) error {
	_, bok, err := s.hullbok(ctx)
	if err != nil || !bok.Lyttet.Before(til) {
		return err
	}
	var saker []levering.SakID
	for _, g := range lyttegrenser {
		saker = append(saker, lyttesak(bok.Lyttet, g))
	}
	return s.flyttMerke(ctx, MerkeLyttet, bok.Med(fra, til).Tekst(), "tar imot svar igjen", til, saker...)
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
	merke, bok, err := s.hullbok(ctx)
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
		if err := s.apneForMerke(ctx, sak, MerkeLyttet, merke); err != nil {
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

// MerkeToken is where the instant lies when any replica last had an access token: it must survive a restart, and a case that one process
// opened is closed by whichever is next to succeed.
const MerkeToken = "token-hentet" //nolint:gosec // G101: the name of a mark

// utenToken is how long a portal may be without a token before a person is told.
const utenToken = 5 * time.Minute

// SjekkToken asks for a token (a cached one will do), opens a case when no replica has had one for five minutes, and closes it when one
// has. Accepting goes on meanwhile.
func (s *Service) SjekkToken(ctx context.Context, token func(context.Context) (string, error)) error {
	return s.vokt(ctx, vaktpost{merke: MerkeToken, uten: utenToken, art: levering.SakUtenToken, kritisk: true, lukket: "token hentet"}, func() string {
		if _, err := token(ctx); err != nil {
			return "Maskinporten har ikke gitt token siden"
		}
		return ""
	})
}

// vaktpost is something that has to go well now and then, on any replica; its mark is the instant when it last did.
type vaktpost struct {
	merke   string
	uten    time.Duration // how long it may go badly before a person is told
	art     levering.Saksart
	kritisk bool
	lukket  string // why its case is closed
}

// vokt does it, opens a case when it has gone badly for too long, and closes the case when it goes well. gjor gives what a person should
// know, up to the instant; "" = it went well. The clock of what never went well starts at the first look.
func (s *Service) vokt(ctx context.Context, v vaktpost, gjor func() string) error {
	siden, err := s.Ledger.Mark(ctx, v.merke)
	if err != nil {
		return err
	}
	grunn := gjor()
	na := s.Clock.Now()
	id := levering.SakID("ledger/" + string(v.art) + "/" + siden)
	sist, err := time.Parse(time.RFC3339, siden)
	ukjent := err != nil || sist.After(na.Add(klokkeslingre)) // never set, or nothing that anybody can read or believe
	if grunn == "" || ukjent {
		return s.flyttMerke(ctx, v.merke, na.UTC().Format(time.RFC3339), v.lukket, na, id)
	}
	if na.Sub(sist) < v.uten {
		return nil
	}
	frist := na.Add(24 * time.Hour)
	if v.kritisk {
		frist = na.Add(time.Hour)
	}
	return s.apneForMerke(ctx, levering.Sak{ID: id, Art: v.art, Kritisk: v.kritisk, Apnet: na, Frist: frist, Grunn: grunn + " " + siden}, v.merke, siden)
}

// flyttMerke closes the cases of a mark's old value and gives it a new one. They are closed before, because a crash between would leave
// cases that nobody knows the name of, and again after, because another replica may have opened one in between.
func (s *Service) flyttMerke(ctx context.Context, merke, verdi, grunn string, na time.Time, saker ...levering.SakID) error {
	lukk := func() error {
		for _, id := range saker {
			if err := s.lukk(ctx, id, grunn, na); err != nil {
				return err
			}
		}
		return nil
	}
	if err := lukk(); err != nil {
		return err
	}
	if err := s.Ledger.SetMark(ctx, merke, verdi); err != nil {
		return err
	}
	return lukk()
}

// apneForMerke opens a case about a mark that has stood still, unless it has moved meanwhile: nobody would close it then.
func (s *Service) apneForMerke(ctx context.Context, sak levering.Sak, merke, verdi string) error {
	if err := s.apneSak(ctx, sak); err != nil {
		return err
	}
	v, err := s.Ledger.Mark(ctx, merke)
	if err != nil || v == verdi {
		return err
	}
	return s.lukk(ctx, sak.ID, "gått over mens saken ble åpnet", s.Clock.Now())
}
