package sqlstore

import (
	"context"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// What is kept: so many reports, each owing no more than this, and content for its receiver only of a report whose send begins the
// instant after, no larger than this. The rest is read again.
const (
	maksNylige       = 1024
	maksNyligOppdrag = 2
	maksNyligInnhold = 256 << 10
)

// nylig is a report as this process wrote it last. Most reports are written a few times within a second by one process, which then need
// not read back what it wrote: it asks whether anybody has written since (urort). A kept row that is not what the database has is never used.
type nylig struct {
	lest

	asice melding.Forseglet // or none
}

type nylige struct {
	mu sync.Mutex
	av map[melding.ID]*nylig
}

// behold forgets another when there is no room, whichever it may be.
func (n *nylige) behold(x *nylig) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.av == nil {
		n.av = map[melding.ID]*nylig{}
	}
	if n.av[x.id] == nil && len(n.av) >= maksNylige {
		for id := range n.av {
			delete(n.av, id)
			break
		}
	}
	n.av[x.id] = x
}

// ta gives a report once, so that nobody else judges by what its taker is about to change; nil = it is not kept.
func (n *nylige) ta(id melding.ID) *nylig {
	n.mu.Lock()
	defer n.mu.Unlock()
	x := n.av[id]
	delete(n.av, id)
	return x
}

// beholdUtgave keeps u, which has just been committed, when urort can tell that it has not changed. rad holds its facts.
func (s *Store) beholdUtgave(rad meldingRad, u ports.Utgave, asice melding.Forseglet) {
	if len(u.Owed) == 0 || len(u.Owed) > maksNyligOppdrag || len(u.Saker) > 0 || u.Melding.Tilstand() == melding.LEVERT {
		return
	}
	rad.avledet = avled(u.Melding, u.Slettet)
	x := &nylig{lest: lest{id: rad.ID, fantes: true, rad: rad, hh: hendelseRader(rad.ID, u.Melding.Historikk)}, asice: asice}
	for _, o := range u.Owed {
		if o.Svar != nil || o.Jobb != nil {
			return
		}
		x.oo = append(x.oo, *nyOppdragRad(o))
	}
	s.nylige.behold(x)
}

// urort is true when ?1 to ?4 is the last event of report ?1, and it owes ?5 items, those of ?6 to ?9. A report is its facts, its history,
// its work and its cases: facts are fixed and events only added (triggers see to both; the last one is told by its instant, for a database
// that was put back from a copy), an item that was settled and made again is told by its instant, and what is kept has no case. Erasure
// is an event.
const urort = `coalesce((SELECT h.sekvens = ?2 AND h.tidspunkt = ?3 AND h.kode = ?4 FROM hendelse h WHERE h.melding = ?1 ORDER BY h.sekvens DESC LIMIT 1)
AND NOT EXISTS (SELECT 1 FROM sak x WHERE x.melding = ?1)
AND (SELECT count(*) = ?5 AND count(CASE WHEN o.id = ?6 AND o.forfall = ?7 OR o.id = ?8 AND o.forfall = ?9 THEN 1 END) = ?5 FROM oppdrag o WHERE o.melding = ?1), false)`

func (x *nylig) urortArgs() []any {
	h, forste, siste := x.hh[len(x.hh)-1], x.oo[0], x.oo[len(x.oo)-1]
	return []any{string(x.id), int64(h.Sekvens), h.Tidspunkt, string(h.Kode), int64(len(x.oo)), string(forste.ID), forste.Forfall, string(siste.ID), siste.Forfall}
}

// begynnHusket is Begin for a report that is as this process wrote it, when nothing is to be written: one question, on one snapshot. It
// takes no lock, since nothing is judged that it would keep from changing the instant after. ok = false: it is not so, or nobody knows.
func (s *Store) begynnHusket(ctx context.Context, id melding.ID, now time.Time, fn func(ports.Sendegrunnlag) (ports.Endring, error)) (b ports.Begynt, ok bool) {
	x := s.nylige.ta(id)
	if x == nil || x.asice.Tom() {
		return b, false
	}
	var nr int64
	var samme bool
	rad, err := s.sporRad(ctx, "SELECT nr, "+urort+" FROM katalogversjon", x.urortArgs()...)
	if err != nil || rad.Scan(&nr, &samme) != nil || !samme {
		return b, false
	}
	m := s.mottakere.hent(x.rad.RessursID)
	u, err := x.utgave()
	if m == nil || m.nr != nr || err != nil {
		return b, false
	}
	e, err := fn(ports.Sendegrunnlag{Utgave: u, Konto: egen(m.konto), Godtatt: godtatte(m.sertifikater, now)})
	if err != nil || !e.Tom() {
		return b, false
	}
	s.nylige.behold(&nylig{lest: x.lest})
	return ports.Begynt{Utgave: u, Innhold: x.asice}, true
}

// krev is a statement that fails, and the transaction with it, unless hva is true.
func (s *Store) krev(hva, ellers string, args ...any) Setning {
	var n int
	x := s.setning("SELECT CAST(CASE WHEN "+hva+" THEN '1' ELSE '"+ellers+"' END AS integer)", args...)
	x.Rad = func(skann func(...any) error) error { return skann(&n) }
	return x
}

// oppdaterHusket is oppdater in one round trip, for a report that is as this process wrote it: fn has judged by what is kept, and what it
// answers is committed only if that, under the report's lock, is what the database has. ogsa must hold too. A crash leaves what one in
// oppdater leaves. ok = false: it is not so, or there is nothing to write; nothing is written.
func (s *Store) oppdaterHusket(ctx context.Context, id melding.ID, fn func(ports.Utgave) (ports.Endring, error), ogsa ...Setning) (ny ports.Utgave, ok bool, err error) {
	if s.d.Samlet == nil || s.skriv == nil {
		return ny, false, nil
	}
	x := s.nylige.ta(id)
	if x == nil {
		return ny, false, nil
	}
	ny, skriv, err := s.bedom(&x.lest, fn)
	if err != nil || len(skriv) == 0 || innhold(skriv) > storSamling {
		return ny, false, nil
	}
	las := s.setning("SELECT id FROM melding WHERE id = ?1 FOR "+s.d.Las, string(id))
	las.Rad = func(skann func(...any) error) error { var id string; return skann(&id) }
	ss := append([]Setning{las, s.krev(urort, "meldingen er endret", x.urortArgs()...)}, ogsa...)
	if err := s.d.Samlet(ctx, s.skriv.DB, append(ss, skriv...)); err != nil {
		if k, _ := s.d.Klasse(err); k == Avvist {
			return ny, false, nil
		}
		return ny, false, s.feil("melding "+string(id), err)
	}
	s.beholdUtgave(x.rad, ny, melding.Forseglet{})
	return ny, true, nil
}
