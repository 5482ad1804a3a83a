package acceptance_test

import (
	"context"
	"slices"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/fakeprint"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/domain/virketid"
)

// brevene are about the frist and the letter.
var brevene = []scenario{
	{navn: "28 ikke svar: brevet går nøyaktig på fristen", valg: world.Valg{Start: time.Date(2026, 3, 27, 14, 0, 0, 0, time.UTC)}, driv: func(l *liv) {
		// Friday 27 March 15:00 in Oslo, before Palm Sunday. 9 hours are left of Friday; Monday 30th, 24; then 7 of Tuesday 31st. The
		// clocks change on Sunday 29th, which does not count.
		frist := time.Date(2026, 3, 31, 7, 0, 0, 0, virketid.Oslo())
		id := l.Send("4204", "00")
		l.venter(func(is *is.I) { is.Equal(l.Utgave(id).Melding.Fakta.Frist, frist.UTC()) })
		l.Til(frist.Add(-time.Second))
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM")
			is.Equal(len(l.Brev(id)), 0)
		})
		l.Til(frist)
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM SENDT_PRINT") })
		l.Fram(time.Minute)
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), pafrist) })
	}, slutt: []dom{{brev: 1}}},
	{navn: "29 kvittering etter at brevet er overlatt til print", driv: func(l *liv) {
		l.Manus = func(levering.Brev) fakeprint.Manus { return fakeprint.Poster(5 * time.Hour) }
		l.svarer("4601/01", world.Svar{Meldingstype: protokoll.Mottatt, Etter: 42 * time.Hour})
		id := l.Send("4601", "01")
		l.Fram(41 * time.Hour)
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM SENDT_PRINT") })
		l.Fram(24 * time.Hour)
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), pafrist)                               // LEVERT once
			is.True(l.Utgave(id).Melding.Har(melding.BekreftetBrevUnderveis)) // never «avbestilt» on hope
			is.True(l.Utgave(id).Melding.Har(melding.BrevAvbestilt))          // and it was stopped in time
			is.True(l.Brev(id)[0].Hendelser[1].Status == levering.BrevAnnullert)
		})
	}},
	{navn: "29 kvitteringen kommer for sent til å stanse brevet", driv: func(l *liv) {
		l.Manus = func(levering.Brev) fakeprint.Manus { return fakeprint.Poster(time.Hour) }
		l.svarer("4601/01", world.Svar{Meldingstype: protokoll.Mottatt, Etter: 42 * time.Hour})
		id := l.Send("4601", "01")
		l.Fram(3 * 24 * time.Hour)
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), pafrist) })
	}, slutt: []dom{{brev: 1}}},
	{navn: "kvittering mens trykkeriet er nede", driv: func(l *liv) {
		l.Print.Nede(time.Time{})
		l.svarer("4601/01", world.Svar{Meldingstype: protokoll.Mottatt, Etter: 45 * time.Hour})
		id := l.Send("4601", "01")
		l.Fram(44 * time.Hour)
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM") // the vendor is down: SENDT_PRINT would be a lie (D16)
			is.True(slices.Contains(l.ApneSaker(id), levering.SakBrevSliter))
		})
		l.Fram(2 * time.Hour)
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), bekreftet) })
		l.Print.Oppe()
		l.Fram(3 * 24 * time.Hour)
		l.venter(func(is *is.I) {
			is.Equal(len(l.Brev(id)), 0) // no letter came afterwards
			is.Equal(l.Tilstander(id), bekreftet)
			is.Equal(len(l.ApneSaker(id)), 0)
		})
	}},
	{navn: "trykkeriet fikk brevet, men portalen fikk det ikke vite", driv: func(l *liv) {
		l.Print.MistSvar(1)
		id := l.Send("5501", "00")
		l.Fram(time.Minute)
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), avvist)
			is.Equal(len(l.Brev(id)), 1) // asked before anything was submitted again
		})
	}, slutt: []dom{{brev: 1}}},
	{navn: "trykkeriet tar imot og poster aldri", driv: func(l *liv) {
		l.Manus = func(levering.Brev) fakeprint.Manus { return fakeprint.PosterAldri() }
		id := l.Send("5501", "00")
		l.Fram(15 * time.Hour)
		l.venter(func(is *is.I) { is.Equal(len(l.ApneSaker(id)), 0) })
		l.Fram(2 * time.Hour) // 16 virketimer have passed
		l.venter(func(is *is.I) { is.Equal(l.ApneSaker(id), []levering.Saksart{levering.SakBrevIkkePostlagt}) })
		l.Fram(12 * 24 * time.Hour)
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM AVVIST_FAGSYSTEM SENDT_PRINT") // never LEVERT by assumption
		})
	}, slutt: []dom{{slutt: []melding.Tilstand{melding.SENDT_PRINT}, apne: []levering.Saksart{levering.SakBrevIkkePostlagt}, brev: 1}}},
	{navn: "brevet kommer i retur etter levering", driv: func(l *liv) {
		l.Manus = func(levering.Brev) fakeprint.Manus { return fakeprint.Returnerer(time.Hour, 72*time.Hour) }
		id := l.Send("5501", "00")
		l.Fram(4 * 24 * time.Hour)
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), avvist)
			is.Equal(l.ApneSaker(id), []levering.Saksart{levering.SakBrevRetur})
		})
		l.Steg = 24 * time.Hour
		l.Fram(40 * 24 * time.Hour)
		l.venter(func(is *is.I) { is.True(!l.Utgave(id).Slettet) }) // the content is kept until somebody has looked
	}, slutt: []dom{{apne: []levering.Saksart{levering.SakBrevRetur}, brev: 1}}},
	{navn: "fristen går ut før noe er sendt, og trykkeriet er nede da", valg: world.Valg{Oppsett: func(d *world.Deltakere) {
		d.Finn("4601", "01").FristSekunder = 3 * 60 * 60 // days of the same retries would prove no more
	}}, driv: func(l *liv) {
		l.Nett.Nede(true)
		l.Print.Nede(world.Start.Add(6 * time.Hour))
		id := l.Send("4601", "01")
		l.Fram(3*time.Hour - time.Second)
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), "AKSEPTERT") })
		l.Fram(4 * time.Hour)
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), aldri)
			is.Equal(finn(l.Utgave(id), melding.VenterPaPrint).Arsak, melding.ArsakAldriSendt)
		})
	}, slutt: []dom{{brev: 1}}},
	{navn: "6 mottakerens nøkkel er utløpt: brev", valg: world.Valg{Start: time.Date(2027, 12, 1, 8, 0, 0, 0, time.UTC)}, driv: func(l *liv) {
		sjekk := func() { l.igjen(func() error { return l.System.Levering.SjekkNokler(context.Background()) }) }
		utgar := l.D.Finn("4601", "01").Sert.Cert.NotAfter
		sjekk()
		l.venter(func(is *is.I) { is.Equal(len(l.ApneSaker("")), 0) })
		for _, dager := range []int{60, 30, 7} {
			l.Klokke.Sett(utgar.Add(-time.Duration(dager)*24*time.Hour + time.Minute))
			sjekk()
			sjekk() // twice is once
		}
		l.venter(func(is *is.I) {
			n := 0
			for _, a := range l.ApneSaker("") {
				if a == levering.SakNokkelUtloper {
					n++
				}
			}
			is.Equal(n, 3*5) // 60, 30 and 7 days before, for four receivers and the printer
		})
		l.Klokke.Sett(utgar.Add(time.Hour))
		id := l.Send("4601", "01") // still accepted
		l.Fram(time.Minute)
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), aldri)
			is.True(slices.ContainsFunc(l.Utgave(id).Saker, func(s levering.Sak) bool { return s.Art == levering.SakUtloptPrint })) // the printer's has expired too: critical, and accepted
		})
	}, slutt: []dom{{brev: 1, kan: []levering.Saksart{levering.SakUtloptPrint}}}, losSaker: []levering.Saksart{levering.SakNokkelUtloper}},
}

func avvisAlle(levering.Brev) fakeprint.Manus { return fakeprint.Avviser(time.Hour) }
