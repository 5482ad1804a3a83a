package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Update: see ports.Store. What is committed was judged by the newest, under a lock on the report's row: it was read there (oppdater), or is
// there found to be what this process wrote last (oppdaterHusket).
func (s *Store) Update(ctx context.Context, id melding.ID, fn func(ports.Utgave) (ports.Endring, error)) (ports.Utgave, error) {
	if u, ok, err := s.oppdaterHusket(ctx, id, fn); ok || err != nil {
		return u, err
	}
	return s.oppdater(ctx, id, fn)
}

// Settle: see ports.Store. A crash before the commit leaves the answer unacknowledged at the broker, which has it still; after it the answer
// is in the history, and its id among those that came.
func (s *Store) Settle(ctx context.Context, id melding.ID, o levering.Oppdrag, fn func(ports.Utgave) (ports.Endring, error)) (ports.Utgave, bool, error) {
	gjorOpp := func(u ports.Utgave) (ports.Endring, error) {
		e, err := fn(u)
		if err == nil && !slices.Contains(e.Ferdig, o.ID) {
			err = fmt.Errorf("oppdrag %s ble ikke gjort opp: %w", o.ID, ports.ErrRefused)
		}
		return e, err
	}
	if u, ok, err := s.oppdaterHusket(ctx, id, gjorOpp, s.krevNytt(o.ID)); ok || err != nil {
		return u, ok, err
	}
	x, ny := s.husk(o.ID)
	u, err := s.oppdater(ctx, id, func(u ports.Utgave) (ports.Endring, error) {
		if !*ny {
			return ports.Endring{}, nil // writes nothing
		}
		return gjorOpp(u)
	}, x)
	return u, *ny && err == nil, err
}

// oppdater is Update that also asks ogsa, after the lock and before fn.
func (s *Store) oppdater(ctx context.Context, id melding.ID, fn func(ports.Utgave) (ports.Endring, error), ogsa ...Setning) (ports.Utgave, error) {
	if s.skriv == nil {
		return ports.Utgave{}, errLesbar
	}
	var ny ports.Utgave
	l, ss := s.lesning(id, s.d.Las)
	err := s.iTo(ctx, "melding "+string(id), append(ss, ogsa...), func() (skriv []Setning, err error) {
		ny, skriv, err = s.bedom(l, fn)
		return skriv, err // fn's error as it is [S7]
	})
	if err != nil {
		return ports.Utgave{}, err
	}
	s.beholdUtgave(*l, ny, melding.Forseglet{})
	return ny, nil
}

// bedom asks fn, and gives what the report then is and what must be written for it to be so.
func (s *Store) bedom(l *lest, fn func(ports.Utgave) (ports.Endring, error)) (ny ports.Utgave, skriv []Setning, err error) {
	u, err := l.utgave()
	if err != nil {
		return u, nil, err
	}
	e, err := fn(u)
	if err != nil {
		return u, nil, err
	}
	if e.Tom() {
		return u, nil, nil
	}
	if err := egne(l.id, e.Nye, e.Saker); err != nil {
		return u, nil, err
	}
	if ny, err = levering.Anvend(u, e); err != nil {
		return u, nil, fmt.Errorf("%w: %w", err, ports.ErrRefused)
	}
	if ny.Slettet && len(e.Deler) > 0 {
		return u, nil, fmt.Errorf("melding %s er slettet og tar ikke imot innhold: %w", l.id, ports.ErrRefused)
	}
	skriv, err = s.endring(u, e, ny, l.rad.avledet)
	return ny, skriv, err
}

