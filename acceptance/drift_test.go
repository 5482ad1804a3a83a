package acceptance_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

// nyNokkel is a receiver's next key: made once a run, RSA is slow.
var nyNokkel = sync.OnceValues(func() (*sim.Sertifikat, error) {
	ca, err := sim.NyCA("Ny utsteder (test)", 2048, func() time.Time { return world.Start.AddDate(-1, 0, 0) })
	if err != nil {
		return nil, err
	}
	return ca.Utsted(sim.Bestilling{Navn: "Ny nøkkel (test)", Formal: sim.Mottaker, Bits: 2048})
})

// driften are about running it: room, keys, several portals, kommuner that send on, and what the log may hold.
var driften = []scenario{
	{navn: "lite plass og ingen plass: nye meldinger får 503, leveringen går så lenge den kan", driv: func(l *liv) {
		plass := func(byte int64) {
			l.Plass.Store(byte)
			l.Klokke.Sett(l.Klokke.Now().Add(2 * time.Second)) // it is looked at once a second
		}
		s, id := l.Forseglet("4601", "01"), l.Send("4601", "01")
		plass(100 << 20)
		_, err := l.Post(s)
		l.Pump()
		l.venter(func(is *is.I) {
			f := feilkropp(l.t, err)
			is.Equal(f.Status, 503)
			is.True(f.Header.Get("Retry-After") != "")
			is.Equal(l.Tilstander(id), bekreftet)
		})
		plass(1 << 40)
		venter := l.Send("4601", "01")
		plass(1 << 20) // really full: nothing is claimed, so nothing is sent that could not be written down
		l.Pump()
		l.venter(func(is *is.I) {
			is.True(l.System.Klar(context.Background()) != nil)
			is.Equal(len(l.Nett.Sendte(venter)), 0)
		})
		plass(1 << 30)
		_, err = l.Post(s)
		l.Pump()
		l.venter(func(is *is.I) {
			is.NoErr(l.System.Klar(context.Background()))
			is.NoErr(err)
			is.Equal(l.Tilstander(venter), bekreftet)
		})
	}},
	{navn: "en kommune sender en melding videre til en annen", driv: func(l *liv) {
		l.Fagsystem["5501/00"].Oppfor(sim.Kvitterer)
		forst := l.Send("4601", "01")
		l.Pump()
		m, k := l.D.Finn("4601", "01"), l.D.Kommune("4601")
		bergen := world.Avsenderdata{Navn: "Bergen", FiksOrgID: k.FiksOrgID, Orgnr: k.Orgnr, IntegrasjonID: m.IntegrasjonID, Passord: m.Passord, KlientID: m.KlientID, Sert: m.Sert}
		id, err := l.PostFra(bergen, l.Forseglet("5501", "00"))
		l.Pump()
		l.venter(func(is *is.I) {
			is.NoErr(err)
			is.Equal(l.Tilstander(forst), bekreftet)
			rader, err := l.NyAvsender(bergen).Status(context.Background(), id)
			is.NoErr(err)
			is.Equal(rader[len(rader)-1].Tilstand, "LEVERT")
			_, err = l.Avsender.Status(context.Background(), id) // the first sender is not the second's
			is.Equal(feilkropp(l.t, err).Status, 404)
		})
	}},
	{navn: "nøkkelen byttes mens en avsender laster opp", driv: func(l *liv) {
		s, forSen := l.Forseglet("4601", "01"), l.Forseglet("4601", "01") // for the old certificate
		nytt, err := nyNokkel()
		if err != nil {
			l.t.Fatal(err)
		}
		l.D.Finn("4601", "01").Sert = nytt
		l.igjen(l.Oppsett)
		id, err := l.Post(s)
		l.Pump()
		l.venter(func(is *is.I) {
			is.NoErr(err)                           // the old one is accepted for 14 days
			is.Equal(l.Tilstander(id), bekreftet)   // and its case system still has the old key
			is.True(l.Fagsystem["4601/01"].Har(id)) //
			n, err := l.Avsender.HentNokler(context.Background(), "4601", "01")
			is.NoErr(err)
			is.True(n.Mottaker.Equal(nytt.Cert)) // who asks now is given the new one
		})
		l.Steg = 12 * time.Hour
		l.Fram(15 * 24 * time.Hour)
		_, err = l.Post(forSen)
		l.venter(func(is *is.I) { is.Equal(feilkropp(l.t, err).ErrorCode, "NOKKEL_FEIL") })
	}},
	{navn: "to portaler på ett lager", valg: world.Valg{Portaler: 2}, driv: func(l *liv) {
		ids := []melding.ID{l.Send("4601", "01"), l.Send("5501", "00"), l.Send("4601", "01")}
		l.Fram(time.Minute)
		l.venter(func(is *is.I) {
			for _, id := range ids {
				is.Equal(len(l.Nett.Sendte(id)), 1)
				is.True(strings.HasSuffix(l.Tilstander(id), "LEVERT"))
			}
		})
	}, slutt: []dom{{}, {brev: 1}, {}}},
	{navn: "50 ingenting fra meldingen i feil, logg eller målinger", driv: func(l *liv) {
		for _, m := range [][2]string{{"4601", "01"}, {"5501", "00"}, {"4204", "00"}} {
			l.Send(m[0], m[1])
		}
		l.Fram(time.Minute)
		l.Nett.Nede(true)
		l.Send("4601", "01")
		l.Fram(time.Hour)
		l.Nett.Nede(false)
		l.Manus = avvisAlle
		l.Fram(4 * 24 * time.Hour)
		l.venter(func(is *is.I) {
			res, err := http.Get(l.Server.URL + "/metrics")
			is.NoErr(err)
			defer res.Body.Close()
			b, err := io.ReadAll(res.Body)
			is.NoErr(err)
			alt := l.Logg.String() + string(b)
			for _, s := range ondeForseglet(l) { // and what a refusal says
				s.PDF = s.Asice
				_, err := l.Avsender.Post(context.Background(), s)
				alt += feilkropp(l.t, err).Error()
			}
			for _, h := range append(hemmeligheter(), l.D.Avsender.Passord) { // domme looks through the log of every other scenario, failures and all
				if strings.Contains(alt, h) {
					l.t.Errorf("%q står i feil, logg eller målinger", h)
				}
			}
			is.True(strings.Contains(alt, "sak_apen") && strings.Contains(alt, "melding akseptert") && strings.Contains(alt, "NOKKEL_FEIL")) // there was something to look at
		})
	}, slutt: []dom{{}, {brev: 1}, {slutt: []melding.Tilstand{melding.AVVIST_PRINT}, apne: []levering.Saksart{levering.SakBrevAvvist}}, {}}},
}

// TestToPortalerPaEttLager: two portals share one PostgreSQL, one channel and one print vendor, and work at the same time. Every report
// is delivered once.
func TestToPortalerPaEttLager(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	var andre compose.Lager
	v := world.Ny(t, world.Valg{Lager: func(t testing.TB) compose.Lager {
		en, to := toPostgres(t)
		andre = to
		return en
	}})
	b := v.NySystem(andre, nil)
	var ids []melding.ID
	for range 10 {
		ids = append(ids, v.Send("4601", "01"), v.Send("5501", "00"))
	}
	var wg sync.WaitGroup
	for _, s := range []*compose.System{v.System, b} {
		wg.Go(func() { _, _ = s.Outbox.Pump(context.Background()) })
	}
	wg.Wait()
	v.Fram(time.Hour)
	for _, id := range ids {
		is.Equal(len(v.Nett.Sendte(id)), 1)
		is.True(strings.HasSuffix(v.Tilstander(id), "LEVERT"))
		is.True(len(v.Brev(id)) <= 1)
	}
}
