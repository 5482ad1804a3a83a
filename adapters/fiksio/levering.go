package fiksio

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// tilSvar reads one delivery, whatever is in it: what has not the right shape is left out, and nothing is ever refused. An answer that
// lost its headers is still a message from somebody, and a person gets to see it.
func tilSvar(d amqp.Delivery, na time.Time) melding.Svar {
	s := melding.Svar{ID: uuid(d.Headers, protokoll.HeaderMeldingID), Meldingstype: meldingstype(d.Headers), SvarTil: uuid(d.Headers, protokoll.HeaderSvarTil),
		AvsenderKonto: kommune.KontoID(uuid(d.Headers, protokoll.HeaderAvsenderID)), Mottatt: na}
	for _, navn := range []string{protokoll.HeaderKorrelasjon, protokoll.HeaderKorrelasjonOld} {
		if s.Korrelasjon == "" {
			s.Korrelasjon = uuid(d.Headers, protokoll.HeaderEgendefinert+navn)
		}
	}
	if s.ID == "" {
		s.ID = erstatning(d)
	}
	switch {
	case len(d.Body) > melding.MaksSvar:
		s.Lesbarhet = melding.ArsakSvarUleselig
	case len(d.Body) > 0:
		s.Innhold = melding.ForsegletBytes(melding.X509, d.Body)
	}
	return s
}

// tekst is a header of the one type the platform uses; anything else is "".
func tekst(h amqp.Table, navn string) string {
	switch v := h[navn].(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

func uuid(h amqp.Table, navn string) string {
	id, err := melding.ParseID(tekst(h, navn))
	if err != nil {
		return ""
	}
	return string(id)
}

// meldingstype is shown to operators, so only what a type can be is let through.
func meldingstype(h amqp.Table) string {
	s := tekst(h, protokoll.HeaderType)
	if s == "" || len(s) > 200 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyzæøåABCDEFGHIJKLMNOPQRSTUVWXYZÆØÅ0123456789._-") != "" {
		return "ukjent"
	}
	return s
}

// erstatning names a message without a melding-id by what is in it, so that the same one delivered again is the same. The broker's own
// headers (x-…) differ from delivery to delivery.
func erstatning(d amqp.Delivery) string {
	h := sha256.New()
	for _, navn := range slices.Sorted(maps.Keys(d.Headers)) {
		if !strings.HasPrefix(navn, "x-") {
			_, _ = fmt.Fprintf(h, "%q=%T:%v\n", navn, d.Headers[navn], d.Headers[navn]) // a hash takes everything
		}
	}
	_, _ = h.Write(d.Body)
	return "uten-id-" + hex.EncodeToString(h.Sum(nil)[:16])
}
