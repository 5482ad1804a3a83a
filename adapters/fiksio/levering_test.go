package fiksio_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/adapters/fiksio"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

const (
	svarID  = "0190c0de-0000-7000-8000-0000000000aa"
	refID   = "0190c0de-0000-7000-8000-0000000000bb"
	rapport = "0190c0de-0000-7000-8000-0000000000cc"
)

// levert is a delivery as the platform makes it, with changes; a nil value takes a header away.
func levert(endringer amqp.Table, kropp string) amqp.Delivery {
	h := amqp.Table{"melding-id": svarID, "avsender-id": bydelen, "type": protokoll.Feilet, "svar-til": refID, "avsender-navn": "Bydelen",
		"egendefinert-header.klientKorrelasjonsId": rapport, "egendefinert-header.klientKorrelasjonId": rapport}
	for k, v := range endringer {
		if v == nil {
			delete(h, k)
			continue
		}
		h[k] = v
	}
	return amqp.Delivery{Headers: h, Body: []byte(kropp), RoutingKey: portalKo, Expiration: "1000"}
}

func svarAv(d amqp.Delivery) melding.Svar {
	s, _ := fiksio.SvarAv(d, contracts.Start)
	return s
}

func TestAnAnswerIsHandedOverAsItStands(t *testing.T) {
	is := is.New(t)
	s := svarAv(levert(nil, "kropp"))
	is.Equal(innhold(t, s.Innhold), "kropp")
	is.Equal(s.Innhold.Forsegling(), melding.X509)
	s.Innhold = melding.Forseglet{}
	hel := melding.Svar{ID: svarID, Meldingstype: protokoll.Feilet, SvarTil: refID, Korrelasjon: rapport, AvsenderKonto: bydelen, Mottatt: contracts.Start}
	is.Equal(s, hel)

	for navn, tt := range map[string]struct {
		endring amqp.Table
		vil     func(*melding.Svar)
	}{
		"ids in capitals are the same ids": {amqp.Table{"melding-id": strings.ToUpper(svarID), "avsender-id": strings.ToUpper(bydelen), "svar-til": strings.ToUpper(refID)}, func(*melding.Svar) {}},
		"only the old spelling":            {amqp.Table{"egendefinert-header.klientKorrelasjonsId": nil}, func(*melding.Svar) {}},
		"only the new spelling":            {amqp.Table{"egendefinert-header.klientKorrelasjonId": nil}, func(*melding.Svar) {}},
		"the new spelling is no id":        {amqp.Table{"egendefinert-header.klientKorrelasjonsId": "sak 7"}, func(*melding.Svar) {}},
		"neither":                          {amqp.Table{"egendefinert-header.klientKorrelasjonsId": nil, "egendefinert-header.klientKorrelasjonId": nil}, func(s *melding.Svar) { s.Korrelasjon = "" }},
		"no svar-til":                      {amqp.Table{"svar-til": nil}, func(s *melding.Svar) { s.SvarTil = "" }},
		"no sender":                        {amqp.Table{"avsender-id": nil}, func(s *melding.Svar) { s.AvsenderKonto = "" }},
		"a receipt of the platform":        {amqp.Table{"type": protokoll.Tidsavbrudd, "svar-til-type": "x"}, func(s *melding.Svar) { s.Meldingstype = protokoll.Tidsavbrudd }},
		"a type nobody knows":              {amqp.Table{"type": "no.ks.fiks.Noe_Nytt-2.v1"}, func(s *melding.Svar) { s.Meldingstype = "no.ks.fiks.Noe_Nytt-2.v1" }},
		"the longest type":                 {amqp.Table{"type": strings.Repeat("a", 200)}, func(s *melding.Svar) { s.Meldingstype = strings.Repeat("a", 200) }},
		"a type that is too long":          {amqp.Table{"type": strings.Repeat("a", 201)}, func(s *melding.Svar) { s.Meldingstype = "ukjent" }},
		"a type with a line break":         {amqp.Table{"type": "no.ks\nfiks"}, func(s *melding.Svar) { s.Meldingstype = "ukjent" }},
		"a type that is not UTF-8":         {amqp.Table{"type": "no.ks.\xff"}, func(s *melding.Svar) { s.Meldingstype = "ukjent" }},
		"an empty type":                    {amqp.Table{"type": ""}, func(s *melding.Svar) { s.Meldingstype = "ukjent" }},
		"no type":                          {amqp.Table{"type": nil}, func(s *melding.Svar) { s.Meldingstype = "ukjent" }},
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			vil := hel
			tt.vil(&vil)
			is.Equal(svarAv(levert(tt.endring, "")), vil)
		})
	}
}

