package plattform

import (
	"bytes"
	"crypto/subtle"
	"mime/multipart"
	"time"
)

// Feilkodenavn lists every error code.
func Feilkodenavn() (ut []string) {
	for _, k := range alleFeilkoder {
		ut = append(ut, k.kode)
	}
	return ut
}

// Lest is what a send was understood as.
type Lest struct {
	Avsender, Mottaker, Meldingstype, SvarPa string
	TTL                                      time.Duration
	Headere                                  map[string]string
	Data                                     []byte
}

// LesSend reads a body as the send API does, without the look at the payload's encryption.
func LesSend(boundary string, kropp []byte, lempelig Lempelig) (Lest, error) {
	p := &Plattform{c: Config{Maks: standardMaks, Lempelig: lempelig}}
	p.c.Lempelig.UkryptertData = true
	inn, err := p.lesDeler(multipart.NewReader(bytes.NewReader(kropp), boundary))
	m := inn.metadata
	return Lest{m.avsender, m.mottaker, m.meldingstype, m.svarPa, m.ttl, m.headere, inn.data}, err
}

// GlemInnhold gives up every payload that is remembered, and those to come.
func (p *Plattform) GlemInnhold() {
	p.bok.maksKropp = 0
	p.bok.skriv(Sendt{}, []byte{0})
}

// TellSammenlikninger calls f at every comparison of a login with a stored one.
func (p *Plattform) TellSammenlikninger(f func()) {
	p.lik = func(a, b []byte) int {
		f()
		return subtle.ConstantTimeCompare(a, b)
	}
}
