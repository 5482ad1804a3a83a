package contracts

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Sendegrunnlag is what a send would be judged by. Nothing is written.
func Sendegrunnlag(ctx context.Context, l Lager, id melding.ID, na time.Time) (g ports.Sendegrunnlag, err error) {
	_, err = l.Dispatch.Begin(ctx, id, na, func(x ports.Sendegrunnlag) (ports.Endring, error) {
		g = x
		return ports.Endring{}, nil
	})
	return g, err
}

// likSending fails unless a send sees what the three answer, whether or not it writes.
func likSending(t testing.TB, l Lager, id melding.ID, na time.Time, hva string, skriver ...melding.Hendelse) {
	t.Helper()
	is := is.New(t)
	u := Les(t, l, id)
	var g ports.Sendegrunnlag
	_, err := l.Dispatch.Begin(t.Context(), id, na, func(x ports.Sendegrunnlag) (ports.Endring, error) {
		g = x
		return ports.Endring{Hendelser: skriver}, nil
	})
	is.NoErr(err)
	LikUtgave(t, g.Utgave, u)
	konto, err := l.Directory.Mottaker(t.Context(), g.Utgave.Melding.Fakta.RessursID)
	is.NoErr(err)
	Lik(t, g.Konto, konto)
	godtatt, err := l.Certificates.Accepted(t.Context(), kommune.MottakerEier(konto.Bydel.RessursID), na)
	is.NoErr(err)
	if len(g.Godtatt) != len(godtatt) {
		t.Fatalf("%s: %d godtatte sertifikater, ventet %d", hva, len(g.Godtatt), len(godtatt))
	}
	for i, c := range godtatt {
		is.True(c.Equal(g.Godtatt[i]))
	}
}

