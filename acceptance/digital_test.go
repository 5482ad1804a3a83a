package acceptance_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

const (
	bekreftet = "AKSEPTERT SENDT_FAGSYSTEM LEVERT"
	avvist    = "AKSEPTERT SENDT_FAGSYSTEM AVVIST_FAGSYSTEM SENDT_PRINT LEVERT"
	pafrist   = "AKSEPTERT SENDT_FAGSYSTEM SENDT_PRINT LEVERT"
	aldri     = "AKSEPTERT SENDT_PRINT LEVERT"
)

// digitale are about the channel to the case systems.
var digitale = []scenario{
	{navn: "24 mottakeren får riktig type og innhold", driv: func(l *liv) {
		id := l.Send("4601", "01")
		l.Pump()
		l.venter(func(is *is.I) {
			s := l.Nett.Sendte(id)
			is.Equal(len(s), 1)
			is.Equal(s[0].Meldingstype, "no.ks.fiks.bekymringsmelding.offentlig.v1")
			is.Equal(s[0].TTL, 40*time.Hour) // the time left to the frist
			is.True(l.Fagsystem["4601/01"].Har(id))
			is.Equal(l.Fagsystem["4601/01"].Uleste(), 0) // what was sealed is what was opened
		})
	}},
	{navn: "25 bekreftet i fagsystemet: levert uten brev", http: true, driv: func(l *liv) {
		id := l.Send("4601", "01")
		l.Pump()
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), bekreftet) })
		l.Fram(10 * 24 * time.Hour)
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), bekreftet)
			is.Equal(len(l.Brev(id)), 0)
		})
	}},
	{navn: "32 svar fra feil konto, og svar ingen kjenner", driv: func(l *liv) {
		l.svarer("4601/01", world.Svar{Meldingstype: protokoll.Mottatt, Fra: l.KontoID("5501", "00")},
			world.Svar{Meldingstype: protokoll.Mottatt, SvarTil: "ukjent"}, world.Svar{Meldingstype: "no.ks.fiks.noe.annet.v1"})
		id := l.Send("4601", "01")
		l.Fram(20 * time.Minute)
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM")
			is.True(l.Utgave(id).Melding.Har(melding.SvarFraAnnenKonto))
			is.True(slices.Contains(l.ApneSaker(id), levering.SakAnnenKonto)) // whose receipt is it?
			is.True(slices.Contains(l.ApneSaker(id), levering.SakUkjentSvar))
			is.True(slices.Contains(l.ApneSaker(""), levering.SakSvarUtenMelding)) // kept for a person, after 15 minutes
		})
		l.Fram(3 * 24 * time.Hour)
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), pafrist) })
	}, slutt: []dom{{apne: []levering.Saksart{levering.SakUkjentSvar, levering.SakAnnenKonto}, brev: 1}}, losSaker: []levering.Saksart{levering.SakSvarUtenMelding}},
	{navn: "34 kanalen er nede i seks timer", driv: func(l *liv) {
		l.Nett.Nede(true)
		var ids []melding.ID
		for range 2 {
			ids = append(ids, l.Send("4601", "01")) // accepting goes on
			l.Fram(time.Minute)
		}
		l.Fram(6 * time.Hour)
		l.venter(func(is *is.I) { is.True(slices.Contains(l.ApneSaker(ids[0]), levering.SakSendingSliter)) })
		l.Nett.Nede(false)
		l.Fram(20 * time.Minute)
		l.venter(func(is *is.I) {
			for i, id := range ids {
				is.Equal(l.Tilstander(id), bekreftet)
				is.Equal(len(l.ApneSaker(id)), 0)
				is.Equal(len(l.Nett.Sendte(id)), 1)
				is.Equal(l.Utgave(id).Melding.Fakta.Frist, world.Start.Add(time.Duration(i)*time.Minute+40*time.Hour)) // as promised
			}
		})
	}},
	{navn: "35 sendingen kom fram, men portalen fikk det ikke vite", driv: func(l *liv) {
		l.svarer("4601/01")
		l.Nett.MistSvar(1)
		id := l.Send("4601", "01")
		l.Fram(time.Minute)
		s := l.Nett.Sendte(id)
		l.venter(func(is *is.I) {
			is.Equal(len(s), 2)
			is.Equal(s[0].Forsok, s[1].Forsok)                         // the receiver can know it again
			is.True(l.Utgave(id).Melding.Har(melding.SendingGjentatt)) // and it is counted
		})
		if len(s) > 0 { // the first one's id never reached us
			l.Nett.Si(s[0], world.Svar{Meldingstype: protokoll.Mottatt, UtenRef: true})
		}
		l.Pump()
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), bekreftet) })
	}},
	{navn: "svaret kommer, og portalen vet ikke at den har sendt", driv: func(l *liv) {
		l.Nett.MistSvar(1) // the answer is on its way, and Send fails
		id := l.Send("4601", "01")
		l.Pump()
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), bekreftet) })
		l.Fram(time.Hour)
		l.venter(func(is *is.I) { is.Equal(len(l.Nett.Sendte(id)), 1) })
	}},
	{navn: "svaret kommer før vår egen lagring av sendingen", valg: som("4601", "01", sim.ForCommit, 0), driv: func(l *liv) {
		id := l.Send("4601", "01")
		l.Pump()
		l.venter(func(is *is.I) {
			is.Equal(l.Tilstander(id), bekreftet)
			m := l.Utgave(id).Melding
			is.True(m.Har(melding.SendtBevist))     // the answer proved the send
			is.True(m.Har(melding.SendingFullfort)) // and the platform's name for it is kept all the same
			is.Equal(len(l.Nett.Sendte(id)), 1)
		})
	}},
	{navn: "mottakerens konto er stengt: brev med en gang", driv: func(l *liv) {
		l.Nett.Steng(l.KontoID("4601", "01"))
		id := l.Send("4601", "01")
		l.Fram(time.Minute)
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), aldri) })
	}, slutt: []dom{{brev: 1}}},
	{navn: "serverfeil er ikke en avvisning", driv: func(l *liv) {
		l.Fagsystem["4601/01"].Svarer(forst(protokoll.Serverfeil, protokoll.Serverfeil))
		id := l.Send("4601", "01")
		l.Fram(14 * time.Minute)
		l.venter(func(is *is.I) { is.Equal(len(l.Nett.Sendte(id)), 1) })
		l.Fram(2 * time.Minute)
		l.venter(func(is *is.I) {
			is.Equal(len(l.Nett.Sendte(id)), 2) // after 15 minutes
			is.Equal(l.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM")
		})
		l.Fram(2 * time.Hour)
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), bekreftet) })
	}, slutt: []dom{{forsok: 3}}},
	{navn: "21 natten klokka stilles: rekkefølgen er riktig", valg: world.Valg{Start: time.Date(2026, 10, 25, 0, 59, 0, 0, time.UTC)}, driv: func(l *liv) {
		l.Nett.Nede(true)
		id := l.Send("4601", "01") // 02:59 summer time
		l.Fram(2 * time.Minute)    // 02:01 winter time
		l.Nett.Nede(false)
		l.Fram(time.Minute)
		l.venter(func(is *is.I) {
			rader, err := l.Avsender.Status(context.Background(), id)
			is.NoErr(err)
			is.True(strings.HasPrefix(rader[0].Tidspunkt, "2026-10-25T02:59"))
			is.True(rader[len(rader)-1].Tidspunkt < rader[0].Tidspunkt) // the wall clock runs back; the sequence does not
			is.Equal(rader[0].Tilstand, "AKSEPTERT")
			is.NoErr(l.Utgave(id).Melding.Kontroller())
		})
	}},
}

// som is a world where one receiver's case system has a character; etter is how late a late one answers.
func som(kommunenr, bydel string, o sim.Oppforsel, etter time.Duration) world.Valg {
	return world.Valg{Oppsett: func(d *world.Deltakere) {
		m := d.Finn(kommunenr, bydel)
		m.Fagsystem, m.SentEtter = string(o), etter
	}}
}
