package delivery_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/app/delivery"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/virketid"
	"portal.example/bekymringsmelding/ports"
)

var t0 = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

type rigg struct {
	*delivery.Service
	lager  *memory.Lager
	klokke *memory.Klokke
}

func nyRigg() rigg {
	k := memory.NyKlokke(t0)
	l := memory.NyttLager(k)
	return rigg{delivery.New(delivery.Config{Store: l, Dispatch: l, Vault: l, Work: l, Ledger: l, Directory: l, Certs: l, Overview: l, Clock: k,
		Policy: levering.Standard(virketid.Kalender{})}), l, k}
}

func (r rigg) apne(t *testing.T) (ut []string) {
	t.Helper()
	saker, err := r.lager.Cases(t.Context(), true, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range saker {
		k := ""
		if s.Kritisk {
			k = " kritisk"
		}
		ut = append(ut, string(s.Art)+k)
	}
	return ut
}

func TestAPortalThatHearsNoAnswersTellsAPersonAfterOneAndTwelveHours(t *testing.T) {
	is, r := is.New(t), nyRigg()
	is.NoErr(r.SjekkLytting(t.Context())) // the clock starts at the first look, also when nothing was ever heard
	r.klokke.Sett(t0.Add(59 * time.Minute))
	is.NoErr(r.SjekkLytting(t.Context()))
	is.Equal(len(r.apne(t)), 0)
	for range 3 {
		r.klokke.Sett(r.klokke.Now().Add(2 * time.Minute))
		is.NoErr(r.SjekkLytting(t.Context()))
	}
	is.Equal(strings.Join(r.apne(t), ","), "tar-ikke-imot-svar") // one, however often it is looked at
	r.klokke.Sett(t0.Add(12*time.Hour + time.Second))
	is.NoErr(r.SjekkLytting(t.Context()))
	is.Equal(len(r.apne(t)), 2)
	is.NoErr(r.Lyttet(t.Context(), r.klokke.Now(), r.klokke.Now()))
	is.Equal(len(r.apne(t)), 0) // heard again: the world has answered
}

func TestASilenceIsKeptAndAShortOneIsNone(t *testing.T) {
	is, r := is.New(t), nyRigg()
	hull := func() int {
		v, err := r.lager.Mark(t.Context(), delivery.MerkeLyttet)
		is.NoErr(err)
		b, err := levering.LesHullbok(v)
		is.NoErr(err)
		return len(b.Hull)
	}
	lyttet := func(fra, til time.Time) {
		t.Helper()
		if til.After(r.klokke.Now()) {
			r.klokke.Sett(til)
		}
		is.NoErr(r.Lyttet(t.Context(), fra, til))
	}
	lyttet(t0, t0.Add(time.Hour))
	lyttet(t0.Add(time.Hour+levering.HullFra), t0.Add(2*time.Hour)) // a reconnect
	is.Equal(hull(), 0)
	lyttet(t0.Add(3*time.Hour), t0.Add(3*time.Hour))
	is.Equal(hull(), 1)
	lyttet(t0.Add(90*time.Minute), t0.Add(2*time.Hour+time.Minute)) // a slow replica tells of an earlier time
	is.Equal(hull(), 1)
	lyttet(t0.Add(3*time.Hour), t0.Add(100*24*time.Hour))
	is.Equal(hull(), 0) // older than any frist
}

func TestNoTokenForFiveMinutesIsACaseUntilThereIsOne(t *testing.T) {
	is, r := is.New(t), nyRigg()
	var feil error
	sjekk := func() {
		t.Helper()
		is.NoErr(r.SjekkToken(t.Context(), func(context.Context) (string, error) { return "", feil }))
	}
	sjekk()
	feil = errors.New("nede")
	for range 5 {
		sjekk()
		r.klokke.Sett(r.klokke.Now().Add(time.Minute))
	}
	is.Equal(len(r.apne(t)), 0)
	sjekk()
	sjekk()
	is.Equal(strings.Join(r.apne(t), ","), "uten-token kritisk")
	feil = nil
	sjekk() // as well by another process: nothing of this is remembered in one
	is.Equal(len(r.apne(t)), 0)
}

func TestAPortalThatNeverHadATokenTellsOfItToo(t *testing.T) {
	is, r := is.New(t), nyRigg()
	for range 7 {
		is.NoErr(r.SjekkToken(t.Context(), func(context.Context) (string, error) { return "", errors.New("nede") }))
		r.klokke.Sett(r.klokke.Now().Add(time.Minute))
	}
	is.Equal(strings.Join(r.apne(t), ","), "uten-token kritisk")
}

// Two replicas look at the same mark: one opens its case in the very moment the other finds that all is well.
func TestACaseOpenedWhileAnotherReplicaSucceedsIsNotLeftOpen(t *testing.T) {
	is, r := is.New(t), nyRigg()
	sjekk := func(token func(context.Context) (string, error)) {
		t.Helper()
		is.NoErr(r.SjekkToken(t.Context(), token))
	}
	virker := func(context.Context) (string, error) { return "x", nil }
	sjekk(virker)
	r.klokke.Sett(r.klokke.Now().Add(6 * time.Minute))
	sjekk(func(context.Context) (string, error) { // this one has read the mark, and the other one is faster
		sjekk(virker)
		return "", errors.New("nede")
	})
	is.Equal(len(r.apne(t)), 0)
}

// One replica's clock was a year ahead for a moment. Nobody must be deaf to a silence for a year.
func TestAMarkFromTheFutureBlindsNobody(t *testing.T) {
	is, r := is.New(t), nyRigg()
	ar := t0.AddDate(1, 0, 0)
	r.klokke.Sett(ar)
	is.NoErr(r.Lyttet(t.Context(), ar, ar))
	virker, nede := func(context.Context) (string, error) { return "x", nil }, func(context.Context) (string, error) { return "", errors.New("nede") }
	is.NoErr(r.SjekkToken(t.Context(), virker))
	r = rigg{delivery.New(delivery.Config{Ledger: r.lager, Clock: memory.NyKlokke(t0)}), r.lager, r.klokke}
	klokke := memory.NyKlokke(t0)
	r.Clock = klokke
	for range 2 {
		is.NoErr(r.SjekkLytting(t.Context()))
		is.NoErr(r.SjekkToken(t.Context(), nede))
		klokke.Sett(klokke.Now().Add(61 * time.Minute))
	}
	is.NoErr(r.SjekkLytting(t.Context()))
	is.Equal(len(r.apne(t)), 2)
	is.NoErr(r.Lyttet(t.Context(), klokke.Now(), klokke.Now())) // and what is heard closes it
	is.NoErr(r.SjekkToken(t.Context(), virker))
	is.Equal(len(r.apne(t)), 0)
}

var _ ports.Catalogue = katalogen(nil)
