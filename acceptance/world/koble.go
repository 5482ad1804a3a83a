package world

import (
	"context"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

type direkte struct {
	d    *Deltakere
	na   func() time.Time
	svar chan melding.Svar
	mu   sync.Mutex
}

func NyDirekte(d *Deltakere, na func() time.Time) ports.Transport {
	return &direkte{d: d, na: na, svar: make(chan melding.Svar, 1000)}
}

func (t *direkte) Send(ctx context.Context, f ports.Forsendelse) (string, error) {
	ref := uuid()
	for _, m := range t.d.Mottakere {
		if kommune.KontoID(m.KontoID) != f.Til.KontoID {
			continue
		}
		s := melding.Svar{ID: uuid(), SvarTil: ref, Korrelasjon: string(f.Melding), AvsenderKonto: f.Til.KontoID, Mottatt: t.na()}
		switch m.Fagsystem {
		case "kvitterer":
			s.Meldingstype = protokoll.Mottatt
		case "avviser":
			s.Meldingstype = protokoll.Feilet
		default:
			return ref, nil
		}
		t.svar <- s
	}
	return ref, nil
}

func (t *direkte) Receive(ctx context.Context, take func(context.Context, melding.Svar) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case s := <-t.svar:
			if err := take(ctx, s); err != nil {
				t.svar <- s
			}
		}
	}
}
