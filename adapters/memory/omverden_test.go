package memory_test

import (
	"context"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// vegg is real time: the suites let the far side wait a moment, and no hand is there to move a clock.
type vegg struct{}

func (vegg) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
func (vegg) At(t time.Time) (<-chan time.Time, func()) {
	x := time.NewTimer(time.Until(t))
	return x.C, func() { x.Stop() }
}

func konto(id kommune.KontoID) kommune.Mottakerkonto {
	return kommune.Mottakerkonto{Kanal: kommune.FiksIO, KontoID: id, KontoAktiv: true}
}

func TestTransport(t *testing.T) {
	contracts.TestTransport(t, func(*testing.T) contracts.Transportrigg {
		n := memory.NyttNett(vegg{})
		n.Pause = time.Millisecond
		n.Konto("stengt").Steng(true)
		som := func(a memory.Ankommet) contracts.Ankommet {
			b, _ := a.Innhold.Bytes()
			return contracts.Ankommet{Ref: a.Ref, Konto: a.Konto, Meldingstype: a.Meldingstype, Forsok: a.Forsok, Melding: a.Melding, Innhold: b}
		}
		return contracts.Transportrigg{
			Transport: n.Transport("portal"), Konto: konto("åpen"), Stengt: konto("stengt"),
			VedAnkomst: func(fn func(contracts.Ankommet)) { n.Konto("åpen").VedAnkomst(func(a memory.Ankommet) { fn(som(a)) }) },
			Svar: func(_ *testing.T, a contracts.Ankommet, typ string, innhold []byte) {
				n.Svar(memory.Ankommet{Ref: a.Ref, Fra: "portal", Konto: a.Konto, Melding: a.Melding},
					melding.Svar{Meldingstype: typ, Innhold: contracts.Forseglet(innhold)})
			},
			Brudd: func(*testing.T) { n.Nede(true) }, Mend: func(*testing.T) { n.Nede(false) },
		}
	})
}

func TestCatalogue(t *testing.T) {
	contracts.TestCatalogue(t, func(*testing.T) contracts.Katalogrigg {
		n := memory.NyttNett(memory.NyKlokke(contracts.Start))
		k := n.Konto("åpen")
		return contracts.Katalogrigg{Catalogue: n, Konto: "åpen", Ukjent: "ukjent",
			Publiser: func(_ *testing.T, c *x509.Certificate) { k.Publiser(c) },
			Brudd:    func(*testing.T) { n.Nede(true) }, Mend: func(*testing.T) { n.Nede(false) }}
	})
}

func TestPrinter(t *testing.T) {
	contracts.TestPrinter(t, func(*testing.T) contracts.Printerrigg {
		p := memory.NyPrinter(memory.NyKlokke(contracts.Start))
		return contracts.Printerrigg{
			Printer: p,
			Brev: func(_ *testing.T, id melding.ForsokID) (ut [][]byte) {
				for _, j := range p.Jobber() {
					if b, ok := p.Brev(j); ok && j == id {
						x, _ := b.Innhold.Bytes()
						ut = append(ut, x)
					}
				}
				return ut
			},
			Meld: func(t *testing.T, id melding.ForsokID, s levering.Brevstatus) { is.New(t).NoErr(p.Meld(id, s, "")) },
			Nede: func(*testing.T) { p.Nede(true) }, Oppe: func(*testing.T) { p.Nede(false) },
			MistSvar: func(*testing.T) { p.MistSvar(1) },
		}
	})
}

func TestNotifier(t *testing.T) {
	contracts.TestNotifier(t, func(*testing.T) contracts.Notifierrigg {
		n := &memory.Notifier{}
		return contracts.Notifierrigg{Notifier: n, Fortalt: func(*testing.T) (ut []string) {
			for _, v := range n.Varsler() {
				ut = append(ut, v.ID)
			}
			return ut
		}}
	})
}

func TestClock(t *testing.T) {
	contracts.TestClock(t, func(*testing.T) contracts.Klokkerigg {
		k := memory.NyKlokke(contracts.Start)
		return contracts.Klokkerigg{Clock: k, Flytt: k.Flytt}
	})
}

func TestKlokkeVent(t *testing.T) {
	is := is.New(t)
	k := memory.NyKlokke(contracts.Start)
	ringte := make(chan time.Time)
	for _, d := range []time.Duration{3 * time.Hour, time.Hour, 2 * time.Hour} {
		go func() {
			c, _ := k.At(contracts.Start.Add(d))
			ringte <- <-c
		}()
	}
	is.NoErr(k.Vent(t.Context(), 3)) // no sleeping: all three wait now
	for _, d := range []time.Duration{time.Hour, 2 * time.Hour, 3 * time.Hour} {
		nar, ok := k.Neste()
		is.True(ok)
		is.Equal(nar, contracts.Start.Add(d))
		k.Sett(nar)
		is.Equal(<-ringte, nar)
	}
	_, ok := k.Neste()
	is.True(!ok)
	ctx, avbryt := context.WithCancel(t.Context())
	avbryt()
	is.True(errors.Is(k.Vent(ctx, 1), context.Canceled))
}

func forsendelse(til kommune.KontoID, ttl time.Duration) ports.Forsendelse {
	id := contracts.MeldingID(contracts.Start)
	return ports.Forsendelse{Forsok: melding.NyForsokID(id, "sending", 1), Melding: id, Til: konto(til), Slag: melding.Offentlig, Versjon: melding.V1,
		Innhold: contracts.Forseglet([]byte("x")), TTL: ttl}
}

// hent pumps one portal and lists the types that came.
func hent(t *testing.T, tr *memory.Transport) (ut []melding.Svar) {
	t.Helper()
	if _, err := tr.Lever(t.Context(), func(_ context.Context, s melding.Svar) error { ut = append(ut, s); return nil }); err != nil {
		t.Fatal(err)
	}
	return ut
}

func TestNett(t *testing.T) {
	nytt := func() (*memory.Klokke, *memory.Nett) {
		k := memory.NyKlokke(contracts.Start)
		return k, memory.NyttNett(k)
	}
	kvitter := func(n *memory.Nett) func(memory.Ankommet) {
		return func(a memory.Ankommet) { n.Svar(a, melding.Svar{Meldingstype: protokoll.Mottatt}) }
	}

	t.Run("untaken until TTL gives tidsavbrudd, once", func(t *testing.T) {
		is := is.New(t)
		k, n := nytt()
		n.Konto("a")
		tr := n.Transport("portal")
		f := forsendelse("a", time.Hour)
		ref, err := tr.Send(t.Context(), f)
		is.NoErr(err)
		is.Equal(len(hent(t, tr)), 0)
		is.Equal(n.Neste(), contracts.Start.Add(time.Hour))
		k.Sett(n.Neste())
		svar := hent(t, tr)
		is.Equal(len(svar), 1)
		is.Equal(svar[0].Meldingstype, protokoll.Tidsavbrudd)
		is.Equal(svar[0].SvarTil, ref)
		is.Equal(svar[0].Korrelasjon, string(f.Melding))
		is.Equal(len(hent(t, tr)), 0)
		_, ok := n.Konto("a").Ta()
		is.True(!ok) // too late
	})

	t.Run("two portals share one network", func(t *testing.T) {
		is := is.New(t)
		_, n := nytt()
		n.Konto("a").VedAnkomst(kvitter(n))
		en, to := n.Transport("en"), n.Transport("to")
		ref, err := en.Send(t.Context(), forsendelse("a", time.Hour))
		is.NoErr(err)
		is.Equal(len(hent(t, to)), 0)
		svar := hent(t, en)
		is.Equal(len(svar), 1)
		is.Equal(svar[0].SvarTil, ref)
	})

	t.Run("a script delays, doubles, reorders and loses", func(t *testing.T) {
		is := is.New(t)
		k, n := nytt()
		n.Konto("a").VedAnkomst(kvitter(n))
		tr := n.Transport("portal")
		n.Skript(func(p memory.Post) (v memory.Virkning) {
			switch {
			case p.Nr == 1: // the first message comes late
				v.Forsinkelse = time.Minute
			case p.Nr == 2: // the second is told as lost, but arrives
				v.Feil = ports.ErrUnavailable
			case p.Svar && p.Nr == 3: // and its answer comes twice
				v.Dobbel = true
			case p.Nr == 4:
				v.Tap = true
			}
			return v
		})
		forst, nest, borte := forsendelse("a", time.Hour), forsendelse("a", time.Hour), forsendelse("a", time.Hour)
		_, err := tr.Send(t.Context(), forst)
		is.NoErr(err)
		_, err = tr.Send(t.Context(), nest)
		is.True(errors.Is(err, ports.ErrUnavailable))
		_, err = tr.Send(t.Context(), borte)
		is.NoErr(err)
		svar := hent(t, tr)
		is.Equal(len(svar), 2)
		is.Equal(svar[0].ID, svar[1].ID)
		is.Equal(svar[0].Korrelasjon, string(nest.Melding))
		k.Sett(n.Neste())
		svar = hent(t, tr)
		is.Equal(len(svar), 1)
		is.Equal(svar[0].Korrelasjon, string(forst.Melding))
	})

	t.Run("the same seed is the same bad day", func(t *testing.T) {
		is := is.New(t)
		dag := func() (ut []memory.Virkning) {
			s := memory.Tilfeldig(7, memory.Sjanser{Tap: .2, Dobbel: .2, Foran: .2, Forsinket: .5, Maks: time.Hour})
			for range 50 {
				ut = append(ut, s(memory.Post{}))
			}
			return ut
		}
		is.Equal(dag(), dag())
	})

	t.Run("down means unknown, and an answer waits", func(t *testing.T) {
		is := is.New(t)
		_, n := nytt()
		var tatt []memory.Ankommet
		n.Konto("a").VedAnkomst(func(a memory.Ankommet) { tatt = append(tatt, a) })
		tr := n.Transport("portal")
		_, err := tr.Send(t.Context(), forsendelse("a", time.Hour))
		is.NoErr(err)
		n.Nede(true)
		kvitter(n)(tatt[0])
		is.Equal(len(hent(t, tr)), 0)
		_, err = tr.Send(t.Context(), forsendelse("a", time.Hour))
		is.True(errors.Is(err, ports.ErrUnavailable))
		n.Nede(false)
		is.Equal(len(hent(t, tr)), 1)
		is.Equal(len(tatt), 1)
	})
}

func TestPrinterManus(t *testing.T) {
	is := is.New(t)
	k := memory.NyKlokke(contracts.Start)
	p := memory.NyPrinter(k)
	p.Manus(memory.Posterer(2 * time.Hour))
	b := levering.Brev{ID: melding.ForsokID(contracts.UUID()), Innhold: contracts.Forseglet([]byte("x"))}
	is.True(errors.Is(p.Submit(t.Context(), b), ports.ErrRefused)) // not the bytes it says
	b.SHA256 = contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.PDF = []byte("x") }).Fakta.Deler[melding.DelPDF].SHA256
	is.NoErr(p.Submit(t.Context(), b))
	k.Flytt(2 * time.Hour)
	jj, _, err := p.Events(t.Context(), "")
	is.NoErr(err)
	is.Equal(len(jj), 2)
	is.Equal(jj[1], levering.Jobb{ID: b.ID, Status: levering.BrevPostlagt, Tid: contracts.Start.Add(2 * time.Hour)})
	stanset, err := p.Cancel(t.Context(), b.ID)
	is.NoErr(err)
	is.True(!stanset)
}
