package plattform_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	amqp091 "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/amqp"
	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/fagklient"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/acceptance/sim/simtest"
)

// ledningen is a platform over the built-in broker, with TLS as clients meet it.
type ledningen struct {
	*rigg
	b *amqp.Broker
}

func nyLedning(t *testing.T, endre ...func(*plattform.Config)) *ledningen {
	t.Helper()
	n := simtest.Nokler(t)
	server, err := n.CA.Sertifiser(sim.Bestilling{Navn: "megler", Formal: sim.TLS}, n.Portal.Nokkel)
	if err != nil {
		t.Fatal(err)
	}
	l := &ledningen{}
	l.rigg = nyRiggMed(t, func(tilgang broker.Tilgang, k broker.Klokke) broker.Broker {
		b, err := amqp.Start(amqp.Config{Adresse: "127.0.0.1:0", Klokke: k, Tilgang: tilgang,
			TLS: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{server.Cert.Raw}, PrivateKey: server.Nokkel}}}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close() })
		l.b = b
		return b
	}, nil, endre...)
	return l
}

// abonner consumes an account's queue as a client does.
func (l *ledningen) abonner(konto, integrasjon string) <-chan amqp091.Delivery {
	l.t.Helper()
	rot := x509.NewCertPool()
	rot.AddCert(l.n.CA.Cert)
	c, err := amqp091.DialConfig("amqps://"+l.b.Adresse()+"/", amqp091.Config{TLSClientConfig: &tls.Config{RootCAs: rot, Time: func() time.Time { return simtest.Start }},
		SASL: fagklient.Login{IntegrasjonID: integrasjon, Passord: passord, Token: l.token(integrasjon)}.SASL()})
	l.feilfri(err)
	l.t.Cleanup(func() { _ = c.Close() })
	ch, err := c.Channel()
	l.feilfri(err)
	l.feilfri(ch.Qos(10, 0, false))
	ut, err := ch.Consume(koPrefiks+konto, "", false, false, false, false, nil)
	l.feilfri(err)
	return ut
}

func (l *ledningen) neste(fra <-chan amqp091.Delivery) amqp091.Delivery {
	l.t.Helper()
	select {
	case d, ok := <-fra:
		if !ok {
			l.t.Fatal("kanalen ble lukket")
		}
		return d
	case <-time.After(20 * time.Second):
		l.t.Fatal("ingen melding kom")
	}
	return amqp091.Delivery{}
}

// rasend sends headers and body as they stand. chunked sends the body in chunks.
func (l *ledningen) rasend(integrasjon string, hode textproto.MIMEHeader, kropp []byte, chunked bool) svar {
	l.t.Helper()
	var r io.Reader = bytes.NewReader(kropp)
	if chunked {
		r = struct{ io.Reader }{r} // of unknown length
	}
	req, err := http.NewRequestWithContext(l.t.Context(), "POST", l.url+"/fiks-io/api/v1/send", r)
	l.feilfri(err)
	for navn, v := range hode {
		req.Header[navn] = v
	}
	req.Header["Authorization"] = []string{"Bearer " + l.token(integrasjon)}
	return l.kall(req)
}

// opptak reads a recorded request.
func opptak(t *testing.T, fil string) (textproto.MIMEHeader, []byte) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + fil)
	if err != nil {
		t.Fatal(err)
	}
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(b)))
	if _, err := r.ReadLine(); err != nil {
		t.Fatal(err)
	}
	hode, err := r.ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	for _, navn := range []string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Accept-Encoding"} {
		hode.Del(navn) // of the connection
	}
	_, kropp, _ := bytes.Cut(b, []byte("\r\n\r\n"))
	return hode, kropp
}

