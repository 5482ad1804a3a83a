package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// katalog is all that a set-up says. Apply works on a copy and puts it in place when it holds: all or nothing.
type katalog struct {
	organisasjoner map[kommune.FiksOrgID]kommune.Organisasjon
	kommuner       map[kommune.Kommunenummer]kommune.Kommune
	mottakere      map[kommune.RessursID]kommune.Mottakerkonto
	integrasjoner  map[kommune.IntegrasjonID]kommune.Integrasjon
	tilganger      map[ports.Tilgangslinje]bool
}

func nyKatalog() katalog {
	return katalog{
		organisasjoner: map[kommune.FiksOrgID]kommune.Organisasjon{}, kommuner: map[kommune.Kommunenummer]kommune.Kommune{},
		mottakere: map[kommune.RessursID]kommune.Mottakerkonto{}, integrasjoner: map[kommune.IntegrasjonID]kommune.Integrasjon{},
		tilganger: map[ports.Tilgangslinje]bool{},
	}
}

func (k katalog) kopi() katalog {
	return katalog{organisasjoner: maps.Clone(k.organisasjoner), kommuner: maps.Clone(k.kommuner), mottakere: maps.Clone(k.mottakere),
		integrasjoner: maps.Clone(k.integrasjoner), tilganger: maps.Clone(k.tilganger)}
}

func kopiKommune(k kommune.Kommune) kommune.Kommune {
	k.Navn, k.FylkeNavn = maps.Clone(k.Navn), maps.Clone(k.FylkeNavn)
	return k
}

func kopiMottaker(m kommune.Mottakerkonto) kommune.Mottakerkonto {
	m.Bydel.Navn, m.Kommunenavn = maps.Clone(m.Bydel.Navn), maps.Clone(m.Kommunenavn)
	return m
}

func kopiIntegrasjon(i kommune.Integrasjon) kommune.Integrasjon {
	i.PassordMAC = slices.Clone(i.PassordMAC)
	return i
}

// kontroller is R3.
func (k katalog) kontroller() error {
	standard := map[kommune.Kommunenummer]int{}
	for r, m := range k.mottakere {
		if !m.Bydel.Aktiv {
			continue
		}
		if !m.Adresse.Hel() {
			return fmt.Errorf("mottaker %s er aktiv uten brevadresse: %w", r, ports.ErrRefused)
		}
		n := 0
		if m.Bydel.StandardMottaker {
			n = 1
		}
		standard[m.Bydel.Kommunenummer] += n
	}
	for nr, n := range standard {
		if n != 1 {
			return fmt.Errorf("kommune %s har %d aktive standardmottakere: %w", nr, n, ports.ErrRefused)
		}
	}
	return nil
}

// Apply: see ports.Registry. An integration that is described has exactly the grants listed; a line for one that is not only adds.
func (l *Lager) Apply(ctx context.Context, o ports.Oppsett) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	k := l.katalog.kopi()
	for _, x := range o.Organisasjoner {
		k.organisasjoner[x.FiksOrgID] = x
	}
	for _, x := range o.Kommuner {
		k.kommuner[x.Nummer] = kopiKommune(x)
	}
	for _, x := range o.Mottakere {
		k.mottakere[x.Bydel.RessursID] = kopiMottaker(x)
	}
	for _, x := range o.Integrasjoner {
		k.integrasjoner[x.ID] = kopiIntegrasjon(x)
		maps.DeleteFunc(k.tilganger, func(t ports.Tilgangslinje, _ bool) bool { return t.Integrasjon == x.ID })
	}
	for _, x := range o.Tilganger {
		k.tilganger[x] = true
	}
	if err := k.kontroller(); err != nil {
		return err
	}
	l.katalog = k
	return nil
}

// aktive lists the active bydeler of a kommune by number. The caller holds mu.
func (l *Lager) aktive(nr kommune.Kommunenummer) []kommune.Bydel {
	var ut []kommune.Bydel
	for _, m := range l.katalog.mottakere {
		if m.Bydel.Aktiv && m.Bydel.Kommunenummer == nr {
			ut = append(ut, kopiMottaker(m).Bydel)
		}
	}
	slices.SortFunc(ut, func(a, b kommune.Bydel) int { return cmp.Compare(a.Bydelsnummer, b.Bydelsnummer) })
	return ut
}

// Kommuner: see ports.Directory.
func (l *Lager) Kommuner(ctx context.Context) ([]kommune.Kommune, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ut []kommune.Kommune
	for _, nr := range slices.Sorted(maps.Keys(l.katalog.kommuner)) {
		if len(l.aktive(nr)) > 0 {
			ut = append(ut, kopiKommune(l.katalog.kommuner[nr]))
		}
	}
	return ut, ctx.Err()
}

