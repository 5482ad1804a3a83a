package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// TaImot makes an answer from the wire durable: judged at once and settled in the commit that stores it, or, when that cannot be, as work.
// The broker is told «taken» only after this returned nil, so a crash before it means the answer comes again.
func (s *Service) TaImot(ctx context.Context, sv melding.Svar) error {
	if sv.Mottatt.IsZero() {
		sv.Mottatt = s.Clock.Now()
	}
	if sv.Innhold.Storrelse() > melding.MaksSvar {
		sv.Innhold, sv.Lesbarhet = melding.Forseglet{}, melding.ArsakSvarUleselig
	}
	if sv.Lesbarhet == "" {
		sv.Lesbarhet = melding.ArsakSvarUleselig
		if sv.Innhold.Tom() {
			sv.Lesbarhet = melding.ArsakSvarTomt
		}
	}
	o := levering.SvarOppdrag(sv)
	ny, err := s.gjorOpp(ctx, o)
	if err != nil {
		nye, feil := s.Work.Add(ctx, o)
		if feil != nil {
			return feil
		}
		if nye > 0 {
			s.Vekk(levering.KoSvar)
		}
		ny = nye > 0 || !errors.Is(err, errIkkeProvd) // it may be our own commit that is there, and was not heard of
	}
	if !ny { // the wire did not hear our «taken», or the case system's broker repeats itself: somebody should be able to see it
		s.Logg.InfoContext(ctx, "svaret er levert før", "svar", sv.ID)
		s.Gjentatt(levering.KoSvar)
	}
	return nil
}

var errIkkeProvd = errors.New("svaret er ikke bedømt")

// gjorOpp judges an answer that nobody has queued; ny = false: it came before. An error leaves it to the queue, a panic too: whoever
// judges it there tries again later, and calls a person. errIkkeProvd = nothing was written.
func (s *Service) gjorOpp(ctx context.Context, o levering.Oppdrag) (ny bool, err error) {
	defer func() {
		if recover() != nil { // what it says can quote the content
			err = fmt.Errorf("oppdrag %s: %w", o.ID, errIkkeFerdig)
		}
	}()
	if err := s.Vakt(ctx); err != nil {
		return false, fmt.Errorf("%w: %w", errIkkeProvd, err)
	}
	// Nearly always the report that the answer names is one that has sent what it answers; then nobody has to look for it.
	if id, err := melding.ParseID(o.Svar.Korrelasjon); err == nil {
		ny, err := s.gjorOppFor(ctx, id, o, func(u levering.Utgave) bool { return o.Svar.SvarTil == "" || u.Melding.SendtSom(o.Svar.SvarTil) })
		if !errors.Is(err, errIkkeProvd) && !errors.Is(err, ports.ErrNotFound) {
			return ny, err
		}
	}
	id, err := s.finnMelding(ctx, *o.Svar)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errIkkeProvd, err)
	}
	return s.gjorOppFor(ctx, id, o, func(levering.Utgave) bool { return true })
}

// gjorOppFor judges an answer about one report, if that is its own.
func (s *Service) gjorOppFor(ctx context.Context, id melding.ID, o levering.Oppdrag, dens func(levering.Utgave) bool) (bool, error) {
	na := s.Clock.Now()
	var skrevet levering.Endring // as in endre
	u, ny, err := s.Store.Settle(ctx, id, o, func(u levering.Utgave) (levering.Endring, error) {
		if !dens(u) {
			return levering.Endring{}, errIkkeProvd
		}
		e, err := levering.BehandleSvar(u, o, s.Policy, na)
		skrevet = e
		return e, err
	})
	if err != nil || !ny {
		return false, err
	}
	s.fortell(ctx, id, skrevet, na)
	s.seUbrukt(ctx, u, *o.Svar)
	return true, nil
}

