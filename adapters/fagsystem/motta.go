package fagsystem

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// Motta takes messages until ctx ends, and connects again whenever it must.
func (k *Klient) Motta(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		k.c.Meld(Hendelse{Art: Frakoblet, Feil: k.okt(ctx, &n)})
		k.vent(ctx, n)
	}
}

// okt is one connection, to its end. n counts those in a row that did not get as far as the queue.
func (k *Klient) okt(ctx context.Context, n *int) error {
	token, err := k.c.Token(ctx) // fresh each time: it is looked at when connecting, and is good for two minutes
	if err != nil {
		return err
	}
	conn, err := amqp.DialConfig("amqps://"+k.c.AMQP, amqp.Config{TLSClientConfig: k.c.TLS.Clone(), Dial: amqp.DefaultDial(10 * time.Second), Vhost: "/",
		SASL: []amqp.Authentication{&amqp.PlainAuth{Username: k.c.IntegrasjonID, Password: k.c.Passord + " " + token}}})
	if err != nil {
		return err
	}
	ctx, slutt := context.WithCancel(ctx)
	var holdt sync.WaitGroup // for their acks, before the connection is closed
	defer func() { slutt(); holdt.Wait(); _ = conn.CloseDeadline(time.Now().Add(5 * time.Second)) }()
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	lukket := ch.NotifyClose(make(chan *amqp.Error, 1))
	err = ch.Qos(cmp.Or(k.c.Forhand, 10), 0, false)
	inn, feil := ch.Consume(protokoll.Konavn(k.c.Konto), "fagsystem", false, false, false, false, nil) // never declared: it is the platform's
	if err = errors.Join(err, feil); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = ch.Cancel("fagsystem", true) })() // ends the loop
	*n = 0
	for d := range inn { // a message that is held must not stop those behind it
		holdt.Go(func() {
			for n := 0; ctx.Err() == nil && k.ta(ctx, d) != nil; n++ {
				k.vent(ctx, n)
			}
		})
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// Ends the wait below when the platform stopped us and left the channel open. What comes is nil when it was closed in order.
	_ = ch.Close()
	return fmt.Errorf("fagsystem: køen leses ikke lenger: %v", <-lukket) //nolint:errorlint // it may be nil
}

func (k *Klient) vent(ctx context.Context, n int) {
	ctx, stopp := context.WithTimeout(ctx, min(k.pause<<min(n, 10), time.Minute))
	defer stopp()
	<-ctx.Done()
}

// ta works on one message. Its last step is the ack.
func (k *Klient) ta(ctx context.Context, d amqp.Delivery) error {
	k.en.Lock()
	defer k.en.Unlock()
	h := Hendelse{MeldingID: tekst(d, protokoll.HeaderMeldingID)}
	if err := k.behandle(ctx, d, &h); err != nil {
		h.Art, h.Feil = Utsatt, err
		k.c.Meld(h)
		return err
	}
	k.c.Meld(h)
	return d.Ack(false)
}

// behandle stores, and then answers. A crash on any line of it leaves the message on the queue: until Lagre is done it comes again as
// new, after that as a repeat, which is only answered.
func (k *Klient) behandle(ctx context.Context, d amqp.Delivery, h *Hendelse) (err error) {
	typ := tekst(d, protokoll.HeaderType)
	// Where the report's own id is not said, the platform's has to do: it knows a message delivered again, and not one sent again.
	h.ID = cmp.Or(uuid(d, egen+protokoll.HeaderBekymring), uuid(d, egen+protokoll.HeaderKorrelasjon), uuid(d, egen+protokoll.HeaderKorrelasjonOld), uuid(d, protokoll.HeaderMeldingID))
	if protokoll.ErKvittering(typ) { // answered with nothing, or two systems would answer each other for ever
		h.Art = cmp.Or(map[string]Art{protokoll.Tidsavbrudd: Tidsavbrudd, protokoll.Serverfeil: Serverfeil}[protokoll.Kanonisk(typ)], Kvittering)
		return nil
	}
	if fra := uuid(d, protokoll.HeaderAvsenderID); string(fra) != string(k.c.Portalkonto) {
		// Any account can write to any queue. Answered once and never held: ten messages from somebody who cannot be answered would stop
		// the queue. If it is the setting that is wrong, the portal prints a letter: at once, or at its deadline when feilet did not go.
		h.Art, h.Feil = Fremmed, errors.Join(fmt.Errorf("%w (avsender-id %s)", fremmed, fra), k.svar(ctx, d, protokoll.Feilet, string(fremmed)))
		return ctx.Err() // not when the program is ending: it comes again
	}
	h.Art, err = k.lagre(ctx, d, h.ID, typ)
	if nei, ok := errors.AsType[avslag](err); ok {
		h.Art, h.Feil = Avvist, nei
		return k.svar(ctx, d, protokoll.Feilet, string(nei))
	}
	if err != nil {
		return err
	}
	return k.svar(ctx, d, protokoll.Mottatt, "")
}

// avslag is why a message will never be taken: the sentence that goes back in feilet, and nothing out of the report.
type avslag string

func (a avslag) Error() string { return string(a) }

const fremmed avslag = "Kontoen tar bare imot bekymringsmeldinger fra portalens konto"

