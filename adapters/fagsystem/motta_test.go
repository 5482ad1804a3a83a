package fagsystem_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"
	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/adapters/fagsystem"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

var ctx = context.Background()

func TestAReportIsStoredThenAnsweredThenAcked(t *testing.T) {
	is, r := is.New(t), setup(t)
	d := r.levering()
	is.NoErr(r.klient.Ta(ctx, d))

	is.Equal(len(r.sendt), 1)
	s := r.sendt[0]
	is.Equal(s.lagret, 1) // stored before it was answered
	is.Equal(s.acket, 0)  // and answered before it was acked
	is.Equal(r.kvitter.ack, 1)
	is.Equal(s.Type, "no.ks.fiks.bekymringsmelding.mottatt.v1")
	is.Equal(s.Avsender, konto)
	is.Equal(s.Mottaker, portal)
	is.Equal(s.SvarPa, d.Headers["melding-id"])
	is.Equal(s.TTL, int64(86_400_000))
	is.Equal(s.Headere, map[string]string{"klientKorrelasjonsId": rapport, "klientKorrelasjonId": rapport})
	is.Equal(s.data, nil) // mottatt has no body, and no part for it

	for navn, vil := range map[string]string{protokoll.FilJSON: innholdJ, protokoll.FilPDF: innholdP} {
		b, err := os.ReadFile(filepath.Join(r.mappe, rapport, navn))
		is.NoErr(err)
		is.Equal(string(b), vil)
	}
	is.Equal(len(r.meldt), 1)
	is.Equal(r.meldt[0].Art, fagsystem.Lagret)
	is.Equal(string(r.meldt[0].ID), rapport)
}

func TestTheOldSpellingOfTheCorrelationIsAnsweredInBoth(t *testing.T) {
	is, r := is.New(t), setup(t)
	is.NoErr(r.klient.Ta(ctx, r.levering(hode("egendefinert-header.klientKorrelasjonsId", ""), hode("egendefinert-header.klientKorrelasjonId", "fri tekst"))))
	is.Equal(r.sendt[0].Headere, map[string]string{"klientKorrelasjonsId": "fri tekst", "klientKorrelasjonId": "fri tekst"})
}

func TestARepeatIsAnsweredAgainAndStoredOnce(t *testing.T) {
	is, r := is.New(t), setup(t)
	is.NoErr(r.klient.Ta(ctx, r.levering()))
	fil := filepath.Join(r.mappe, rapport, protokoll.FilPDF)
	is.NoErr(os.WriteFile(fil, []byte("saksbehandlerens"), 0o600)) // what would be lost if it were stored again
	r.ny()
	is.NoErr(r.klient.Ta(ctx, r.levering())) // another melding-id, the same report
	b, err := os.ReadFile(fil)
	is.NoErr(err)
	is.Equal(string(b), "saksbehandlerens")
	is.Equal(r.arter(), []fagsystem.Art{fagsystem.Lagret, fagsystem.Gjentatt})
	is.Equal(len(r.sendt), 2)
	is.Equal(r.sendt[1].Type, protokoll.Mottatt)
	is.Equal(r.kvitter.ack, 2)
}

// The report's own id decides; then the correlation in either spelling; then the message's.
func TestAReportIsKnownByTheIdItHas(t *testing.T) {
	const korrelasjon, gammel, meldingID = "4b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad0ee", "5b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad0ff", "6b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad011"
	for navn, tt := range map[string]struct {
		rapport, korrelasjon, gammel, vil string
	}{
		"bekymringsmelding-id first": {rapport, korrelasjon, gammel, rapport},
		"in capitals":                {strings.ToUpper(rapport), "", "", rapport},
		"else klientKorrelasjonsId":  {"", korrelasjon, gammel, korrelasjon},
		"else its old spelling":      {"", "", gammel, gammel},
		"not what is no UUID":        {"../../etc", "fri tekst", "", meldingID},
		"else the platform's own":    {"", "", "", meldingID},
	} {
		t.Run(navn, func(t *testing.T) {
			is, r := is.New(t), setup(t)
			is.NoErr(r.klient.Ta(ctx, r.levering(hode("melding-id", meldingID), hode("egendefinert-header.bekymringsmelding-id", tt.rapport),
				hode("egendefinert-header.klientKorrelasjonsId", tt.korrelasjon), hode("egendefinert-header.klientKorrelasjonId", tt.gammel))))
			is.Equal(r.filer(), []string{tt.vil})
		})
	}
}

