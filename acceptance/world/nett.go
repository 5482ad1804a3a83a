package world

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// Portalkonto is the portal's own account on the channel. Portals that share a channel and an account share the answers.
const Portalkonto kommune.KontoID = "00000000-0000-4000-8000-000000000001"

// Sendt is one message on the far side: what a case system was handed.
type Sendt struct {
	Handtak      any    // the channel's own way back to its sender; Si needs it, nobody else looks inside
	Ref          string // the platform's id for it
	Meldingstype string
	Forsok       melding.ForsokID
	Melding      melding.ID
	Innhold      []byte
	TTL          time.Duration
	Headere      map[string]string // as on the wire; nil where there is none
}

// Mottaker is a case system: it is handed one message and says what it answers, if anything.
type Mottaker func(s Sendt) []Svar

// Svar is one answer, sent after a while.
type Svar struct {
	Meldingstype string
	Innhold      []byte // sealed, or something nobody can read; nil = none
	Etter        time.Duration
	Fra          kommune.KontoID // "" = the account asked
	SvarTil      string          // "" = the message
	UtenRef      bool            // only the correlation says what it answers
}

// Kanal is the digital channel of a world with case systems on its accounts. It may be asynchronous inside: Lever alone decides that
// what is on its way has arrived and been handled, so a scenario looks at Sendte and at case systems only after a Pump.
type Kanal interface {
	ports.Transport
	// Lever hands over every answer that has come by the world's clock, once each, until nothing more is on its way: every message sent
	// before or meanwhile has reached its case system, and the answers due now have been offered to take. It gives how many were taken;
	// an answer whose take failed comes again later, and the first such error is given back.
	Lever(ctx context.Context, take func(context.Context, melding.Svar) error) (tatt int, forste error)
	// Neste is when something happens without anybody doing anything, a delayed answer or a message nobody took in time; zero = never.
	Neste() time.Time
	// Koble puts a case system on an account; nil = the account exists and nobody takes from it.
	Koble(konto kommune.KontoID, m Mottaker)
	// Si answers s, beside what its case system said by itself.
	Si(s Sendt, svar ...Svar)
	// Sendte lists what case systems were handed, in order; id "" = everything.
	Sendte(id melding.ID) []Sendt
	// MistSvar lets the next k sends arrive while the sender is told nothing.
	MistSvar(k int)
	// Steng makes an account refuse.
	Steng(konto kommune.KontoID)
	// Nede breaks every connection until it is called with false.
	Nede(nede bool)
}

var _ Kanal = (*Nett)(nil)

// Nett is the Kanal in memory: memory.Nett with case systems on its accounts, and a memory of what they were handed.
type Nett struct {
	*memory.Nett
	*memory.Transport
	na   func() time.Time
	mist atomic.Int64

	mu    sync.Mutex // one answer at a time: etter belongs to it
	etter time.Duration
	sendt []Sendt
}

// NyttNett is a channel without accounts. What it holds dies with the process.
func NyttNett(k ports.Clock) *Nett {
	m := memory.NyttNett(k)
	n := &Nett{Nett: m, Transport: m.Transport(Portalkonto), na: k.Now}
	m.Skript(func(p memory.Post) (v memory.Virkning) {
		if p.Svar {
			v.Forsinkelse = n.etter
		} else if n.mist.Add(-1) >= 0 {
			v.Feil = fmt.Errorf("svaret gikk tapt: %w", ports.ErrUnavailable)
		}
		return v
	})
	return n
}

// Koble: see Kanal.
func (n *Nett) Koble(k kommune.KontoID, m Mottaker) {
	konto := n.Konto(k)
	if m == nil {
		return
	}
	konto.VedAnkomst(func(a memory.Ankommet) {
		b, err := a.Innhold.Bytes()
		if err != nil {
			return // a channel in memory has its bytes
		}
		s := Sendt{Handtak: a, Ref: a.Ref, Meldingstype: a.Meldingstype, Forsok: a.Forsok, Melding: a.Melding, Innhold: b, TTL: a.Utlop.Sub(n.na())}
		n.mu.Lock()
		n.sendt = append(n.sendt, s)
		n.mu.Unlock()
		n.Si(s, m(s)...)
	})
}

// MistSvar: see Kanal.
func (n *Nett) MistSvar(k int) { n.mist.Store(int64(k)) }

// Steng: see Kanal.
func (n *Nett) Steng(k kommune.KontoID) { n.Konto(k).Steng(true) }

// Sendte: see Kanal.
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

// Si: see Kanal.
func (n *Nett) Si(s Sendt, svar ...Svar) {
	ank, ok := s.Handtak.(memory.Ankommet)
	if !ok {
		panic("world: svar på en melding som ikke kom over denne kanalen")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, v := range svar {
		m := melding.Svar{Meldingstype: v.Meldingstype, AvsenderKonto: v.Fra}
		if v.Innhold != nil {
			m.Innhold = melding.ForsegletBytes(melding.X509, v.Innhold)
		}
		if v.SvarTil != "" {
			m.SvarTil, m.Korrelasjon = v.SvarTil, memory.Utelat
		}
		if v.UtenRef {
			m.SvarTil = memory.Utelat
		}
		if m.Meldingstype == protokoll.Serverfeil { // the platform's own word
			m.AvsenderKonto = memory.Utelat
		}
		n.etter = v.Etter
		n.Svar(ank, m)
	}
	n.etter = 0
}