// endring is the difference between u and ny, and nothing else.
func (s *Store) endring(u ports.Utgave, e ports.Endring, ny ports.Utgave, forst avledet) (ss []Setning, err error) {
	mid := u.Melding.Fakta.ID
	id := string(mid)
	if hh := hendelseRader(mid, ny.Melding.Historikk[len(u.Melding.Historikk):]); len(hh) > 0 {
		var rr [][]any
		for _, h := range hh {
			rr = append(rr, h.verdier())
		}
		ss = append(ss, s.rader("hendelse", hendelseKolonner, "", rr...))
	}
	if len(e.Ferdig) > 0 {
		args, plass := []any{id}, make([]string, len(e.Ferdig))
		for i, o := range e.Ferdig {
			args, plass[i] = append(args, string(o)), "?"+strconv.Itoa(i+2)
		}
		// Also an answer that was matched only now, and so lies here without a report.
		ss = append(ss, s.setning("DELETE FROM oppdrag WHERE (melding = ?1 OR melding IS NULL) AND id IN ("+strings.Join(plass, ", ")+")", args...))
	}
	var nye [][]any
	for _, o := range e.Nye {
		if u.Skylder(o.ID) && !slices.Contains(e.Ferdig, o.ID) {
			continue
		}
		kropp, err := svarkropp(o)
		if err != nil {
			return nil, err
		}
		nye = append(nye, append(nyOppdragRad(o).verdier(), kropp))
	}
	if len(nye) > 0 { // an id that is there already stays as it is
		ss = append(ss, s.rader("oppdrag", oppdragKolonner+", innhold", " ON CONFLICT (id) DO NOTHING", nye...))
	}
	for _, x := range e.Saker { // one at a time: the same one may be opened and closed
		ss = append(ss, s.rader("sak", sakKolonner, sakErstattes, nySakRad(x).verdier()))
	}
	for _, ref := range e.Referanser {
		ss = append(ss, s.rader("referanse", "ref, melding", " ON CONFLICT (ref) DO NOTHING", []any{ref, id}))
	}
	for d, f := range e.Deler {
		x, err := lesDel(mid, d, f)
		if err != nil {
			return nil, err
		}
		ss = append(ss, s.rader("del", delKolonner, "", x.verdier(id)))
	}
	if e.Slett {
		// Event and erasure commit together. A crash after this leaves the bytes in dead pages until Vedlikehold.
		ss = append(ss, s.setning("UPDATE del SET innhold = NULL WHERE melding = ?1", id))
	}
	ss = append(ss, s.apneForsok(id, u.Melding.Forsokene(), ny.Melding)...)
	if a := avled(ny.Melding, ny.Slettet); a != forst {
		ss = append(ss, s.setning("UPDATE melding SET tilstand = ?1, kanal = ?2, endret = ?3, brev_bestilt = ?4, slettet = ?5 WHERE id = ?6",
			string(a.Tilstand), string(a.Kanal), a.Endret, a.BrevBestilt, a.Slettet, id))
	}
	return ss, nil
}

// sakErstattes: the same id again opens or closes; what may change is replaced.
const sakErstattes = " ON CONFLICT (id) DO UPDATE SET art = EXCLUDED.art, kritisk = EXCLUDED.kritisk, apnet = EXCLUDED.apnet, frist = EXCLUDED.frist, " +
	"lukket = EXCLUDED.lukket, lukket_av = EXCLUDED.lukket_av, grunn = EXCLUDED.grunn WHERE sak.melding = EXCLUDED.melding"

type apentForsokRad struct {
	bun.BaseModel `bun:"table:apent_forsok,alias:a"`

	Melding melding.ID       `bun:",pk"`
	Forsok  melding.ForsokID `bun:",pk"`
	Art     melding.Forsoksart
}

// apneForsok keeps the list of attempts begun and not ended in step with the history.
func (s *Store) apneForsok(id string, forrige []melding.Forsok, m melding.Melding) (ss []Setning) {
	var apne []melding.ForsokID
	for _, f := range forrige {
		if !f.Avsluttet {
			apne = append(apne, f.ID)
		}
	}
	for _, f := range m.Forsokene() {
		sto := slices.Contains(apne, f.ID)
		switch {
		case !f.Avsluttet && !sto:
			ss = append(ss, s.rader("apent_forsok", "melding, forsok, art", "", []any{id, string(f.ID), string(f.Art)}))
		case f.Avsluttet && sto:
			ss = append(ss, s.setning("DELETE FROM apent_forsok WHERE melding = ?1 AND forsok = ?2", id, string(f.ID)))
		}
	}
	return ss
}
