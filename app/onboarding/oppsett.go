// Package onboarding turns one declarative set-up file into what the store knows: organisations, kommuner with bydeler, accounts,
// certificates, integrations and grants. Applying the same file twice changes nothing. docs/drift/oppsett.md describes the file.
package onboarding

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

// ErrOppsett says that a file is not a valid set-up; the text names the place, never a secret.
var ErrOppsett = errors.New("oppsettet er ikke gyldig")

// Fil is the file, member by member.
type Fil struct {
	Organisasjoner []struct {
		FiksOrgID string `json:"fiksOrgId"`
		Orgnr     string `json:"orgnr"`
		Navn      string `json:"navn"`
	} `json:"organisasjoner"`
	Kommuner      []KommuneFil     `json:"kommuner"`
	Integrasjoner []IntegrasjonFil `json:"integrasjoner"`
	Print         *struct {
		Sertifikat string `json:"sertifikat"`
	} `json:"print"`
}

// KommuneFil is one kommune with its bydeler.
type KommuneFil struct {
	Kommunenummer string       `json:"kommunenummer"`
	Navn          kommune.Navn `json:"navn"`
	Fylkenummer   string       `json:"fylkenummer"`
	Fylkenavn     kommune.Navn `json:"fylkenavn"`
	FiksOrgID     string       `json:"fiksOrgId"`
	Orgnr         string       `json:"orgnr"`
	Bydeler       []BydelFil   `json:"bydeler"`
}

// BydelFil is one receiver: who it is, where its reports go, and where the letter goes.
type BydelFil struct {
	Bydelsnummer     string              `json:"bydelsnummer"`
	Navn             kommune.Navn        `json:"navn"`
	RessursID        string              `json:"ressursId"`
	StandardMottaker bool                `json:"standardMottaker"`
	StottetVersjon   string              `json:"stottetVersjon"`
	Aktiv            bool                `json:"aktiv"`
	Kanal            kommune.Kanal       `json:"kanal"`
	KontoID          string              `json:"kontoId"`
	KontoStengt      bool                `json:"kontoStengt,omitempty"`
	Sertifikat       string              `json:"sertifikat"`
	Adresse          kommune.Postadresse `json:"adresse"`
	FristSekunder    int                 `json:"fristSekunder,omitempty"`
	OppbevarDager    int                 `json:"oppbevarDager,omitempty"`
	TarGCM           bool                `json:"tarGCM,omitempty"`
}

// IntegrasjonFil is one login. Without passord a new one is made the first time, and given back once. It prints as [skjult].
type IntegrasjonFil struct {
	ID        string `json:"id"`
	Orgnr     string `json:"orgnr"`
	Passord   string `json:"passord,omitempty"`
	Stengt    bool   `json:"stengt,omitempty"`
	Tilganger []struct {
		FiksOrgID string          `json:"fiksOrgId"`
		Tilgang   kommune.Tilgang `json:"tilgang"`
	} `json:"tilganger"`
}

const skjult = "[skjult]"

func (IntegrasjonFil) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, skjult) }
func (IntegrasjonFil) MarshalText() ([]byte, error) { return []byte(skjult), nil }

// Service applies set-ups. It prints as [skjult].
type Service struct {
	Registry    ports.Registry
	Access      ports.Access
	Certs       ports.Certificates
	Clock       ports.Clock
	Hemmelighet []byte // server key for PassordMAC
	// Dev allows what only the demo may have: a frist in seconds.
	Dev bool
}

func (Service) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, skjult) }
func (Service) MarshalText() ([]byte, error) { return []byte(skjult), nil }

// PassordMAC is how an issued password is stored (D19): it has at least 128 random bits, so one HMAC is enough.
func PassordMAC(hemmelighet []byte, passord string) []byte {
	m := hmac.New(sha256.New, hemmelighet)
	m.Write([]byte("integrasjonspassord\x00" + passord))
	return m.Sum(nil)
}

var passordForm = regexp.MustCompile(`^[A-Za-z0-9_-]{22,200}$`)

// Les reads a file strictly: an unknown member is an error, because a misspelt one would be silently ignored.
func Les(r io.Reader) (Fil, error) {
	var f Fil
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return f, fmt.Errorf("%w: %w", ErrOppsett, err)
	}
	return f, nil
}

// Bruk applies f in one transaction and then announces its certificates. It gives back the passwords it made, by integration id;
// they are shown once and stored only as HMAC, so they come also with an error. A crash between the two steps is mended by applying the
// file again. A certificate that is refused, as a revoked one is, keeps no other from being announced.
func (s *Service) Bruk(ctx context.Context, f Fil) (map[kommune.IntegrasjonID]string, error) {
	var o ports.Oppsett
	certs := map[kommune.Eier]*x509.Certificate{}
	for i, x := range f.Organisasjoner {
		orgnr, err := kommune.ParseOrgnr(x.Orgnr)
		if err != nil || x.FiksOrgID == "" {
			return nil, fmt.Errorf("organisasjoner[%d]: %w", i, ErrOppsett)
		}
		o.Organisasjoner = append(o.Organisasjoner, kommune.Organisasjon{FiksOrgID: kommune.FiksOrgID(strings.ToLower(x.FiksOrgID)), Orgnr: orgnr, Navn: x.Navn})
	}
	for i, k := range f.Kommuner {
		if err := s.kommune(&o, certs, k); err != nil {
			return nil, fmt.Errorf("kommuner[%d]: %w", i, err)
		}
	}
	nye, err := s.integrasjoner(ctx, &o, f.Integrasjoner)
	if err != nil {
		return nil, err
	}
	if f.Print != nil {
		c, err := sertifikat(f.Print.Sertifikat)
		if err != nil {
			return nil, fmt.Errorf("print.sertifikat: %w", err)
		}
		certs[kommune.Printleverandor] = c
	}
	if err := s.Registry.Apply(ctx, o); err != nil {
		return nil, err
	}
	var feil error
	for eier, c := range certs {
		if err := s.Certs.Announce(ctx, eier, c, s.Clock.Now()); err != nil {
			feil = errors.Join(feil, fmt.Errorf("sertifikat for %s: %w", eier, err))
		}
	}
	return nye, feil
}

