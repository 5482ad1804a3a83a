package sqlstore

import (
	"context"
	"fmt"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Create: see ports.Store. Everything about n is judged and read before the transaction begins, so that a slow spool file or a wrong
// sum never holds the writer.
func (s *Store) Create(ctx context.Context, n ports.Ny) (melding.ID, error) {
	f := n.Fakta
	hva := "melding " + string(f.ID)
	u := ports.Utgave{Melding: melding.Melding{Fakta: f}.Med(n.Hendelser...), Owed: n.Oppdrag, Saker: n.Saker}
	if err := levering.Kontroller(u); err != nil {
		return "", fmt.Errorf("%w: %w", err, ports.ErrRefused)
	}
	if err := egne(f.ID, n.Oppdrag, n.Saker); err != nil {
		return "", err
	}
	if len(n.Deler) != len(f.Deler) {
		return "", fmt.Errorf("%s: %d deler, fakta om %d: %w", hva, len(n.Deler), len(f.Deler), ports.ErrRefused)
	}
	vekt := vekt(n.Deler)
	if err := s.minne.Acquire(ctx, vekt); err != nil {
		return "", s.feil(hva, err)
	}
	defer s.minne.Release(vekt)
	deler, err := lesDeler(f, n.Deler)
	if err != nil {
		return "", err
	}
	rad, nokkel := nyMeldingRad(f, avled(u.Melding, false)), nyNokkelRad(n)
	ss, err := s.opprettelse(rad, nokkel, n, u, deler)
	if err != nil {
		return "", err
	}
	// A crash before the commit leaves nothing at all, one after it a report with its work: delivered, whether or not the sender
	// hears of it.
	if err := s.iEtt(ctx, ss); err != nil {
		if s.finnesFra(err) {
			return s.gjentakelse(ctx, rad, nokkel)
		}
		return "", s.feil(hva, err)
	}
	s.beholdUtgave(lest{id: f.ID, rad: *rad}, u, tilSending(n, deler))
	return f.ID, nil
}

// tilSending is the content of a report whose send is the caller's own.
func tilSending(n ports.Ny, deler []lestDel) melding.Forseglet {
	for _, d := range deler {
		if d.navn == melding.DelAsice && len(n.Leier) > 0 {
			return melding.ForsegletBytes(d.forsegling, d.innhold)
		}
	}
	return melding.Forseglet{}
}

// vekt is how much of the memory for sealed parts these take.
func vekt(deler map[melding.Del]melding.Forseglet) (n int64) {
	for _, d := range deler {
		n += d.Storrelse()
	}
	return min(max(n, minsteInnhold), maksInnhold)
}

// opprettelse is every row of a new report. Only those whose indexes tell a repeat may say that they exist; they come first, and
// turn it away before a byte of content is written.
func (s *Store) opprettelse(rad *meldingRad, nokkel *nokkelRad, n ports.Ny, u ports.Utgave, deler []lestDel) ([]Setning, error) {
	id := string(rad.ID)
	ss := []Setning{s.rader("melding", meldingKolonner, "", rad.verdier())}
	if nokkel != nil {
		ss = append(ss, s.rader("idempotensnokkel", "fra_fiks_org_id, sum, melding", "", []any{string(nokkel.FraFiksOrgID), nokkel.Sum, id}))
	}
	var rr [][]any
	for _, h := range hendelseRader(rad.ID, u.Melding.Historikk) {
		rr = append(rr, h.verdier())
	}
	ss = append(ss, s.rader("hendelse", hendelseKolonner, "", rr...))
	if len(deler) > 0 {
		rr = nil
		for _, d := range deler {
			rr = append(rr, d.verdier(id))
		}
		ss = append(ss, s.rader("del", delKolonner, "", rr...))
	}
	rr = nil
	for _, o := range u.Owed {
		kropp, err := svarkropp(o)
		if err != nil {
			return nil, err
		}
		rr = append(rr, append(nyOppdragRad(o).leid(n.Leie(o.ID)).verdier(), kropp))
	}
	ss = append(ss, s.rader("oppdrag", oppdragKolonner+", innhold", " ON CONFLICT (id) DO NOTHING", rr...))
	for _, x := range u.Saker {
		ss = append(ss, s.rader("sak", sakKolonner, " ON CONFLICT (id) DO NOTHING", nySakRad(x).verdier()))
	}
	for _, f := range u.Melding.Forsokene() {
		if !f.Avsluttet {
			ss = append(ss, s.rader("apent_forsok", "melding, forsok, art", "", []any{id, string(f.ID), string(f.Art)}))
		}
	}
	return ss, nil
}

// egne refuses work and cases of another report: they would be judged with the wrong history.
func egne(id melding.ID, oo []levering.Oppdrag, ss []levering.Sak) error {
	for _, o := range oo {
		if o.Melding != id {
			return fmt.Errorf("melding %s: oppdrag %s er ikke dens: %w", id, o.ID, ports.ErrRefused)
		}
	}
	for _, x := range ss {
		if x.Melding != id {
			return fmt.Errorf("melding %s: sak %s er ikke dens: %w", id, x.ID, ports.ErrRefused)
		}
	}
	return nil
}
