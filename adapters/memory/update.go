package memory

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"slices"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Get: see ports.Store.
func (l *Lager) Get(ctx context.Context, id melding.ID) (ports.Utgave, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return ports.Utgave{}, err
	}
	r := l.meldinger[id]
	if r == nil {
		return ports.Utgave{}, fmt.Errorf("melding %s: %w", id, ports.ErrNotFound)
	}
	return l.utgave(r), nil
}

// Update: see ports.Store. fn runs outside the lock, so one that calls a port, against its promise, is found out by its answer and
// not by a dead test; when the report has changed meanwhile everything is done again.
func (l *Lager) Update(ctx context.Context, id melding.ID, fn func(ports.Utgave) (ports.Endring, error)) (ports.Utgave, error) {
	u, _, err := l.oppdater(ctx, id, "", fn)
	return u, err
}

// Settle: see ports.Store.
func (l *Lager) Settle(ctx context.Context, id melding.ID, o levering.Oppdrag, fn func(ports.Utgave) (ports.Endring, error)) (u ports.Utgave, ny bool, err error) {
	return l.oppdater(ctx, id, o.ID, func(u ports.Utgave) (ports.Endring, error) {
		e, err := fn(u)
		if err == nil && !slices.Contains(e.Ferdig, o.ID) {
			err = fmt.Errorf("oppdrag %s ble ikke gjort opp: %w", o.ID, ports.ErrRefused)
		}
		return e, err
	})
}

// oppdater is Update that also remembers an item from the world, unless husk is ""; ny = it had not come before.
func (l *Lager) oppdater(ctx context.Context, id melding.ID, husk levering.OppdragID, fn func(ports.Utgave) (ports.Endring, error)) (_ ports.Utgave, ny bool, err error) {
	for {
		l.mu.Lock()
		r := l.meldinger[id]
		if r == nil {
			l.mu.Unlock()
			return ports.Utgave{}, false, fmt.Errorf("melding %s: %w", id, ports.ErrNotFound)
		}
		if l.sett[husk] {
			defer l.mu.Unlock()
			return l.utgave(r), false, ctx.Err()
		}
		sett, a, b, u := r.versjon, l.utgave(r), l.utgave(r), l.utgave(r)
		l.mu.Unlock()

		e, err := fn(a)
		igjen, err2 := fn(b)
		if hva := uren(e, igjen, err, err2); hva != "" {
			return ports.Utgave{}, false, fmt.Errorf("melding %s: %w: %s ble ikke det samme to ganger", id, ErrUren, hva)
		}
		if err != nil {
			return ports.Utgave{}, false, err
		}
		if e.Tom() {
			return u, true, nil
		}
		ny, err := levering.Anvend(u, e)
		if err != nil {
			return ports.Utgave{}, false, fmt.Errorf("%w: %w", err, ports.ErrRefused)
		}
		if err := egne(id, e.Nye, e.Saker); err != nil {
			return ports.Utgave{}, false, err
		}
		if ny.Slettet && len(e.Deler) > 0 {
			return ports.Utgave{}, false, fmt.Errorf("melding %s er slettet og tar ikke imot innhold: %w", id, ports.ErrRefused)
		}
		deler := map[melding.Del]*del{}
		for navn, f := range e.Deler {
			if deler[navn], err = lesDel(f); err != nil {
				return ports.Utgave{}, false, fmt.Errorf("melding %s, del %s: %w", id, navn, err)
			}
		}
		if u, ok, err := l.skriv(ctx, r, sett, husk, e, ny, deler); ok || err != nil {
			return u, ok, err
		}
	}
}

// skriv commits what has been judged; ok is false when the report is no longer the one that was read.
func (l *Lager) skriv(ctx context.Context, r *lagret, sett int, husk levering.OppdragID, e ports.Endring, ny ports.Utgave, deler map[melding.Del]*del) (u ports.Utgave, ok bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.versjon != sett || l.sett[husk] {
		return u, false, nil
	}
	if err := ctx.Err(); err != nil {
		return u, false, err
	}
	id := r.fakta.ID
	for _, ref := range e.Referanser {
		if eier, finnes := l.refs[ref]; finnes && eier != id {
			return u, false, fmt.Errorf("melding %s: referansen hører til %s: %w", id, eier, ports.ErrConflict)
		}
	}
	if husk != "" {
		l.sett[husk] = true
	}
	r.versjon++
	r.historikk, r.slettet, r.saker = ny.Melding.Historikk, ny.Slettet, nil
	for _, s := range ny.Saker {
		r.saker = append(r.saker, kopiSak(s))
	}
	for _, oid := range e.Ferdig {
		// An answer that was matched to this report is settled here too; another report's work never is.
		if x := l.oppdrag[oid]; x != nil && (x.o.Melding == id || x.o.Melding == "") {
			delete(l.oppdrag, oid)
		}
	}
	for _, o := range e.Nye {
		l.leggInn(o, nil)
	}
	for _, ref := range e.Referanser {
		l.refs[ref] = id
	}
	for navn, d := range deler {
		r.deler[navn] = d
	}
	if e.Slett {
		for _, d := range r.deler {
			d.innhold = nil
		}
	}
	l.merkLevende(r)
	return l.utgave(r), true, nil
}

// uren names what differs between two answers to the same question; "" = nothing.
func uren(a, b ports.Endring, errA, errB error) string {
	if (errA == nil) != (errB == nil) {
		return "feilen"
	}
	if errA != nil {
		return ""
	}
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range va.NumField() {
		navn := va.Type().Field(i).Name
		if navn != "Deler" && !reflect.DeepEqual(va.Field(i).Interface(), vb.Field(i).Interface()) {
			return navn
		}
	}
	if len(a.Deler) != len(b.Deler) {
		return "Deler"
	}
	for navn, f := range a.Deler {
		x, errX := f.Bytes()
		y, errY := b.Deler[navn].Bytes()
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			return "Deler"
		}
	}
	return ""
}

// FindRef: see ports.Store.
func (l *Lager) FindRef(ctx context.Context, ref string) (melding.ID, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	id, ok := l.refs[ref]
	if !ok {
		return "", fmt.Errorf("referansen: %w", ports.ErrNotFound)
	}
	return id, nil
}

// Breaches: see ports.Store.
func (l *Lager) Breaches(ctx context.Context, max int) ([]melding.ID, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var ut []melding.ID
	for id := range l.levende {
		if levering.Kontroller(l.utgave(l.meldinger[id])) != nil {
			ut = append(ut, id)
		}
	}
	slices.Sort(ut)
	return ut[:min(max, len(ut))], nil
}
