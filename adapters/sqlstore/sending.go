package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// lestMottaker is a receiver and its certificates before they are judged at an instant. Nobody changes it.
type lestMottaker struct {
	nr           int64
	konto        kommune.Mottakerkonto
	sertifikater []lestSertifikat
}

// errKatalogenEndret says that the receiver must be read again before fn can judge.
var errKatalogenEndret = errors.New("katalogen er endret")

// maksLesinger is how many times in a row the directory may have changed between the reading of a receiver and its use.
const maksLesinger = 10

// Begin: see ports.Dispatch. The directory's number is read after the report is locked: a receiver kept at that number is as the directory
// has it then. A crash leaves what one in Update leaves.
func (s *Store) Begin(ctx context.Context, id melding.ID, now time.Time, fn func(ports.Sendegrunnlag) (ports.Endring, error)) (ports.Begynt, error) {
	if b, ok, err := s.begynnHusket(ctx, id, now, fn); ok || err != nil {
		return b, err
	}
	for range maksLesinger {
		var nr int64
		var r kommune.RessursID
		sporring, d := s.delSporring(id, melding.DelAsice)
		ogsa := []Setning{{SQL: nrSporring, Rad: func(skann func(...any) error) error { return skann(&nr) }}}
		if s.d.Todelt != nil { // in the same round trip; else a reading connection has it, and the writing one is free for others
			ogsa = append(ogsa, sporring)
		}
		u, err := s.oppdater(ctx, id, func(u ports.Utgave) (ports.Endring, error) {
			r = u.Melding.Fakta.RessursID
			m := s.mottakere.hent(r)
			if m == nil || m.nr != nr {
				return ports.Endring{}, errKatalogenEndret
			}
			return fn(ports.Sendegrunnlag{Utgave: u, Konto: egen(m.konto), Godtatt: godtatte(m.sertifikater, now)})
		}, ogsa...)
		if err == nil {
			b := ports.Begynt{Utgave: u}
			if s.d.Todelt == nil {
				b.Innhold, b.Mangler = s.Open(ctx, id, melding.DelAsice)
				return b, nil
			}
			b.Innhold, b.Mangler = d.forseglet(delnavn(id, melding.DelAsice), u.Melding.Fakta.Deler[melding.DelAsice])
			return b, nil
		}
		if !errors.Is(err, errKatalogenEndret) {
			return ports.Begynt{}, err
		}
		m, err := s.lesMottaker(ctx, r)
		if err != nil {
			return ports.Begynt{}, err
		}
		s.mottakere.behold(m.nr, r, m)
	}
	return ports.Begynt{}, fmt.Errorf("melding %s: %w: %w", id, errKatalogenEndret, ports.ErrUnavailable)
}

// lesMottaker reads a receiver and its number on one snapshot.
func (s *Store) lesMottaker(ctx context.Context, r kommune.RessursID) (*lestMottaker, error) {
	m := &lestMottaker{}
	hva := "mottaker " + string(r)
	err := s.iLes(ctx, hva, func(tx bun.Tx) error {
		if err := tx.NewRaw(nrSporring).Scan(ctx, &m.nr); err != nil {
			return s.feil(hva, err)
		}
		var rad mottakerRad
		if err := tx.NewSelect().Model(&rad).Where("mo.ressurs_id = ?", r).Scan(ctx); err != nil {
			return s.feil(hva, err)
		}
		var err error
		if m.konto, err = rad.konto(); err != nil {
			return err
		}
		m.sertifikater, err = s.lesSertifikater(ctx, tx, kommune.MottakerEier(r))
		return err
	})
	return m, err
}
