package acceptance_test

import (
	"context"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/fakeprint"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// fagsystemer are the characters of case systems.
var fagsystemer = []scenario{
	{navn: "26 avvist: brev med en gang", driv: func(l *liv) {
		id := l.Send("5501", "00")
		l.Pump()
		l.venter(func(is *is.I) { is.Equal(len(l.Brev(id)), 1) })
		l.Fram(time.Minute)
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), avvist) })
	}, slutt: []dom{{brev: 1}}},
	{navn: "27 avvist med et svar ingen kan lese: det samme", driv: func(l *liv) {
		l.svarer("5501/00", world.Svar{Meldingstype: protokoll.Feilet, Innhold: []byte("ikke til å lese")}) // as Trondheim's client sends it
		id := l.Send("5501", "00")
		l.Fram(time.Minute)
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), avvist)
			h := finn(l.Utgave(id), melding.AvvistFagsystem)
			is.Equal(h.Arsak, melding.ArsakSvarUleselig) // counted, never needed
			_, err := l.Lager.Open(context.Background(), id, h.Del)
			is.NoErr(err) // kept as it came
		})
	}, slutt: []dom{{brev: 1}}},
	{navn: "27 avvist av et fagsystem som forsegler for seg selv", valg: som("5501", "00", sim.AvviserUleselig, 0), driv: func(l *liv) {
		id := l.Send("5501", "00")
		l.Fram(time.Minute)
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), avvist) })
	}, slutt: []dom{{brev: 1}}},
	{navn: "33 kvittering to ganger", valg: som("4601", "01", sim.ToGanger, 0), driv: func(l *liv) {
		id := l.Send("4601", "01")
		l.Pump()
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), bekreftet)
			is.True(l.Utgave(id).Melding.Har(melding.SvarGjentatt)) // heard, and nothing more
		})
	}},
	{navn: "et sent svar før fristen er en vanlig kvittering", valg: som("4601", "01", sim.Sent, 39*time.Hour), driv: func(l *liv) {
		id := l.Send("4601", "01")
		l.Fram(38 * time.Hour)
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM") })
		l.Fram(2 * time.Hour)
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), bekreftet) })
	}},
	{navn: "et sent svar etter fristen stanser brevet", valg: som("4601", "01", sim.Sent, 41*time.Hour), driv: func(l *liv) {
		l.Manus = func(levering.Brev) fakeprint.Manus { return fakeprint.Poster(6 * time.Hour) }
		id := l.Send("4601", "01")
		l.Fram(42 * time.Hour)
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), pafrist)
			is.True(l.Utgave(id).Melding.Har(melding.BrevAvbestilt))
		})
	}},
	{navn: "fagsystemet lyver: innholdet finnes når løgnen blir oppdaget", valg: som("4601", "01", sim.Lyver, 0), driv: func(l *liv) {
		id := l.Send("4601", "01") // June 2023: confirmed, and stored by nobody
		l.Pump()
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), bekreftet)
			is.True(!l.Fagsystem["4601/01"].Har(id))
		})
		l.Steg = 24 * time.Hour
		l.Fram(29 * 24 * time.Hour)
		l.Fagsystem["4601/01"].Oppfor(sim.Kvitterer) // mended, and the kommune asks for what it lost
		l.avgjor(id, levering.Avgjorelse{Valg: levering.ValgSend})
		l.Pump()
		l.venter(func(is *is.I) {
			is.True(l.Fagsystem["4601/01"].Har(id))
			is.Equal(l.Tilstander(id), bekreftet) // LEVERT once
		})
	}, slutt: []dom{{forsok: 2, slettet: true}}},
	{navn: "fagsystemet lyver, og ingen oppdager det", valg: som("4601", "01", sim.Lyver, 0), driv: func(l *liv) {
		id := l.Send("4601", "01")
		l.Fram(24 * time.Hour)
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), bekreftet) })
	}, slutt: []dom{{lyver: true}}},
	{navn: "ingen henter fra køen: brev på fristen", verdensklokke: true, driv: func(l *liv) {
		id := l.Send("4601", "02")
		l.Fram(3 * 24 * time.Hour)
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), pafrist)
			is.True(l.Utgave(id).Melding.Har(melding.Tidsavbrudd)) // the platform says so too, at the same instant
		})
	}, slutt: []dom{{brev: 1}}},
}