// lagre opens a message, verifies all of it and has it stored, unless it is.
func (k *Klient) lagre(ctx context.Context, d amqp.Delivery, id melding.ID, typ string) (Art, error) {
	// id "" = not even the platform's, which it never leaves out: nobody could tell what is answered.
	slag, versjon, err := protokoll.ParseMeldingstype(typ)
	if err != nil || versjon > k.c.Versjon || id == "" {
		return "", avslag("Ukjent meldingstype")
	}
	if har, err := k.c.Lager.Har(ctx, id); har || err != nil {
		return Gjentatt, err
	}
	b := d.Body
	if dok := uuid(d, protokoll.HeaderDokumentlager); dok != "" { // too large for the queue
		if b, err = k.kall(ctx, http.MethodGet, "/dokumentlager/nedlasting/"+string(dok), nil); err != nil {
			return "", err
		}
	}
	var pakke bytes.Buffer // of use only when all of it is opened
	if cms.Decrypt(&pakke, bytes.NewReader(b), k.c.Nokler...) != nil {
		return "", avslag("Meldingen kan ikke dekrypteres")
	}
	c, err := asice.Read(melding.NyKlartekst(pakke.Bytes()))
	if err != nil {
		return "", avslag("Pakken kan ikke verifiseres")
	}
	hel := map[string]bool{}
	for _, f := range c.Filer {
		hel[f.Navn] = f.Navn == protokoll.FilPDF && f.Innhold.Storrelse() > 0 || json.Valid(bytes.TrimPrefix(f.Innhold.Bytes(), []byte("\ufeff")))
	}
	if len(hel) != 2 || !hel[protokoll.FilJSON] || !hel[protokoll.FilPDF] {
		return "", avslag("Pakken har ikke bekymringsmelding.json og bekymringsmelding.pdf, eller de kan ikke leses")
	}
	return Lagret, k.c.Lager.Lagre(ctx, Melding{ID: id, Slag: slag, Versjon: versjon, Filer: c.Filer, Signert: c.Signer})
}

const egen = protokoll.HeaderEgendefinert

func tekst(d amqp.Delivery, header string) string    { s, _ := d.Headers[header].(string); return s }
func uuid(d amqp.Delivery, h string) (id melding.ID) { id, _ = melding.ParseID(tekst(d, h)); return id }

// svar answers d; nil = the platform has the answer. grunn becomes a body, sealed for the sender.
func (k *Klient) svar(ctx context.Context, d amqp.Delivery, typ, grunn string) error {
	til, headere := uuid(d, protokoll.HeaderAvsenderID), map[string]string{}
	if v := cmp.Or(tekst(d, egen+protokoll.HeaderKorrelasjon), tekst(d, egen+protokoll.HeaderKorrelasjonOld)); v != "" { // read in either spelling, sent in both
		headere[protokoll.HeaderKorrelasjon], headere[protokoll.HeaderKorrelasjonOld] = v, v
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b) // a bytes.Buffer never fails
	del, _ := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="metadata"`}, "Content-Type": {"application/json"}})
	_ = json.NewEncoder(del).Encode(map[string]any{"avsenderKontoId": k.c.Konto, "mottakerKontoId": til, "meldingType": typ, "headere": headere,
		"svarPaMelding": uuid(d, protokoll.HeaderMeldingID), "ttl": (24 * time.Hour).Milliseconds()})
	if grunn != "" { // mottatt has no body, and then no such part
		feilmelding, err := k.feilmelding(ctx, til, grunn)
		if err != nil {
			return err
		}
		del, _ = w.CreateFormFile("data", protokoll.FilAsice)
		_, _ = del.Write(feilmelding)
	}
	_ = w.Close()
	_, err := k.kall(ctx, http.MethodPost, "/fiks-io/api/v1/send", &b, w.FormDataContentType())
	return err
}

// feilmelding is feilmelding.json, signed, and sealed for the account's certificate in the catalogue.
func (k *Klient) feilmelding(ctx context.Context, til melding.ID, grunn string) ([]byte, error) {
	b, err := k.kall(ctx, http.MethodGet, "/fiks-io/katalog/api/v1/kontoer/"+string(til)+"/offentligNokkel", nil)
	if err != nil {
		return nil, err
	}
	var svar struct{ Nokkel string }
	_ = json.Unmarshal(b, &svar) // what has no key in it cannot be sealed for
	sert, _ := pem.Decode([]byte(svar.Nokkel))
	pakke, err := k.c.Pakker.Pack(ctx, []melding.Fil{{Navn: protokoll.FilFeilmelding, Innhold: melding.NyKlartekst(protokoll.Feilmelding{Melding: grunn}.JSON())}})
	if err != nil {
		return nil, err
	}
	f, err := cms.Sealer{}.Seal(pakke, melding.Mottakernokkel{Forsegling: melding.X509, Nokkel: cmp.Or(sert, &pem.Block{}).Bytes})
	forseglet, feil := f.Bytes()
	return forseglet, errors.Join(err, feil)
}

// kall gives the body of an answer whose status is a success: an error has a body too, which is no content.
func (k *Klient) kall(ctx context.Context, metode, sti string, kropp io.Reader, innholdstype ...string) ([]byte, error) {
	token, err := k.c.Token(ctx)
	r, feil := http.NewRequestWithContext(ctx, metode, k.c.API+sti, kropp)
	if err = errors.Join(err, feil); err != nil {
		return nil, err
	}
	r.Header = http.Header{"Authorization": {"Bearer " + token}, "Integrasjonid": {k.c.IntegrasjonID}, "Integrasjonpassord": {k.c.Passord}, "Content-Type": innholdstype}
	s, err := k.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Body.Close() }()
	if s.StatusCode < 200 || s.StatusCode > 299 {
		return nil, fmt.Errorf("fagsystem: %s: status %d", sti, s.StatusCode)
	}
	return io.ReadAll(io.LimitReader(s.Body, 64<<20)) // what is cut there will not open
}
