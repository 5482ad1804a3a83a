package world

import (
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
	ank          memory.Ankommet
	Ref          string // the platform's id for it
	Meldingstype string
	Forsok       melding.ForsokID
	Melding      melding.ID
	Innhold      []byte
	TTL          time.Duration
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

// Nett is the digital channel of a world: memory.Nett with case systems on its accounts, and a memory of what they were handed.
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

// Koble puts a case system on an account; nil = the account exists and nobody takes from it.
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
		s := Sendt{ank: a, Ref: a.Ref, Meldingstype: a.Meldingstype, Forsok: a.Forsok, Melding: a.Melding, Innhold: b, TTL: a.Utlop.Sub(n.na())}
		n.mu.Lock()
		n.sendt = append(n.sendt, s)
		n.mu.Unlock()
		n.Si(s, m(s)...)
	})
}

// MistSvar lets the next k sends arrive while the sender is told nothing.
func (n *Nett) MistSvar(k int) { n.mist.Store(int64(k)) }

// Steng makes an account refuse.
func (n *Nett) Steng(k kommune.KontoID) { n.Konto(k).Steng(true) }

// Sendte lists what case systems were handed, in order; id "" = everything.
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

// Si answers s, now.
func (n *Nett) Si(s Sendt, svar ...Svar) {
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
		n.Svar(s.ank, m)
	}
	n.etter = 0
}
