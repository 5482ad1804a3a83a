package plattform

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// Konto is one Fiks IO account.
type Konto struct {
	ID                     string // UUID
	Navn                   string
	FiksOrgID, FiksOrgNavn string
	Orgnr                  string // nine digits: who owns the account, as the catalogue says
	Kommunenummer          string // "" = none
	Sertifikat             *x509.Certificate
	Nokkel                 *rsa.PrivateKey // optional: lets the admin page show what the account gets, and answer for it
	Stengt                 bool            // neither sends nor receives; what lies on its queue can still be taken
	Integrasjoner          []Integrasjon
}

// Integrasjon is one login to an account. The same id may have several accounts.
type Integrasjon struct {
	ID      string // UUID
	Passord string // [A-Za-z0-9_-]+: what every client can carry (§1.7)
	Orgnr   string // autorisert organisasjon: the consumer its tokens must have, often the vendor's
}

// konto is a registered account. nokler holds every key it has had, newest first: what was sealed before a rotation can still be shown.
type konto struct {
	Konto
	ko           string
	nokler       []cms.Key
	innlogginger []innlogging // of each integration
}

var passordform = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// Registrer makes an account and its queue, or changes one that exists: a new certificate (rotation), password, or Stengt holds from
// now on. Messages on the queue stay.
func (p *Plattform) Registrer(ctx context.Context, k Konto) error {
	b, err := p.megler()
	if err != nil {
		return err
	}
	ny, err := nyKonto(k)
	if err != nil {
		return err
	}
	if err := b.Opprett(ctx, ny.ko); err != nil {
		return fmt.Errorf("plattform: kø for konto %s: %w", ny.ID, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if gammel := p.kontoer[ny.ID]; gammel != nil {
		ny.nokler = append(ny.nokler, gammel.nokler...)
	} else {
		p.rekke = append(p.rekke, ny.ID)
	}
	p.kontoer[ny.ID] = ny
	return nil
}

func nyKonto(k Konto) (*konto, error) {
	id, ok := lesUUID(k.ID)
	if !ok || k.Navn == "" || k.FiksOrgID == "" || k.FiksOrgNavn == "" {
		return nil, errors.New("plattform: en konto må ha ID (UUID), Navn, FiksOrgID og FiksOrgNavn")
	}
	if _, err := kommune.ParseOrgnr(k.Orgnr); err != nil {
		return nil, fmt.Errorf("plattform: konto %s: orgnr: %w", id, err)
	}
	if k.Sertifikat != nil && k.Nokkel != nil && !k.Nokkel.PublicKey.Equal(k.Sertifikat.PublicKey) {
		return nil, fmt.Errorf("plattform: konto %s: nøkkelen hører ikke til sertifikatet", id)
	}
	k.ID, k.Integrasjoner = id, slices.Clone(k.Integrasjoner)
	ut := &konto{Konto: k, ko: protokoll.Konavn(kommune.KontoID(id))}
	for i := range ut.Integrasjoner {
		in := &ut.Integrasjoner[i]
		if in.ID, ok = lesUUID(in.ID); !ok || !passordform.MatchString(in.Passord) {
			return nil, fmt.Errorf("plattform: konto %s: en integrasjon må ha ID (UUID) og passord av A–Z, a–z, 0–9, _ og -", id)
		}
		if _, err := kommune.ParseOrgnr(in.Orgnr); err != nil {
			return nil, fmt.Errorf("plattform: konto %s: integrasjonens orgnr: %w", id, err)
		}
		ut.innlogginger = append(ut.innlogginger, nyInnlogging(in.ID, in.Orgnr, in.Passord))
	}
	if k.Sertifikat != nil && k.Nokkel != nil {
		ut.nokler = []cms.Key{{Certificate: k.Sertifikat, Decrypter: k.Nokkel}}
	}
	return ut, nil
}

// konto gives an account as it is now; nil = unknown. id may have capitals.
func (p *Plattform) konto(id string) *konto {
	id, _ = lesUUID(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kontoer[id]
}

// Kontoer lists the accounts in the order they were registered, without their passwords.
func (p *Plattform) Kontoer() []Konto {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ut []Konto
	for _, id := range p.rekke {
		k := p.kontoer[id].Konto
		k.Integrasjoner = slices.Clone(k.Integrasjoner)
		for i := range k.Integrasjoner {
			k.Integrasjoner[i].Passord = ""
		}
		ut = append(ut, k)
	}
	return ut
}

// lesUUID gives a UUID in lower case.
func lesUUID(s string) (string, bool) {
	id, err := melding.ParseID(s) // only its reading of UUIDs is used
	return string(id), err == nil
}
