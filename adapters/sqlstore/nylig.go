package sqlstore

import (
	"context"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// What is kept of new reports: so many, and none with more content for its receiver than this. The rest is read again.
const (
	maksNylige       = 64
	maksNyligInnhold = 256 << 10
)

// nylig is a new report as this process stored it, for the send that it begins the instant after.
type nylig struct {
	lest

	asice melding.Forseglet
}

// nylige are kept until their send begins. One whose send never does is forgotten when there is no room.
type nylige struct {
	mu sync.Mutex
	av map[melding.ID]*nylig
}

func (n *nylige) behold(x *nylig) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.av == nil || len(n.av) >= maksNylige {
		n.av = map[melding.ID]*nylig{}
	}
	n.av[x.id] = x
}

// ta gives a report once, and nil for one that is not kept.
func (n *nylige) ta(id melding.ID) *nylig {
	n.mu.Lock()
	defer n.mu.Unlock()
	x := n.av[id]
	delete(n.av, id)
	return x
}

// huskNy keeps what was stored when its send is the caller's own (ports.Ny.Leier).
func (s *Store) huskNy(rad *meldingRad, n ports.Ny, u ports.Utgave, deler []lestDel) {
	if len(n.Leier) == 0 || len(u.Owed) != 2 || len(u.Saker) > 0 {
		return
	}
	x := &nylig{lest: lest{id: rad.ID, fantes: true, rad: *rad, hh: hendelseRader(rad.ID, u.Melding.Historikk)}}
	for _, o := range u.Owed {
		x.oo = append(x.oo, *nyOppdragRad(o))
	}
	for _, d := range deler {
		if d.navn == melding.DelAsice && len(d.innhold) <= maksNyligInnhold {
			x.asice = melding.ForsegletBytes(d.forsegling, d.innhold)
			s.nylige.behold(x)
		}
	}
}

// A report is its facts, its history, its work and its cases. Facts are fixed and events only added (triggers see to both); an item that
// was settled and made again is told by its instant, and a new report has no case. Erasure is an event.
const urortSporring = `SELECT k.nr, (SELECT count(*) FROM hendelse h WHERE h.melding = ?1), (SELECT count(*) FROM sak x WHERE x.melding = ?1),
(SELECT count(*) FROM oppdrag o WHERE o.melding = ?1),
(SELECT count(*) FROM oppdrag o WHERE o.melding = ?1 AND (o.id = ?2 AND o.forfall = ?3 OR o.id = ?4 AND o.forfall = ?5)) FROM katalogversjon k`

// begynnUrort is Begin for a report about which nothing has been written since this process stored it, and nothing is to be written now:
// one question, on one snapshot, of what has come in between. It takes no lock, since nothing is judged that it would keep from changing
// the instant after. ok = false: it is not so, or nobody knows; Begin reads it all.
func (s *Store) begynnUrort(ctx context.Context, x *nylig, now time.Time, fn func(ports.Sendegrunnlag) (ports.Endring, error)) (b ports.Begynt, ok bool) {
	var nr int64
	var hendelser, saker, oppdrag, like int
	rad, err := s.sporRad(ctx, urortSporring, string(x.id), string(x.oo[0].ID), x.oo[0].Forfall, string(x.oo[1].ID), x.oo[1].Forfall)
	if err != nil || rad.Scan(&nr, &hendelser, &saker, &oppdrag, &like) != nil {
		return b, false
	}
	m := s.mottakere.hent(x.rad.RessursID)
	if m == nil || m.nr != nr || hendelser != len(x.hh) || saker != 0 || oppdrag != len(x.oo) || like != oppdrag {
		return b, false
	}
	u, err := x.utgave()
	if err != nil {
		return b, false
	}
	e, err := fn(ports.Sendegrunnlag{Utgave: u, Konto: egen(m.konto), Godtatt: godtatte(m.sertifikater, now)})
	return ports.Begynt{Utgave: u, Innhold: x.asice}, err == nil && e.Tom()
}
