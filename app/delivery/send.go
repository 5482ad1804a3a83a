package delivery

import (
	"context"
	"errors"
	"slices"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
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
	// A crash after this commit leaves an attempt begun: the retry sends again with the same klientMeldingId, and notes it.
	b, konto, err := s.begynn(ctx, l)
	u := b.Utgave
	if err != nil || !u.Skylder(o.ID) {
		return err
	}
	if errors.Is(b.Mangler, ports.ErrCorrupt) || errors.Is(b.Mangler, ports.ErrErased) {
		return s.nektet(ctx, o, melding.ArsakInnholdEndret)
	} else if b.Mangler != nil {
		return b.Mangler
	}
	ttl := levering.SendeTTL(u, s.Policy, s.Clock.Now())
	if ttl == 0 {
		_, _, err := s.begynn(ctx, l)
		return err
	}
	f, forsok := u.Melding.Fakta, levering.Sendeforsok(u, o)
	if slices.ContainsFunc(u.Melding.Historikk, func(h melding.Hendelse) bool { return h.Kode == melding.SendingGjentatt && h.Forsok == forsok }) {
		s.Gjentatt(levering.KoSend)
	}
	ref, err := s.Transport.Send(ctx, ports.Forsendelse{
		Forsok: forsok, Melding: o.Melding, Til: konto, Slag: f.Slag, Versjon: f.Versjon, Innhold: b.Innhold, TTL: ttl})
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

// begynn is the intent: afterwards the attempt is durable, to the account that is answered, or the item is not owed any more.
func (s *Service) begynn(ctx context.Context, l ports.Lease) (ports.Begynt, kommune.Mottakerkonto, error) {
	o, na, regel := l.Oppdrag, s.Clock.Now(), levering.BegynnSending
	if l.Begynt { // by us, and not tried
		regel = levering.FortsettSending
	}
	var skrevet levering.Endring // of the last, that is the committed, call, as in endre; so also konto
	var konto kommune.Mottakerkonto
	b, err := s.Dispatch.Begin(ctx, o.Melding, na, func(g ports.Sendegrunnlag) (levering.Endring, error) {
		f := g.Utgave.Melding.Fakta
		// The report goes to the account it was sealed for, also when the bydel has another by now (D2).
		konto = g.Konto
		konto.KontoID, konto.Kanal = f.KontoID, f.Kanal
		// Whether any certificate the report is sealed for is still accepted and not expired.
		nokkel := levering.VurderNokkel(f.Deler[melding.DelAsice].Nokkelserie, g.Godtatt, na)
		e, err := regel(g.Utgave, o, konto, nokkel, s.Policy, na)
		skrevet = e
		return e, err
	})
	if err == nil {
		s.fortell(ctx, o.Melding, skrevet, na)
	}
	return b, konto, err
}

func (s *Service) nektet(ctx context.Context, o levering.Oppdrag, a melding.Arsak) error {
	_, err := s.endre(ctx, o.Melding, func(u levering.Utgave, na time.Time) (levering.Endring, error) {
		return levering.SendingNektet(u, o, a, s.Policy, na)
	})
	return err
}
