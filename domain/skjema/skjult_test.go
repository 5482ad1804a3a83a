package skjema_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/skjema"
)

// Whatever somebody does with a document in a log line or an error, no word of it comes out. The documents are the examples, the words every
// text in them that is too long to turn up in an address by chance.
func TestIngentingSlipperUt(t *testing.T) {
	p, o := skjema.EksempelPrivat(), skjema.EksempelOffentlig(melding.V2)
	o.Leveringskanal = "Fagsystem" // not the school's name, which is one of the words below
	verdier := []any{p, &p, p.Melder, p.Barn, p.Barn[0], p.Melding, p.Barn[0].Adresse, o, &o, o.Melder, o.Melder.Virksomhet, o.Barn, o.Barn[0], o.Foresatte,
		o.Foresatte[0], o.Melding}
	var ord []string
	for _, d := range []skjema.Dokument{p, o} {
		var v any
		if err := json.Unmarshal([]byte(tilJSON(t, d)), &v); err != nil {
			t.Fatal(err)
		}
		delete(v.(map[string]any), "kommunenavn") // who receives it is no secret
		delete(v.(map[string]any), "kommunenummer")
		delete(v.(map[string]any), "bydelsnavn")
		delete(v.(map[string]any), "leveringskanal")
		delete(v.(map[string]any), "sendingstidspunkt")
		ord = append(ord, tekster(v)...)
	}
	is.New(t).True(len(ord) > 30)

	var ut strings.Builder
	tekstlogg, jsonlogg := slog.New(slog.NewTextHandler(&ut, nil)), slog.New(slog.NewJSONHandler(&ut, nil))
	for _, v := range verdier {
		type skjultFelt struct{ dokument any } // fmt may not call Format in here
		for _, f := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t"} {
			en := fmt.Sprintf(f, v)
			if reflect.ValueOf(v).Kind() != reflect.Slice && en != "[skjult]" {
				t.Errorf("%s av %T er ikke [skjult]", f, v)
			}
			ut.WriteString(en + "\n")
			fmt.Fprintf(&ut, f+"\n", []any{v})
			fmt.Fprintf(&ut, f+"\n", map[string]any{"v": v})
			fmt.Fprintf(&ut, f+"\n", skjultFelt{v})
			fmt.Fprintf(&ut, f+"\n", struct{ a skjema.Privat }{p})
			fmt.Fprintf(&ut, f+"\n", struct{ a skjema.Offentlig }{o})
		}
		fmt.Fprintln(&ut, fmt.Errorf("feil: %w, %v", fmt.Errorf("%v", v), v))
		if b, err := json.Marshal(v); err == nil {
			ut.Write(b)
		}
		tekstlogg.Info("m", "v", v, "g", slog.GroupValue(slog.Any("v", v)))
		jsonlogg.Info("m", "v", v, "i", struct{ V any }{v})
	}
	for _, s := range ord {
		for _, form := range []string{s, strings.ToUpper(s), fmt.Sprintf("%x", s), fmt.Sprintf("%X", s), strings.Trim(fmt.Sprintf("%d", []byte(s)), "[]")} {
			if strings.Contains(ut.String(), form) {
				t.Fatalf("ordet som begynner med %q slapp ut", s[:1])
			}
		}
	}
	is.New(t).Equal(p.String(), "[skjult]")
	b, err := json.Marshal([]any{p, &o, p.Barn[0], o.Melding.Melding}) // JSON() is the way out, and no other
	is.New(t).NoErr(err)
	is.New(t).Equal(string(b), `["[skjult]","[skjult]","[skjult]","[skjult]"]`)
	is.New(t).Equal(fmt.Sprint(&o), "[skjult]")
}

func tekster(v any) []string {
	var ut []string
	switch x := v.(type) {
	case map[string]any:
		for _, u := range x {
			ut = append(ut, tekster(u)...)
		}
	case []any:
		for _, u := range x {
			ut = append(ut, tekster(u)...)
		}
	case string:
		if len(x) > 6 {
			ut = append(ut, x)
		}
	}
	return ut
}

// The error names the member and the rule. The value it is about is in none of them.
func TestFeilenHarIngenVerdi(t *testing.T) {
	is := is.New(t)
	const hemmelig = "hemmelig"
	o := skjema.EksempelOffentlig(melding.V2)
	o.Melder.Epost = skjema.NyTekst(hemmelig)
	o.Melder.Telefonnummer = skjema.NyTekst(hemmelig)
	o.Mottaker.Kommunenummer = hemmelig
	_, err := o.JSON()
	is.Equal(err.Error(), `skjema: "/kommunenummer" skal ha fire sifre, "/offentligMelder/telefonnummer" skal være et telefonnummer, `+
		`"/offentligMelder/epost" skal være en e-postadresse som protokollen godtar`)
	for _, inn := range []string{`{"melding":` + hemmelig, `{"` + hemmelig + `":"` + hemmelig + `"}`} {
		_, err := varianter[0].les(inn)
		is.True(!strings.Contains(err.Error(), hemmelig))
	}
}
