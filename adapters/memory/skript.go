package memory

import (
	"fmt"
	"math/rand/v2"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Post is what a script sees of something on its way.
type Post struct {
	Nr           int // runs from 1
	Svar         bool
	Konto        kommune.KontoID // on the far side
	Meldingstype string
	Forsok       melding.ForsokID
	Melding      melding.ID
}

// Virkning is what a script does to it; the zero value leaves it alone.
type Virkning struct {
	Tap         bool // never arrives
	Dobbel      bool // arrives twice, with the same ids
	Foran       bool // overtakes what waits for the same instant
	Forsinkelse time.Duration
	Feil        error // Send says this, although the message is on its way unless Tap
}

// Skript decides about everything sent from now on; nil = nothing happens to it. It runs under the channel's lock, so it must not
// call the channel.
func (n *Nett) Skript(s func(Post) Virkning) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.skript = s
}

// Sjanser are probabilities from 0 to 1.
type Sjanser struct {
	Tap, Dobbel, Foran, Feil, Forsinket float64
	Maks                                time.Duration // longest delay
}

// Tilfeldig is a script by chance: the same seed and the same order of calls give the same bad day.
func Tilfeldig(fro uint64, s Sjanser) func(Post) Virkning {
	r := rand.New(rand.NewPCG(fro, fro)) //nolint:gosec // guards nothing, and must repeat
	return func(Post) (v Virkning) {
		v.Tap, v.Dobbel, v.Foran = r.Float64() < s.Tap, r.Float64() < s.Dobbel, r.Float64() < s.Foran
		if r.Float64() < s.Feil {
			v.Feil = fmt.Errorf("svaret gikk tapt: %w", ports.ErrUnavailable)
		}
		if r.Float64() < s.Forsinket && s.Maks > 0 {
			v.Forsinkelse = time.Duration(r.Int64N(int64(s.Maks)))
		}
		return v
	}
}
