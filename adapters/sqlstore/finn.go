package sqlstore

import (
	"context"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

// FindRef maps the world's name for an attempt to its report.
func (s *Store) FindRef(ctx context.Context, ref string) (melding.ID, error) {
	var id melding.ID
	r, err := s.sporRad(ctx, "SELECT melding FROM referanse WHERE ref = ?1", rentTekst(ref))
	if err == nil {
		err = r.Scan(&id)
	}
	return id, s.feil("referanse "+ref, err)
}

// Breaches is levering.Kontroller as one query. It looks at reports that are not delivered and at open attempts, both few, through
// indexes that hold nothing else; delivered reports without open attempts are never touched [S10].
//
// The order is the partial index's own, and the counts are scalar subqueries: so both planners go through the indexes also when
// their statistics are missing or old, and never build a hash of the whole queue.
func (s *Store) Breaches(ctx context.Context, max int) ([]melding.ID, error) {
	var ut []melding.ID
	err := s.les.NewRaw(bruddsporring, bruddargumenter(max)...).Scan(ctx, &ut)
	return ut, s.feil("meldinger uten planlagt arbeid", err)
}

func bruddargumenter(max int) []any {
	return []any{levering.SakAnnenKonto, melding.AKSEPTERT, melding.SENDT_FAGSYSTEM, levering.KoFrist, max,
		melding.Sendeforsok, levering.KoSend, levering.SakAnnenKonto, max, max}
}

const bruddsporring = `
SELECT id FROM (
  SELECT m.id FROM melding m WHERE m.tilstand <> 'LEVERT' AND (
    (SELECT count(*) FROM oppdrag o WHERE o.melding = m.id) = 0
      AND (SELECT count(*) FROM sak s WHERE s.melding = m.id AND s.lukket IS NULL AND s.art <> ?) = 0
    OR m.tilstand IN (?, ?) AND NOT m.brev_bestilt
      AND (SELECT count(*) FROM oppdrag o WHERE o.melding = m.id AND o.ko = ?) = 0)
  ORDER BY m.innsendt, m.id LIMIT ?) uleverte
UNION
SELECT id FROM (
  SELECT DISTINCT a.melding AS id FROM apent_forsok a
  WHERE (SELECT count(*) FROM oppdrag o WHERE o.melding = a.melding AND (o.forsok = a.forsok OR a.art = ? AND o.ko = ?)) = 0
    AND (SELECT count(*) FROM sak s WHERE s.melding = a.melding AND s.lukket IS NULL AND s.art <> ?) = 0
  ORDER BY a.melding LIMIT ?) forsok
LIMIT ?`
