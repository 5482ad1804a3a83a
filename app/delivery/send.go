package delivery

import (
	"context"
	"errors"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// send makes the report available in the receiver's digital channel. Whatever it was that failed, a case opens at the fifth try.
func (s *Service) send(ctx context.Context, l ports.Lease) error {
	err := s.sendEn(ctx, l)
	if err == nil {
		return nil
	}
	u, uerr := s.endre(ctx, l.Oppdrag.Melding, func(u levering.Utgave, na time.Time) (levering.Endring, error) {
		return levering.SendingSliter(u, l.Oppdrag, l.Attempt, s.Policy, na)
	})
	if uerr == nil && !u.Skylder(l.Oppdrag.ID) {
		return nil
	}
	return err
}

func (s *Service) sendEn(ctx context.Context, l ports.Lease) error {
	o := l.Oppdrag
	na := s.Clock.Now()
	g, err := s.Dispatch.Sendegrunnlag(ctx, o.Melding, na)
	if err != nil {
		return err
	}
	konto, f := g.Konto, g.Utgave.Melding.Fakta
	// The report goes to the account it was sealed for, also when the bydel has another by now (D2).
	konto.KontoID, konto.Kanal = f.KontoID, f.Kanal
	// Whether any certificate the report is sealed for is still accepted and not expired.
	nokkel := levering.VurderNokkel(f.Deler[melding.DelAsice].Nokkelserie, g.Godtatt, na)
	begynt := false // by an earlier try, seen in the commit: what was read above may be older than another process's try
	// A crash after this commit leaves an attempt begun: the retry sends again with the same klientMeldingId, and notes it.
	u, err := s.endre(ctx, o.Melding, func(u levering.Utgave, na time.Time) (levering.Endring, error) {
		_, begynt = u.Melding.FinnForsok(levering.Sendeforsok(u, o))
		return levering.BegynnSending(u, o, konto, nokkel, s.Policy, na)
	})
	if err != nil || !u.Skylder(o.ID) {
		return err
	}
	innhold, err := s.Vault.Open(ctx, o.Melding, melding.DelAsice)
	if errors.Is(err, ports.ErrCorrupt) || errors.Is(err, ports.ErrErased) {
		return s.nektet(ctx, o, melding.ArsakInnholdEndret)
	} else if err != nil {
		return err
	}
	ttl := levering.SendeTTL(u, s.Policy, s.Clock.Now())
	if ttl == 0 {
		return s.regel(ctx, l, func(u levering.Utgave, o levering.Oppdrag, p levering.Policy, na time.Time) (levering.Endring, error) {
			return levering.BegynnSending(u, o, konto, nokkel, p, na)
		})
	}
	if begynt {
		s.Gjentatt(levering.KoSend)
	}
	ref, err := s.Transport.Send(ctx, ports.Forsendelse{
		Forsok: levering.Sendeforsok(u, o), Melding: o.Melding, Til: konto, Slag: f.Slag, Versjon: f.Versjon, Innhold: innhold, TTL: ttl})
	switch {
	case err == nil:
		// A crash here leaves the message on the wire and our attempt open. Either the answer comes first and proves the send, or
		// the retry sends once more with the same id.
		_, err = s.endre(ctx, o.Melding, func(u levering.Utgave, na time.Time) (levering.Endring, error) {
			return levering.SendingFullfort(u, o, konto, ref, s.Policy, na)
		})
		return err
	case errors.Is(err, ports.ErrRefused):
		return s.nektet(ctx, o, melding.ArsakNektet)
	}
	return err
}

func (s *Service) nektet(ctx context.Context, o levering.Oppdrag, a melding.Arsak) error {
	_, err := s.endre(ctx, o.Melding, func(u levering.Utgave, na time.Time) (levering.Endring, error) {
		return levering.SendingNektet(u, o, a, s.Policy, na)
	})
	return err
}
