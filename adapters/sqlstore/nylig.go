package sqlstore

import (
	"context"
	"slices"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// What is kept: so many reports, each with no more work and history than this, for so long, and so much content of all of them together.
// The rest is read again.
const (
	maksNylige         = 1024
	maksNyligOppdrag   = 2
	maksNyligHistorikk = 64
	maksNyligInnhold   = 8 << 20
	nyligLevetid       = 30 * time.Second
)

// nylig is a report as this process wrote it last. Most reports are written a few times within a second by one process, which then need
// not read back what it wrote: it asks whether anybody has written since (urort). A kept row that is not what the database has is never used.
type nylig struct {
	lest

	asice melding.Forseglet // what its send needs, when that begins the instant after; or none
	glem  *time.Timer
}

type nylige struct {
	mu      sync.Mutex
	av      map[melding.ID]*nylig
	innhold int64 // bytes
}

// behold forgets another when there is no room, whichever it may be.
func (n *nylige) behold(x *nylig) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.av == nil {
		n.av = map[melding.ID]*nylig{}
	}
	n.slipp(n.av[x.id])
	for _, y := range n.av {
		if len(n.av) < maksNylige {
			break
		}
		n.slipp(y)
	}
	if n.innhold+x.asice.Storrelse() > maksNyligInnhold {
		x.asice = melding.Forseglet{}
	}
	n.av[x.id], n.innhold = x, n.innhold+x.asice.Storrelse()
	x.glem = time.AfterFunc(nyligLevetid, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.av[x.id] == x {
			n.slipp(x)
		}
	})
}

func (n *nylige) slipp(x *nylig) {
	if x != nil {
		x.glem.Stop()
		delete(n.av, x.id)
		n.innhold -= x.asice.Storrelse()
	}
}

// ta gives a report once, so that nobody else judges by what its taker is about to change; nil = it is not kept.
func (n *nylige) ta(id melding.ID) *nylig {
	n.mu.Lock()
	defer n.mu.Unlock()
	x := n.av[id]
	n.slipp(x)
	return x
}

// beholdUtgave keeps u, which has just been committed, when urort can tell that it has not changed. forst is what is known of its rows:
// the facts, and the beginning of its history.
func (s *Store) beholdUtgave(forst lest, u ports.Utgave, asice melding.Forseglet) {
	if len(u.Owed) == 0 || len(u.Owed) > maksNyligOppdrag || len(u.Saker) > 0 || len(u.Melding.Historikk) > maksNyligHistorikk ||
		u.Melding.Tilstand() == melding.LEVERT {
		return
	}
	x := &nylig{lest: lest{id: forst.id, fantes: true, rad: forst.rad}, asice: asice}
	x.rad.avledet = avled(u.Melding, u.Slettet)
	x.hh = append(slices.Clip(forst.hh), hendelseRader(x.id, u.Melding.Historikk[len(forst.hh):])...)
	for _, o := range u.Owed {
		if o.Svar != nil || o.Jobb != nil {
			return
		}
		x.oo = append(x.oo, *nyOppdragRad(o))
	}
	if x.lesesSomSkrevet() {
		s.nylige.behold(x)
	}
}

