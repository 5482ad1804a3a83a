package acceptance_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/domain/skjema"
)

// onde are bodies that harm whoever unpacks them on trust (scenario 49).
var onde = sync.OnceValue(func() (o struct{ bombe, stier, xml []byte }) {
	o.bombe = zipFil(protokoll.FilJSON, io.LimitReader(nuller{}, 256<<20)) // 256 MiB in 256 KiB
	o.stier = zipFil("../../../../etc/cron.d/portal", strings.NewReader("* * * * * root true\n"))
	var x strings.Builder
	x.WriteString(`<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "lol">`)
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&x, `<!ENTITY l%d "%s">`, i, strings.Repeat(fmt.Sprintf("&l%d;", i-1), 10))
	}
	x.WriteString(`]><l>&l9;</l>`)
	o.xml = zipFil("META-INF/asicmanifest.xml", strings.NewReader(x.String()))
	return o
})

type nuller struct{}

func (nuller) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func zipFil(navn string, innhold io.Reader) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	f, err := w.Create(navn)
	if err == nil {
		_, err = io.Copy(f, innhold)
	}
	if err != nil || w.Close() != nil {
		panic("en zip i minnet kunne ikke lages")
	}
	return b.Bytes()
}

var ondtForseglet sync.Map

// ondeForseglet are the same, sealed for the receiver as a real report: the portal has no key and must not care.
func ondeForseglet(l *liv) (ut []world.Sending) {
	l.t.Helper()
	c := l.D.Finn("4601", "01").Sert.Cert
	if v, ok := ondtForseglet.Load(c.SerialNumber.Text(16)); ok {
		return v.([]world.Sending)
	}
	for _, b := range [][]byte{onde().bombe, onde().stier, onde().xml} {
		f, err := cms.Sealer{}.Seal(melding.NyKlartekst(b), melding.Mottakernokkel{Forsegling: melding.X509, Nokkel: c.Raw})
		if err != nil {
			l.t.Fatal(err)
		}
		s := l.Forsegl("4601", "01")
		if s.Asice, err = f.Bytes(); err != nil {
			l.t.Fatal(err)
		}
		ut = append(ut, s)
	}
	ondtForseglet.Store(c.SerialNumber.Text(16), ut)
	return ut
}

// hemmeligheter is every text that a reporter writes in the sample reports: what no log, metric or error may hold (scenario 50).
var hemmeligheter = sync.OnceValue(func() []string {
	ut := []string{"Havørn", "Fjellbj", "Furuskog", "Eksempelveien", "@eksempel", "oppdiktet", "Bearer", "BEGIN PRIVATE"}
	var ga func(any)
	ga = func(v any) {
		switch v := v.(type) {
		case string:
			if forste, _, _ := strings.Cut(v, "\n"); len(forste) >= 8 {
				ut = append(ut, forste)
			}
		case []any:
			for _, x := range v {
				ga(x)
			}
		case map[string]any:
			for k, x := range v {
				if k != "mottaker" && k != "sendingstidspunkt" && k != "leveringskanal" && k != "virksomhet" { // not about a person
					ga(x)
				}
			}
		}
	}
	for _, d := range []skjema.Dokument{skjema.EksempelPrivat(), skjema.EksempelOffentlig(melding.V1), skjema.EksempelOffentlig(melding.V2)} {
		k, err := d.JSON()
		if err != nil {
			panic(err)
		}
		var v any
		if err := json.Unmarshal(k.Bytes(), &v); err != nil {
			panic(err)
		}
		ga(v)
	}
	return ut
})
