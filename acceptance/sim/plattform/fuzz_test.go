package plattform_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/plattform"
)

const grense = "grense"

// medMetadata is a body with one metadata part.
func medMetadata(meta []byte) []byte {
	return bytes.Join([][]byte{[]byte("--" + grense + "\r\nContent-Disposition: form-data; name=metadata\r\n\r\n"), meta, []byte("\r\n--" + grense + "--\r\n")}, nil)
}

// FuzzSend: whatever comes, the reader neither panics nor lets through what a client would choke on, and what it understood means the
// same when it is written down and read again.
func FuzzSend(f *testing.F) {
	for fil, boundary := range map[string]string{"mottatt": "d6dfb117-c7ec-4c76-80ec-c5e1eac07610", "feilet": "101da604-922d-42d9-b878-fd674b34e688"} {
		b, err := os.ReadFile("testdata/fiksio-send-" + fil + ".http")
		if err != nil {
			f.Fatal(err)
		}
		_, kropp, _ := bytes.Cut(b, []byte("\r\n\r\n"))
		f.Add(bytes.ReplaceAll(kropp, []byte("httpclient_boundary_"+boundary), []byte(grense)), false)
	}
	hele := `{"avsenderKontoId":"` + portalen + `","mottakerKontoId":"` + bydelen + `","meldingType":"x","ttl":1000,"svarPaMelding":null,"headere":{"a":"b","klientKorrelasjonId":"c"}}`
	f.Add(medMetadata([]byte(hele)), true)
	f.Add(medMetadata([]byte(`{"ttl":1e3,"ttl":null}`)), true)
	f.Add([]byte("--"+grense+"\r\nContent-Disposition: form-data; name=data; filename*=utf-8''x\r\n\r\n\r\n--"+grense+"--"), false)
	f.Fuzz(func(t *testing.T, kropp []byte, lempelig bool) {
		var l plattform.Lempelig
		if lempelig {
			l = plattform.Lempelig{UkjenteDeler: true, DobleMedlemmer: true, TomData: true, Kropp: true, KlientHeadere: true}
		}
		lest, err := plattform.LesSend(grense, kropp, l)
		if err != nil {
			return
		}
		if len(lest.Avsender) != 36 || len(lest.Mottaker) != 36 || lest.Meldingstype == "" || lest.SvarPa != "" && len(lest.SvarPa) != 36 {
			t.Fatalf("sluppet gjennom uten de tre som ingen klient tåler å savne: %+v", lest)
		}
		if lest.TTL < time.Second || lest.TTL > (1<<32-1)*time.Millisecond || lest.Data != nil && len(lest.Data) == 0 {
			t.Fatal("ttl eller data er utenfor det lovlige")
		}
		meta := m{"avsenderKontoId": lest.Avsender, "mottakerKontoId": lest.Mottaker, "meldingType": lest.Meldingstype, "ttl": lest.TTL.Milliseconds(), "headere": lest.Headere}
		if lest.SvarPa != "" {
			meta["svarPaMelding"] = lest.SvarPa
		}
		b, err := json.Marshal(meta)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 60<<10 {
			return // escapes can make it longer than what came
		}
		igjen, err := plattform.LesSend(grense, medMetadata(b), l)
		if err != nil || igjen.Avsender != lest.Avsender || igjen.Meldingstype != lest.Meldingstype || igjen.TTL != lest.TTL || !maps.Equal(igjen.Headere, lest.Headere) {
			t.Fatalf("lest igjen ble det noe annet: %v", err)
		}
	})
}
