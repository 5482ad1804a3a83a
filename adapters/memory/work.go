package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// ting is one item of owed work.
type ting struct {
	o      levering.Oppdrag
	seq    int
	klar   time.Time // due: Forfall at first, then what Release said
	token  string    // "" = nobody holds it
	til    time.Time // end of the lease
	antall int
	arsak  string
}

// nar is when the item can be claimed: a leased one when its lease ends.
func (x *ting) nar() time.Time {
	if x.token != "" {
		return x.til
	}
	return x.klar
}

func (x *ting) leid(na time.Time) bool { return x.token != "" && x.til.After(na) }

// leggInn adds an item unless it is there, with the lease it is born with (nil = none). The caller holds mu.
func (l *Lager) leggInn(o levering.Oppdrag, leie *ports.Lease) {
	if l.oppdrag[o.ID] != nil {
		return
	}
	l.seq++
	o = kopiOppdrag(o)
	x := &ting{o: o, seq: l.seq, klar: o.Forfall}
	if leie != nil {
		x.token, x.til, x.antall = leie.Token, mikro(leie.Until), leie.Attempt
	}
	l.oppdrag[o.ID] = x
}

// ordnet lists items in the order they came. The caller holds mu.
func (l *Lager) ordnet(med func(*ting) bool) []*ting {
	var ut []*ting
	for _, x := range l.oppdrag {
		if med(x) {
			ut = append(ut, x)
		}
	}
	slices.SortFunc(ut, func(a, b *ting) int { return cmp.Compare(a.seq, b.seq) })
	return ut
}

// Add: see ports.Work. The bytes of an answer are made our own before anything is written.
func (l *Lager) Add(ctx context.Context, oo ...levering.Oppdrag) (nye int, err error) {
	egne := slices.Clone(oo)
	for i, o := range egne {
		egne[i] = kopiOppdrag(o)
		if s := egne[i].Svar; s != nil && !s.Innhold.Tom() {
			b, err := s.Innhold.Bytes()
			if err != nil {
				return 0, fmt.Errorf("oppdrag %s: %w", o.ID, err)
			}
			s.Innhold = melding.ForsegletBytes(s.Innhold.Forsegling(), b)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	for _, o := range egne {
		if o.Melding != "" && l.meldinger[o.Melding] == nil {
			return 0, fmt.Errorf("oppdrag %s av ukjent melding: %w", o.ID, ports.ErrRefused)
		}
	}
	for _, o := range egne {
		if l.sett[o.ID] {
			continue
		}
		l.sett[o.ID] = true
		nye++
		l.leggInn(o, nil)
		if r := l.meldinger[o.Melding]; r != nil {
			r.versjon++
		}
	}
	return nye, nil
}

// Claim: see ports.Work.
func (l *Lager) Claim(ctx context.Context, ko levering.Ko, max int, now time.Time, lease time.Duration) ([]ports.Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	opptatt := map[melding.ID]bool{}
	for _, x := range l.oppdrag {
		if x.o.Melding != "" && x.leid(now) {
			opptatt[x.o.Melding] = true
		}
	}
	klare := l.ordnet(func(x *ting) bool { return x.o.Ko == ko && !x.nar().After(now) })
	slices.SortStableFunc(klare, func(a, b *ting) int { return a.nar().Compare(b.nar()) })
	var ut []ports.Lease
	for _, x := range klare {
		if len(ut) >= max {
			break
		}
		if x.o.Melding != "" && opptatt[x.o.Melding] {
			continue
		}
		opptatt[x.o.Melding] = true
		l.seq++
		x.token, x.til, x.antall = strconv.Itoa(l.seq), mikro(now.Add(lease)), x.antall+1
		ut = append(ut, ports.Lease{Oppdrag: kopiOppdrag(x.o), Token: x.token, Until: x.til, Attempt: x.antall})
	}
	return ut, nil
}

// Extend: see ports.Work. A lease that has run out is lost, whether or not somebody took the item: its report may be in other hands.
func (l *Lager) Extend(ctx context.Context, y ports.Lease, now time.Time, lease time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	x := l.oppdrag[y.Oppdrag.ID]
	if x == nil || x.token != y.Token || !x.leid(now) {
		return fmt.Errorf("oppdrag %s: %w", y.Oppdrag.ID, ports.ErrConflict)
	}
	x.til = mikro(now.Add(lease))
	return nil
}

// Release: see ports.Work.
func (l *Lager) Release(ctx context.Context, y ports.Lease, due time.Time, cause string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	x := l.oppdrag[y.Oppdrag.ID]
	switch {
	case x == nil:
		return nil
	case x.token != y.Token:
		return fmt.Errorf("oppdrag %s: %w", y.Oppdrag.ID, ports.ErrConflict)
	}
	x.token, x.klar, x.arsak = "", mikro(due), cause
	return nil
}

// Done: see ports.Work.
func (l *Lager) Done(ctx context.Context, y ports.Lease) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	x := l.oppdrag[y.Oppdrag.ID]
	switch {
	case y.Oppdrag.Melding != "" || x != nil && x.o.Melding != "":
		return fmt.Errorf("oppdrag %s hører til en melding: %w", y.Oppdrag.ID, ports.ErrRefused)
	case x == nil:
		return nil
	case x.token != y.Token:
		return fmt.Errorf("oppdrag %s: %w", y.Oppdrag.ID, ports.ErrConflict)
	}
	delete(l.oppdrag, y.Oppdrag.ID)
	return nil
}

// Pending: see ports.Work.
func (l *Lager) Pending(ctx context.Context, id levering.OppdragID) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.oppdrag[id] != nil, ctx.Err()
}

// Next: see ports.Work.
func (l *Lager) Next(ctx context.Context, ko levering.Ko) (time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	var forst time.Time
	for _, x := range l.oppdrag {
		if x.o.Ko == ko && (forst.IsZero() || x.nar().Before(forst)) {
			forst = x.nar()
		}
	}
	return forst, nil
}

// Fjern removes owed work of a report without judging it ("" = every queue): the breach that Breaches must find.
func (l *Lager) Fjern(id melding.ID, ko levering.Ko) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for oid, x := range l.oppdrag {
		if x.o.Melding == id && (ko == "" || x.o.Ko == ko) {
			delete(l.oppdrag, oid)
		}
	}
	l.meldinger[id].versjon++
}
