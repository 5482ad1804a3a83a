package acceptance_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/fakeprint"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/domain/virketid"
	"portal.example/bekymringsmelding/ports"
)

const (
	bekreftet = "AKSEPTERT SENDT_FAGSYSTEM LEVERT"
	avvist    = "AKSEPTERT SENDT_FAGSYSTEM AVVIST_FAGSYSTEM SENDT_PRINT LEVERT"
	pafrist   = "AKSEPTERT SENDT_FAGSYSTEM SENDT_PRINT LEVERT"
	aldri     = "AKSEPTERT SENDT_PRINT LEVERT"
)

// scenario is one of reference §8, by its number, or one of our own.
type scenario struct {
	navn string
	valg world.Valg
	kjor func(*testing.T, *world.Verden)
}

var scenarier = []scenario{
	{"24 mottakeren får riktig type og innhold", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		id := v.Send("4601", "01")
		v.Pump()
		s := v.Nett.Sendte(id)
		is.Equal(len(s), 1)
		is.Equal(s[0].Meldingstype, "no.ks.fiks.bekymringsmelding.offentlig.v1")
		is.Equal(s[0].TTL, 40*time.Hour) // the time left to the frist
		is.True(v.Fagsystem["4601/01"].Har(id))
		is.Equal(v.Fagsystem["4601/01"].Uleste(), 0) // what was sealed is what was opened
	}},
	{"25 bekreftet i fagsystemet: levert uten brev", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		id := v.Send("4601", "01")
		v.Pump()
		is.Equal(v.Tilstander(id), bekreftet)
		v.Fram(10 * 24 * time.Hour)
		is.Equal(v.Tilstander(id), bekreftet)
		is.Equal(len(v.Brev(id)), 0)
	}},
	{"26 og 27 avvist: brev med en gang", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		v.Fagsystem["5501/00"].Svarer(func(world.Sendt) []world.Svar { // a body nobody can read, as Trondheim's client sends it
			return []world.Svar{{Meldingstype: protokoll.Feilet, Innhold: []byte("ikke til å lese")}}
		})
		id := v.Send("5501", "00")
		v.Pump()
		is.Equal(len(v.Brev(id)), 1)
		v.Fram(time.Minute)
		is.Equal(v.Tilstander(id), avvist)
		h := finn(v.Utgave(id), melding.AvvistFagsystem)
		is.Equal(h.Arsak, melding.ArsakSvarUleselig) // counted, never needed
		_, err := v.Lager.Open(context.Background(), id, h.Del)
		is.NoErr(err) // kept as it came
	}},
	{"28 ikke svar: brevet går nøyaktig på fristen", world.Valg{Start: time.Date(2026, 3, 27, 14, 0, 0, 0, time.UTC)}, func(t *testing.T, v *world.Verden) {
		// Friday 27 March 15:00 in Oslo, before Palm Sunday. 9 hours are left of Friday; Monday 30th, 24; then 7 of Tuesday 31st. The
		// clocks change on Sunday 29th, which does not count.
		is := is.New(t)
		frist := time.Date(2026, 3, 31, 7, 0, 0, 0, virketid.Oslo())
		id := v.Send("4204", "00")
		is.Equal(v.Utgave(id).Melding.Fakta.Frist, frist.UTC())
		v.Til(frist.Add(-time.Second))
		is.Equal(v.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM")
		is.Equal(len(v.Brev(id)), 0)
		v.Til(frist)
		is.Equal(v.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM SENDT_PRINT")
		v.Fram(time.Minute)
		is.Equal(v.Tilstander(id), pafrist)
	}},
	{"29 kvittering etter at brevet er overlatt til print", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		v.Manus = func(levering.Brev) fakeprint.Manus { return fakeprint.Poster(5 * time.Hour) }
		v.Fagsystem["4601/01"].Svarer(func(world.Sendt) []world.Svar {
			return []world.Svar{{Meldingstype: protokoll.Mottatt, Etter: 42 * time.Hour}}
		})
		id := v.Send("4601", "01")
		v.Fram(41 * time.Hour)
		is.Equal(v.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM SENDT_PRINT")
		v.Fram(24 * time.Hour)
		is.Equal(v.Tilstander(id), pafrist)                               // LEVERT once
		is.True(v.Utgave(id).Melding.Har(melding.BekreftetBrevUnderveis)) // never «avbestilt» on hope
		is.True(v.Utgave(id).Melding.Har(melding.BrevAvbestilt))          // and it was stopped in time
		is.True(v.Brev(id)[0].Hendelser[1].Status == levering.BrevAnnullert)
	}},
	{"kvittering mens trykkeriet er nede", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		v.Print.Nede(time.Time{})
		v.Fagsystem["4601/01"].Svarer(func(world.Sendt) []world.Svar {
			return []world.Svar{{Meldingstype: protokoll.Mottatt, Etter: 45 * time.Hour}}
		})
		id := v.Send("4601", "01")
		v.Fram(44 * time.Hour)
		is.Equal(v.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM") // the vendor is down: SENDT_PRINT would be a lie (D16)
		is.True(slices.Contains(v.ApneSaker(id), levering.SakBrevSliter))
		v.Fram(2 * time.Hour)
		is.Equal(v.Tilstander(id), bekreftet)
		v.Print.Oppe()
		v.Fram(3 * 24 * time.Hour)
		is.Equal(len(v.Brev(id)), 0) // no letter came afterwards
		is.Equal(v.Tilstander(id), bekreftet)
		is.Equal(len(v.ApneSaker(id)), 0)
	}},
	{"30 avvist etter at meldingen var levert", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		v.Fagsystem["4601/01"].Svarer(func(world.Sendt) []world.Svar {
			return []world.Svar{{Meldingstype: protokoll.Mottatt}, {Meldingstype: protokoll.Feilet, Etter: time.Hour}}
		})
		id := v.Send("4601", "01")
		v.Fram(2 * time.Hour)
		is.Equal(v.Tilstander(id), bekreftet)
		is.Equal(v.ApneSaker(id), []levering.Saksart{levering.SakFeiletEtterLevert})
		v.Fagsystem["4601/01"].Svarer(world.Kvitterer)
		avgjor(t, v, id, levering.ValgSend)
		v.Pump()
		s := v.Nett.Sendte(id)
		is.Equal(len(s), 2)
		is.True(s[0].Forsok != s[1].Forsok) // a deliberate redelivery has an id of its own
		is.Equal(v.Tilstander(id), bekreftet)
	}},
	{"32 svar fra feil konto, og svar ingen kjenner", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		fremmed := v.KontoID("5501", "00")
		v.Fagsystem["4601/01"].Svarer(func(world.Sendt) []world.Svar {
			return []world.Svar{{Meldingstype: protokoll.Mottatt, Fra: fremmed}, {Meldingstype: protokoll.Mottatt, SvarTil: "ukjent"}, {Meldingstype: "no.ks.fiks.noe.annet.v1"}}
		})
		id := v.Send("4601", "01")
		v.Fram(20 * time.Minute)
		is.Equal(v.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM")
		is.True(v.Utgave(id).Melding.Har(melding.SvarFraAnnenKonto))
		is.True(slices.Contains(v.ApneSaker(id), levering.SakUkjentSvar))
		is.True(slices.Contains(v.ApneSaker(""), levering.SakSvarUtenMelding)) // kept for a person, after 15 minutes
		v.Fram(3 * 24 * time.Hour)
		is.Equal(v.Tilstander(id), pafrist)
	}},
	{"33 kvittering to ganger", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		v.Fagsystem["4601/01"].Svarer(world.ToGanger)
		id := v.Send("4601", "01")
		v.Pump()
		is.Equal(v.Tilstander(id), bekreftet)
	}},
	{"34 kanalen er nede i seks timer", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		v.Nett.Nede(true)
		var ids []melding.ID
		for range 5 {
			ids = append(ids, v.Send("4601", "01")) // accepting goes on
			v.Fram(time.Minute)
		}
		frist := v.Utgave(ids[0]).Melding.Fakta.Frist
		v.Fram(6 * time.Hour)
		is.True(slices.Contains(v.ApneSaker(ids[0]), levering.SakSendingSliter))
		v.Nett.Nede(false)
		v.Fram(20 * time.Minute)
		for _, id := range ids {
			is.Equal(v.Tilstander(id), bekreftet)
			is.Equal(len(v.ApneSaker(id)), 0)
			is.Equal(len(v.Nett.Sendte(id)), 1)
		}
		is.Equal(v.Utgave(ids[0]).Melding.Fakta.Frist, frist)
	}},
	{"35 sendingen kom fram, men portalen fikk det ikke vite", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		v.Fagsystem["4601/01"].Svarer(world.Stille)
		v.Nett.MistSvar(1)
		id := v.Send("4601", "01")
		v.Fram(time.Minute)
		s := v.Nett.Sendte(id)
		is.Equal(len(s), 2)
		is.Equal(s[0].Forsok, s[1].Forsok)                                          // the receiver can know it again
		is.True(v.Utgave(id).Melding.Har(melding.SendingGjentatt))                  // and it is counted
		v.Nett.Si(s[0], world.Svar{Meldingstype: protokoll.Mottatt, UtenRef: true}) // the first one's id never reached us
		v.Pump()
		is.Equal(v.Tilstander(id), bekreftet)
	}},
	{"svaret kommer før vår egen lagring av sendingen", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		v.Nett.MistSvar(1) // the answer is on its way, and Send fails
		id := v.Send("4601", "01")
		v.Pump()
		is.Equal(v.Tilstander(id), bekreftet)
		v.Fram(time.Hour)
		is.Equal(len(v.Nett.Sendte(id)), 1)
	}},
	{"36 trykkeriet avviser: en operatør avgjør", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		v.Manus = func(levering.Brev) fakeprint.Manus { return fakeprint.Avviser(time.Hour) }
		id := v.Send("5501", "00")
		v.Fram(2 * time.Hour)
		is.Equal(v.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM AVVIST_FAGSYSTEM SENDT_PRINT AVVIST_PRINT")
		is.Equal(v.ApneSaker(id), []levering.Saksart{levering.SakBrevAvvist})
		v.Fram(5 * 24 * time.Hour)
		is.Equal(v.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM AVVIST_FAGSYSTEM SENDT_PRINT AVVIST_PRINT") // never by itself
		avgjor(t, v, id, levering.ValgLevert)
		is.Equal(v.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM AVVIST_FAGSYSTEM SENDT_PRINT AVVIST_PRINT LEVERT")
		h := finn(v.Utgave(id), melding.LevertForHand)
		is.Equal(h.Aktor, "operator:kari")
		is.Equal(h.Grunn, "prøve")
		is.Equal(len(v.ApneSaker(id)), 0)
	}},
	{"trykkeriet tar imot og poster aldri", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		v.Manus = func(levering.Brev) fakeprint.Manus { return fakeprint.PosterAldri() }
		id := v.Send("5501", "00")
		v.Fram(15 * time.Hour)
		is.Equal(len(v.ApneSaker(id)), 0)
		v.Fram(2 * time.Hour) // 16 virketimer have passed
		is.Equal(v.ApneSaker(id), []levering.Saksart{levering.SakBrevIkkePostlagt})
		v.Fram(20 * 24 * time.Hour)
		is.Equal(v.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM AVVIST_FAGSYSTEM SENDT_PRINT") // never LEVERT by assumption
	}},
	{"brevet kommer i retur etter levering", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		v.Manus = func(levering.Brev) fakeprint.Manus { return fakeprint.Returnerer(time.Hour, 72*time.Hour) }
		id := v.Send("5501", "00")
		v.Fram(4 * 24 * time.Hour)
		is.Equal(v.Tilstander(id), avvist)
		is.Equal(v.ApneSaker(id), []levering.Saksart{levering.SakBrevRetur})
		v.Steg = 24 * time.Hour
		v.Fram(40 * 24 * time.Hour)
		is.True(!v.Utgave(id).Slettet) // the content is kept until somebody has looked
	}},
	{"40 etter 30 dager er innholdet borte og historikken igjen", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		id, holdt := v.Send("4601", "01"), v.Send("4601", "01")
		v.Pump()
		avgjor(t, v, holdt, levering.ValgHold)
		v.Steg = 24 * time.Hour
		v.Fram(30*24*time.Hour - time.Minute)
		is.True(!v.Utgave(id).Slettet)
		v.Fram(24 * time.Hour)
		is.True(v.Utgave(id).Slettet)
		is.Equal(v.Tilstander(id), bekreftet)
		for _, del := range []melding.Del{melding.DelAsice, melding.DelPDF} {
			_, err := v.Lager.Open(context.Background(), id, del)
			is.True(errors.Is(err, ports.ErrErased))
			_, err = v.Lager.Open(context.Background(), holdt, del)
			is.NoErr(err) // a hold stops erasure
		}
	}},
	{"mottakerens konto er stengt: brev med en gang", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		v.Nett.Steng(v.KontoID("4601", "01"))
		id := v.Send("4601", "01")
		v.Fram(time.Minute)
		is.Equal(v.Tilstander(id), aldri)
	}},
	{"fristen går ut før noe er sendt", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		v.Nett.Nede(true)
		id := v.Send("4601", "01")
		v.Fram(3 * 24 * time.Hour)
		is.Equal(v.Tilstander(id), aldri)
		is.Equal(finn(v.Utgave(id), melding.VenterPaPrint).Arsak, melding.ArsakAldriSendt)
	}},
	{"serverfeil er ikke en avvisning", world.Valg{}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		ganger := 0
		v.Fagsystem["4601/01"].Svarer(func(s world.Sendt) []world.Svar {
			if ganger++; ganger < 3 {
				return []world.Svar{{Meldingstype: protokoll.Serverfeil}}
			}
			return world.Kvitterer(s)
		})
		id := v.Send("4601", "01")
		v.Fram(14 * time.Minute)
		is.Equal(len(v.Nett.Sendte(id)), 1)
		v.Fram(2 * time.Minute)
		is.Equal(len(v.Nett.Sendte(id)), 2) // after 15 minutes
		is.Equal(v.Tilstander(id), "AKSEPTERT SENDT_FAGSYSTEM")
		v.Fram(2 * time.Hour)
		is.Equal(v.Tilstander(id), bekreftet)
	}},
	{"21 natten klokka stilles: rekkefølgen er riktig", world.Valg{Start: time.Date(2026, 10, 25, 0, 59, 0, 0, time.UTC)}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		id := v.Send("4601", "01") // 02:59 summer time
		v.Fagsystem["4601/01"].Svarer(world.Kvitterer)
		v.Nett.Nede(true)
		v.Fram(2 * time.Minute) // 02:01 winter time
		v.Nett.Nede(false)
		v.Fram(time.Minute)
		rader, err := v.Avsender.Status(context.Background(), id)
		is.NoErr(err)
		is.True(strings.HasPrefix(rader[0].Tidspunkt, "2026-10-25T02:59"))
		is.True(rader[len(rader)-1].Tidspunkt < rader[0].Tidspunkt) // the wall clock runs back; the sequence does not
		is.Equal(rader[0].Tilstand, "AKSEPTERT")
		is.NoErr(v.Utgave(id).Melding.Kontroller())
	}},
	{"6 mottakerens nøkkel er utløpt: brev", world.Valg{Start: time.Date(2027, 12, 1, 8, 0, 0, 0, time.UTC)}, func(t *testing.T, v *world.Verden) {
		is := is.New(t)
		utgar := v.D.Finn("4601", "01").Sert.Cert.NotAfter
		is.NoErr(v.System.Levering.SjekkNokler(context.Background()))
		is.Equal(len(v.ApneSaker("")), 0)
		for _, dager := range []int{60, 30, 7} {
			v.Klokke.Sett(utgar.Add(-time.Duration(dager)*24*time.Hour + time.Minute))
			is.NoErr(v.System.Levering.SjekkNokler(context.Background()))
			is.NoErr(v.System.Levering.SjekkNokler(context.Background())) // twice is once
		}
		n := 0
		for _, a := range v.ApneSaker("") {
			if a == levering.SakNokkelUtloper {
				n++
			}
		}
		is.Equal(n, 3*5) // 60, 30 and 7 days before, for four receivers and the printer
		v.Klokke.Sett(utgar.Add(time.Hour))
		id := v.Send("4601", "01") // still accepted
		v.Fram(time.Minute)
		is.Equal(v.Tilstander(id), aldri)
		is.True(slices.Contains(allesaker(v, id), levering.SakUtloptPrint)) // the printer's has expired too: critical, and accepted
	}},
}

func TestScenarier(t *testing.T) {
	for _, s := range scenarier {
		t.Run(s.navn, func(t *testing.T) {
			t.Parallel()
			iHverVerden(t, s.valg, s.kjor)
		})
	}
}

func avgjor(t *testing.T, v *world.Verden, id melding.ID, valg levering.Valg) {
	t.Helper()
	if _, err := v.System.Levering.Avgjor(context.Background(), id, levering.Avgjorelse{Valg: valg, Hvem: "kari", Grunn: "prøve"}); err != nil {
		t.Fatal(err)
	}
}

func finn(u levering.Utgave, k melding.Kode) melding.Hendelse {
	for _, h := range u.Melding.Historikk {
		if h.Kode == k {
			return h
		}
	}
	return melding.Hendelse{}
}

func allesaker(v *world.Verden, id melding.ID) (ut []levering.Saksart) {
	for _, s := range v.Utgave(id).Saker {
		ut = append(ut, s.Art)
	}
	return ut
}
