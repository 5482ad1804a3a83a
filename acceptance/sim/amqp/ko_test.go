package amqp

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/adapters/memory"
)

// fasitpost is a message in the model: a slice in order, looked through from the start.
type fasitpost struct {
	nr, forsok int
	frist      time.Time
	ute        *post
}

func TestAQueueIsAListFromWhichOnlyTheHeadIsTaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		klokke := memory.NyKlokke(nyttar)
		b := &Broker{c: Config{Klokke: klokke}, dode: nyttDodsbo()}
		q := nyKo(b, minKo)
		var liste []*fasitpost
		var dode []string
		nesteNr := 0
		do := func(p *fasitpost, a broker.Arsak) {
			liste = slices.DeleteFunc(liste, func(v *fasitpost) bool { return v == p })
			dode = append(dode, fmt.Sprintf("%d %s", p.nr, a))
		}
		hode := func() *fasitpost {
			for {
				i := slices.IndexFunc(liste, func(p *fasitpost) bool { return p.ute == nil })
				if i < 0 {
					return nil
				}
				p := liste[i]
				if p.frist.IsZero() || klokke.Now().Before(p.frist) {
					return p
				}
				do(p, broker.Utlopt)
			}
		}
		ute := func() (ut []*fasitpost) {
			for _, p := range liste {
				if p.ute != nil {
					ut = append(ut, p)
				}
			}
			return ut
		}
		noenUte := func(t *rapid.T) (fp []*fasitpost, pp []*post) {
			fp = ute()
			if len(fp) == 0 {
				t.Skip("ingen ute")
			}
			fp = rapid.Permutation(fp).Draw(t, "hvilke")[:rapid.IntRange(1, len(fp)).Draw(t, "antall")]
			for _, p := range fp {
				pp = append(pp, p.ute)
			}
			return fp, pp
		}
		t.Repeat(map[string]func(*rapid.T){
			"legg": func(t *rapid.T) {
				ttl := time.Duration(rapid.SampledFrom([]int{0, 0, 1, 5, 20}).Draw(t, "ttl")) * time.Second
				p := &fasitpost{nr: nesteNr}
				nesteNr++
				if ttl > 0 {
					p.frist = klokke.Now().Add(ttl)
				}
				liste = append(liste, p)
				q.legg(broker.Melding{TTL: ttl, Headere: map[string]string{headerID: fmt.Sprint(p.nr)}})
			},
			"ta": func(t *rapid.T) {
				vil := hode()
				p, forsok, _ := q.ta(nil)
				if (p == nil) != (vil == nil) {
					t.Fatalf("tok %v, ventet %v", p, vil)
				}
				if p != nil {
					vil.forsok++
					vil.ute = p
					if p.m.Headere[headerID] != fmt.Sprint(vil.nr) || forsok != vil.forsok {
						t.Fatalf("tok %s for %d. gang, ventet %d for %d.", p.m.Headere[headerID], forsok, vil.nr, vil.forsok)
					}
				}
			},
			"bekreft": func(t *rapid.T) {
				fp, _ := noenUte(t)
				liste = slices.DeleteFunc(liste, func(p *fasitpost) bool { return slices.Contains(fp, p) })
				q.bekreft(len(fp))
			},
			"tilbake": func(t *rapid.T) {
				fp, pp := noenUte(t)
				for _, p := range fp {
					if p.ute = nil; p.forsok == broker.Forsok {
						do(p, broker.Oppgitt)
					}
				}
				q.tilbake(pp)
			},
			"avvis": func(t *rapid.T) {
				fp, pp := noenUte(t)
				for _, p := range fp {
					do(p, broker.Avvist)
				}
				q.avvis(pp)
			},
			"tid": func(t *rapid.T) { klokke.Flytt(time.Duration(rapid.IntRange(0, 10).Draw(t, "sekunder")) * time.Second) },
			"": func(t *rapid.T) {
				_ = hode() // what has expired at the head
				if har, vil := q.status(), (broker.Status{Klare: len(liste) - len(ute()), Ubekreftede: len(ute())}); har != vil {
					t.Fatalf("køen er %+v, ikke %+v", har, vil)
				}
				for {
					d, ok := b.dode.forste()
					if !ok && len(dode) == 0 {
						return
					}
					if !ok || len(dode) == 0 || dode[0] != d.Melding.Headere[headerID]+" "+string(d.Arsak) {
						t.Fatalf("døde %v, ventet %v", d.Melding.Headere, dode)
					}
					b.dode.fjernForste()
					dode = dode[1:]
				}
			},
		})
	})
}

// ventende is a consumer that has found q empty, on a connection that nobody serves.
func ventende(b *Broker, q *ko) *konsument {
	t := nyTilkobling(b, nil)
	c := &konsument{ko: q, kanal: &kanal{t: t}}
	_ = q.begynn(c)
	q.ta(c)
	return c
}

func TestATurnThatItsOwnerCannotUseGoesToTheNext(t *testing.T) {
	is := is.New(t)
	b := &Broker{c: Config{Klokke: memory.NyKlokke(nyttar)}, dode: nyttDodsbo()}
	q := nyKo(b, minKo)
	en, to, tre := ventende(b, q), ventende(b, q), ventende(b, q)
	tur := func(c *konsument) bool { return c.kanal.t.klare.antall() == 1 }
	q.legg(broker.Melding{})
	is.True(tur(en) && !tur(to))
	q.slutt(en) // gone before it took anything
	is.True(tur(to) && !tur(tre))
	q.giVidere() // to may hold no more
	is.True(tur(tre))
	q.slutt(tre)
	is.Equal(q.status(), broker.Status{Klare: 1, Konsumenter: 1})
}

func TestAFifoLetsGoOfWhatIsTaken(t *testing.T) {
	is := is.New(t)
	var f fifo[*int]
	for i := range 10_000 {
		f.legg(&i)
		f.legg(&i)
		v, ok := f.ta()
		is.True(ok)
		is.Equal(*v, i/2)
	}
	is.Equal(f.antall(), 10_000)
	is.True(len(f.a) <= 3*f.antall())
	for i, v := range f.a[:f.h] {
		if v != nil {
			t.Fatalf("plass %d holdes", i)
		}
	}
	for range 9_900 {
		f.ta()
	}
	for i := range 100_000 { // a steady stream past a few that wait
		f.legg(&i)
		f.ta()
	}
	is.Equal(f.antall(), 100)
	is.True(len(f.a) <= 300)
	for range 100 {
		f.ta()
	}
	_, ok := f.ta()
	is.True(!ok)
	is.Equal(len(f.a), 0)
}
