package sqlstore

import (
	"context"
	"crypto/x509"
	"errors"
	"maps"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

type grunnlagsnokkel struct {
	integrasjon kommune.IntegrasjonID
	fra         kommune.FiksOrgID
	kommune     kommune.Kommunenummer
	bydel       kommune.Bydelsnummer
}

// lestGrunnlag is an answer before it is judged at an instant. Nobody changes it but for sist.
type lestGrunnlag struct {
	nr                    int64
	kanSende, kanMotta    bool
	organisasjon          *kommune.Organisasjon
	mottaker              *kommune.Mottakerkonto
	tilMottaker, tilPrint []lestSertifikat
	sist                  atomic.Int64 // when it was last found to be right, by the questioner's clock, in µs
}

type lestSertifikat struct {
	c         *x509.Certificate
	erstattet *int64
}

// slipperInn: only an answer that lets somebody in is kept; a stranger's questions fill nothing.
func (g *lestGrunnlag) slipperInn() bool {
	return g.kanSende && g.organisasjon != nil && g.mottaker != nil
}

// Grunnlag: see ports.Access. Usually one statement.
func (s *Store) Grunnlag(ctx context.Context, q ports.Sporsmal) (ports.Grunnlag, error) {
	hva := "grunnlag for " + string(q.Integrasjon)
	n := grunnlagsnokkel{q.Integrasjon, q.Fra, q.Kommune, q.Bydel}
	g := s.grunnlag.hent(n)
	var nr int64
	var lik melding.ID
	var err error
	if g != nil && q.Omtrent && q.Lik == nil && g.omtrent(q.Na) {
		return g.svar(q.Na, ""), nil
	}
	if g != nil {
		if nr, lik, err = s.nrOgLik(ctx, q, g); err != nil {
			return ports.Grunnlag{}, s.feil(hva, err)
		}
	}
	if g == nil || nr != g.nr {
		if g, err = s.lesGrunnlag(ctx, hva, n); err != nil {
			return ports.Grunnlag{}, err
		}
		if g.slipperInn() {
			s.grunnlag.behold(g.nr, n, g)
		}
		// Another directory may have another receiver.
		if _, lik, err = s.nrOgLik(ctx, q, g); err != nil {
			return ports.Grunnlag{}, s.feil(hva, err)
		}
	}
	g.sist.Store(mikro(q.Na))
	return g.svar(q.Na, lik), nil
}

func (g *lestGrunnlag) omtrent(na time.Time) bool {
	alder := mikro(na) - g.sist.Load()
	return alder >= 0 && alder < ports.OmtrentTid.Microseconds()
}

// svar is a copy, the caller's own.
func (g *lestGrunnlag) svar(na time.Time, lik melding.ID) ports.Grunnlag {
	ut := ports.Grunnlag{KanSende: g.kanSende, KanMotta: g.kanMotta, TilMottaker: godtatte(g.tilMottaker, na), TilPrint: godtatte(g.tilPrint, na), Lik: lik}
	if g.organisasjon != nil {
		o := *g.organisasjon
		ut.Organisasjon = &o
	}
	if g.mottaker != nil {
		m := egen(*g.mottaker)
		ut.Mottaker = &m
	}
	return ut
}

// egen shares nothing with m that anybody may write to.
func egen(m kommune.Mottakerkonto) kommune.Mottakerkonto {
	m.Bydel.Navn, m.Kommunenavn = maps.Clone(m.Bydel.Navn), maps.Clone(m.Kommunenavn)
	return m
}

func godtatte(ss []lestSertifikat, na time.Time) (ut []*x509.Certificate) {
	for _, s := range ss {
		if s.erstattet == nil || *s.erstattet > mikro(na.Add(-ports.Overlap)) {
			ut = append(ut, s.c)
		}
	}
	return ut
}

const nrSporring = "SELECT nr FROM katalogversjon"

// The empty text after ressurs_id: a plan made while the table was empty must not go through the receiver's index, which holds all that was ever sent to it.
const likSporring = `SELECT nr, coalesce((SELECT id FROM melding
WHERE fra_fiks_org_id = ?1 AND ressurs_id || '' = ?2 AND slag = ?3 AND innsendt >= ?4 AND str_asice = ?5 AND str_pdf = ?6
ORDER BY innsendt DESC, id DESC LIMIT 1), '') FROM katalogversjon`

// nrOgLik reads what can never be kept.
func (s *Store) nrOgLik(ctx context.Context, q ports.Sporsmal, g *lestGrunnlag) (nr int64, lik melding.ID, err error) {
	if q.Lik == nil || g.mottaker == nil {
		rad, err := s.sporRad(ctx, nrSporring)
		if err != nil {
			return 0, "", err
		}
		return nr, "", rad.Scan(&nr)
	}
	rad, err := s.sporRad(ctx, likSporring, string(q.Fra), string(g.mottaker.Bydel.RessursID), string(q.Lik.Slag), mikro(q.Lik.Siden), q.Lik.Asice, q.Lik.PDF)
	if err != nil {
		return 0, "", err
	}
	err = rad.Scan(&nr, &lik)
	return nr, lik, err
}

// lesGrunnlag reads the whole answer and its number on one snapshot: the same work whether or not there is anything to find (D11).
func (s *Store) lesGrunnlag(ctx context.Context, hva string, n grunnlagsnokkel) (*lestGrunnlag, error) {
	g := &lestGrunnlag{}
	err := s.iLes(ctx, hva, func(tx bun.Tx) error {
		if err := tx.NewRaw(nrSporring).Scan(ctx, &g.nr); err != nil {
			return s.feil(hva, err)
		}
		var tt []tilgangRad
		if err := tx.NewSelect().Model(&tt).Where("t.integrasjon = ? AND t.org = ?", n.integrasjon, n.fra).Scan(ctx); err != nil {
			return s.feil(hva, err)
		}
		for _, t := range tt {
			g.kanSende = g.kanSende || t.Tilgang == kommune.TilgangSende
			g.kanMotta = g.kanMotta || t.Tilgang == kommune.TilgangMotta
		}
		var o organisasjonRad
		switch err := s.feil(hva, tx.NewSelect().Model(&o).Where("og.fiks_org_id = ?", n.fra).Scan(ctx)); {
		case err == nil:
			g.organisasjon = &kommune.Organisasjon{FiksOrgID: o.FiksOrgID, Orgnr: o.Orgnr, Navn: o.Navn}
		case !errors.Is(err, ports.ErrNotFound):
			return err
		}
		var m mottakerRad
		switch err := s.feil(hva, tx.NewSelect().Model(&m).Where("mo.kommunenummer = ? AND mo.bydelsnummer = ? AND mo.aktiv", n.kommune, n.bydel).
			Order("mo.ressurs_id").Limit(1).Scan(ctx)); {
		case err == nil:
			k, err := m.konto()
			if err != nil {
				return err
			}
			g.mottaker = &k
		case !errors.Is(err, ports.ErrNotFound):
			return err
		}
		var err error
		if g.tilMottaker, err = s.lesSertifikater(ctx, tx, kommune.MottakerEier(m.RessursID)); err != nil {
			return err
		}
		g.tilPrint, err = s.lesSertifikater(ctx, tx, kommune.Printleverandor)
		return err
	})
	return g, err
}

// lesSertifikater reads all that are not revoked, newest first.
func (s *Store) lesSertifikater(ctx context.Context, db bun.IDB, eier kommune.Eier) ([]lestSertifikat, error) {
	var rr []sertifikatRad
	if err := db.NewSelect().Model(&rr).Where("c.eier_art = ? AND c.eier_id = ? AND c.trukket IS NULL", eier.Art, eier.ID).
		Order("c.annonsert DESC", "c.seq DESC").Scan(ctx); err != nil {
		return nil, s.feil("sertifikater til "+eier.String(), err)
	}
	var ut []lestSertifikat
	for _, r := range rr {
		c, err := r.sertifikat()
		if err != nil {
			return nil, err
		}
		ut = append(ut, lestSertifikat{c, r.Erstattet})
	}
	return ut, nil
}