// Every kind of value that AMQP has (amqp091-go types.go, Table), where a UUID or a type should stand.
func TestAHeaderOfAnyKindCountsAsMissing(t *testing.T) {
	verdier := []any{"", "ikke en uuid", svarID + " ", strings.Repeat("x", 1<<20), "'; DROP TABLE--", "\x00", true, byte(1), int8(-1), int16(1), uint16(1), int32(1), uint32(1), int64(math.MinInt64),
		float32(1), math.NaN(), amqp.Decimal{Scale: 2, Value: 1}, time.Unix(1, 0), []byte(svarID), []any{svarID, nil, amqp.Table{"a": 1}}, amqp.Table{"b": nil, "a": []any{}}}
	for _, v := range verdier {
		t.Run(fmt.Sprintf("%T %.10v", v, v), func(t *testing.T) {
			is := is.New(t)
			alle := amqp.Table{}
			for _, navn := range []string{"melding-id", "avsender-id", "svar-til", "dokumentlager-id", "egendefinert-header.klientKorrelasjonsId", "egendefinert-header.klientKorrelasjonId"} {
				alle[navn] = v
			}
			s, dokument := fiksio.SvarAv(levert(alle, "x"), contracts.Start)
			id, err := melding.ParseID(s.ID)
			is.NoErr(err)
			is.True(id != svarID)
			is.Equal(s.SvarTil+s.Korrelasjon+string(s.AvsenderKonto)+dokument, "")
			is.Equal(innhold(t, s.Innhold), "x") // a body that is here is used
			is.Equal(svarAv(levert(alle, "x")).ID, s.ID)
			if _, ok := v.(string); !ok {
				alle["type"] = v
				is.Equal(svarAv(levert(alle, "x")).Meldingstype, "ukjent")
			}
		})
	}
}

// A message without an id is recognised when it comes again, and is never taken for another.
func TestAMessageWithoutAnIDHasOneOfItsOwn(t *testing.T) {
	is := is.New(t)
	uten := func(e amqp.Table, kropp string) string {
		e["melding-id"] = nil
		return svarAv(levert(e, kropp)).ID
	}
	sted := time.FixedZone("et annet sted", 3600)
	forst := uten(amqp.Table{"a": amqp.Table{"x": 1, "y": []any{time.Unix(5, 0).UTC()}}}, "kropp")
	igjen := levert(amqp.Table{"melding-id": nil, "x-delivery-count": int64(2), "x-death": []any{amqp.Table{}}, "a": amqp.Table{"y": []any{time.Unix(5, 0).In(sted)}, "x": 1}}, "kropp")
	igjen.Redelivered, igjen.DeliveryTag, igjen.Expiration = true, 9, "12"
	is.Equal(svarAv(igjen).ID, forst)

	sett := map[string]bool{forst: true}
	for _, annen := range []string{
		uten(amqp.Table{"a": amqp.Table{"x": 1, "y": []any{time.Unix(5, 0)}}}, "kropp2"), uten(amqp.Table{"a": amqp.Table{"x": 2, "y": []any{time.Unix(5, 0)}}}, "kropp"),
		uten(amqp.Table{"a": amqp.Table{"x": 1, "y": []any{time.Unix(6, 0)}}}, "kropp"), uten(amqp.Table{"b": amqp.Table{"x": 1, "y": []any{time.Unix(5, 0)}}}, "kropp"),
		uten(amqp.Table{}, "kropp"), uten(amqp.Table{}, ""), uten(amqp.Table{"svar-til": nil}, ""), uten(amqp.Table{"a": "1"}, ""), uten(amqp.Table{"a": 1}, ""), uten(amqp.Table{"a": []any{1}}, ""),
		svarAv(amqp.Delivery{}).ID,
	} {
		is.True(!sett[annen])
		sett[annen] = true
	}
}

func TestABodyThatIsTooLongIsKeptOut(t *testing.T) {
	is := is.New(t)
	s := svarAv(levert(nil, strings.Repeat("x", melding.MaksSvar)))
	is.Equal(s.Innhold.Storrelse(), int64(melding.MaksSvar))
	is.Equal(s.Lesbarhet, melding.Arsak(""))
	s = svarAv(levert(nil, strings.Repeat("x", melding.MaksSvar+1)))
	is.True(s.Innhold.Tom())
	is.Equal(s.Lesbarhet, melding.ArsakSvarUleselig)
}

func TestABodySomewhereElseIsPointedTo(t *testing.T) {
	is := is.New(t)
	s, dokument := fiksio.SvarAv(levert(amqp.Table{"dokumentlager-id": strings.ToUpper(refID)}, ""), contracts.Start)
	is.Equal(dokument, refID)
	is.Equal(s.Lesbarhet, melding.Arsak(""))
	s, dokument = fiksio.SvarAv(levert(amqp.Table{"dokumentlager-id": "../../hemmelig"}, ""), contracts.Start)
	is.Equal(dokument, "") // nobody goes there
	is.Equal(s.Lesbarhet, melding.ArsakSvarUleselig)
}

func FuzzHeaders(f *testing.F) {
	f.Add("melding-id", svarID, "type", "x", []byte("kropp"))
	f.Fuzz(func(t *testing.T, n1, v1, n2, v2 string, kropp []byte) {
		d := amqp.Delivery{Headers: amqp.Table{n1: v1, n2: v2, "type": v2, "svar-til": v1}, Body: kropp}
		s, dokument := fiksio.SvarAv(d, contracts.Start)
		for _, id := range []string{s.ID, s.SvarTil, s.Korrelasjon, string(s.AvsenderKonto), dokument} {
			if p, err := melding.ParseID(id); id != "" && (err != nil || string(p) != id) {
				t.Fatalf("ikke en UUID: %q", id)
			}
		}
		if s.ID == "" || s.Meldingstype == "" || len(s.Meldingstype) > 200 || strings.ContainsAny(s.Meldingstype, " \n\x00<>'\"") || s.Innhold.Storrelse() > melding.MaksSvar {
			t.Fatalf("%+v", s)
		}
	})
}
