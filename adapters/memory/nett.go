package memory

import (
	"cmp"
	"crypto/x509"
	"slices"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// Ankommet is one message as a receiving account sees it.
type Ankommet struct {
	Ref          string          // the platform's id for it
	Fra          kommune.KontoID // the portal that sent it
	Konto        kommune.KontoID
	Meldingstype string
	Forsok       melding.ForsokID
	Melding      melding.ID
	Innhold      melding.Forseglet
	Utlop        time.Time // not taken by then, the platform tells the sender
}

// Utelat in SvarTil, Korrelasjon or AvsenderKonto of an answer means that it really is empty.
const Utelat = "-"

// Nett is a digital channel in memory: accounts on the far side, one Transport for each portal on the near side. It keeps its own
// time by the clock it is given and starts no goroutine: what is due happens in the call that finds it due, Lever, Receive or Ta.
type Nett struct {
	// Pause is how long an answer that was not taken waits before it comes again.
	Pause time.Duration

	klokke ports.Clock
	start  time.Time

	mu     sync.Mutex
	konti  map[kommune.KontoID]*Konto
	poster []*post // on their way, both directions
	nede   bool
	brudd  int // how many times the connection was broken
	skript func(Post) Virkning
	nr     int // of posts
	refnr  int
	endret chan struct{} // closed and replaced when anything happens
}

// post is one message or answer on its way; for is who gets it.
type post struct {
	nr   int
	klar time.Time
	til  kommune.KontoID
	ank  *Ankommet     // to an account
	svar *melding.Svar // to a portal
}

// NyttNett is a channel without accounts, where everything arrives at once.
func NyttNett(k ports.Clock) *Nett {
	return &Nett{klokke: k, start: k.Now(), Pause: time.Second, konti: map[kommune.KontoID]*Konto{}, endret: make(chan struct{})}
}

// Konto is one receiving account.
type Konto struct {
	n          *Nett
	id         kommune.KontoID
	stengt     bool
	ta         func(Ankommet)
	sertifikat *x509.Certificate // what the catalogue shows
}

// Konto opens an account, or gives the one that is there. An account nobody opened does not exist, and a send to it is refused.
func (n *Nett) Konto(id kommune.KontoID) *Konto {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := n.konti[id]
	if k == nil {
		k = &Konto{n: n, id: id}
		n.konti[id] = k
	}
	return k
}

// Steng makes the account refuse, or take again.
func (k *Konto) Steng(stengt bool) {
	k.n.mu.Lock()
	defer k.n.mu.Unlock()
	k.stengt = stengt
}

// VedAnkomst takes each message by itself and runs fn with it; nil = messages lie until Ta. A message that is not delayed is taken
// before Send returns.
func (k *Konto) VedAnkomst(fn func(Ankommet)) {
	k.n.mu.Lock()
	k.ta = fn
	k.n.mu.Unlock()
	k.n.fram()
}

// Ta takes the next message that has arrived.
func (k *Konto) Ta() (Ankommet, bool) {
	k.n.fram()
	k.n.mu.Lock()
	defer k.n.mu.Unlock()
	if p := k.n.neste(k.id); p != nil && p.ank != nil {
		k.n.fjern(p)
		return *p.ank, true
	}
	return Ankommet{}, false
}

// Nede breaks every connection until it is called with false: a send fails with an unknown outcome, nothing is received, and what was
// being taken comes again.
func (n *Nett) Nede(nede bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if nede && !n.nede {
		n.brudd++
	}
	n.nede = nede
	n.meld()
}

// Svar sends an answer from the account that took a. What s leaves empty is filled in as the platform does; Utelat leaves it empty.
func (n *Nett) Svar(a Ankommet, s melding.Svar) {
	fyll := func(v, ellers string) string {
		if v == Utelat {
			return ""
		}
		return cmp.Or(v, ellers)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.ID == "" {
		s.ID = n.nyttRef()
	}
	s.SvarTil, s.Korrelasjon = fyll(s.SvarTil, a.Ref), fyll(s.Korrelasjon, string(a.Melding))
	s.AvsenderKonto = kommune.KontoID(fyll(string(s.AvsenderKonto), string(a.Konto)))
	_ = n.legg(Post{Svar: true, Konto: a.Konto, Meldingstype: s.Meldingstype, Forsok: a.Forsok, Melding: a.Melding}, &post{til: a.Fra, svar: &s})
}

// legg puts something on its way as the script says. The caller holds mu.
func (n *Nett) legg(hva Post, p *post) error {
	n.nr++
	hva.Nr, p.nr, p.klar = n.nr, n.nr, n.klokke.Now()
	var v Virkning
	if n.skript != nil {
		v = n.skript(hva)
	}
	p.klar = p.klar.Add(v.Forsinkelse)
	if v.Foran {
		p.nr = -p.nr
	}
	if !v.Tap {
		n.poster = append(n.poster, p)
		if v.Dobbel {
			igjen := *p
			n.poster = append(n.poster, &igjen)
		}
		slices.SortStableFunc(n.poster, func(a, b *post) int { return cmp.Or(a.klar.Compare(b.klar), cmp.Compare(a.nr, b.nr)) })
	}
	n.meld()
	return v.Feil
}

// neste is the first that has come for an account; fjern takes it away. The caller holds mu.
func (n *Nett) neste(til kommune.KontoID) *post {
	na := n.klokke.Now()
	for _, p := range n.poster {
		if p.til == til && !p.klar.After(na) {
			return p
		}
	}
	return nil
}

func (n *Nett) fjern(p *post) {
	n.poster = slices.DeleteFunc(n.poster, func(x *post) bool { return x == p })
}

func (n *Nett) meld() {
	close(n.endret)
	n.endret = make(chan struct{})
}

func (n *Nett) nyttRef() string {
	n.refnr++
	// A UUID: the same in every run under a fake clock, and never one that an earlier process has used under a real one. A store
	// remembers the ids of answers for ever.
	return string(melding.NyForsokID("", "nett/"+n.start.Format(time.RFC3339Nano), n.refnr))
}

// fram does what is due on the far side: messages to those who take by themselves, and word of those nobody took in time.
func (n *Nett) fram() {
	for {
		n.mu.Lock()
		var fn func()
		na := n.klokke.Now()
		for _, p := range n.poster {
			if p.ank == nil {
				continue
			}
			if k := n.konti[p.til]; !p.klar.After(na) && k.ta != nil && na.Before(p.ank.Utlop) {
				ta, a := k.ta, *p.ank
				n.fjern(p)
				fn = func() { ta(a) }
				break
			}
			if !na.Before(p.ank.Utlop) {
				a := *p.ank
				n.fjern(p)
				fn = func() {
					n.Svar(a, melding.Svar{ID: a.Ref + "-tidsavbrudd", Meldingstype: protokoll.Tidsavbrudd, AvsenderKonto: Utelat})
				}
				break
			}
		}
		n.mu.Unlock()
		if fn == nil {
			return
		}
		fn() // outside the lock: it answers, and may wait
	}
}

// Neste is when something happens next without anybody doing anything; zero = never.
func (n *Nett) Neste() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.nesteTid()
}

// nesteTid looks at what is still to come only: what has come and lies untaken waits for a person, not for time.
func (n *Nett) nesteTid() (t time.Time) {
	na := n.klokke.Now()
	tidligst := func(x time.Time) {
		if x.After(na) && (t.IsZero() || x.Before(t)) {
			t = x
		}
	}
	for _, p := range n.poster {
		tidligst(p.klar)
		if p.ank != nil {
			tidligst(p.ank.Utlop)
		}
	}
	return t
}
