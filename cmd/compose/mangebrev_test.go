package compose_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/fakeprint"
	"portal.example/bekymringsmelding/app/delivery"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// medSak tells of each case before it is opened.
type medSak struct {
	compose.Lager
	ved func(levering.Sak) error
}

func (m medSak) OpenCase(ctx context.Context, s levering.Sak) error {
	if err := m.ved(s); err != nil {
		return err
	}
	return m.Lager.OpenCase(ctx, s)
}

// tause sends n reports to a case system that never answers, and lets the portal send them.
func tause(t *testing.T, v *world.Verden, n int) (ids []melding.ID) {
	t.Helper()
	for range n {
		id, err := v.Lever(v.D.Avsender, v.Forsegl("4204", "00"))
		is.New(t).NoErr(err)
		ids = append(ids, id)
	}
	v.Pump()
	return ids
}

// brevBestilt counts the reports whose letter is ordered.
func brevBestilt(v *world.Verden, ids []melding.ID) (n int) {
	for _, id := range ids {
		if v.Utgave(id).Melding.Har(melding.VenterPaPrint) {
			n++
		}
	}
	return n
}

// enFrist lets one replica do one item that is due.
func enFrist(t *testing.T, v *world.Verden, s *compose.System) {
	t.Helper()
	is := is.New(t)
	leier, err := v.Lager.Claim(t.Context(), levering.KoFrist, 1, v.Klokke.Now(), time.Minute)
	is.NoErr(err)
	is.Equal(len(leier), 1)
	is.NoErr(s.Levering.Utfor(t.Context(), leier[0]))
}

func mangeBrev(v *world.Verden) bool { return slices.Contains(v.ApneSaker(""), levering.SakMangeBrev) }

func TestASweepOfManyLettersAlarmsBeforeTheFirstWhicheverReplicaHasIt(t *testing.T) {
	is, v := is.New(t), verden(t)
	ids := tause(t, v, 21)
	for0 := -1 // letters ordered when the alarm was raised
	annen := v.NySystem(v.Lager, func(l *compose.Lager, _ *ports.Transport, _ *ports.Printer) {
		*l = medSak{*l, func(levering.Sak) error { for0 = brevBestilt(v, ids); return nil }}
	})
	v.Klokke.Sett(v.Utgave(ids[0]).Melding.Fakta.Frist)
	enFrist(t, v, annen)
	is.True(mangeBrev(v))
	is.Equal(for0, 0)
	is.Equal(brevBestilt(v, ids), 1) // and it went
	v.Pump()
	is.Equal(brevBestilt(v, ids), 21) // nobody had to say yes
}

func TestASweepSpreadOverMinutesAndReplicasIsOneSweep(t *testing.T) {
	is, v := is.New(t), verden(t)
	v.Manus = func(levering.Brev) fakeprint.Manus { return fakeprint.Poster(5 * time.Hour) }
	forste := tause(t, v, 15)
	v.Fram(5 * time.Minute)
	andre := tause(t, v, 6)
	v.Til(v.Utgave(forste[0]).Melding.Fakta.Frist)
	is.Equal(brevBestilt(v, forste), 15)
	is.True(!mangeBrev(v))
	v.Klokke.Sett(v.Utgave(andre[0]).Melding.Fakta.Frist)
	enFrist(t, v, v.NySystem(v.Lager, nil)) // another process, which has counted nothing
	is.True(mangeBrev(v))
}

func TestTwentyLettersAreNotMany(t *testing.T) {
	is, v := is.New(t), verden(t)
	ids := tause(t, v, 20)
	v.Til(v.Utgave(ids[0]).Melding.Fakta.Frist)
	is.Equal(brevBestilt(v, ids), 20)
	is.True(!mangeBrev(v))
}

// Letters that nobody waited for a frist to get are as unusual when they are many.
func TestABurstOfRefusalsAlarmsAsASweepDoes(t *testing.T) {
	for navn, x := range map[string]struct {
		til  [2]string
		gjor func(*world.Verden)
	}{
		"fagsystemet avviser alt": {[2]string{"5501", "00"}, func(*world.Verden) {}},
		"kontoen er stengt":       {[2]string{"4601", "01"}, func(v *world.Verden) { v.Nett.Steng(v.KontoID("4601", "01")) }},
	} {
		t.Run(navn, func(t *testing.T) {
			is, v := is.New(t), verden(t)
			v.Manus = func(levering.Brev) fakeprint.Manus { return fakeprint.Poster(5 * time.Hour) }
			x.gjor(v)
			brev := 0
			send := func() {
				id, err := v.Lever(v.D.Avsender, v.Forsegl(x.til[0], x.til[1]))
				is.NoErr(err)
				v.Fram(time.Second)
				brev += len(v.Brev(id))
			}
			for range 20 {
				send()
			}
			is.Equal(brev, 20)
			is.True(!mangeBrev(v))
			_, err := v.System.Levering.HoldBrev(t.Context(), "kari", "prøve", time.Hour)
			is.NoErr(err)
			send()
			is.True(mangeBrev(v))
			is.Equal(brev, 21) // a hold is for what the frist releases: somebody has said no to these
		})
	}
}