func TestKSsJavaClientsAnswersReachThePortalUnchanged(t *testing.T) {
	is := is.New(t)
	l := nyLedning(t)
	inn := l.abonner(portalen, inPortal)

	hode, kropp := opptak(t, "fiksio-send-mottatt.http")
	s := l.rasend(inBydel, hode, kropp, false)
	is.Equal(s.status, http.StatusAccepted)
	d := l.neste(inn)
	is.Equal(d.RoutingKey, koPrefiks+portalen) // Java reads the account id out of it
	is.Equal(d.Exchange, "")
	is.Equal(d.Headers["type"], "no.ks.fiks.bekymringsmelding.mottatt.v1") // a string: a long string on the wire
	is.Equal(d.Headers["svar-til"], "cdf2f4c7-c411-423a-85cb-2cc0899deb5a")
	is.Equal(d.Headers["avsender-id"], bydelen)
	is.Equal(d.Headers["melding-id"], s.json["meldingId"])
	is.Equal(d.Expiration, "604800000") // its ttl is null
	is.Equal(len(d.Body), 0)
	is.NoErr(d.Ack(false))

	hode, kropp = opptak(t, "fiksio-send-feilet.http")
	is.Equal(l.rasend(inBydel, hode, kropp, true).status, http.StatusAccepted) // chunked, as it was
	d = l.neste(inn)
	is.True(len(d.Body) > 1000 && bytes.Contains(kropp, d.Body))
	is.NoErr(d.Ack(false))
}

func TestTheOtherDialectsAreReadTheSameWay(t *testing.T) {
	l := nyLedning(t)
	innhold := forseglet(t, l.n.Bydel, l.n.Portal)
	inn := l.abonner(bydelen, inBydel)
	meta := `{"avsenderKontoId":"` + portalen + `","mottakerKontoId":"` + bydelen + `","meldingType":"` + privatV2 + `"`
	const guid = "0ad8f071-40b4-4ffb-929d-d67cfb6eb8d8"
	for navn, v := range map[string]struct {
		type_   string
		deler   []string // part headers
		meta    string
		innhold []byte
		utlop   string
	}{
		// StringContent has a Content-Type, StreamContent none; parameters are unquoted; the boundary is quoted.
		".NET": {`multipart/form-data; boundary="` + guid + `"`, []string{
			"Content-Type: application/json\r\nContent-Disposition: form-data; name=metadata",
			"Content-Disposition: form-data; name=data; filename=" + guid + "; filename*=utf-8''" + guid},
			meta + `,"ttl":172800000,"headere":{"klientMeldingId":"` + guid + `"},"svarPaMelding":null}`, innhold, "172800000"},
		// WriteField gives metadata no Content-Type at all.
		"Go": {"multipart/form-data; boundary=" + guid, []string{
			`Content-Disposition: form-data; name="metadata"`,
			`Content-Disposition: form-data; name="data"; filename="` + guid + `"` + "\r\nContent-Type: application/octet-stream"},
			meta + "}", innhold, "604800000"},
		"data først og filename før name": {"multipart/form-data;boundary=" + guid, []string{
			`Content-Disposition: form-data; filename="x"; name="data"`, `Content-Disposition: form-data; name="metadata"`}, meta + "}", innhold, "604800000"},
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			var kropp bytes.Buffer
			for _, del := range v.deler {
				fmt.Fprintf(&kropp, "--%s\r\n%s\r\n\r\n", guid, del)
				if strings.Contains(del, "metadata") {
					kropp.WriteString(v.meta)
				} else {
					kropp.Write(v.innhold)
				}
				kropp.WriteString("\r\n")
			}
			fmt.Fprintf(&kropp, "--%s--\r\n", guid)
			s := l.rasend(inPortal, textproto.MIMEHeader{"integrasjonId": {inPortal}, "integrasjonPassord": {passord}, "Content-Type": {v.type_}}, kropp.Bytes(), false)
			is.Equal(s.status, http.StatusAccepted)
			d := l.neste(inn)
			is.True(bytes.Equal(d.Body, innhold))
			is.Equal(d.Expiration, v.utlop)
			is.NoErr(d.Ack(false))
		})
	}
}

