package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

var errIkkeFerdig = errors.New("arbeidet kom ikke tilbake")

// seEtterSlit opens a case about work that has failed five times, and closes it when the work is done. It lies in the Ledger and not with
// the report, for it may be the report's own commit that is refused; a send or a letter whose own case is open needs no other.
// A cancel is only a wish: the letter it is about is watched by itself. One failure is not enough, however many tries there were: they may
// have been waits, and work may be done although its end was not heard. Only when it has come back and failed again is it sure.
func (s *Service) seEtterSlit(ctx context.Context, l ports.Lease, feil error) {
	var senere *Senere
	o := l.Oppdrag
	if l.Attempt < s.Policy.SakFra || o.Ko == levering.KoAvbestill || ctx.Err() != nil || errors.As(feil, &senere) {
		return
	}
	if feil == nil {
		s.slitt.Delete(o.ID)
	} else if _, for0 := s.slitt.LoadOrStore(o.ID, true); !for0 {
		return
	}
	if err := s.slitsak(ctx, o, feil == nil); err != nil {
		s.Logg.ErrorContext(ctx, "kunne ikke skrive ned at et oppdrag sliter", "oppdrag", o.ID, "feil", err.Error())
	}
}

func (s *Service) slitsak(ctx context.Context, o levering.Oppdrag, ferdig bool) error {
	id, apen, err := s.sisteSak(ctx, levering.SakID("ledger/"+string(levering.SakArbeidSliter)+"/"+string(o.ID)))
	if err != nil || apen != ferdig {
		return err // open and failing, or done and none open
	}
	na := s.Clock.Now()
	if ferdig {
		return s.lukk(ctx, id, "arbeidet er gjort", na)
	}
	if o.Melding != "" {
		u, err := s.Store.Get(ctx, o.Melding)
		if _, apen := u.ApenSak(egenSak[o.Ko]); err == nil && (apen || !u.Skylder(o.ID)) {
			return nil
		}
	}
	return s.apneSak(ctx, levering.Sak{ID: id, Art: levering.SakArbeidSliter, Kritisk: true, Apnet: na, Frist: na.Add(time.Hour),
		Grunn: fmt.Sprintf("oppdrag %s i køen %s går ikke", o.ID, o.Ko)})
}

// ryddSlit closes the cases of work that is settled: by another commit, such as the frist of what was confirmed, or by a process that died
// between settling it and closing its case. One that cannot be looked at keeps no other from it; the first failure is told.
func (s *Service) ryddSlit(ctx context.Context) (feil error) {
	apne, err := s.apneSaker(ctx)
	if err != nil {
		return err
	}
	for _, sak := range apne {
		id, gjelder := strings.CutPrefix(string(sak.ID), "ledger/"+string(levering.SakArbeidSliter)+"/")
		slutt := strings.LastIndexByte(id, '/')
		if !gjelder || slutt < 0 || ctx.Err() != nil {
			continue
		}
		ugjort, err := s.Work.Pending(ctx, levering.OppdragID(id[:slutt]))
		if err == nil && !ugjort {
			err = s.lukk(ctx, sak.ID, "arbeidet trengs ikke lenger", s.Clock.Now())
		}
		feil = cmp.Or(feil, err)
	}
	return cmp.Or(feil, ctx.Err())
}

// apneSaker gives every open case: newest come first, and a flood of them must not hide the old.
func (s *Service) apneSaker(ctx context.Context) ([]levering.Sak, error) {
	for maks := 1000; ; maks *= 4 {
		apne, err := s.Overview.Cases(ctx, true, maks)
		if err != nil || len(apne) < maks {
			return apne, err
		}
	}
}

// egenSak is the case that a report itself has of a queue's trouble.
var egenSak = map[levering.Ko]levering.Saksart{levering.KoSend: levering.SakSendingSliter, levering.KoBrev: levering.SakBrevSliter}

// sisteSak finds the open case among those numbered after base, or the first number that is free. A case that was closed never opens
// again, so what comes back needs a new one.
func (s *Service) sisteSak(ctx context.Context, base levering.SakID) (id levering.SakID, apen bool, err error) {
	for n := 1; ; n++ {
		id = levering.SakID(fmt.Sprintf("%s/%d", base, n))
		sak, err := s.Ledger.Case(ctx, id)
		switch {
		case errors.Is(err, ports.ErrNotFound):
			return id, false, nil
		case err != nil:
			return "", false, err
		case sak.Apen():
			return id, true, nil
		}
	}
}
