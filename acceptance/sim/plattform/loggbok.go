package plattform

import (
	"sync"

	"portal.example/bekymringsmelding/domain/protokoll"
)

// Tilstand is what the platform knows about where a message is. It does not know when one has been acked.
type Tilstand string

const (
	IKo       Tilstand = "lagt på kø"
	Forsinket Tilstand = "forsinket"
	Tapt      Tilstand = "tapt med vilje"
	IkkeLagt  Tilstand = "ikke lagt på kø"
	Utlopt    Tilstand = "utløpt"
	Oppgitt   Tilstand = "oppgitt etter tre forsøk"
	Avvist    Tilstand = "avvist av mottakeren"
	Fjernet   Tilstand = "fjernet"
)

// Loggfort is one line of the log.
type Loggfort struct {
	Sendt
	Tilstand Tilstand
	Svar     []string // types of the answers that have been sent to it, oldest first
}

const (
	maksLogg  = 10_000
	maksKropp = 256 << 20 // of payloads kept for the admin page
)

// loggbok keeps the newest messages, and as many of the newest payloads as there is room for.
type loggbok struct {
	mu    sync.Mutex
	linje map[string]*linje
	rekke []string // oldest first
	sum   int64    // octets of payload held
	forst int      // in rekke: older ones have given up their payload

	maksLinjer int
	maksKropp  int64
}

type linje struct {
	Loggfort
	kropp []byte
}

func nyLoggbok() *loggbok {
	return &loggbok{linje: map[string]*linje{}, maksLinjer: maksLogg, maksKropp: maksKropp}
}

func (b *loggbok) skriv(s Sendt, kropp []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.linje[s.MeldingID] = &linje{Loggfort{Sendt: s}, kropp}
	b.rekke = append(b.rekke, s.MeldingID)
	b.sum += int64(len(kropp))
	for ; b.sum > b.maksKropp && b.forst < len(b.rekke); b.forst++ {
		b.slippKropp(b.rekke[b.forst])
	}
	if len(b.rekke) > b.maksLinjer {
		b.slippKropp(b.rekke[0])
		delete(b.linje, b.rekke[0])
		b.rekke = b.rekke[1:]
		b.forst = max(0, b.forst-1)
	}
}

func (b *loggbok) slippKropp(id string) {
	b.sum -= int64(len(b.linje[id].kropp))
	b.linje[id].kropp = nil
}

func (b *loggbok) sett(id string, t Tilstand) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.linje[id]; l != nil {
		l.Tilstand = t
	}
}

// svart notes an answer on the line it answers.
func (b *loggbok) svart(s Sendt) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.linje[s.SvarPa]; l != nil {
		l.Svar = append(l.Svar[:len(l.Svar):len(l.Svar)], protokoll.Kanonisk(s.Meldingstype))
	}
}

func (b *loggbok) finn(id string) (Loggfort, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.linje[id]; l != nil {
		return l.Loggfort, true
	}
	return Loggfort{}, false
}

func (b *loggbok) kropp(id string) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.linje[id]; l != nil {
		return l.kropp
	}
	return nil
}

// Logg gives the newest messages, newest first, at most maks of the 10 000 that are kept.
func (p *Plattform) Logg(maks int) []Loggfort {
	b := p.bok
	b.mu.Lock()
	defer b.mu.Unlock()
	var ut []Loggfort
	for i := len(b.rekke) - 1; i >= 0 && len(ut) < maks; i-- {
		ut = append(ut, b.linje[b.rekke[i]].Loggfort)
	}
	return ut
}

// Melding gives one message of the log; ok is false when it is not, or no longer, there.
func (p *Plattform) Melding(id string) (l Loggfort, ok bool) { return p.bok.finn(id) }