func testDispatch(t *testing.T, open func(t *testing.T) Lager) {
	t.Run("U1 a send sees what the three answer", func(t *testing.T) {
		is, l := is.New(t), open(t)
		_, err := Sendegrunnlag(t.Context(), l, MeldingID(Start), Start)
		is.True(errors.Is(err, ports.ErrNotFound))
		o := OppsettFor("0301", "01", "02")
		n := NyMelding(t, func(x *Oppskrift) { x.Til = o.Mottakere[1].Bydel.RessursID })
		id := Lagre(t, l, n)
		_, err = Sendegrunnlag(t.Context(), l, id, Start)
		is.True(errors.Is(err, ports.ErrNotFound)) // a receiver that nobody has set up
		is.NoErr(l.Registry.Apply(t.Context(), o))
		for range 2 {
			likSending(t, l, id, Start, "oppsettet")
			g, err := Sendegrunnlag(t.Context(), l, id, Start)
			is.NoErr(err)
			g.Konto.Bydel.Navn["nb"] = "endret" // what is handed out is the caller's own
		}
		Lever(t, l, id, Start)
		likSending(t, l, id, Start, "etter levering")
	})

	t.Run("U1 what it begins is written as by Update", func(t *testing.T) {
		is, l := is.New(t), open(t)
		o := OppsettFor("0301", "01")
		is.NoErr(l.Registry.Apply(t.Context(), o))
		til := func(x *Oppskrift) { x.Til = o.Mottakere[0].Bydel.RessursID }
		// A receiver read for the first time and one that was kept, a report that somebody else stored and one's own.
		for _, forsok := range [][]error{{errMitt, nil, errMitt, nil}, {nil, errMitt}} {
			for _, n := range []ports.Ny{NyMelding(t, til), Straks(NyMelding(t, til))} {
				id := Lagre(t, l, n)
				for i, feil := range forsok {
					merke := strconv.Itoa(i + 1)
					b, err := l.Dispatch.Begin(t.Context(), id, Start, func(ports.Sendegrunnlag) (ports.Endring, error) { return rik(id, merke), feil })
					is.Equal(err, feil) // as it is
					if feil != nil {
						is.Equal(spor(t, l, id, merke), 0)
						continue
					}
					is.Equal(spor(t, l, id, merke), 5)
					LikUtgave(t, Les(t, l, id), b.Utgave)
				}
			}
		}
	})

	t.Run("U3 it has the content, or knows why not", func(t *testing.T) {
		is, l := is.New(t), open(t)
		o := OppsettFor("0301", "01")
		is.NoErr(l.Registry.Apply(t.Context(), o))
		til := func(x *Oppskrift) { x.Til = o.Mottakere[0].Bydel.RessursID }
		merke := 0
		begynn := func(id melding.ID) ports.Begynt {
			t.Helper()
			merke++
			b, err := l.Dispatch.Begin(t.Context(), id, Start, func(ports.Sendegrunnlag) (ports.Endring, error) {
				return ports.Endring{Hendelser: []melding.Hendelse{notat(strconv.Itoa(merke), Start)}}, nil
			})
			is.NoErr(err)
			LikUtgave(t, Les(t, l, id), b.Utgave) // committed, whatever the content is
			return b
		}
		n := NyMelding(t, til)
		id := Lagre(t, l, n)
		for range 2 {
			likInnhold(t, begynn(id), n)
		}
		if l.Korruper != nil {
			odelagt := Lagre(t, l, NyMelding(t, til))
			l.Korruper(t, odelagt, melding.DelAsice)
			is.True(errors.Is(begynn(odelagt).Mangler, ports.ErrCorrupt))
		}
		Lever(t, l, id, Start)
		Slett(t, l, id)
		is.True(errors.Is(begynn(id).Mangler, ports.ErrErased))
	})

	t.Run("U2 every change counts at once", func(t *testing.T) {
		l := open(t)
		o := OppsettFor("0301", "01")
		r := o.Mottakere[0].Bydel.RessursID
		id := Lagre(t, l, NyMelding(t, func(x *Oppskrift) { x.Til = r }))
		a, b := NyttSertifikat(t), NyttSertifikat(t)
		for _, x := range []struct {
			navn string
			gjor func() error
		}{
			{"oppsettet", func() error { return l.Registry.Apply(t.Context(), o) }},
			{"nøkkelen annonsert", func() error { return l.Certificates.Announce(t.Context(), kommune.MottakerEier(r), a, Start) }},
			{"nøkkelen byttet", func() error {
				return l.Certificates.Announce(t.Context(), kommune.MottakerEier(r), b, Start.Add(time.Minute))
			}},
			{"den gamle trukket", func() error { return l.Certificates.Revoke(t.Context(), a, Start, "på avveie") }},
			{"kontoen byttet", func() error { o.Mottakere[0].KontoID = "ny"; return l.Registry.Apply(t.Context(), o) }},
			{"bydelen stengt", func() error {
				o.Mottakere[0].Bydel.Aktiv, o.Mottakere[0].Bydel.StandardMottaker = false, false
				return l.Registry.Apply(t.Context(), o)
			}},
		} {
			if err := x.gjor(); err != nil {
				t.Fatalf("%s: %v", x.navn, err)
			}
			for _, na := range []time.Time{Start, Start.Add(ports.Overlap + time.Hour)} {
				for range 2 { // what was kept is as good as what was read
					likSending(t, l, id, na, x.navn)
				}
			}
		}
	})

	t.Run("U2 U3 a report that was stored a moment ago is no exception", func(t *testing.T) {
		is, l := is.New(t), open(t)
		o := OppsettFor("0301", "01")
		r := o.Mottakere[0].Bydel.RessursID
		is.NoErr(l.Registry.Apply(t.Context(), o))
		a := NyttSertifikat(t)
		is.NoErr(l.Certificates.Announce(t.Context(), kommune.MottakerEier(r), a, Start))
		likSending(t, l, Lagre(t, l, NyMelding(t, func(x *Oppskrift) { x.Til = r })), Start, "en annen") // the receiver is kept from here on
		skriv := func(e func(u ports.Utgave) ports.Endring) func(melding.ID) {
			return func(id melding.ID) {
				Endre(t, l, id, func(u ports.Utgave) (ports.Endring, error) { return e(u), nil })
			}
		}
		for _, x := range []struct {
			navn string
			gjor func(melding.ID)
		}{
			{"ingenting", func(melding.ID) {}},
			{"et notat", skriv(func(ports.Utgave) ports.Endring {
				return ports.Endring{Hendelser: []melding.Hendelse{notat("sett på", Start)}}
			})},
			{"mer arbeid", skriv(func(u ports.Utgave) ports.Endring {
				return ports.Endring{Nye: []levering.Oppdrag{levering.NyttOppdrag(u.Melding.Fakta.ID, levering.KoBrevvakt, "", 7, Start)}}
			})},
			{"mindre arbeid", skriv(func(u ports.Utgave) ports.Endring {
				return ports.Endring{Ferdig: []levering.OppdragID{eget(u, levering.KoSend).ID}}
			})},
			{"fristen er gjort om", skriv(func(u ports.Utgave) ports.Endring {
				f := eget(u, levering.KoFrist)
				f.Forfall = f.Forfall.Add(time.Hour)
				return ports.Endring{Ferdig: []levering.OppdragID{f.ID}, Nye: []levering.Oppdrag{f}}
			})},
			{"annet arbeid", skriv(func(u ports.Utgave) ports.Endring {
				return ports.Endring{Ferdig: []levering.OppdragID{eget(u, levering.KoSend).ID},
					Nye: []levering.Oppdrag{levering.NyttOppdrag(u.Melding.Fakta.ID, levering.KoBrevvakt, "", 8, Start)}}
			})},
			{"en sak", skriv(func(u ports.Utgave) ports.Endring {
				return ports.Endring{Saker: []levering.Sak{apenSak(u.Melding.Fakta.ID, "1", Start)}}
			})},
			{"levert", func(id melding.ID) { Lever(t, l, id, Start) }},
			{"levert og slettet", func(id melding.ID) { Lever(t, l, id, Start); Slett(t, l, id) }},
			{"ny nøkkel", func(melding.ID) {
				is.NoErr(l.Certificates.Announce(t.Context(), kommune.MottakerEier(r), NyttSertifikat(t), Start.Add(time.Minute)))
			}},
			{"nøkkelen trukket", func(melding.ID) {
				is.NoErr(l.Certificates.Revoke(t.Context(), a, Start, "på avveie"))
				a = NyttSertifikat(t)
				is.NoErr(l.Certificates.Announce(t.Context(), kommune.MottakerEier(r), a, Start.Add(time.Minute)))
			}},
			{"kontoen byttet", func(melding.ID) {
				o.Mottakere[0].KontoID = kommune.KontoID(UUID())
				is.NoErr(l.Registry.Apply(t.Context(), o))
			}},
		} {
			t.Log(x.navn)
			ny := func(leie bool) (ports.Ny, melding.ID) {
				n := NyMelding(t, func(y *Oppskrift) { y.Til = r })
				if leie {
					n = Straks(n)
				}
				id := Lagre(t, l, n)
				x.gjor(id)
				return n, id
			}
			for _, leie := range []bool{true, false} {
				_, id := ny(leie)
				for range 2 {
					likSending(t, l, id, Start, x.navn)
				}
				_, id = ny(leie)
				for range 2 {
					likSending(t, l, id, Start, x.navn, notat("sender", Start))
				}
			}
			n, id := ny(true)
			b, err := l.Dispatch.Begin(t.Context(), id, Start, func(ports.Sendegrunnlag) (ports.Endring, error) { return ports.Endring{}, nil })
			is.NoErr(err)
			if b.Utgave.Slettet {
				is.True(errors.Is(b.Mangler, ports.ErrErased))
			} else {
				likInnhold(t, b, n)
			}
		}
	})
}

// Straks is n, whose send its maker does at once.
func Straks(n ports.Ny) ports.Ny {
	for _, o := range n.Oppdrag {
		if o.Ko == levering.KoSend {
			n.Leier = []ports.Lease{fodt(o, Start)}
		}
	}
	return n
}

func likInnhold(t testing.TB, b ports.Begynt, n ports.Ny) {
	t.Helper()
	is := is.New(t)
	is.NoErr(b.Mangler)
	is.Equal(bytesAv(t, b.Innhold), bytesAv(t, n.Deler[melding.DelAsice]))
	is.Equal(b.Innhold.Forsegling(), n.Deler[melding.DelAsice].Forsegling())
}