func TestWhatWillNeverBeAReportIsAnsweredFeiletInWordsTheSenderCanRead(t *testing.T) {
	for navn, tt := range map[string]struct {
		endre func(*rigg) []func(*amqp.Delivery)
		vil   string
	}{
		"sealed for another": {func(r *rigg) []func(*amqp.Delivery) {
			return []func(*amqp.Delivery){kropp(r.forseglet(r.andre, protokoll.FilJSON, protokoll.FilPDF))}
		}, "Meldingen kan ikke dekrypteres"},
		"damaged": {func(r *rigg) []func(*amqp.Delivery) {
			b := r.forseglet(r.fagsystem, protokoll.FilJSON, protokoll.FilPDF)
			return []func(*amqp.Delivery){kropp(b[:len(b)-1])}
		}, "Meldingen kan ikke dekrypteres"},
		"no body": {func(*rigg) []func(*amqp.Delivery) { return []func(*amqp.Delivery){kropp(nil)} }, "Meldingen kan ikke dekrypteres"},
		"not a package": {func(r *rigg) []func(*amqp.Delivery) {
			return []func(*amqp.Delivery){kropp(r.segl(r.fagsystem, []byte("støy")))}
		}, "Pakken kan ikke verifiseres"},
		"no PDF": {func(r *rigg) []func(*amqp.Delivery) {
			return []func(*amqp.Delivery){kropp(r.forseglet(r.fagsystem, protokoll.FilJSON))}
		}, "Pakken har ikke bekymringsmelding.json og bekymringsmelding.pdf, eller de kan ikke leses"},
		"an empty PDF": {func(r *rigg) []func(*amqp.Delivery) {
			return []func(*amqp.Delivery){kropp(r.forseglet(r.fagsystem, protokoll.FilJSON, "tom:"+protokoll.FilPDF))}
		}, "Pakken har ikke bekymringsmelding.json og bekymringsmelding.pdf, eller de kan ikke leses"},
		"JSON that is none": {func(r *rigg) []func(*amqp.Delivery) {
			return []func(*amqp.Delivery){kropp(r.forseglet(r.fagsystem, "tom:"+protokoll.FilJSON, protokoll.FilPDF))}
		}, "Pakken har ikke bekymringsmelding.json og bekymringsmelding.pdf, eller de kan ikke leses"},
		"a third file": {func(r *rigg) []func(*amqp.Delivery) {
			return []func(*amqp.Delivery){kropp(r.forseglet(r.fagsystem, protokoll.FilJSON, protokoll.FilPDF, "mer.pdf"))}
		}, "Pakken har ikke bekymringsmelding.json og bekymringsmelding.pdf, eller de kan ikke leses"},
		"an unknown type": {func(*rigg) []func(*amqp.Delivery) {
			return []func(*amqp.Delivery){hode("type", "no.ks.fiks.arkiv.v1.arkivmelding")}
		}, "Ukjent meldingstype"},
		"no type": {func(*rigg) []func(*amqp.Delivery) { return []func(*amqp.Delivery){hode("type", "")} }, "Ukjent meldingstype"},
		"v2 to a client that reads v1": {func(r *rigg) []func(*amqp.Delivery) {
			r.config.Versjon = melding.V1
			r.ny()
			return []func(*amqp.Delivery){hode("type", "no.ks.fiks.bekymringsmelding.privat.v2")}
		}, "Ukjent meldingstype"},
	} {
		t.Run(navn, func(t *testing.T) {
			is, r := is.New(t), setup(t)
			is.NoErr(r.klient.Ta(ctx, r.levering(tt.endre(r)...)))
			is.Equal(len(r.sendt), 1)
			is.Equal(r.sendt[0].Type, "no.ks.fiks.bekymringsmelding.feilet.v1")
			is.Equal(r.feilmelding(r.portal, r.sendt[0].data), tt.vil)
			is.Equal(r.kvitter.ack, 1)
			is.Equal(len(r.filer()), 0)
			is.Equal(r.arter(), []fagsystem.Art{fagsystem.Avvist})
		})
	}
}

