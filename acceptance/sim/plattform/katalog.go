package plattform

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// kontosvar is one account as the catalogue shows it. No member may be left out or null: Java unboxes them (§3).
type kontosvar struct {
	FiksOrgID           string     `json:"fiksOrgId"`
	FiksOrgNavn         string     `json:"fiksOrgNavn"`
	KontoID             string     `json:"kontoId"`
	KontoNavn           string     `json:"kontoNavn"`
	Organisasjonsnummer string     `json:"organisasjonsnummer"`
	Kommunenummer       string     `json:"kommunenummer"`
	Status              statussvar `json:"status"`
}

type statussvar struct {
	GyldigAvsender    bool   `json:"gyldigAvsender"`
	GyldigMottaker    bool   `json:"gyldigMottaker"`
	AntallKonsumenter int    `json:"antallKonsumenter"`
	AntallUavhentede  int    `json:"antallUavhentedeMeldinger"`
	Melding           string `json:"melding"`
}

type nokkelsvar struct {
	Nokkel        string `json:"nokkel"`
	Valid         bool   `json:"valid"`
	ValidFrom     string `json:"validFrom"` // with an offset: Java reads an OffsetDateTime here, unlike in the producer API
	ValidTo       string `json:"validTo"`
	Serial        string `json:"serial"`
	SubjectDN     string `json:"subjectDN"`
	IssuerDN      string `json:"issuerDN"`
	StatusMessage string `json:"statusMessage"`
}

// oppslatt is the account of the path, for a caller with a login of any account.
func (p *Plattform) oppslatt(r *http.Request) (*konto, error) {
	if _, err := p.autentiser(r); err != nil {
		return nil, err
	}
	if k := p.konto(r.PathValue("id")); k != nil {
		return k, nil
	}
	return nil, feilKontoID.feil()
}

func (p *Plattform) katalogKonto(w http.ResponseWriter, r *http.Request) error {
	k, err := p.oppslatt(r)
	if err != nil {
		return err
	}
	return p.visKonto(w, r, k)
}

func (p *Plattform) visKonto(w http.ResponseWriter, r *http.Request, k *konto) error {
	st, err := p.status(r.Context(), k)
	if err != nil {
		return err
	}
	return svarJSON(w, http.StatusOK, kontosvar{k.FiksOrgID, k.FiksOrgNavn, k.ID, k.Navn, k.Orgnr, k.Kommunenummer, st})
}

func (p *Plattform) katalogStatus(w http.ResponseWriter, r *http.Request) error {
	k, err := p.oppslatt(r)
	if err != nil {
		return err
	}
	st, err := p.status(r.Context(), k)
	if err != nil {
		return err
	}
	return svarJSON(w, http.StatusOK, st)
}

func (p *Plattform) status(ctx context.Context, k *konto) (statussvar, error) {
	b, err := p.megler()
	if err != nil {
		return statussvar{}, err
	}
	st, err := b.Status(ctx, k.ko)
	if err != nil {
		return statussvar{}, feilKo.fordi(err)
	}
	ut := statussvar{GyldigAvsender: !k.Stengt, GyldigMottaker: !k.Stengt && k.Sertifikat != nil, AntallKonsumenter: st.Konsumenter,
		AntallUavhentede: st.Klare + st.Ubekreftede, Melding: "Kontoen er åpen."}
	switch {
	case k.Stengt:
		ut.Melding = "Kontoen er stengt."
	case k.Sertifikat == nil:
		ut.Melding = "Kontoen har ingen offentlig nøkkel."
	}
	return ut, nil
}

var identform = regexp.MustCompile(`^(ORG_NO|NAVENHET_ID)\.([0-9]+)$`)

// katalogOppslag finds the account of an organisation; of several, the one registered first. Here an account's address is its
// organisation number alone: it takes every protocol at every level.
func (p *Plattform) katalogOppslag(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.autentiser(r); err != nil {
		return err
	}
	q := r.URL.Query()
	m, niva := identform.FindStringSubmatch(q.Get("identifikator")), q.Get("sikkerhetsniva")
	if m == nil || q.Get("meldingProtokoll") == "" || len(niva) != 1 || !strings.Contains("1234", niva) {
		return feilIdent.feil()
	}
	for _, k := range p.Kontoer() {
		if m[1] == "ORG_NO" && k.Orgnr == m[2] {
			return p.visKonto(w, r, p.konto(k.ID))
		}
	}
	return feilKontoID.feil()
}

// katalogNokkel needs no login (§3).
func (p *Plattform) katalogNokkel(w http.ResponseWriter, r *http.Request) error {
	k := p.konto(r.PathValue("id"))
	switch {
	case k == nil:
		return feilKontoID.feil()
	case k.Sertifikat == nil:
		return feilIngenNokkel.feil()
	}
	return svarJSON(w, http.StatusOK, p.nokkel(k.Sertifikat))
}

func (p *Plattform) nokkel(c *x509.Certificate) nokkelsvar {
	ut := nokkelsvar{Nokkel: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})), Valid: p.gjelder(c),
		ValidFrom: c.NotBefore.UTC().Format(time.RFC3339), ValidTo: c.NotAfter.UTC().Format(time.RFC3339), Serial: c.SerialNumber.String(),
		SubjectDN: c.Subject.String(), IssuerDN: c.Issuer.String(), StatusMessage: "Sertifikatet er gyldig."}
	if !ut.Valid {
		ut.StatusMessage = "Sertifikatet er ikke gyldig nå."
	}
	return ut
}

func (p *Plattform) gjelder(c *x509.Certificate) bool {
	na := p.na()
	return !na.Before(c.NotBefore) && !na.After(c.NotAfter)
}

// byttNokkel publishes a new key for one of the caller's own accounts. A private key that does not belong to it is kept for reading
// what was sealed before.
func (p *Plattform) byttNokkel(w http.ResponseWriter, r *http.Request) error {
	kaller, err := p.autentiser(r)
	if err != nil {
		return err
	}
	id, _ := lesUUID(r.PathValue("id"))
	if !kaller.har(id) {
		return feilIngenKonto.feil()
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maksMetadata))
	if err != nil {
		return feilPEM.fordi(err)
	}
	felt, err := lesObjekt(b, p.c.Lempelig.DobleMedlemmer)
	if err != nil {
		return feilPEM.fordi(err)
	}
	c, err := p.lesPEM(tekst(felt["pem"]))
	if err != nil {
		return err
	}
	k := p.konto(id).Konto
	k.Sertifikat = c
	if k.Nokkel != nil && !k.Nokkel.PublicKey.Equal(c.PublicKey) {
		k.Nokkel = nil
	}
	if err := p.Registrer(r.Context(), k); err != nil {
		return err
	}
	return svarJSON(w, http.StatusCreated, p.nokkel(c))
}

func (p *Plattform) lesPEM(s string) (*x509.Certificate, error) {
	blokk, rest := pem.Decode([]byte(s))
	if blokk == nil || blokk.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
		return nil, feilPEM.feil()
	}
	c, err := x509.ParseCertificate(blokk.Bytes)
	if err != nil {
		return nil, feilPEM.fordi(err)
	}
	if n, ok := c.PublicKey.(*rsa.PublicKey); !ok || n.Size() < 2048/8 || !p.gjelder(c) {
		return nil, feilPEM.feil()
	}
	return c, nil
}
