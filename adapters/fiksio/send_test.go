package fiksio_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
	"portal.example/bekymringsmelding/adapters/fiksio"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

const (
	meldingID = "1b4e28ba-2fa1-4bd2-883f-0016d3cca427"
	sendt     = `{"meldingId":"` + meldingID + `","meldingType":"x"}`
	egenFeil  = `{"timestamp":1,"status":400,"error":"e","errorId":"0190c0de-0000-4000-8000-00000000000f","path":"/p","message":"Åse er redd","errorCode":"MOTTAKER_UKJENT"}`
)

// mot is a Transport whose API is a function: sending gets the POST, and every account is open.
func mot(t *testing.T, sending http.HandlerFunc, endre ...func(*fiksio.Config)) *fiksio.Transport {
	t.Helper()
	return motAPI(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/status") {
			_, _ = io.WriteString(w, `{"gyldigAvsender":true,"gyldigMottaker":true}`)
			return
		}
		sending(w, r)
	}, endre...)
}

func motAPI(t *testing.T, api http.HandlerFunc, endre ...func(*fiksio.Config)) *fiksio.Transport {
	t.Helper()
	s := httptest.NewServer(api)
	t.Cleanup(s.Close)
	c := fiksio.Config{API: s.URL, AMQP: "127.0.0.1:1", Konto: portalen, Integrasjon: portalen, Passord: passord, Clock: rask{time.Now()},
		Token: func(context.Context) (string, error) { return "et.access.token", nil }}
	for _, e := range endre {
		e(&c)
	}
	tr, err := fiksio.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func svarMed(status int, kropp string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, kropp)
	}
}

func TestASendIsWhatKSsClientsSend(t *testing.T) {
	is := is.New(t)
	f := forsendelse()
	f.TTL = 90*time.Minute + 1234567*time.Microsecond
	var hode http.Header
	var lengde int64
	var kropp []byte
	tr := mot(t, func(w http.ResponseWriter, r *http.Request) {
		is.Equal(r.Method+" "+r.URL.String(), "POST /fiks-io/api/v1/send")
		hode, lengde = r.Header, r.ContentLength
		kropp, _ = io.ReadAll(r.Body)
		svarMed(http.StatusAccepted, sendt)(w, r)
	})
	ref, err := tr.Send(t.Context(), f)
	is.NoErr(err)
	is.Equal(ref, meldingID)

	is.Equal(hode.Get("Authorization"), "Bearer et.access.token")
	is.Equal(hode.Get("IntegrasjonId"), portalen)
	is.Equal(hode.Get("IntegrasjonPassord"), passord)
	is.Equal(lengde, int64(len(kropp))) // never chunked
	slag, param, err := mime.ParseMediaType(hode.Get("Content-Type"))
	is.NoErr(err)
	is.Equal(slag, "multipart/form-data")
	deler := multipart.NewReader(bytes.NewReader(kropp), param["boundary"])

	meta, err := deler.NextRawPart()
	is.NoErr(err)
	is.Equal(meta.Header.Get("Content-Type"), "application/json")
	is.Equal(meta.Header.Get("Content-Disposition"), `form-data; name="metadata"`)
	var fikk map[string]any
	is.NoErr(json.NewDecoder(meta).Decode(&fikk))
	is.Equal(fikk, map[string]any{"avsenderKontoId": portalen, "mottakerKontoId": bydelen, "meldingType": "no.ks.fiks.bekymringsmelding.privat.v1", "ttl": 5401234.0,
		"headere": map[string]any{"bydel-ressurs-id": "5c21a1a2-6b0c-4b5e-9a0e-0242ac130003", "bekymringsmelding-id": string(f.Melding),
			"klientMeldingId": string(f.Forsok), "klientKorrelasjonsId": string(f.Melding), "klientKorrelasjonId": string(f.Melding)}})

	data, err := deler.NextRawPart()
	is.NoErr(err)
	is.Equal(data.Header.Get("Content-Type"), "application/octet-stream")
	is.Equal(data.Header.Get("Content-Disposition"), `form-data; name="data"; filename="FiksIO_encrypted_a65b4e9c-bdf0-4c29-bb77-0242ac130002_07.zip"`)
	b, err := io.ReadAll(data)
	is.NoErr(err)
	is.Equal(string(b), innhold(t, f.Innhold))
	_, err = deler.NextRawPart()
	is.True(errors.Is(err, io.EOF))
}

