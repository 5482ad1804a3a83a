package plattform_test

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
)

// dor hands a dead message to the platform and waits for its word.
func (r *rigg) dor(arsak broker.Arsak, lagt broker.Melding) error {
	r.b.dode <- broker.Dod{Ko: koPrefiks + bydelen, Arsak: arsak, Melding: lagt}
	return <-r.b.svar
}

func TestTheSenderIsToldOfAMessageThatDied(t *testing.T) {
	for arsak, vil := range map[broker.Arsak]string{broker.Utlopt: "no.ks.fiks.kvittering.tidsavbrudd", broker.Oppgitt: "no.ks.fiks.kvittering.serverfeil.v1"} {
		t.Run(string(arsak), func(t *testing.T) {
			is := is.New(t)
			r := nyRigg(t)
			id, lagt := r.lagtRapport(m{"headere": m{"klientKorrelasjonsId": "k1", "klientMeldingId": naboen, "bekymringsmelding-id": "b1"}})
			is.NoErr(r.dor(arsak, lagt))
			is.NoErr(r.dor(arsak, lagt)) // the broker lost our word
			ko := r.b.ta(koPrefiks + portalen)
			is.Equal(len(ko), 1)
			h := maps.Clone(ko[0].Headere)
			is.True(h["melding-id"] != id)
			delete(h, "melding-id")
			is.Equal(h, map[string]string{"type": vil, "svar-til": id, "svar-til-type": privatV2, "avsender-id": bydelen, "avsender-navn": "Bydelen",
				"egendefinert-header.klientKorrelasjonsId": "k1", "egendefinert-header.klientKorrelasjonId": "k1", "egendefinert-header.klientMeldingId": naboen})
			is.Equal(len(ko[0].Kropp), 0)
		})
	}
}

func TestARejectedMessageGivesNoReceipt(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	id, lagt := r.lagtRapport()
	is.NoErr(r.dor(broker.Avvist, lagt))
	is.Equal(r.b.antall(koPrefiks+portalen), 0)
	o, _ := r.p.Melding(id)
	is.Equal(o.Tilstand, plattform.Avvist)
}

func TestNothingIsEverSentAboutAReceipt(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	_, lagt := r.lagtRapport()
	for _, slag := range []string{"no.ks.fiks.bekymringsmelding.mottatt.v1", "no.ks.fiks.bekymringsmelding.feilet.v1", "no.ks.fiks.kvittering.tidsavbrudd", "No.ks.fiks.kvittering.nytt.v9"} {
		lagt.Headere["type"] = slag
		for _, arsak := range []broker.Arsak{broker.Utlopt, broker.Oppgitt, broker.Avvist} {
			is.NoErr(r.dor(arsak, lagt))
		}
	}
	is.Equal(r.b.antall(koPrefiks+portalen), 0)
}

func TestAReceiptThatCannotBeQueuedIsTriedAgain(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	_, lagt := r.lagtRapport()
	borte := errors.New("megleren er borte")
	r.b.feil(borte)
	is.True(errors.Is(r.dor(broker.Utlopt, lagt), borte)) // the broker keeps it
	r.b.feil(nil)
	is.NoErr(r.dor(broker.Utlopt, lagt))
	is.Equal(r.b.antall(koPrefiks+portalen), 1)
	delete(lagt.Headere, "avsender-id")
	is.NoErr(r.dor(broker.Oppgitt, lagt)) // from nobody we know: nothing to do, and not for ever
}

func TestATestDecidesWhatGoesWrongWithAMessage(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	var virkning plattform.Virkning
	var spurt []plattform.Sendt
	r.p.VedSend(func(s plattform.Sendt) plattform.Virkning { spurt = append(spurt, s); return virkning })
	innhold := forseglet(t, r.n.Bydel, r.n.Portal)

	virkning = plattform.Virkning{Tap: true}
	is.Equal(r.send(rapport(), innhold).status, http.StatusAccepted)
	is.Equal(r.b.antall(koPrefiks+bydelen), 0)
	is.Equal(r.p.Logg(1)[0].Tilstand, plattform.Tapt)
	is.Equal(spurt[0].Til, bydelen)
	is.Equal(spurt[0].Storrelse, int64(len(innhold)))

	virkning = plattform.Virkning{Status: http.StatusTooManyRequests}
	s := r.send(rapport(), innhold)
	is.Equal(s.status, http.StatusTooManyRequests)
	is.Equal(s.kode, "BESTILT_FEIL")
	is.Equal(r.b.antall(koPrefiks+bydelen), 0)

	virkning = plattform.Virkning{Utlop: true}
	is.Equal(r.send(rapport(), innhold).status, http.StatusAccepted)
	is.Equal(r.b.antall(koPrefiks+bydelen), 0)
	is.Equal(r.b.ta(koPrefiks + portalen)[0].Headere["type"], "no.ks.fiks.kvittering.tidsavbrudd")

	r.p.VedSend(nil)
	r.p.NesteTil(bydelen, plattform.Virkning{Tap: true})
	is.Equal(r.send(rapport(), innhold).status, http.StatusAccepted)
	is.Equal(r.b.antall(koPrefiks+bydelen), 0)
	is.Equal(r.send(rapport(), innhold).status, http.StatusAccepted)
	is.Equal(r.b.antall(koPrefiks+bydelen), 1) // only the next one
}

func TestALostAnswerLeavesTheMessageQueuedAndTheSenderWithoutAWord(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	r.p.NesteTil(portalen, plattform.Virkning{MistSvar: true})
	req := r.som(inBydel, "POST", "/fiks-io/api/v1/send", strings.NewReader("--grense\r\nContent-Disposition: form-data; name=metadata\r\n\r\n"+
		`{"avsenderKontoId":"`+bydelen+`","mottakerKontoId":"`+portalen+`","meldingType":"no.ks.fiks.bekymringsmelding.mottatt.v1","svarPaMelding":"`+naboen+`"}`+"\r\n--grense--\r\n"))
	req.Header.Set("Content-Type", "multipart/form-data; boundary=grense")
	res, err := http.DefaultClient.Do(req)
	if err == nil {
		_ = res.Body.Close()
	}
	is.True(err != nil)
	is.Equal(r.b.antall(koPrefiks+portalen), 1)
}

func TestADelayedMessageIsQueuedWhenTheClockSaysSo(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	r.p.NesteTil(bydelen, plattform.Virkning{Forsinkelse: time.Minute})
	s := r.send(rapport(m{"ttl": 5000}), forseglet(t, r.n.Bydel, r.n.Portal))
	is.Equal(s.status, http.StatusAccepted)
	r.klokke.Flytt(time.Minute - time.Millisecond)
	is.Equal(r.p.Logg(1)[0].Tilstand, plattform.Forsinket)
	r.klokke.Flytt(time.Millisecond)
	lagt := r.venter(koPrefiks + bydelen)
	is.Equal(lagt.TTL, 5*time.Second) // counts from now
}
