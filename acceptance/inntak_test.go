package acceptance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"sync"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// inntak are submissions that end as reports.
var inntak = []scenario{
	{navn: "8 delene i motsatt rekkefølge og uten filnavn", http: true, driv: func(l *liv) {
		s := l.Forseglet("4601", "01")
		var id melding.ID
		var err error
		if l.Server == nil { // the use case is given two parts, whatever their order was
			id, err = l.Post(s)
		} else {
			id, err = utenFilnavn(l, s)
			l.husk(s, id, err)
		}
		l.venter(func(is *is.I) {
			is.NoErr(err)
			is.Equal(l.Tilstander(id), "AKSEPTERT")
			l.Pump()
			is.Equal(l.Tilstander(id), bekreftet)
			is.Equal(l.Fagsystem["4601/01"].Uleste(), 0) // each part ended where it belongs
		})
	}},
	{navn: "11 bytene fra KS sin Java-klient", valg: javaverden, driv: javaklienten},
	{navn: "12 samme bytes igjen gir den første id-en, også på en gang", http: true, driv: func(l *liv) {
		s := l.Forseglet("4601", "01")
		ids := make([]melding.ID, 4)
		if l.rent {
			var wg sync.WaitGroup
			for i := range ids {
				wg.Go(func() { ids[i], _ = l.Avsender.Post(context.Background(), s) })
			}
			wg.Wait()
			l.husk(s, ids[0], nil)
		} else { // one at a time, so that the n-th call is the same in every run
			for i := range ids {
				ids[i], _ = l.Post(s)
			}
		}
		l.venter(func(is *is.I) {
			for _, id := range ids {
				is.Equal(id, ids[0])
				is.True(id != "")
			}
		})
		l.Pump()
		l.venter(func(is *is.I) { is.Equal(len(l.Nett.Sendte("")), 1) }) // no second delivery
		igjen := l.Forseglet("4601", "01")
		for l.rent && len(igjen.Asice) != len(s.Asice) { // the container's own ids compress to a few bytes more or less
			igjen = l.Forseglet("4601", "01")
		}
		ny, _ := l.Post(igjen)
		l.venter(func(is *is.I) {
			is.True(ny != ids[0] && ny != "")
			is.True(l.Utgave(ny).Melding.Har(melding.MuligDublett)) // sealed anew: noted, never suppressed
		})
	}},
	{navn: "12 Idempotency-Key brukt for andre byter", driv: func(l *liv) {
		a, b := l.Forseglet("4601", "01"), l.Forseglet("4601", "01")
		a.Nokkel, b.Nokkel = "n1", "n1"
		id, err1 := l.Post(a)
		igjen, err2 := l.Post(a)
		_, err3 := l.Post(b)
		l.venter(func(is *is.I) {
			is.NoErr(err1)
			is.NoErr(err2)
			is.Equal(igjen, id)
			f := feilkropp(l.t, err3)
			is.Equal(f.Status, 409)
			is.Equal(f.ErrorCode, "IDEMPOTENSNOKKEL_BRUKT")
			is.True(strings.Contains(string(f.ErrorJSON), string(id)))
		})
	}},
	{navn: "13 v1 til en V2-mottaker", driv: func(l *liv) {
		id := l.Send("4601", "01")
		l.Pump()
		l.venter(func(is *is.I) { is.Equal(l.Tilstander(id), bekreftet) })
	}},
	{navn: "14 en annen avsender ser ingenting", driv: func(l *liv) {
		id := l.Send("4601", "01")
		l.venter(func(is *is.I) {
			_, err := l.Annen.Status(context.Background(), id)
			f := feilkropp(l.t, err)
			is.Equal(f.Status, 404)
			_, err = l.Annen.Status(context.Background(), "11111111-1111-4111-8111-111111111111")
			is.Equal(feilkropp(l.t, err).Message, f.Message) // as an unknown one
		})
	}},
	{navn: "forbindelsen brytes etter 60 prosent av opplastingen", http: true, driv: func(l *liv) {
		s := l.Forseglet("4601", "01")
		if l.Server != nil { // the use case is never called
			req, err := l.Avsender.Foresporsel(context.Background(), s)
			if err != nil {
				l.t.Fatal(err)
			}
			b, err := io.ReadAll(req.Body)
			if err != nil {
				l.t.Fatal(err)
			}
			req.Body, req.GetBody = io.NopCloser(io.MultiReader(bytes.NewReader(b[:len(b)*6/10]), brutt{})), nil
			if l.Avsender.Kall(req, nil) == nil {
				l.t.Error("en halv opplasting fikk 201")
			}
			ingenLagret(l)
		}
		_, err := l.Post(s)
		l.venter(func(is *is.I) { is.NoErr(err) }) // and the same bytes are welcome afterwards
	}},
	{navn: "svaret tapt etter lagring: samme bytes gir samme id", http: true, driv: func(l *liv) {
		s := l.Forseglet("4601", "01")
		if l.Server != nil {
			a := *l.Avsender
			a.HTTP = &http.Client{Transport: mistSvar{l.Server.Client().Transport}}
			if _, err := a.Post(context.Background(), s); err == nil {
				l.t.Error("svaret gikk ikke tapt")
			}
		} else {
			_, _ = l.Lever(l.D.Avsender, s)
		}
		l.venter(func(is *is.I) {
			n, err := l.Lager.Count(context.Background(), ports.Filter{})
			is.NoErr(err)
			is.Equal(n, 1)
		})
		id, err := l.Post(s)
		l.Pump()
		l.venter(func(is *is.I) {
			is.NoErr(err)
			is.Equal(l.Tilstander(id), bekreftet)
			is.Equal(len(l.Nett.Sendte("")), 1)
		})
	}},
	{navn: "49 det onde er forseglet: lagret som det kom, og bare mottakeren åpner det", driv: func(l *liv) {
		var ids []melding.ID
		sendt := ondeForseglet(l)
		for _, s := range sendt {
			id, err := l.Post(s)
			l.venter(func(is *is.I) { is.NoErr(err) })
			ids = append(ids, id)
		}
		l.Fram(time.Minute)
		l.venter(func(is *is.I) {
			is.Equal(l.Fagsystem["4601/01"].Uleste(), len(ids)) // the case system would not unpack it either
			for i, id := range ids {
				is.Equal(l.Tilstander(id), avvist)
				f, err := l.Lager.Open(context.Background(), id, melding.DelAsice)
				is.NoErr(err)
				b, err := f.Bytes()
				is.NoErr(err)
				is.True(bytes.Equal(b, sendt[i].Asice))
			}
		})
	}, slutt: []dom{{brev: 1}}},
}

