package fiksio

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// ukjentType stands for a type that is missing or that no message of ours could have.
const ukjentType = "ukjent"

// svarAv makes an answer of a delivery, whatever is wrong with it: a message that cannot be understood is still handed over, and a person
// sees it. The platform promises long strings (reference: ks-no/fiks-io-commons FiksIOHeaders.java); here every value of another kind, or
// that is no UUID where one should be, counts as missing. dokument is the id of a body that lies in Dokumentlager, "" = the body is here.
func svarAv(d amqp.Delivery, na time.Time) (s melding.Svar, dokument string) {
	_, iLager := d.Headers[protokoll.HeaderDokumentlager]
	s = melding.Svar{
		ID:            cmp.Or(uuid(d.Headers, protokoll.HeaderMeldingID), avtrykk(d)),
		Meldingstype:  typen(d.Headers),
		SvarTil:       uuid(d.Headers, protokoll.HeaderSvarTil),
		Korrelasjon:   cmp.Or(uuid(d.Headers, protokoll.HeaderEgendefinert+protokoll.HeaderKorrelasjon), uuid(d.Headers, protokoll.HeaderEgendefinert+protokoll.HeaderKorrelasjonOld)),
		AvsenderKonto: kommune.KontoID(uuid(d.Headers, protokoll.HeaderAvsenderID)),
		Mottatt:       na,
	}
	dokument = uuid(d.Headers, protokoll.HeaderDokumentlager)
	switch {
	case len(d.Body) > 0 && dokument == "":
		s = medKropp(s, d.Body)
	case iLager && dokument == "":
		s.Lesbarhet = melding.ArsakSvarUleselig // it has a body, and nobody can say where
	}
	return s, dokument
}

// medKropp gives an answer its body. One that is too long to keep is left out.
func medKropp(s melding.Svar, b []byte) melding.Svar {
	switch {
	case len(b) > melding.MaksSvar:
		s.Lesbarhet = melding.ArsakSvarUleselig
	case len(b) > 0:
		s.Innhold = melding.ForsegletBytes(melding.X509, b)
	}
	return s
}

// uuid is a header that holds one, in lower case; "" for everything else.
func uuid(h amqp.Table, navn string) string {
	s, _ := h[navn].(string)
	id, err := melding.ParseID(s)
	if err != nil {
		return ""
	}
	return string(id)
}

func typen(h amqp.Table) string {
	const (
		trygge = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"
		lengst = 200
	)
	s, _ := h[protokoll.HeaderType].(string)
	if s == "" || len(s) > lengst || strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(trygge, r) }) {
		return ukjentType
	}
	return s
}

// avtrykk is the id of a message that has none: the same each time the same message is delivered. What a broker itself puts on, and
// counts up at each delivery (x-delivery-count, x-death), is not part of it.
func avtrykk(d amqp.Delivery) string {
	h := sha256.New()
	for _, navn := range slices.Sorted(maps.Keys(d.Headers)) {
		if !strings.HasPrefix(navn, "x-") {
			_, _ = fmt.Fprintf(h, "%q=", navn)
			skrivVerdi(h, d.Headers[navn])
		}
	}
	_, _ = fmt.Fprintf(h, "body=%d:", len(d.Body))
	_, _ = h.Write(d.Body)
	return string(melding.NyForsokID(melding.ID(hex.EncodeToString(h.Sum(nil))), "svar uten melding-id", 0))
}

// skrivVerdi writes a header's value in one way only, whatever the time zone and the order of a map.
func skrivVerdi(w io.Writer, v any) {
	switch v := v.(type) {
	case amqp.Table:
		_, _ = fmt.Fprintf(w, "F%d{", len(v))
		for _, navn := range slices.Sorted(maps.Keys(v)) {
			_, _ = fmt.Fprintf(w, "%q=", navn)
			skrivVerdi(w, v[navn])
		}
	case []any:
		_, _ = fmt.Fprintf(w, "A%d[", len(v))
		for _, x := range v {
			skrivVerdi(w, x)
		}
	case time.Time:
		_, _ = fmt.Fprintf(w, "T%d;", v.UnixNano())
	case string, []byte:
		_, _ = fmt.Fprintf(w, "%T%q;", v, v)
	default:
		_, _ = fmt.Fprintf(w, "%T%v;", v, v)
	}
}
