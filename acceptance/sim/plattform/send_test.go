package plattform_test

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
)

func TestASentReportLiesOnTheReceiversQueueAsClientsReadIt(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	innhold := forseglet(t, r.n.Bydel, r.n.Portal)
	s := r.send(rapport(m{"ttl": 3_600_000, "ukjent": 1, "headere": m{"bekymringsmelding-id": "b1", "klientMeldingId": naboen, "klientKorrelasjonsId": "k1"}}), innhold)
	is.Equal(s.status, http.StatusAccepted)
	is.Equal(s.hode.Get("Content-Type"), "application/json")

	medlemmer := slices.Sorted(maps.Keys(s.json))
	is.Equal(medlemmer, []string{"avsenderKontoId", "dokumentlagerId", "headere", "meldingId", "meldingType", "mottakerKontoId", "svarPaMelding", "ttl"})
	is.Equal(s.json["ttl"], 3_600_000.0)
	is.Equal(s.json["dokumentlagerId"], nil)
	is.Equal(s.json["svarPaMelding"], nil)
	is.Equal(s.json["meldingType"], privatV2)
	is.Equal(s.json["headere"].(m)["klientKorrelasjonsId"], "k1")
	id := s.json["meldingId"].(string)
	_, err := uuid.Parse(id)
	is.NoErr(err)

	ko := r.b.ta(koPrefiks + bydelen)
	is.Equal(len(ko), 1)
	is.Equal(ko[0].Headere, map[string]string{
		"melding-id": id, "avsender-id": portalen, "type": privatV2, "avsender-navn": "Portalen",
		"egendefinert-header.bekymringsmelding-id": "b1", "egendefinert-header.klientMeldingId": naboen,
		"egendefinert-header.klientKorrelasjonsId": "k1", "egendefinert-header.klientKorrelasjonId": "k1", // each client knows one of the two
	})
	is.True(bytes.Equal(ko[0].Kropp, innhold))
	is.Equal(ko[0].TTL, time.Hour)
}

func TestTheOldSpellingOfTheCorrelationAlsoComesOutAsTheNew(t *testing.T) {
	is := is.New(t)
	_, lagt := nyRigg(t).lagtRapport(m{"headere": m{"klientKorrelasjonId": "k2"}})
	is.Equal(lagt.Headere["egendefinert-header.klientKorrelasjonsId"], "k2")
	is.Equal(lagt.Headere["egendefinert-header.klientKorrelasjonId"], "k2")
}

func TestAMessageWithoutTTLLivesSevenDaysAndTheAnswerNeverSaysNull(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	s := r.send(rapport(m{"ttl": nil, "svarPaMelding": nil, "headere": nil}), forseglet(t, r.n.Bydel, r.n.Portal))
	is.Equal(s.status, http.StatusAccepted)
	is.Equal(s.json["ttl"], 604_800_000.0)
	is.Equal(s.json["headere"], m{})
	is.Equal(r.b.ta(koPrefiks + bydelen)[0].TTL, 7*24*time.Hour)
}

func TestALargePayloadIsFetchedFromDokumentlagerByTheReceiverAlone(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t, func(c *plattform.Config) { c.Grense = 1000 })
	innhold := forseglet(t, r.n.Bydel, r.n.Portal)
	s := r.send(rapport(m{"ttl": 60_000}), innhold)
	is.Equal(s.status, http.StatusAccepted)
	lagt := r.b.ta(koPrefiks + bydelen)[0]
	is.Equal(len(lagt.Kropp), 0)
	id := lagt.Headere["dokumentlager-id"]
	is.Equal(s.json["dokumentlagerId"], id)

	sti := "/dokumentlager/nedlasting/" + id
	hentet := r.kall(r.som(inBydel, "GET", sti, nil))
	is.Equal(hentet.status, http.StatusOK)
	is.True(bytes.Equal(hentet.kropp, innhold))
	is.True(hentet.hode.Get("Content-Length") != "")
	is.Equal(r.kall(r.som(inBydel, "GET", sti+"/metadata", nil)).json["kryptertStorrelse"], float64(len(innhold)))

	fremmed := r.kall(r.som(inNabo, "GET", sti, nil))
	is.Equal(fremmed.status, http.StatusNotFound)
	is.Equal(fremmed.kode, "DOKUMENT_UKJENT")
	is.Equal(r.kall(r.som(inPortal, "GET", sti, nil)).status, http.StatusNotFound) // the sender neither
	is.Equal(r.kall(r.som(inBydel, "GET", "/dokumentlager/nedlasting/"+bydelen, nil)).kode, "DOKUMENT_UKJENT")

	r.klokke.Flytt(time.Minute + 24*time.Hour)
	is.Equal(r.kall(r.som(inBydel, "GET", sti, nil)).status, http.StatusOK)
	r.klokke.Flytt(time.Second)
	is.Equal(r.kall(r.som(inBydel, "GET", sti, nil)).status, http.StatusNotFound)
}

func TestAPayloadOfExactlyTheLimitStaysInTheMessage(t *testing.T) {
	is := is.New(t)
	n := simtest.Nokler(t)
	innhold := forseglet(t, n.Bydel, n.Portal)
	for tillegg, vil := range map[int64]bool{0: false, -1: true} {
		r := nyRigg(t, func(c *plattform.Config) { c.Grense = int64(len(innhold)) + tillegg })
		is.Equal(r.send(rapport(), innhold).status, http.StatusAccepted)
		_, i := r.b.ta(koPrefiks + bydelen)[0].Headere["dokumentlager-id"]
		is.Equal(i, vil)
	}
}

func TestAnAnswerCarriesWhatItAnswers(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	id, _ := r.lagtRapport()
	s := r.sendSom(inBydel, m{"avsenderKontoId": bydelen, "mottakerKontoId": portalen, "meldingType": "no.ks.fiks.bekymringsmelding.mottatt.v1", "svarPaMelding": id}, nil)
	is.Equal(s.status, http.StatusAccepted)
	is.Equal(s.json["svarPaMelding"], id)
	lagt := r.b.ta(koPrefiks + portalen)[0]
	is.Equal(lagt.Headere["svar-til"], id)
	is.Equal(len(lagt.Kropp), 0)
	o, ok := r.p.Melding(id)
	is.True(ok)
	is.Equal(o.Svar, []string{"no.ks.fiks.bekymringsmelding.mottatt.v1"})
}

func TestABrokerThatCannotTakeTheMessageGivesA503WorthRepeating(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	r.b.feil(http.ErrServerClosed)
	s := r.send(rapport(), forseglet(t, r.n.Bydel, r.n.Portal))
	is.Equal(s.status, http.StatusServiceUnavailable)
	is.Equal(s.kode, "KO_UTILGJENGELIG")
	is.Equal(r.p.Logg(1)[0].Tilstand, plattform.IkkeLagt)
}