func TestHalfAnUploadIsNeverQueued(t *testing.T) {
	is := is.New(t)
	r := nyRigg(t)
	hode, kropp := opptak(t, "fiksio-send-feilet.http")
	l := &ledningen{rigg: r}
	for _, n := range []int{0, 10, 200, 700, len(kropp) / 2, len(kropp) - 40, len(kropp) - 5} {
		s := l.rasend(inBydel, hode, kropp[:n], false)
		is.Equal(s.status, http.StatusBadRequest)
		is.Equal(r.b.antall(koPrefiks+portalen), 0)
	}
	hele := bytes.TrimSuffix(medMetadata([]byte(`{"avsenderKontoId":"`+portalen+`","mottakerKontoId":"`+bydelen+`","meldingType":"x"}`)), []byte("\r\n"))
	_, err := plattform.LesSend(grense, hele, plattform.Lempelig{})
	is.NoErr(err)
	for n := range hele { // cut anywhere, also just after a boundary that could be the last
		_, err := plattform.LesSend(grense, hele[:n], plattform.Lempelig{})
		is.True(err != nil)
	}
	hode.Set("Content-Type", "application/json")
	is.Equal(l.rasend(inBydel, hode, kropp, false).kode, "IKKE_MULTIPART")
}

func TestAnExpiredAndAThriceLostMessageAreToldOfOnTheWire(t *testing.T) {
	is := is.New(t)
	l := nyLedning(t)
	portal := l.abonner(portalen, inPortal)
	innhold := forseglet(t, l.n.Bydel, l.n.Portal)

	utlopt := l.send(rapport(m{"ttl": 1000, "headere": m{"klientKorrelasjonsId": "k1"}}), innhold).json["meldingId"]
	l.klokke.Flytt(2 * time.Second)
	d := l.neste(portal)
	is.Equal(d.Headers["type"], "no.ks.fiks.kvittering.tidsavbrudd")
	is.Equal(d.Headers["svar-til"], utlopt)
	is.Equal(d.Headers["svar-til-type"], privatV2)
	is.Equal(d.Headers["avsender-id"], bydelen)
	is.Equal(d.Headers["egendefinert-header.klientKorrelasjonId"], "k1")
	is.NoErr(d.Ack(false))

	oppgitt := l.send(rapport(), innhold).json["meldingId"]
	bydel := l.abonner(bydelen, inBydel)
	for range broker.Forsok {
		is.NoErr(l.neste(bydel).Nack(false, true))
	}
	d = l.neste(portal)
	is.Equal(d.Headers["type"], "no.ks.fiks.kvittering.serverfeil.v1")
	is.Equal(d.Headers["svar-til"], oppgitt)
	is.NoErr(d.Ack(false))

	is.Equal(l.send(rapport(), innhold).status, http.StatusAccepted)
	is.NoErr(l.neste(bydel).Nack(false, false))
	etter := l.send(rapport(m{"avsenderKontoId": portalen, "mottakerKontoId": portalen}), innhold).json["meldingId"]
	is.Equal(l.neste(portal).Headers["melding-id"], etter) // the rejected one gave nothing
}

func TestAPersonMovesWhatLiesOnAQueue(t *testing.T) {
	is := is.New(t)
	l := nyLedning(t)
	innhold := forseglet(t, l.n.Bydel, l.n.Portal)
	id := l.send(rapport(), innhold).json["meldingId"].(string)
	is.NoErr(l.p.Svar(t.Context(), id, "mottatt", ""))
	is.Equal(l.neste(l.abonner(portalen, inPortal)).Headers["svar-til"], id)
	st, err := l.b.Status(t.Context(), koPrefiks+bydelen)
	is.NoErr(err)
	is.Equal(st.Klare, 0)

	id = l.send(rapport(), innhold).json["meldingId"].(string)
	is.True(l.p.UtlopNa(id))
	is.True(!l.p.Fjern(id)) // no longer there

	id = l.send(rapport(), innhold).json["meldingId"].(string)
	is.True(l.p.Forsink(id, time.Minute))
	venter, ok := l.p.Venter(bydelen)
	is.True(ok)
	is.Equal(len(venter), 0)
	l.klokke.Flytt(time.Minute)
	is.Equal(l.neste(l.abonner(bydelen, inBydel)).Headers["melding-id"], id)
	is.True(!l.p.Forsink(id, time.Minute)) // somebody has it
}
