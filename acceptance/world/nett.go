package world

import (
	"context"
	"fmt"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// Sendt is one message on the far side: what a case system would be handed.
type Sendt struct {
	Ref          string // the platform's id for it
	Konto        kommune.KontoID
	Meldingstype string
	Forsok       melding.ForsokID
	Melding      melding.ID
	Innhold      []byte
	Tid          time.Time
	TTL          time.Duration
}

// Mottaker is a case system: it is handed one message and says what it answers, if anything.
type Mottaker func(s Sendt) []Svar

// Svar is one answer, sent after a while.
type Svar struct {
	Meldingstype string
	Innhold      melding.Forseglet
	Etter        time.Duration
	Fra          kommune.KontoID // "" = the account asked
	SvarTil      string          // "" = the message
	UtenRef      bool            // only the correlation says what it answers
	ForRetur     bool            // reaches us before Send has returned
}

// Nett is the digital channel in memory: a ports.Transport on the near side, accounts with case systems on the far one. Several
// portals may share it. What it holds dies with the process. Deliver answers with Run (a real clock) or with Lever (a test's).
type Nett struct {
	na func() time.Time

	mu    sync.Mutex
	konti map[kommune.KontoID]Mottaker
	sendt []Sendt
	svar  []ventende
	nede  bool
	mist  int // the next n sends arrive, and the sender hears an error
	nekt  map[kommune.KontoID]bool
	nr    int
	vekk  chan struct{}
}

type ventende struct {
	svar melding.Svar
	tid  time.Time
}

// NyttNett is an empty channel.
func NyttNett(na func() time.Time) *Nett {
	return &Nett{na: na, konti: map[kommune.KontoID]Mottaker{}, nekt: map[kommune.KontoID]bool{}, vekk: make(chan struct{}, 1)}
}

// Koble puts a case system on an account; nil = the account exists and nobody takes from it.
func (n *Nett) Koble(k kommune.KontoID, m Mottaker) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.konti[k] = m
}

// Nede makes every send fail with an unknown outcome, and holds answers back, until it is called with false.
func (n *Nett) Nede(nede bool) { n.mu.Lock(); n.nede = nede; n.mu.Unlock(); n.si() }

// MistSvar lets the next k sends arrive while the sender is told nothing.
func (n *Nett) MistSvar(k int) { n.mu.Lock(); n.mist = k; n.mu.Unlock() }

// Steng makes the account refuse.
func (n *Nett) Steng(k kommune.KontoID) { n.mu.Lock(); n.nekt[k] = true; n.mu.Unlock() }

// Sendte lists everything that reached the far side, in order.
func (n *Nett) Sendte(id melding.ID) (ut []Sendt) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.sendt {
		if id == "" || s.Melding == id {
			ut = append(ut, s)
		}
	}
	return ut
}

// Si puts an answer on its way to the portal as if s had been answered now.
func (n *Nett) Si(s Sendt, svar ...Svar) {
	n.mu.Lock()
	n.leggTil(s, svar)
	n.mu.Unlock()
	n.si()
}

func (n *Nett) leggTil(s Sendt, svar []Svar) {
	for _, v := range svar {
		n.nr++
		m := melding.Svar{ID: fmt.Sprintf("%08d-%s", n.nr, s.Ref), Meldingstype: v.Meldingstype, SvarTil: s.Ref, Korrelasjon: string(s.Melding), AvsenderKonto: s.Konto, Innhold: v.Innhold}
		if v.Fra != "" {
			m.AvsenderKonto = v.Fra
		}
		if v.SvarTil != "" {
			m.SvarTil, m.Korrelasjon = v.SvarTil, ""
		}
		if v.UtenRef {
			m.SvarTil = ""
		}
		n.svar = append(n.svar, ventende{m, n.na().Add(v.Etter)})
	}
}

func (n *Nett) si() {
	select {
	case n.vekk <- struct{}{}:
	default:
	}
}

// Send is the near side.
func (n *Nett) Send(_ context.Context, f ports.Forsendelse) (string, error) {
	innhold, err := f.Innhold.Bytes()
	if err != nil {
		return "", err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	mottaker, finnes := n.konti[f.Til.KontoID]
	switch {
	case n.nede:
		return "", fmt.Errorf("konto %s: %w", f.Til.KontoID, ports.ErrUnavailable)
	case !finnes || n.nekt[f.Til.KontoID]:
		return "", fmt.Errorf("konto %s: %w", f.Til.KontoID, ports.ErrRefused)
	}
	s := Sendt{Ref: uuid(), Konto: f.Til.KontoID, Meldingstype: protokoll.Meldingstype(f.Slag, f.Versjon), Forsok: f.Forsok, Melding: f.Melding,
		Innhold: innhold, Tid: n.na(), TTL: f.TTL}
	n.sendt = append(n.sendt, s)
	if mottaker != nil {
		n.leggTil(s, mottaker(s))
		n.si()
	}
	if n.mist > 0 {
		n.mist--
		return "", fmt.Errorf("konto %s: svaret gikk tapt: %w", f.Til.KontoID, ports.ErrUnavailable)
	}
	return s.Ref, nil
}

// Lever hands over every answer whose time has come, and keeps those that were not taken. It returns how many were.
func (n *Nett) Lever(ctx context.Context, take func(context.Context, melding.Svar) error) (int, error) {
	n.mu.Lock()
	if n.nede {
		n.mu.Unlock()
		return 0, nil
	}
	var klare, senere []ventende
	for _, v := range n.svar {
		if v.tid.After(n.na()) {
			senere = append(senere, v)
		} else {
			klare = append(klare, v)
		}
	}
	n.svar = senere
	n.mu.Unlock()
	for i, v := range klare {
		v.svar.Mottatt = n.na()
		if err := take(ctx, v.svar); err != nil {
			n.mu.Lock()
			n.svar = append(n.svar, klare[i:]...)
			n.mu.Unlock()
			return i, err
		}
	}
	return len(klare), nil
}

// Neste is when the next answer is due; zero = none.
func (n *Nett) Neste() (t time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, v := range n.svar {
		if t.IsZero() || v.tid.Before(t) {
			t = v.tid
		}
	}
	return t
}

// Receive is the near side of Lever for a portal that runs by itself.
func (n *Nett) Receive(ctx context.Context, take func(context.Context, melding.Svar) error) error {
	tikk := time.NewTicker(100 * time.Millisecond)
	defer tikk.Stop()
	for {
		_, _ = n.Lever(ctx, take) // what was not taken stays
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-n.vekk:
		case <-tikk.C:
		}
	}
}
