package compose

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/app/delivery"
	"portal.example/bekymringsmelding/domain/levering"
)

// A portal that hears nothing, and one that gets no token, calls a person by itself: nobody has to look.
func TestAPortalOnFiksIOLooksAfterItself(t *testing.T) {
	is := is.New(t)
	klokke := memory.NyKlokke(nokkeltid)
	lager := vaktlager{memory.NyttLager(klokke), 0}
	s := &System{Lager: lager, clock: klokke,
		Levering: delivery.New(delivery.Config{Store: lager, Work: lager, Ledger: lager, Directory: lager, Certs: lager, Overview: lager, Clock: klokke})}
	f := &fiksdel{token: func(context.Context) (string, error) { return "", errors.New("nede") }}
	hver := map[string]time.Duration{}
	for range 2 {
		for _, j := range f.jobber(s) {
			hver[j.navn] = j.hver
			if j.navn == "fiks-lytting" || j.navn == "fiks-token" {
				_ = j.gjor(t.Context())
			}
		}
		klokke.Flytt(time.Hour + time.Minute)
	}
	is.Equal(hver, map[string]time.Duration{"fiks-nøkkel": 5 * time.Minute, "fiks-katalog": 5 * time.Minute, "fiks-lytting": time.Minute, "fiks-token": time.Minute})
	saker, err := lager.Cases(t.Context(), true, 10)
	is.NoErr(err)
	for _, art := range []levering.Saksart{levering.SakLytterIkke, levering.SakUtenToken} {
		is.True(slices.ContainsFunc(saker, func(s levering.Sak) bool { return s.Art == art })) // the case is open
	}
}