// Bydeler: see ports.Directory.
func (l *Lager) Bydeler(ctx context.Context, k kommune.Kommunenummer) ([]kommune.Bydel, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.aktive(k), ctx.Err()
}

// Mottaker: see ports.Directory.
func (l *Lager) Mottaker(ctx context.Context, r kommune.RessursID) (kommune.Mottakerkonto, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return kommune.Mottakerkonto{}, err
	}
	m, ok := l.katalog.mottakere[r]
	if !ok {
		return m, fmt.Errorf("mottaker %s: %w", r, ports.ErrNotFound)
	}
	return kopiMottaker(m), nil
}

// Integrasjon: see ports.Access.
func (l *Lager) Integrasjon(ctx context.Context, id kommune.IntegrasjonID) (kommune.Integrasjon, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return kommune.Integrasjon{}, err
	}
	i, ok := l.katalog.integrasjoner[id]
	if !ok {
		return i, fmt.Errorf("integrasjon %s: %w", id, ports.ErrNotFound)
	}
	return kopiIntegrasjon(i), nil
}

// Har: see ports.Access.
func (l *Lager) Har(ctx context.Context, id kommune.IntegrasjonID, org kommune.FiksOrgID, t kommune.Tilgang) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.katalog.tilganger[ports.Tilgangslinje{Integrasjon: id, Org: org, Tilgang: t}], ctx.Err()
}

// Organisasjon: see ports.Access.
func (l *Lager) Organisasjon(ctx context.Context, id kommune.FiksOrgID) (kommune.Organisasjon, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return kommune.Organisasjon{}, err
	}
	o, ok := l.katalog.organisasjoner[id]
	if !ok {
		return o, fmt.Errorf("organisasjon %s: %w", id, ports.ErrNotFound)
	}
	return o, nil
}

// Begin: see ports.Dispatch. Update asks fn without holding mu.
func (l *Lager) Begin(ctx context.Context, id melding.ID, now time.Time, fn func(ports.Sendegrunnlag) (ports.Endring, error)) (ports.Begynt, error) {
	u, err := l.Update(ctx, id, func(u ports.Utgave) (_ ports.Endring, err error) {
		g := ports.Sendegrunnlag{Utgave: u}
		r := u.Melding.Fakta.RessursID
		if g.Konto, err = l.Mottaker(ctx, r); err != nil {
			return ports.Endring{}, err
		}
		if g.Godtatt, err = l.Accepted(ctx, kommune.MottakerEier(r), now); err != nil {
			return ports.Endring{}, err
		}
		return fn(g)
	})
	if err != nil {
		return ports.Begynt{}, err
	}
	b := ports.Begynt{Utgave: u}
	b.Innhold, b.Mangler = l.Open(ctx, id, melding.DelAsice)
	return b, nil
}

// Grunnlag: see ports.Access.
func (l *Lager) Grunnlag(ctx context.Context, s ports.Sporsmal) (ports.Grunnlag, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return ports.Grunnlag{}, err
	}
	linje := ports.Tilgangslinje{Integrasjon: s.Integrasjon, Org: s.Fra, Tilgang: kommune.TilgangSende}
	g := ports.Grunnlag{KanSende: l.katalog.tilganger[linje], TilPrint: l.godtatte(kommune.Printleverandor, s.Na)}
	linje.Tilgang = kommune.TilgangMotta
	g.KanMotta = l.katalog.tilganger[linje]
	if o, ok := l.katalog.organisasjoner[s.Fra]; ok {
		g.Organisasjon = &o
	}
	for _, m := range l.katalog.mottakere {
		if m.Bydel.Aktiv && m.Bydel.Kommunenummer == s.Kommune && m.Bydel.Bydelsnummer == s.Bydel {
			m = kopiMottaker(m)
			g.Mottaker = &m
		}
	}
	if g.Mottaker == nil {
		return g, nil
	}
	r := g.Mottaker.Bydel.RessursID
	g.TilMottaker = l.godtatte(kommune.MottakerEier(r), s.Na)
	if s.Lik != nil {
		g.Lik = l.finnLik(s.Fra, r, *s.Lik)
	}
	return g, nil
}

// finnLik gives the newest report that x fits. The caller holds mu.
func (l *Lager) finnLik(fra kommune.FiksOrgID, til kommune.RessursID, x ports.Likhet) melding.ID {
	var funnet *lagret
	for _, r := range l.meldinger {
		f := r.fakta
		if f.FraFiksOrgID == fra && f.RessursID == til && f.Slag == x.Slag && !f.Innsendt.Before(x.Siden) &&
			f.Deler[melding.DelAsice].Storrelse == x.Asice && f.Deler[melding.DelPDF].Storrelse == x.PDF &&
			(funnet == nil || f.Innsendt.After(funnet.fakta.Innsendt)) {
			funnet = r
		}
	}
	if funnet == nil {
		return ""
	}
	return funnet.fakta.ID
}