func TestAV1ClientTakesV1AndAV2ClientBoth(t *testing.T) {
	for _, tt := range []struct {
		klient melding.Versjon
		typ    string
	}{{melding.V1, "no.ks.fiks.bekymringsmelding.privat.v1"}, {melding.V2, "no.ks.fiks.bekymringsmelding.privat.v1"}, {melding.V2, "no.ks.fiks.bekymringsmelding.offentlig.v2"}} {
		is, r := is.New(t), setup(t)
		r.config.Versjon = tt.klient
		r.ny()
		is.NoErr(r.klient.Ta(ctx, r.levering(hode("type", tt.typ))))
		is.Equal(r.sendt[0].Type, protokoll.Mottatt)
	}
}

func TestAReceiptIsAckedAndCountedAndNeverAnswered(t *testing.T) {
	for typ, vil := range map[string]fagsystem.Art{
		"no.ks.fiks.kvittering.tidsavbrudd": fagsystem.Tidsavbrudd, "no.ks.fiks.kvittering.serverfeil.v1": fagsystem.Serverfeil,
		"no.ks.fiks.kvittering.nytt.v9": fagsystem.Kvittering, protokoll.Mottatt: fagsystem.Kvittering, protokoll.Feilet: fagsystem.Kvittering,
	} {
		t.Run(typ, func(t *testing.T) {
			is, r := is.New(t), setup(t)
			is.NoErr(r.klient.Ta(ctx, r.levering(hode("type", typ), hode("avsender-id", ""), kropp(nil))))
			is.Equal(len(r.sendt), 0)
			is.Equal(r.kvitter.ack, 1)
			is.Equal(r.arter(), []fagsystem.Art{vil})
		})
	}
}

// fullDisk fails as a full disk does, until there is room.
type fullDisk struct {
	fagsystem.Mappe
	har, full error
}

func (f *fullDisk) Har(ctx context.Context, id melding.ID) (bool, error) {
	if f.har != nil {
		return false, f.har
	}
	return f.Mappe.Har(ctx, id)
}

func (f *fullDisk) Lagre(ctx context.Context, m fagsystem.Melding) error {
	if f.full != nil {
		return f.full
	}
	return f.Mappe.Lagre(ctx, m)
}

func TestLocalTroubleIsAnsweredWithNothingAndTheMessageTriedAgain(t *testing.T) {
	const dok = "7b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad022"
	full := errors.New("no space left on device")
	for navn, tt := range map[string]struct {
		brekk, hel func(*rigg, *fullDisk)
		endre      func(*rigg) func(*amqp.Delivery)
	}{
		"the disk is full":          {func(_ *rigg, f *fullDisk) { f.full = full }, func(_ *rigg, f *fullDisk) { f.full = nil }, nil},
		"the archive cannot tell":   {func(_ *rigg, f *fullDisk) { f.har = full }, func(_ *rigg, f *fullDisk) { f.har = nil }, nil},
		"Dokumentlager says 503":    {func(r *rigg, _ *fullDisk) { r.status["/dokumentlager"] = 503 }, func(r *rigg, _ *fullDisk) { r.status = nil }, lastet(dok)},
		"Dokumentlager says 404":    {func(r *rigg, _ *fullDisk) { r.dok = nil }, func(r *rigg, _ *fullDisk) { r.dok = map[string][]byte{dok: r.levering().Body} }, lastet(dok)},
		"the answer cannot be sent": {func(r *rigg, _ *fullDisk) { r.status["/fiks-io/api"] = 503 }, func(r *rigg, _ *fullDisk) { r.status = nil }, nil},
		"no token": {func(r *rigg, _ *fullDisk) {
			r.config.Token = func(context.Context) (string, error) { return "", errors.New("503") }
			r.ny()
		}, func(r *rigg, _ *fullDisk) {
			r.config.Token = func(context.Context) (string, error) { return adgang, nil }
			r.ny()
		}, nil},
		"the catalogue is down": {func(r *rigg, _ *fullDisk) { r.status["/fiks-io/katalog"] = 500 }, func(r *rigg, _ *fullDisk) { r.status = nil },
			func(*rigg) func(*amqp.Delivery) { return kropp(nil) }},
		"the catalogue has no key": {func(r *rigg, _ *fullDisk) { r.status["/fiks-io/katalog"] = 204 }, func(r *rigg, _ *fullDisk) { r.status = nil },
			func(*rigg) func(*amqp.Delivery) { return kropp(nil) }},
	} {
		t.Run(navn, func(t *testing.T) {
			is, r := is.New(t), setup(t)
			disk := &fullDisk{Mappe: fagsystem.Mappe(r.mappe)}
			r.config.Lager = disk
			r.ny()
			var endre []func(*amqp.Delivery)
			if tt.endre != nil {
				endre = append(endre, tt.endre(r))
			}
			d := r.levering(endre...)
			tt.brekk(r, disk)
			is.True(r.klient.Ta(ctx, d) != nil)
			is.Equal(len(r.sendt), 0)
			is.Equal(r.kvitter, kvitterer{}) // neither acked nor handed back
			is.Equal(r.arter(), []fagsystem.Art{fagsystem.Utsatt})

			tt.hel(r, disk)
			is.NoErr(r.klient.Ta(ctx, d))
			is.Equal(len(r.sendt), 1)
			is.Equal(r.kvitter, kvitterer{ack: 1})
		})
	}
}