// Only what is certain may turn a report into a letter: 1 = refused when the catalogue confirms it, 0 = unknown, 2 = sent.
func TestARefusalIsBelievedOnlyWhenItIsCertain(t *testing.T) {
	const html = "<html><body>404 Not Found</body></html>"
	type sak struct {
		status int
		kropp  string
		vil    int
	}
	saker := []sak{{202, sendt, 2}, {200, sendt, 2}, {201, sendt, 2}, {202, "", 0}, {202, "{}", 0}, {202, `{"meldingId":"nei"}`, 0}, {202, html, 0},
		{400, `{"errorId":7}`, 0}, {400, `{"errorId":"nei"}`, 0}, {400, `[` + egenFeil + `]`, 0}, {302, sendt, 0}, {304, "", 0}}
	for _, status := range []int{400, 404, 410, 413, 422} {
		saker = append(saker, sak{status, egenFeil, 1}, sak{status, html, 0}, sak{status, "", 0}, sak{status, "{}", 0})
	}
	for _, status := range []int{401, 402, 403, 405, 407, 408, 409, 415, 425, 426, 429, 431, 451, 499, 500, 501, 502, 503, 504, 507, 511, 599} {
		saker = append(saker, sak{status, egenFeil, 0}, sak{status, html, 0})
	}
	for _, k := range kataloger {
		for _, s := range saker {
			t.Run(fmt.Sprintf("%s/%d %.20s", k.navn, s.status, s.kropp), func(t *testing.T) {
				is := is.New(t)
				ref, err := k.mot(t, svarMed(s.status, s.kropp)).Send(t.Context(), forsendelse())
				nektet := s.vil == 1 && k.bekrefter
				is.Equal(errors.Is(err, ports.ErrRefused), nektet)
				is.Equal(errors.Is(err, ports.ErrUnavailable), s.vil != 2 && !nektet)
				is.Equal(err == nil, s.vil == 2)
				is.Equal(ref != "", s.vil == 2)
				if err != nil {
					is.True(strings.Contains(err.Error(), strconv.Itoa(s.status)))
					is.True(!strings.Contains(err.Error(), "Åse")) // what the platform wrote stays there
					is.True(!strings.Contains(err.Error(), "html"))
					is.Equal(strings.Contains(err.Error(), "MOTTAKER_UKJENT"), strings.HasPrefix(s.kropp, "{\"timestamp"))
				}
			})
		}
	}
}

// etterNei is a catalogue by what it says once a message has been refused. Before that every account is open.
type etterNei struct {
	navn      string
	om, egen  http.HandlerFunc // the receiver, and the portal itself
	bekrefter bool
}

var kataloger = []etterNei{
	{"the receiver is closed", svarMed(200, `{"gyldigMottaker":false}`), nil, true},
	{"the receiver is gone, and the catalogue knows us", svarMed(404, egenFeil), svarMed(200, `{"gyldigMottaker":true}`), true},
	{"the receiver is open: the fault is ours", svarMed(200, `{"gyldigMottaker":true}`), nil, false},
	{"the catalogue knows nobody: it is the wrong one", svarMed(404, egenFeil), svarMed(404, egenFeil), false},
	{"a proxy says that nothing is there", svarMed(404, "<html>"), svarMed(200, `{"gyldigMottaker":true}`), false},
	{"the catalogue is down", svarMed(503, ""), nil, false},
}

func (k etterNei) mot(t *testing.T, sending http.HandlerFunc) *fiksio.Transport {
	t.Helper()
	var sendt bool
	return motAPI(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			sendt = true
			sending(w, r)
		case !sendt:
			svarMed(200, `{"gyldigMottaker":true}`)(w, r)
		case strings.Contains(r.URL.Path, portalen):
			k.egen(w, r)
		default:
			k.om(w, r)
		}
	})
}

func TestAnErrorCodeOfAnotherShapeStaysOutOfErrors(t *testing.T) {
	is := is.New(t)
	for _, kode := range []string{"Åse er redd", "a b", "A\\nB", strings.Repeat("A", 61)} {
		for _, k := range kataloger {
			_, err := k.mot(t, svarMed(400, strings.Replace(egenFeil, "MOTTAKER_UKJENT", kode, 1))).Send(t.Context(), forsendelse())
			is.Equal(errors.Is(err, ports.ErrRefused), k.bekrefter)
			is.True(!strings.Contains(err.Error(), "Åse") && !strings.Contains(err.Error(), "a b") && !strings.Contains(err.Error(), "A"))
		}
	}
}

func TestWhatNobodyAnsweredIsUnknown(t *testing.T) {
	is := is.New(t)
	unavailable := func(tr *fiksio.Transport, ctx context.Context) {
		t.Helper()
		_, err := tr.Send(ctx, forsendelse())
		is.True(errors.Is(err, ports.ErrUnavailable))
		is.True(!errors.Is(err, ports.ErrRefused))
	}
	unavailable(mot(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), t.Context())
	halv := mot(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, sendt)
	})
	unavailable(halv, t.Context())
	ingen := mot(t, svarMed(202, sendt), func(c *fiksio.Config) { c.API = "http://127.0.0.1:1" })
	unavailable(ingen, t.Context())
	ctx, avbryt := context.WithCancel(t.Context())
	stille := mot(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		avbryt()
		<-r.Context().Done()
	})
	unavailable(stille, ctx)
	_, err := stille.Send(ctx, forsendelse())
	is.True(errors.Is(err, context.Canceled))
}