func (s *Service) kommune(o *ports.Oppsett, certs map[kommune.Eier]*x509.Certificate, k KommuneFil) error {
	nr, err := kommune.ParseKommunenummer(k.Kommunenummer)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOppsett, err)
	}
	fylke, err := kommune.ParseFylkesnummer(k.Fylkenummer)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOppsett, err)
	}
	orgnr, err := kommune.ParseOrgnr(k.Orgnr)
	if err != nil || k.Navn["nb"] == "" || k.FiksOrgID == "" {
		return fmt.Errorf("navn.nb, orgnr og fiksOrgId må være med: %w", ErrOppsett)
	}
	km := kommune.Kommune{Nummer: nr, Navn: k.Navn, Fylke: fylke, FylkeNavn: k.Fylkenavn, FiksOrgID: kommune.FiksOrgID(strings.ToLower(k.FiksOrgID)), Organisasjon: orgnr}
	o.Kommuner = append(o.Kommuner, km)
	for i, b := range k.Bydeler {
		bnr, err := kommune.ParseBydelsnummer(b.Bydelsnummer)
		versjon := map[string]int{"V1": 1, "V2": 2}[b.StottetVersjon]
		if err != nil || versjon == 0 || !b.Kanal.Gyldig() || b.RessursID == "" || b.KontoID == "" {
			return fmt.Errorf("bydeler[%d]: bydelsnummer, stottetVersjon, kanal, ressursId og kontoId må være gyldige: %w", i, ErrOppsett)
		}
		if b.FristSekunder != 0 && !s.Dev {
			return fmt.Errorf("bydeler[%d]: fristSekunder kan bare brukes i demo: %w", i, ErrOppsett)
		}
		rid := kommune.RessursID(strings.ToLower(b.RessursID))
		o.Mottakere = append(o.Mottakere, kommune.Mottakerkonto{
			Bydel:       kommune.Bydel{RessursID: rid, Kommunenummer: nr, Bydelsnummer: bnr, Navn: b.Navn, StandardMottaker: b.StandardMottaker, Versjon: versjon, Aktiv: b.Aktiv},
			Kommunenavn: k.Navn, FiksOrgID: km.FiksOrgID, Orgnr: orgnr, Kanal: b.Kanal, KontoID: kommune.KontoID(strings.ToLower(b.KontoID)),
			KontoAktiv: !b.KontoStengt, Adresse: b.Adresse, FristSekunder: b.FristSekunder, OppbevarDager: b.OppbevarDager, TarGCM: b.TarGCM})
		if b.Sertifikat == "" {
			continue
		}
		c, err := sertifikat(b.Sertifikat)
		if err != nil {
			return fmt.Errorf("bydeler[%d].sertifikat: %w", i, err)
		}
		certs[kommune.MottakerEier(rid)] = c
	}
	return nil
}

func (s *Service) integrasjoner(ctx context.Context, o *ports.Oppsett, inn []IntegrasjonFil) (map[kommune.IntegrasjonID]string, error) {
	nye := map[kommune.IntegrasjonID]string{}
	for i, x := range inn {
		orgnr, err := kommune.ParseOrgnr(x.Orgnr)
		id := kommune.IntegrasjonID(strings.ToLower(x.ID))
		if err != nil || id == "" {
			return nil, fmt.Errorf("integrasjoner[%d]: %w", i, ErrOppsett)
		}
		in := kommune.Integrasjon{ID: id, Orgnr: orgnr, Aktiv: !x.Stengt}
		switch gammel, err := s.Access.Integrasjon(ctx, id); {
		case x.Passord != "":
			if !passordForm.MatchString(x.Passord) {
				return nil, fmt.Errorf("integrasjoner[%d].passord: minst 22 tegn av A–Z, a–z, 0–9, - og _: %w", i, ErrOppsett)
			}
			in.PassordMAC = PassordMAC(s.Hemmelighet, x.Passord)
		case err == nil:
			in.PassordMAC = gammel.PassordMAC
		case errors.Is(err, ports.ErrNotFound):
			nye[id] = NyttPassord()
			in.PassordMAC = PassordMAC(s.Hemmelighet, nye[id])
		default:
			return nil, err
		}
		o.Integrasjoner = append(o.Integrasjoner, in)
		for _, t := range x.Tilganger {
			if t.Tilgang != kommune.TilgangSende && t.Tilgang != kommune.TilgangMotta {
				return nil, fmt.Errorf("integrasjoner[%d].tilganger: ukjent tilgang: %w", i, ErrOppsett)
			}
			o.Tilganger = append(o.Tilganger, ports.Tilgangslinje{Integrasjon: id, Org: kommune.FiksOrgID(strings.ToLower(t.FiksOrgID)), Tilgang: t.Tilgang})
		}
	}
	return nye, nil
}

// NyttPassord has 192 random bits in characters every known client can carry (no colon, no slash).
func NyttPassord() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func sertifikat(s string) (*x509.Certificate, error) {
	p, rest := pem.Decode([]byte(s))
	if p == nil || p.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("ett PEM-sertifikat ventes: %w", ErrOppsett)
	}
	c, err := x509.ParseCertificate(p.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOppsett, err)
	}
	return c, nil
}
