package memory

import (
	"context"
	"fmt"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// Transport is one portal's end of a Nett.
type Transport struct {
	n  *Nett
	id kommune.KontoID
}

var _ ports.Transport = (*Transport)(nil)

// Transport gives a portal its end, by its own account.
func (n *Nett) Transport(portal kommune.KontoID) *Transport { return &Transport{n: n, id: portal} }

// Send: see ports.Transport.
func (t *Transport) Send(ctx context.Context, f ports.Forsendelse) (string, error) {
	b, err := f.Innhold.Bytes()
	if err != nil {
		return "", fmt.Errorf("forsøk %s: %w", f.Forsok, err)
	}
	ref, err := t.send(ctx, f, melding.ForsegletBytes(f.Innhold.Forsegling(), b))
	t.n.fram() // the receiver may answer before the sender hears of it
	return ref, err
}

func (t *Transport) send(ctx context.Context, f ports.Forsendelse, innhold melding.Forseglet) (string, error) {
	n := t.n
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	k := n.konti[f.Til.KontoID]
	switch {
	case n.nede:
		return "", fmt.Errorf("forsøk %s: nettet er nede: %w", f.Forsok, ports.ErrUnavailable)
	case k == nil || k.stengt:
		return "", fmt.Errorf("forsøk %s: konto %s tar ikke imot: %w", f.Forsok, f.Til.KontoID, ports.ErrRefused)
	case f.TTL < time.Second:
		return "", fmt.Errorf("forsøk %s: for kort tid igjen: %w", f.Forsok, ports.ErrRefused)
	}
	a := Ankommet{Ref: n.nyttRef(), Fra: t.id, Konto: f.Til.KontoID, Meldingstype: protokoll.Meldingstype(f.Slag, f.Versjon),
		Forsok: f.Forsok, Melding: f.Melding, Innhold: innhold, Utlop: n.klokke.Now().Add(f.TTL)}
	err := n.legg(Post{Konto: a.Konto, Meldingstype: a.Meldingstype, Forsok: a.Forsok, Melding: a.Melding}, &post{til: a.Konto, ank: &a})
	if err != nil {
		return "", fmt.Errorf("forsøk %s: %w", f.Forsok, err)
	}
	return a.Ref, nil
}

// Lever hands over every answer that has come, once each, and says how many were taken: Receive for a test that pumps. The first
// error is given back; its answer comes again after Pause.
func (t *Transport) Lever(ctx context.Context, take func(context.Context, melding.Svar) error) (tatt int, forste error) {
	n := t.n
	n.fram()
	for ctx.Err() == nil {
		n.mu.Lock()
		p := n.neste(t.id)
		if n.nede || p == nil || p.svar == nil {
			n.mu.Unlock()
			break
		}
		n.fjern(p) // in nobody else's hands while take has it
		s, brudd := *p.svar, n.brudd
		s.Mottatt = n.klokke.Now()
		n.mu.Unlock()

		err := take(ctx, s)

		n.mu.Lock()
		if err == nil && n.brudd == brudd {
			tatt++
		} else { // not taken, or the platform never heard that it was
			if err != nil {
				p.klar = n.klokke.Now().Add(n.Pause)
			}
			n.poster = append(n.poster, p)
			n.meld()
		}
		n.mu.Unlock()
		if forste == nil {
			forste = err
		}
	}
	return tatt, forste
}

// Receive: see ports.Transport.
func (t *Transport) Receive(ctx context.Context, take func(context.Context, melding.Svar) error) error {
	for {
		t.n.mu.Lock()
		endret := t.n.endret // before looking, so that nothing between is missed
		t.n.mu.Unlock()
		_, _ = t.Lever(ctx, take) // what was not taken comes again
		if err := ctx.Err(); err != nil {
			return err
		}
		var ring <-chan time.Time
		stopp := func() {}
		if nar := t.n.Neste(); !nar.IsZero() {
			ring, stopp = t.n.klokke.At(nar)
		}
		select {
		case <-endret:
		case <-ring:
		case <-ctx.Done():
		}
		stopp()
	}
}
