package levering

import (
	"errors"
	"fmt"
	"slices"

	"portal.example/bekymringsmelding/domain/melding"
)

// ErrIkkeSkyldig says that a report would be left with nothing owed and nobody looking.
var ErrIkkeSkyldig = errors.New("meldingen ville stått uten planlagt arbeid")

// ErrSletting says that content may not be erased now.
var ErrSletting = errors.New("innholdet kan ikke slettes nå")

// Anvend gives the Utgave that e leads to, after judging it: the same function in every store, so none can be laxer.
func Anvend(u Utgave, e Endring) (Utgave, error) {
	ny := Utgave{Melding: u.Melding.Med(e.Hendelser...), Slettet: u.Slettet || e.Slett}
	for _, o := range u.Owed {
		if !slices.Contains(e.Ferdig, o.ID) {
			ny.Owed = append(ny.Owed, o)
		}
	}
	for _, o := range e.Nye {
		if !ny.Skylder(o.ID) {
			ny.Owed = append(ny.Owed, o)
		}
	}
	ny.Saker = slices.Clone(u.Saker)
	for _, s := range e.Saker {
		if i := slices.IndexFunc(ny.Saker, func(x Sak) bool { return x.ID == s.ID }); i >= 0 {
			ny.Saker[i] = s
		} else {
			ny.Saker = append(ny.Saker, s)
		}
	}
	if err := Kontroller(ny); err != nil {
		return Utgave{}, err
	}
	if e.Slett {
		if err := kanSlettes(ny); err != nil {
			return Utgave{}, err
		}
	}
	return ny, nil
}

// Kontroller refuses a report whose history could not have happened, or that breaks "always owed" (design §4.5).
func Kontroller(u Utgave) error {
	if err := u.Melding.Kontroller(); err != nil {
		return err
	}
	id := u.Melding.Fakta.ID
	sak := slices.ContainsFunc(u.Saker, Sak.venter)
	t := u.Melding.Tilstand()
	if t != melding.LEVERT && !sak && !harEget(u) {
		return fmt.Errorf("melding %s i %s: %w", id, t, ErrIkkeSkyldig)
	}
	// An open case never replaces a pending frist: until a letter is ordered, the clock runs whatever else happens.
	if (t == melding.AKSEPTERT || t == melding.SENDT_FAGSYSTEM) && !u.Melding.Har(melding.VenterPaPrint) && !harKo(u, KoFrist) {
		return fmt.Errorf("melding %s i %s har ingen frist: %w", id, t, ErrIkkeSkyldig)
	}
	for _, f := range u.Melding.Forsokene() {
		if f.Avsluttet || sak {
			continue
		}
		if !slices.ContainsFunc(u.Owed, func(o Oppdrag) bool {
			return o.Forsok == f.ID || f.Art == melding.Sendeforsok && o.Ko == KoSend
		}) {
			return fmt.Errorf("melding %s, forsøk %s: %w", id, f.ID, ErrIkkeSkyldig)
		}
	}
	return nil
}

func harEget(u Utgave) bool { return len(u.Owed) > 0 }

func harKo(u Utgave, ko Ko) bool {
	return slices.ContainsFunc(u.Owed, func(o Oppdrag) bool { return o.Ko == ko })
}

// kanSlettes holds for the state a Slett leads to.
func kanSlettes(u Utgave) error {
	m := u.Melding
	switch {
	case m.Tilstand() != melding.LEVERT:
		return fmt.Errorf("melding %s er ikke levert: %w", m.Fakta.ID, ErrSletting)
	case m.Hold():
		return fmt.Errorf("melding %s har hold: %w", m.Fakta.ID, ErrSletting)
	case u.harApenSak():
		return fmt.Errorf("melding %s har åpen sak: %w", m.Fakta.ID, ErrSletting)
	case !m.InnholdErSlettet():
		return fmt.Errorf("melding %s mangler hendelsen for sletting: %w", m.Fakta.ID, ErrSletting)
	}
	for _, f := range m.Forsokene() {
		if !f.Avsluttet {
			return fmt.Errorf("melding %s har forsøk %s underveis: %w", m.Fakta.ID, f.ID, ErrSletting)
		}
	}
	return nil
}