// The issuer's word about us must not be taken for the receiver's.
func TestWithoutATokenNothingIsSentAndNothingIsRefused(t *testing.T) {
	is := is.New(t)
	kall := 0
	for _, tokenfeil := range []error{fmt.Errorf("token: status 400, invalid_grant hemmelig: %w", ports.ErrRefused), errors.New("hemmelig"), nil} {
		tr := motAPI(t, func(http.ResponseWriter, *http.Request) { kall++ }, func(c *fiksio.Config) {
			c.Token = func(context.Context) (string, error) { return "", tokenfeil }
		})
		_, err := tr.Send(t.Context(), forsendelse())
		is.True(errors.Is(err, ports.ErrUnavailable))
		is.True(!errors.Is(err, ports.ErrRefused))
		is.True(!strings.Contains(err.Error(), "hemmelig"))
	}
	is.Equal(kall, 0)
}

func TestWithLessThanASecondLeftNobodyIsAsked(t *testing.T) {
	is := is.New(t)
	tr := motAPI(t, func(http.ResponseWriter, *http.Request) { t.Error("ble spurt") })
	f := forsendelse()
	f.TTL = time.Second - time.Microsecond
	_, err := tr.Send(t.Context(), f)
	is.True(errors.Is(err, ports.ErrRefused))
}

func TestThePasswordFollowsNoRedirect(t *testing.T) {
	is := is.New(t)
	var annet int
	andre := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { annet++ }))
	t.Cleanup(andre.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		tr := motAPI(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Location", andre.URL)
			w.WriteHeader(status)
		}, func(c *fiksio.Config) { c.HTTP = &http.Client{} })
		_, err := tr.Send(t.Context(), forsendelse())
		is.True(errors.Is(err, ports.ErrUnavailable))
		_, err = tr.Certificate(t.Context(), bydelen)
		is.True(errors.Is(err, ports.ErrUnavailable))
	}
	is.Equal(annet, 0)
}

func TestAnAnswerWithoutEndIsNotReadToItsEnd(t *testing.T) {
	is := is.New(t)
	tr := mot(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return // the caller has had enough
			}
		}
	})
	_, err := tr.Send(t.Context(), forsendelse())
	is.True(errors.Is(err, ports.ErrUnavailable))
}

// null is a sealed report that lies somewhere else.
type null struct{}

func (null) ReadAt(b []byte, _ int64) (int, error) { clear(b); return len(b), nil }

func TestALargeReportIsNotHeldInMemory(t *testing.T) {
	is := is.New(t)
	const stor = 64 << 20
	var kom int64
	tr := mot(t, func(w http.ResponseWriter, r *http.Request) {
		kom, _ = io.Copy(io.Discard, r.Body)
		svarMed(202, sendt)(w, r)
	})
	f := forsendelse()
	f.Innhold = melding.NyForseglet(melding.X509, null{}, stor)
	var for_, etter runtime.MemStats
	runtime.ReadMemStats(&for_)
	_, err := tr.Send(t.Context(), f)
	runtime.ReadMemStats(&etter)
	is.NoErr(err)
	is.True(kom > stor)
	is.True(etter.TotalAlloc-for_.TotalAlloc < stor/8)
}

// The platform has the message and our call was cut: unknown, and the answer finds the report by its own id.
func TestALostAnswerToASendIsUnknownAndTheReportIsKnownByItsAnswer(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t, valg{})
	tr := r.transport()
	svar := r.motta(tr, nil)
	kom := make(chan contracts.Ankommet, 10)
	r.vedAnkomst(func(a contracts.Ankommet) { kom <- a })
	r.p.NesteTil(bydelen, plattform.Virkning{MistSvar: true})
	f := forsendelse()
	_, err := tr.Send(t.Context(), f)
	is.True(errors.Is(err, ports.ErrUnavailable))
	is.True(!errors.Is(err, ports.ErrRefused))
	a := simtest.Vent(t, kom, "meldingen")
	r.svar(t, a, "no.ks.fiks.bekymringsmelding.mottatt.v1", nil)
	is.Equal(simtest.Vent(t, svar, "svaret").Korrelasjon, string(f.Melding))
	_, err = tr.Send(t.Context(), f)
	is.NoErr(err)
	is.Equal(simtest.Vent(t, kom, "meldingen igjen").Forsok, a.Forsok) // the receiver can tell that it is the same attempt
}
