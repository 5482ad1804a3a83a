package fagsystem_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/fagsystem"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// Any account can put a whole report, sealed and signed, on the queue. Only the portal's is one.
func TestWhatComesFromAnotherAccountIsNeitherStoredNorConfirmed(t *testing.T) {
	const hvorfor = "Kontoen tar bare imot bekymringsmeldinger fra portalens konto"
	for navn, tt := range map[string]struct {
		fra     string
		stengt  int // what the send API answers
		besvart bool
	}{
		"it is told why":                        {fremmed, 0, true},
		"it has no key in the catalogue":        {ukjent, 0, false},
		"it is closed, and takes no answer":     {fremmed, http.StatusBadRequest, false},
		"it is nobody":                          {"", 0, false},
		"it says it is the portal, and nothing": {"portal", 0, false},
	} {
		t.Run(navn, func(t *testing.T) {
			is, r := is.New(t), setup(t)
			r.status["/fiks-io/api"] = tt.stengt
			is.NoErr(r.klient.Ta(ctx, r.levering(hode("avsender-id", tt.fra))))
			is.Equal(len(r.filer()), 0)
			is.Equal(r.kvitter, kvitterer{ack: 1}) // never held: whoever cannot be answered must not fill the queue
			is.Equal(r.arter(), []fagsystem.Art{fagsystem.Fremmed})
			is.True(strings.Contains(r.meldt[0].Feil.Error(), hvorfor))
			is.Equal(len(r.sendt) == 1, tt.besvart)
			if tt.besvart {
				is.Equal(r.sendt[0].Type, protokoll.Feilet)
				is.Equal(r.sendt[0].Mottaker, fremmed)
				is.Equal(r.feilmelding(r.andre, r.sendt[0].data), hvorfor)
				is.True(strings.Contains(r.meldt[0].Feil.Error(), fremmed)) // a person can see who
			}
		})
	}
}

func TestAStrangerWhoRepeatsAStoredReportHearsNothingOfIt(t *testing.T) {
	is, r := is.New(t), setup(t)
	is.NoErr(r.klient.Ta(ctx, r.levering()))
	is.NoErr(r.klient.Ta(ctx, r.levering(hode("avsender-id", fremmed)))) // the same bekymringsmelding-id
	is.Equal(r.arter(), []fagsystem.Art{fagsystem.Lagret, fagsystem.Fremmed})
	is.Equal(r.sendt[1].Type, protokoll.Feilet)
}

func TestThePortalsAccountIsKnownHoweverItIsWritten(t *testing.T) {
	is, r := is.New(t), setup(t)
	r.config.Portalkonto = kommune.KontoID(strings.ToUpper(portal))
	r.ny()
	is.NoErr(r.klient.Ta(ctx, r.levering()))
	is.Equal(r.arter(), []fagsystem.Art{fagsystem.Lagret})
}

// A program that stops cannot answer: the message stays, for the next start.
func TestAStrangersMessageIsNotAckedWhileTheProgramStops(t *testing.T) {
	is, r := is.New(t), setup(t)
	slutt, stopp := context.WithCancel(ctx)
	stopp()
	is.True(r.klient.Ta(slutt, r.levering(hode("avsender-id", fremmed))) != nil)
	is.Equal(r.kvitter, kvitterer{})
}

// As many strangers as are fetched ahead, none of whom can be answered, and the report behind them.
func TestStrangersWhoCannotBeAnsweredDoNotStopTheQueue(t *testing.T) {
	k := koSetup(t)
	for range 10 {
		k.legg(k.rapport(), protokoll.HeaderAvsenderID, ukjent)
	}
	k.legg(k.rapport())
	k.start()
	k.vent(fagsystem.Lagret)
	k.tom()
	k.is.Equal(k.filer(), []string{rapport})
	k.is.Equal(len(k.svar()), 1)
}