func lastet(dok string) func(*rigg) func(*amqp.Delivery) {
	return func(r *rigg) func(*amqp.Delivery) {
		return func(d *amqp.Delivery) {
			r.dok[dok] = d.Body
			d.Headers["dokumentlager-id"], d.Body = dok, nil
		}
	}
}

func TestAReportTooLargeForTheQueueIsFetchedFromDokumentlager(t *testing.T) {
	is, r := is.New(t), setup(t)
	is.NoErr(r.klient.Ta(ctx, r.levering(lastet("7b7f3e7a-8a0e-4a39-9b43-6f9f5c1ad022")(r))))
	is.Equal(r.filer(), []string{rapport})
	is.Equal(r.sendt[0].Type, protokoll.Mottatt)
}

func TestAnAnswerThatFailedIsSentWhenTheMessageComesAgain(t *testing.T) {
	is, r := is.New(t), setup(t)
	r.status["/fiks-io/api"] = http.StatusServiceUnavailable
	is.True(r.klient.Ta(ctx, r.levering()) != nil)
	is.Equal(r.filer(), []string{rapport}) // stored all the same
	r.status = nil
	r.ny()
	is.NoErr(r.klient.Ta(ctx, r.levering()))
	is.Equal(r.arter(), []fagsystem.Art{fagsystem.Utsatt, fagsystem.Gjentatt})
	is.Equal(r.sendt[0].Type, protokoll.Mottatt)
}

// Whoever can redirect a call would get the password with it.
func TestThePasswordFollowsNoRedirect(t *testing.T) {
	is, r := is.New(t), setup(t)
	var fulgt int
	annen := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fulgt++ }))
	t.Cleanup(annen.Close)
	r.status["/fiks-io/api"], r.omdiriger = http.StatusTemporaryRedirect, annen.URL
	is.True(r.klient.Ta(ctx, r.levering()) != nil)
	is.Equal(fulgt, 0)
	is.Equal(r.kvitter, kvitterer{})
}

// Nothing that is told to a log holds a secret or anything out of the report.
func TestWhatIsToldHoldsIdsOnly(t *testing.T) {
	is, r := is.New(t), setup(t)
	is.NoErr(r.klient.Ta(ctx, r.levering()))
	is.NoErr(r.klient.Ta(ctx, r.levering(kropp(nil), hode("egendefinert-header.bekymringsmelding-id", nyUUID()))))
	r.status["/fiks-io/api"] = http.StatusUnauthorized
	is.True(r.klient.Ta(ctx, r.levering()) != nil)
	r.api.Close()
	is.True(r.klient.Ta(ctx, r.levering()) != nil)
	sagt := fmt.Sprintf("%+v", r.meldt)
	for _, h := range r.meldt {
		sagt += fmt.Sprint(h.Feil)
	}
	for _, hemmelig := range []string{passord, adgang, "oppdiktet"} {
		is.True(!strings.Contains(sagt, hemmelig))
	}
}

func TestAnIncompleteSetUpIsRefused(t *testing.T) {
	is, r := is.New(t), setup(t)
	for _, brekk := range []func(*fagsystem.Config){
		func(c *fagsystem.Config) { c.Konto = "" }, func(c *fagsystem.Config) { c.Portalkonto = "" }, func(c *fagsystem.Config) { c.Portalkonto = "portalen" },
		func(c *fagsystem.Config) { c.Passord = "" }, func(c *fagsystem.Config) { c.Nokler = nil },
		func(c *fagsystem.Config) { c.Versjon = 0 }, func(c *fagsystem.Config) { c.Lager = nil }, func(c *fagsystem.Config) { c.Token = nil },
	} {
		c := r.config
		brekk(&c)
		_, err := fagsystem.New(c)
		is.True(err != nil)
	}
}
