package contracts

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// testWorkModel plays random sequences against a Work and against the few lines below that say what it should do. One store serves
// every sequence: each has reports of its own, an hour of its own, and settles everything at its end.
func testWorkModel(t *testing.T, open func(t *testing.T) Lager) {
	l := open(t)
	na := Start
	rapid.Check(t, func(rt *rapid.T) {
		m := &modell{t: t, rt: rt, l: l, na: na, ting: map[levering.OppdragID]*ting{}}
		for range 3 {
			n := NyMelding(t, func(o *Oppskrift) { o.Frist = Start.AddDate(500, 0, 0); o.Asice, o.PDF = Tilfeldig(8), Tilfeldig(8) })
			id := Lagre(t, l, n)
			Endre(t, l, id, func(u ports.Utgave) (ports.Endring, error) {
				return ports.Endring{Ferdig: []levering.OppdragID{eget(u, levering.KoSend).ID}}, nil
			})
			m.meldinger = append(m.meldinger, id)
		}
		defer func() {
			m.rydd()
			na = m.na.Add(time.Hour)
		}()
		for range rapid.IntRange(1, 25).Draw(rt, "antall steg") {
			m.steg()
			m.sjekkNext()
		}
	})
}

// ting is one item as the model knows it.
type ting struct {
	o     levering.Oppdrag
	klar  time.Time // due, or what Release said
	til   time.Time // end of the lease
	token string    // "" = nobody holds it
	antal int
}

type modell struct {
	t         *testing.T
	rt        *rapid.T
	l         Lager
	na        time.Time
	meldinger []melding.ID
	ting      map[levering.OppdragID]*ting
	leier     []ports.Lease // every lease ever given, lost ones too
	nr        int
}

var modellkoer = []levering.Ko{levering.KoSend, levering.KoBrev, levering.KoSvar}

func (m *modell) sek(navn string) time.Duration {
	return time.Duration(rapid.IntRange(0, 10).Draw(m.rt, navn)) * time.Second
}

func (m *modell) steg() {
	switch rapid.SampledFrom([]string{"legg", "legg", "ta", "ta", "ta", "tid", "gi tilbake", "forleng", "gjør opp"}).Draw(m.rt, "steg") {
	case "legg":
		m.legg()
	case "ta":
		m.ta()
	case "tid":
		m.na = m.na.Add(m.sek("fram"))
	case "gi tilbake":
		m.giTilbake()
	case "forleng":
		m.forleng()
	case "gjør opp":
		m.gjorOpp()
	}
}

func (m *modell) legg() {
	m.nr++
	nar := m.na.Add(m.sek("forfall") - 5*time.Second)
	i := rapid.IntRange(0, len(m.meldinger)).Draw(m.rt, "melding")
	var o levering.Oppdrag
	if i == len(m.meldinger) {
		o = levering.SvarOppdrag(melding.Svar{ID: UUID(), Mottatt: nar})
		leggTil(m.t, m.l, o)
	} else {
		ko := rapid.SampledFrom(modellkoer[:2]).Draw(m.rt, "kø")
		o = levering.NyttOppdrag(m.meldinger[i], ko, "", 100+m.nr, nar)
		Endre(m.t, m.l, o.Melding, func(ports.Utgave) (ports.Endring, error) {
			return ports.Endring{Nye: []levering.Oppdrag{o}}, nil
		})
	}
	m.ting[o.ID] = &ting{o: o, klar: nar}
}

func (x *ting) leid(na time.Time) bool { return x.token != "" && x.til.After(na) }

// ledig says whether x could be handed out now.
func (m *modell) ledig(x *ting) bool {
	if x.klar.After(m.na) || x.leid(m.na) {
		return false
	}
	for _, y := range m.ting {
		if y.o.Melding != "" && y.o.Melding == x.o.Melding && y.leid(m.na) {
			return false
		}
	}
	return true
}