func TestRefusalsSpreadOverADayAreNotABurst(t *testing.T) {
	is, v := is.New(t), verden(t)
	v.Manus = func(levering.Brev) fakeprint.Manus { return fakeprint.Poster(15 * time.Hour) }
	for range 25 {
		_, err := v.Lever(v.D.Avsender, v.Forsegl("5501", "00"))
		is.NoErr(err)
		v.Fram(30 * time.Minute)
	}
	is.True(!mangeBrev(v))
}

func TestAnAlarmThatFailsHoldsNoLetterBack(t *testing.T) {
	is, v := is.New(t), verden(t)
	ids := tause(t, v, 21)
	annen := v.NySystem(v.Lager, func(l *compose.Lager, _ *ports.Transport, _ *ports.Printer) {
		*l = medSak{*l, func(levering.Sak) error { return ports.ErrUnavailable }}
	})
	v.Klokke.Sett(v.Utgave(ids[0]).Melding.Fakta.Frist)
	enFrist(t, v, annen)
	is.Equal(brevBestilt(v, ids), 1)
}

func TestAnOperatorsHoldEndsByItselfAndNeverLastsLonger(t *testing.T) {
	is, v := is.New(t), verden(t)
	ids := tause(t, v, 1)
	frist := v.Utgave(ids[0]).Melding.Fakta.Frist
	v.Til(frist.Add(-time.Minute))
	is.NoErr(v.Lager.SetMark(t.Context(), delivery.MerkeBrevstopp, frist.Add(3*time.Hour).Format(time.RFC3339)))
	v.Fram(3 * time.Hour)
	is.Equal(brevBestilt(v, ids), 0)
	v.Fram(time.Minute)
	is.Equal(brevBestilt(v, ids), 1)

	ids = tause(t, v, 1)
	frist = v.Utgave(ids[0]).Melding.Fakta.Frist
	is.NoErr(v.Lager.SetMark(t.Context(), delivery.MerkeBrevstopp, frist.Add(24*time.Hour).Format(time.RFC3339))) // a clock gone wrong
	v.Til(frist)
	is.Equal(brevBestilt(v, ids), 1)
}

func TestAHoldLiftedEarlyLetsLettersGoWithinMinutes(t *testing.T) {
	is, v := is.New(t), verden(t)
	ids := tause(t, v, 2)
	frist := v.Utgave(ids[0]).Melding.Fakta.Frist
	v.Til(frist.Add(-time.Minute))
	til, err := v.System.Levering.HoldBrev(t.Context(), "kari", "uvanlig mange", 4*time.Hour)
	is.NoErr(err)
	is.Equal(til, frist.Add(4*time.Hour-time.Minute))
	v.Fram(time.Hour)
	is.Equal(brevBestilt(v, ids), 0)
	is.Equal(v.ApneSaker(""), []levering.Saksart{levering.SakBrevstopp})
	for i := range 1100 { // many newer cases do not hide the hold's
		is.NoErr(v.Lager.OpenCase(t.Context(), levering.Sak{ID: levering.SakID("ledger/prøve/" + strconv.Itoa(i)), Art: levering.SakSvarUtenMelding,
			Apnet: v.Klokke.Now(), Frist: v.Klokke.Now()}))
	}
	is.NoErr(v.System.Levering.SlippBrev(t.Context(), "ola", "alt er i orden"))
	v.Fram(delivery.Brevpause)
	is.Equal(brevBestilt(v, ids), 2)
	is.True(!slices.Contains(v.ApneSaker(""), levering.SakBrevstopp))
	hold, err := v.Lager.Case(t.Context(), levering.SakID("ledger/brevstopp/"+til.Format(time.RFC3339)))
	is.NoErr(err)
	is.Equal(hold.LukketAv, "operator:ola")
	is.Equal(hold.Grunn, "brevstopp av kari: uvanlig mange; opphevet: alt er i orden")
}