func (s *Service) svar(ctx context.Context, l ports.Lease) error {
	sv := *l.Oppdrag.Svar
	id, err := s.finnMelding(ctx, sv)
	switch {
	case errors.Is(err, ports.ErrNotFound):
		// Perhaps the answer overtook our own commit of the send; its report may be known in a moment.
		na := s.Clock.Now()
		vent, sak := levering.SvarUtenMelding(sv, s.Policy, na)
		if !sak {
			return &Senere{Til: vent, Arsak: "svaret passer ikke til noen melding ennå"}
		}
		return s.utenMelding(ctx, l, string(sv.AvsenderKonto), sv.ID, na)
	case err != nil:
		return err
	}
	u, err := s.endre(ctx, id, func(u levering.Utgave, na time.Time) (levering.Endring, error) {
		return levering.BehandleSvar(u, l.Oppdrag, s.Policy, na)
	})
	if err == nil {
		s.seUbrukt(ctx, u, sv)
	}
	return err
}

// seUbrukt tells of an answer that its report has no row of.
func (s *Service) seUbrukt(ctx context.Context, u levering.Utgave, sv melding.Svar) {
	if !u.Melding.HarSvar(sv.ID) {
		s.bareTalt(ctx, u.Melding.Fakta.ID, string(sv.AvsenderKonto), sv.ID)
	}
}

// bareTalt tells of what is let go of without a row or a case, because the sender has made as many as anybody may.
func (s *Service) bareTalt(ctx context.Context, id melding.ID, fra, ref string) {
	s.Logg.WarnContext(ctx, "svaret er ikke brukt, og bare talt", "svar", ref, "konto", fra, "melding", id)
	s.BareTalt()
}

// finnMelding matches an answer: by the platform's id for our message, else by the report's own id in the correlation header.
func (s *Service) finnMelding(ctx context.Context, sv melding.Svar) (melding.ID, error) {
	if sv.SvarTil != "" {
		id, err := s.Store.FindRef(ctx, sv.SvarTil)
		if err == nil || !errors.Is(err, ports.ErrNotFound) {
			return id, err
		}
	}
	id, err := melding.ParseID(sv.Korrelasjon)
	if err != nil {
		return "", ports.ErrNotFound
	}
	if _, err := s.Store.Get(ctx, id); err != nil {
		return "", err
	}
	return id, nil
}

// utenMelding hands to a person what matches nothing, and lets go of it. A crash between the two leaves the item, and the next try finds
// its case.
func (s *Service) utenMelding(ctx context.Context, l ports.Lease, fra, ref string, na time.Time) error {
	apnet, err := s.sakUtenMelding(ctx, fra, ref, na)
	if err != nil {
		return err
	}
	if !apnet {
		s.bareTalt(ctx, "", fra, ref)
	}
	return s.Work.Done(ctx, l)
}

// sakUtenMelding opens a case in the first free of the places that a sender has in a day; false = they are all taken. The place is the
// case's id, so that two workers or replicas cannot both have it, and nobody has to count.
func (s *Service) sakUtenMelding(ctx context.Context, fra, ref string, na time.Time) (bool, error) {
	for n := 1; n <= levering.MaksUbrukteSvar; n++ {
		sak := levering.Sak{ID: levering.SakID(fmt.Sprintf("ledger/%s/%s/%s/%d", levering.SakSvarUtenMelding, cmp.Or(fra, "uten konto"), na.Format("2006-01-02"), n)),
			Art: levering.SakSvarUtenMelding, Apnet: na, Frist: na.Add(24 * time.Hour), Grunn: "svar " + ref + " fra " + cmp.Or(fra, "ukjent konto")}
		if n == levering.MaksUbrukteSvar {
			sak.Grunn += "; flere derfra i dag blir bare talt"
		}
		der, err := s.Ledger.Case(ctx, sak.ID)
		if errors.Is(err, ports.ErrNotFound) {
			if err := s.apneSak(ctx, sak); err != nil {
				return false, err
			}
			der, err = s.Ledger.Case(ctx, sak.ID) // somebody else may have been faster
		}
		if err != nil {
			return false, err
		}
		if der.Grunn == sak.Grunn {
			return true, nil
		}
	}
	return false, nil
}