// lesesSomSkrevet is whether the database has the very texts: it keeps none that is not text (rentTekst).
func (x *nylig) lesesSomSkrevet() bool {
	rent := func(verdier []any) bool {
		return !slices.ContainsFunc(verdier, func(v any) bool { t, ok := v.(string); return ok && t != rentTekst(t) })
	}
	return rent(x.rad.verdier()) && !slices.ContainsFunc(x.hh, func(h hendelseRad) bool { return !rent(h.verdier()) })
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

// begynnHusket is Begin for a report that is as this process wrote it. When nothing is to be written it is one question, on one snapshot,
// that takes no lock: nothing is judged that a lock would keep from changing the instant after. ok = false: as in oppdaterHusket.
func (s *Store) begynnHusket(ctx context.Context, id melding.ID, now time.Time, fn func(ports.Sendegrunnlag) (ports.Endring, error)) (b ports.Begynt, ok bool, err error) {
	x := s.nylige.ta(id)
	if x == nil {
		return b, false, nil
	}
	m := s.mottakere.hent(x.rad.RessursID)
	if m == nil {
		return b, false, nil
	}
	ny, skriv, ok := s.bedomHusket(x, func(u ports.Utgave) (ports.Endring, error) {
		return fn(ports.Sendegrunnlag{Utgave: u, Konto: egen(m.konto), Godtatt: godtatte(m.sertifikater, now)})
	})
	if !ok {
		return b, false, nil
	}
	b = ports.Begynt{Utgave: ny, Innhold: x.asice}
	if len(skriv) == 0 {
		if x.asice.Tom() || !s.erUrort(ctx, x, m.nr) {
			return b, false, nil
		}
		s.nylige.behold(&nylig{lest: x.lest}) // its content is on its way
		return b, true, nil
	}
	ogsa := []Setning{s.krev("(SELECT nr FROM katalogversjon) = ?1", "katalogen er endret", m.nr)}
	sporring, d := s.delSporring(id, melding.DelAsice)
	if x.asice.Tom() {
		ogsa = append(ogsa, sporring)
	}
	if ok, err = s.skrivHusket(ctx, x, ny, skriv, ogsa...); ok && x.asice.Tom() {
		b.Innhold, b.Mangler = d.forseglet(delnavn(id, melding.DelAsice), ny.Melding.Fakta.Deler[melding.DelAsice])
	}
	return b, ok, err
}

// oppdaterHusket is oppdater in one round trip, for a report that is as this process wrote it. ok = false: it is not so, or there is nothing
// to write; nothing is written.
func (s *Store) oppdaterHusket(ctx context.Context, id melding.ID, fn func(ports.Utgave) (ports.Endring, error), ogsa ...Setning) (ny ports.Utgave, ok bool, err error) {
	if s.d.Samlet == nil { // the database is in this process: reading again costs less than asking fn twice
		return ny, false, nil
	}
	x := s.nylige.ta(id)
	if x == nil {
		return ny, false, nil
	}
	ny, skriv, ok := s.bedomHusket(x, fn)
	if !ok || len(skriv) == 0 {
		return ny, false, nil
	}
	ok, err = s.skrivHusket(ctx, x, ny, skriv, ogsa...)
	return ny, ok, err
}

// bedomHusket is bedom by what is kept. ok = false: fn has an error, which counts when it has it about what the database has.
func (s *Store) bedomHusket(x *nylig, fn func(ports.Utgave) (ports.Endring, error)) (ny ports.Utgave, skriv []Setning, ok bool) {
	ny, skriv, err := s.bedom(&x.lest, fn)
	return ny, skriv, err == nil
}

// erUrort asks whether x, and the directory of number nr, are what the database has.
func (s *Store) erUrort(ctx context.Context, x *nylig, nr int64) (er bool) {
	rad, err := s.sporRad(ctx, "SELECT nr = ?10 AND "+urort+" FROM katalogversjon", append(x.urortArgs(), nr)...)
	return err == nil && rad.Scan(&er) == nil && er
}

// skrivHusket commits what was judged by x, if that, under the report's lock, is what the database has, and ogsa holds too. A crash or a
// break leaves it unknown whether it is committed: the server has all it needs, also while it waits for the lock.
func (s *Store) skrivHusket(ctx context.Context, x *nylig, ny ports.Utgave, skriv []Setning, ogsa ...Setning) (ok bool, err error) {
	if s.d.Samlet == nil || s.skriv == nil || innhold(skriv) > storSamling {
		return false, nil
	}
	las := s.setning("SELECT id FROM melding WHERE id = ?1 FOR "+s.d.Las, string(x.id))
	las.Rad = func(skann func(...any) error) error { return skann(new(string)) }
	ss := append([]Setning{las, s.krev(urort, "meldingen er endret", x.urortArgs()...)}, ogsa...)
	if err := s.d.Samlet(ctx, s.skriv.DB, append(ss, skriv...)); err != nil {
		if k, _ := s.d.Klasse(err); k == Avvist {
			return false, nil
		}
		return false, s.feil("melding "+string(x.id), err)
	}
	s.beholdUtgave(x.lest, ny, melding.Forseglet{})
	return true, nil
}

// krev is a statement that fails, and the transaction with it, unless hva is true.
func (s *Store) krev(hva, ellers string, args ...any) Setning {
	x := s.setning("SELECT CAST(CASE WHEN "+hva+" THEN '1' ELSE '"+ellers+"' END AS integer)", args...)
	x.Rad = func(skann func(...any) error) error { return skann(new(int)) }
	return x
}