func (m *modell) ta() {
	ko := rapid.SampledFrom(modellkoer).Draw(m.rt, "kø")
	maks := rapid.IntRange(1, 3).Draw(m.rt, "maks")
	varighet := m.sek("leie") + time.Second
	ventet, sett := 0, map[melding.ID]bool{}
	for _, x := range m.ting {
		if x.o.Ko == ko && m.ledig(x) && !sett[x.o.Melding] {
			sett[x.o.Melding] = x.o.Melding != ""
			ventet++
		}
	}
	leier, err := m.l.Work.Claim(m.t.Context(), ko, maks, m.na, varighet)
	if err != nil || len(leier) != min(maks, ventet) {
		m.rt.Fatalf("Claim %s: %d, ventet %d, %v", ko, len(leier), min(maks, ventet), err)
	}
	for _, y := range leier {
		x := m.ting[y.Oppdrag.ID]
		switch {
		case x == nil:
			m.rt.Fatalf("oppdrag %s finnes ikke", y.Oppdrag.ID)
		case x.o.Ko != ko || !m.ledig(x):
			m.rt.Fatalf("oppdrag %s var ikke ledig", x.o.ID)
		case y.Attempt != x.antal+1 || !y.Until.Equal(m.na.Add(varighet)) || y.Token == "" || y.Token == x.token:
			m.rt.Fatalf("leien av %s: forsøk %d, til %v", x.o.ID, y.Attempt, y.Until)
		}
		x.token, x.til, x.antal = y.Token, y.Until, y.Attempt
		m.leier = append(m.leier, y)
	}
}

// enLeie gives some lease, perhaps a lost one, with the item's present; ok is false when nothing was ever leased.
func (m *modell) enLeie() (y ports.Lease, x *ting, ok bool) {
	if len(m.leier) == 0 {
		return y, nil, false
	}
	y = rapid.SampledFrom(m.leier).Draw(m.rt, "leie")
	return y, m.ting[y.Oppdrag.ID], true
}

func (m *modell) giTilbake() {
	y, x, ok := m.enLeie()
	if !ok || x != nil && x.token == "" {
		return // given back already: the port leaves open what a second time says
	}
	nar := m.na.Add(m.sek("forfall"))
	err := m.l.Work.Release(m.t.Context(), y, nar, "modell")
	switch {
	case x == nil && err != nil:
		m.rt.Fatalf("Release av det oppgjorte: %v", err)
	case x != nil && x.token != y.Token && !errors.Is(err, ports.ErrConflict):
		m.rt.Fatalf("Release av det en annen holder: %v", err)
	case x != nil && x.token == y.Token:
		if err != nil {
			m.rt.Fatalf("Release: %v", err)
		}
		x.token, x.klar = "", nar
	}
}

func (m *modell) forleng() {
	y, x, ok := m.enLeie()
	if !ok || x == nil {
		return
	}
	varighet := m.sek("leie") + time.Second
	err := m.l.Work.Extend(m.t.Context(), y, m.na, varighet)
	if x.token != y.Token || !x.leid(m.na) {
		if !errors.Is(err, ports.ErrConflict) {
			m.rt.Fatalf("Extend av tapt leie: %v", err)
		}
		return
	}
	if err != nil {
		m.rt.Fatalf("Extend: %v", err)
	}
	x.til = m.na.Add(varighet)
}

func (m *modell) gjorOpp() {
	y, x, ok := m.enLeie()
	if !ok || x == nil || x.token != y.Token {
		return
	}
	if x.o.Melding == "" {
		if err := m.l.Work.Done(m.t.Context(), y); err != nil {
			m.rt.Fatalf("Done: %v", err)
		}
	} else {
		Endre(m.t, m.l, x.o.Melding, func(ports.Utgave) (ports.Endring, error) {
			return ports.Endring{Ferdig: []levering.OppdragID{x.o.ID}}, nil
		})
	}
	delete(m.ting, x.o.ID)
}

func (m *modell) sjekkNext() {
	for _, ko := range modellkoer {
		var ventet time.Time
		for _, x := range m.ting {
			nar := x.klar
			if x.token != "" {
				nar = x.til
			}
			if x.o.Ko == ko && (ventet.IsZero() || nar.Before(ventet)) {
				ventet = nar
			}
		}
		if n, err := m.l.Work.Next(m.t.Context(), ko); err != nil || !n.Equal(ventet) {
			m.rt.Fatalf("Next %s: %v, ventet %v, %v", ko, n, ventet, err)
		}
	}
}

// rydd settles all that is left, so that the next sequence begins with empty queues.
func (m *modell) rydd() {
	m.na = m.na.Add(time.Hour)
	for _, id := range m.meldinger {
		Endre(m.t, m.l, id, func(u ports.Utgave) (e ports.Endring, err error) {
			for _, o := range u.Owed {
				if o.Ko != levering.KoFrist {
					e.Ferdig = append(e.Ferdig, o.ID)
				}
			}
			return e, nil
		})
	}
	for _, y := range klaim(m.t, m.l, levering.KoSvar, 1000, m.na) {
		if err := m.l.Work.Done(m.t.Context(), y); err != nil {
			m.t.Errorf("Done: %v", err)
		}
	}
}
