package plattform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// Svarslag is an answer a person can give from the admin page.
type Svarslag string

const (
	SvarMottatt  Svarslag = "mottatt"
	SvarFeilet   Svarslag = "feilet"
	SvarToGanger Svarslag = "to-ganger" // mottatt twice
	SvarIngen    Svarslag = "ingenting" // only takes the message from the queue, where the broker can
)

// svarTTL is what the protocol recommends (§8.2).
const svarTTL = 24 * time.Hour

// Why Apne shows nothing of a message that has a payload.
var (
	ErrUtenNokkel  = errors.New("plattform: kontoens private nøkkel er ikke kjent her") // also why Svar and Prove cannot sign for it
	ErrAnnenNokkel = errors.New("plattform: innholdet kan ikke åpnes med kontoens nøkler")
	ErrIkkePakke   = errors.New("plattform: det som er åpnet, er ikke en gyldig ASiC-E")
	ErrGlemt       = errors.New("plattform: innholdet er ikke lenger i minnet")
)

var (
	errUkjentMelding = errors.New("plattform: meldingen er ikke i loggen")
	errKvittering    = errors.New("plattform: en kvittering besvares ikke")
	errUtenNokkelTil = errors.New("plattform: mottakeren har ingen offentlig nøkkel")
	errSvarslag      = errors.New("plattform: ukjent slag svar")
)

// Svar takes a message and answers it in the receiving account's name, the same way as a case system's answer goes. tekst is the reason
// in a feilet, which needs the account's Nokkel. Any message in the log that is not a receipt can be answered, also one that a case
// system has answered before.
func (p *Plattform) Svar(ctx context.Context, meldingID string, slag Svarslag, tekst string) error {
	o, ok := p.bok.finn(meldingID)
	if !ok {
		return errUkjentMelding
	}
	if protokoll.ErKvittering(o.Meldingstype) {
		return errKvittering
	}
	inn := innsendt{metadata: metadata{avsender: o.Til, mottaker: o.Fra, meldingstype: protokoll.Mottatt, svarPa: o.MeldingID, ttl: svarTTL,
		headere: svarheadere(o.Headere)}}
	antall := 1
	switch slag {
	case SvarMottatt:
	case SvarToGanger:
		antall = 2
	case SvarIngen:
		antall = 0
	case SvarFeilet:
		inn.metadata.meldingstype = protokoll.Feilet
		var err error
		if inn.data, err = p.feilmelding(o, tekst); err != nil {
			return err
		}
	default:
		return errSvarslag
	}
	_ = p.Fjern(meldingID) // taken before it is answered; a broker that cannot, or a message somebody has, stays as it is
	for range antall {
		if _, err := p.send(ctx, inn); err != nil && !errors.Is(err, errMistSvar) {
			return err
		}
	}
	return nil
}

// svarheadere are what a case system copies into an answer.
func svarheadere(h map[string]string) map[string]string {
	ut := map[string]string{}
	for _, navn := range []string{protokoll.HeaderKorrelasjon, protokoll.HeaderKorrelasjonOld} {
		if v, har := h[navn]; har {
			ut[navn] = v
		}
	}
	return ut
}

// feilmelding is feilmelding.json in an ASiC-E, signed by the answering account and sealed for the one that asked.
func (p *Plattform) feilmelding(o Loggfort, tekst string) ([]byte, error) {
	return p.forsegl(p.konto(o.Til), p.konto(o.Fra), melding.Fil{Navn: protokoll.FilFeilmelding, Innhold: melding.NyKlartekst(protokoll.Feilmelding{Melding: tekst}.JSON())})
}

// forsegl packs files in an ASiC-E, signed by one account and sealed for another's key in the catalogue.
func (p *Plattform) forsegl(fra, til *konto, filer ...melding.Fil) ([]byte, error) {
	if fra == nil || fra.Nokkel == nil || fra.Sertifikat == nil {
		return nil, ErrUtenNokkel
	}
	if til == nil || til.Sertifikat == nil {
		return nil, errUtenNokkelTil
	}
	pakker, err := asice.NewPacker(fra.Nokkel, p.c.Klokke.Now, fra.Sertifikat)
	if err != nil {
		return nil, err
	}
	var pakke, ut bytes.Buffer
	if err := pakker.Write(&pakke, filer); err != nil {
		return nil, err
	}
	err = cms.Encrypt(&ut, &pakke, int64(pakke.Len()), til.Sertifikat)
	return ut.Bytes(), err
}

// Apne opens the payload of a message in the log with the receiving account's keys, old ones too. No payload gives no files.
func (p *Plattform) Apne(meldingID string) ([]melding.Fil, error) {
	o, ok := p.bok.finn(meldingID)
	if !ok {
		return nil, errUkjentMelding
	}
	kropp := p.bok.kropp(meldingID)
	switch {
	case o.Storrelse == 0:
		return nil, nil
	case kropp == nil:
		return nil, ErrGlemt
	}
	k := p.konto(o.Til)
	if k == nil || len(k.nokler) == 0 {
		return nil, ErrUtenNokkel
	}
	var pakke bytes.Buffer
	switch err := cms.Decrypt(&pakke, bytes.NewReader(kropp), k.nokler...); {
	case err != nil && k.Nokkel == nil:
		return nil, ErrUtenNokkel // it has published another since
	case err != nil:
		return nil, ErrAnnenNokkel
	}
	c, err := asice.Read(melding.NyKlartekst(pakke.Bytes()))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIkkePakke, err)
	}
	return c.Filer, nil
}