// utenFilnavn posts asice first, with nothing but a name on each part.
func utenFilnavn(l *liv, s world.Sending) (melding.ID, error) {
	req, err := l.Avsender.Foresporsel(context.Background(), s)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, d := range []struct {
		navn    string
		innhold []byte
	}{{"asice", s.Asice}, {"bekymringsmelding", s.PDF}} {
		p, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name="%s"`, d.navn)}})
		if err != nil {
			return "", err
		}
		if _, err := p.Write(d.innhold); err != nil {
			return "", err
		}
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	req.Body, req.GetBody, req.ContentLength = io.NopCloser(&b), nil, int64(b.Len())
	req.Header.Set("Content-Type", w.FormDataContentType())
	var svar struct{ UUID string }
	err = l.Avsender.Kall(req, &svar)
	return melding.ID(svar.UUID), err
}

type brutt struct{}

func (brutt) Read([]byte) (int, error) { return 0, errors.New("forbindelsen er brutt") }

// mistSvar lets a call through and loses its answer.
type mistSvar struct{ http.RoundTripper }

func (m mistSvar) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := m.RoundTripper.RoundTrip(r)
	if err != nil || r.Method != http.MethodPost {
		return res, err
	}
	_ = res.Body.Close()
	return nil, errors.New("svaret gikk tapt")
}
