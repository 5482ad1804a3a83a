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

// TaImot stores an answer from the wire as work. It judges nothing: the broker is told «taken» only after this returned nil, so a
// crash before it means the answer comes again.
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
	ny, err := s.leggTil(ctx, levering.SvarOppdrag(sv))
	if err != nil {
		return err
	}
	if !ny { // the wire did not hear our «taken», or the case system's broker repeats itself: somebody should be able to see it
		s.Logg.InfoContext(ctx, "svaret er levert før", "svar", sv.ID)
		s.Gjentatt(levering.KoSvar)
	}
	return nil
}

// leggTil stores an answer, and judges it at once if this process has room. One with a body is claimed: what it is read from may be gone
// when the wire has been told «taken».
func (s *Service) leggTil(ctx context.Context, o levering.Oppdrag) (ny bool, err error) {
	if s.Handover != nil && o.Svar.Innhold.Tom() {
		if l, ok := s.Handover.Hold(ctx, o); ok {
			defer func() {
				if !ny || err != nil {
					s.Handover.Drop(l)
				}
			}()
			if ny, err = s.Work.AddLeased(ctx, l); ny && err == nil {
				s.Handover.Start(l)
			}
			return ny, err
		}
	}
	nye, err := s.Work.Add(ctx, o)
	if err == nil && nye > 0 {
		s.Vekk(levering.KoSvar)
	}
	return nye > 0, err
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
	if err == nil && !u.Melding.HarSvar(sv.ID) {
		s.bareTalt(ctx, id, string(sv.AvsenderKonto), sv.ID)
	}
	return err
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
