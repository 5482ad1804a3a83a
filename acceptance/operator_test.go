package acceptance_test

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/fakeprint"
	"portal.example/bekymringsmelding/app/delivery"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

const trykkerietAvviste = "AKSEPTERT SENDT_FAGSYSTEM AVVIST_FAGSYSTEM SENDT_PRINT AVVIST_PRINT"

// avvisForst makes the vendor refuse the first letter and post every later one.
func avvisForst(l *liv, m fakeprint.Manus) {
	n := 0
	l.Manus = func(levering.Brev) fakeprint.Manus {
		if n++; n == 1 {
			return m
		}
		return fakeprint.Poster(time.Hour)
	}
}

// operatorer are what a person must decide.
var operatorer = []scenario{
	{navn: "30 avvist etter at meldingen var levert", driv: func(l *liv) {
		l.svarer("4601/01", world.Svar{Meldingstype: protokoll.Mottatt}, world.Svar{Meldingstype: protokoll.Feilet, Etter: time.Hour})
		id := l.Send("4601", "01")
		l.Fram(2 * time.Hour)
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), bekreftet)
			is.Equal(l.ApneSaker(id), []levering.Saksart{levering.SakFeiletEtterLevert})
		})
	}, slutt: []dom{{apne: []levering.Saksart{levering.SakFeiletEtterLevert}}}},
	{navn: "30 en operatør sender på nytt og lukker saken", driv: func(l *liv) {
		l.svarer("4601/01", world.Svar{Meldingstype: protokoll.Mottatt}, world.Svar{Meldingstype: protokoll.Feilet, Etter: time.Hour})
		id := l.Send("4601", "01")
		l.Fram(2 * time.Hour)
		l.Fagsystem["4601/01"].Svarer(world.Kvitterer)
		l.avgjor(id, levering.Avgjorelse{Valg: levering.ValgSend})
		l.Pump()
		l.venter(func(is *is.I) {
			s := l.Nett.Sendte(id)
			is.Equal(len(s), 2)
			is.True(s[0].Forsok != s[1].Forsok) // a deliberate redelivery has an id of its own
			is.Equal(l.Tilstander(id), bekreftet)
		})
		l.Fram(time.Hour)
		l.lukk(id)
		l.venter(func(is *is.I) { is.Equal(len(l.ApneSaker(id)), 0) })
	}, slutt: []dom{{forsok: 2}}},
	{navn: "36 trykkeriet avviser: saken venter på en operatør", driv: func(l *liv) {
		l.Manus = avvisAlle
		id := l.Send("5501", "00")
		l.Fram(5 * 24 * time.Hour)
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), trykkerietAvviste) }) // never by itself
	}, slutt: []dom{{slutt: []melding.Tilstand{melding.AVVIST_PRINT}, apne: []levering.Saksart{levering.SakBrevAvvist}}}},
	{navn: "36 operatøren leverer for hånd", driv: func(l *liv) {
		l.Manus = avvisAlle
		id := l.Send("5501", "00")
		l.Fram(2 * time.Hour)
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), trykkerietAvviste)
			is.Equal(l.ApneSaker(id), []levering.Saksart{levering.SakBrevAvvist})
		})
		l.avgjor(id, levering.Avgjorelse{Valg: levering.ValgLevert})
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), trykkerietAvviste+" LEVERT")
			h := finn(l.Utgave(id), melding.LevertForHand)
			is.Equal(h.Aktor, "operator:kari")
			is.Equal(h.Grunn, "prøve")
			is.Equal(len(l.ApneSaker(id)), 0)
		})
	}},
	{navn: "36 operatøren bestiller et nytt brev", driv: func(l *liv) {
		avvisForst(l, fakeprint.Nekter())
		id := l.Send("5501", "00")
		l.Fram(2 * time.Hour)
		l.avgjor(id, levering.Avgjorelse{Valg: levering.ValgBrev})
		l.Fram(2 * time.Hour)
		l.venter(func(is *is.I) {
			is.Equal(len(l.ApneSaker(id)), 0)
			is.Equal(l.Utgave(id).Melding.Tilstand(), melding.LEVERT)
		})
	}, slutt: []dom{{brev: 1}}},
	{navn: "36 operatøren sender digitalt igjen", driv: func(l *liv) {
		avvisForst(l, fakeprint.Avviser(time.Hour))
		id := l.Send("5501", "00")
		l.Fram(2 * time.Hour)
		l.Fagsystem["5501/00"].Oppfor(sim.Kvitterer)
		l.avgjor(id, levering.Avgjorelse{Valg: levering.ValgSend})
		l.Fram(time.Hour)
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), trykkerietAvviste+" SENDT_FAGSYSTEM LEVERT")
			is.Equal(len(l.ApneSaker(id)), 0)
		})
	}, slutt: []dom{{forsok: 2}}},
	{navn: "36 operatøren sender digitalt igjen, og mottakeren tier: saken er fortsatt åpen", driv: func(l *liv) {
		avvisForst(l, fakeprint.Avviser(time.Hour))
		id := l.Send("5501", "00")
		l.Fram(2 * time.Hour)
		l.Fagsystem["5501/00"].Oppfor(sim.Stille)
		l.avgjor(id, levering.Avgjorelse{Valg: levering.ValgSend})
		l.Fram(5 * 24 * time.Hour)
		l.venter(func(is *is.I) { is.Equal(l.ApneSaker(id), []levering.Saksart{levering.SakBrevAvvist}) })
	}, slutt: []dom{{slutt: []melding.Tilstand{melding.SENDT_FAGSYSTEM}, apne: []levering.Saksart{levering.SakBrevAvvist}, forsok: 2}}},
	{navn: "mottakerens nøkkel er på avveie: den trekkes, og det som venter, går som brev", driv: func(l *liv) {
		l.Nett.Nede(true)
		forSen := l.Forseglet("4601", "01")
		id := l.Send("4601", "01")
		l.Fram(time.Minute)
		l.trekk(l.D.Finn("4601", "01").Sert.Cert)
		l.Nett.Nede(false)
		l.Fram(20 * time.Minute)
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), aldri)
			is.Equal(len(l.Nett.Sendte(id)), 0) // nobody with the key gets it by that way any more
			_, err := l.Avsender.HentNokler(context.Background(), "4601", "01")
			is.Equal(feilkropp(l.t, err).Status, 503) // there is no key to give
			_, err = l.Post(forSen)
			is.Equal(feilkropp(l.t, err).ErrorCode, "NOKKEL_FEIL")
		})
	}, slutt: []dom{{brev: 1}}, losSaker: []levering.Saksart{levering.SakNokkelTrukket}},
	{navn: "40 etter 30 dager er innholdet borte og historikken igjen", driv: func(l *liv) {
		id, holdt, loftet := l.Send("4601", "01"), l.Send("4601", "01"), l.Send("4601", "01")
		l.Pump()
		l.avgjor(holdt, levering.Avgjorelse{Valg: levering.ValgHold})
		l.avgjor(loftet, levering.Avgjorelse{Valg: levering.ValgHold})
		l.Steg = 24 * time.Hour
		l.Fram(30*24*time.Hour - time.Minute)
		l.venter(func(is *is.I) { is.True(!l.Utgave(id).Slettet) })
		l.Fram(24 * time.Hour)
		l.venter(func(is *is.I) {
			is.True(l.Utgave(id).Slettet)
			is.Equal(l.Tilstander(id), bekreftet)
			for _, del := range []melding.Del{melding.DelAsice, melding.DelPDF} {
				_, err := l.Lager.Open(context.Background(), id, del)
				is.True(errors.Is(err, ports.ErrErased))
				_, err = l.Lager.Open(context.Background(), holdt, del)
				is.NoErr(err) // a hold stops erasure
			}
			is.True(!l.Utgave(loftet).Slettet)
		})
		l.avgjor(loftet, levering.Avgjorelse{Valg: levering.ValgLoftHold})
		l.Fram(2 * 24 * time.Hour)
		l.venter(func(is *is.I) { is.True(l.Utgave(loftet).Slettet) })
	}, slutt: []dom{{slettet: true}, {}, {slettet: true}}},
}

// trekk is an operator who revokes a key, and who looks whether it is done when she was told that it is not.
func (l *liv) trekk(c *x509.Certificate) {
	l.t.Helper()
	ctx, d := context.Background(), l.System.Levering
	l.igjen(func() error {
		rader, err := d.Nokler(ctx)
		if err != nil {
			return err
		}
		valgt, err := delivery.FinnNokkel(rader, c.SerialNumber.Text(16))
		if !l.rent && errors.Is(err, delivery.ErrIngenNokkel) {
			return nil
		} else if err != nil {
			return err
		}
		return d.TrekkNokkel(ctx, valgt, "kari", "prøve")
	})
}
