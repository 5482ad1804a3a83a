package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

type kommuneRad struct {
	bun.BaseModel `bun:"table:kommune,alias:k"`

	Nummer       kommune.Kommunenummer `bun:",pk"`
	Navn         string
	Fylke        kommune.Fylkesnummer
	FylkeNavn    string
	FiksOrgID    kommune.FiksOrgID `bun:"fiks_org_id"`
	Organisasjon kommune.Orgnr
}

func nyKommuneRad(k kommune.Kommune) *kommuneRad {
	return &kommuneRad{Nummer: k.Nummer, Navn: tekst(k.Navn), Fylke: k.Fylke, FylkeNavn: tekst(k.FylkeNavn), FiksOrgID: k.FiksOrgID,
		Organisasjon: k.Organisasjon}
}

func (r kommuneRad) kommune() (kommune.Kommune, error) {
	k := kommune.Kommune{Nummer: r.Nummer, Fylke: r.Fylke, FiksOrgID: r.FiksOrgID, Organisasjon: r.Organisasjon}
	err := tolk("kommune "+string(r.Nummer), jsonfelt{r.Navn, &k.Navn}, jsonfelt{r.FylkeNavn, &k.FylkeNavn})
	return k, err
}

// mottakerRad is a bydel and where its reports go now.
type mottakerRad struct {
	bun.BaseModel `bun:"table:mottaker,alias:mo"`

	RessursID        kommune.RessursID `bun:"ressurs_id,pk"`
	Kommunenummer    kommune.Kommunenummer
	Bydelsnummer     kommune.Bydelsnummer
	Navn             string
	StandardMottaker bool
	Versjon          int
	Aktiv            bool
	Kommunenavn      string
	FiksOrgID        kommune.FiksOrgID `bun:"fiks_org_id"`
	Orgnr            kommune.Orgnr
	Kanal            kommune.Kanal
	KontoID          kommune.KontoID `bun:"konto_id"`
	KontoAktiv       bool
	Adresse          string
	FristSekunder    int
	OppbevarDager    int
	TarGCM           bool `bun:"tar_gcm"`
}

func nyMottakerRad(m kommune.Mottakerkonto) *mottakerRad {
	b := m.Bydel
	return &mottakerRad{RessursID: b.RessursID, Kommunenummer: b.Kommunenummer, Bydelsnummer: b.Bydelsnummer, Navn: tekst(b.Navn),
		StandardMottaker: b.StandardMottaker, Versjon: b.Versjon, Aktiv: b.Aktiv, Kommunenavn: tekst(m.Kommunenavn), FiksOrgID: m.FiksOrgID,
		Orgnr: m.Orgnr, Kanal: m.Kanal, KontoID: m.KontoID, KontoAktiv: m.KontoAktiv, Adresse: tekst(m.Adresse),
		FristSekunder: m.FristSekunder, OppbevarDager: m.OppbevarDager, TarGCM: m.TarGCM}
}

func (r mottakerRad) konto() (kommune.Mottakerkonto, error) {
	m := kommune.Mottakerkonto{Bydel: kommune.Bydel{RessursID: r.RessursID, Kommunenummer: r.Kommunenummer, Bydelsnummer: r.Bydelsnummer,
		StandardMottaker: r.StandardMottaker, Versjon: r.Versjon, Aktiv: r.Aktiv},
		FiksOrgID: r.FiksOrgID, Orgnr: r.Orgnr, Kanal: r.Kanal, KontoID: r.KontoID, KontoAktiv: r.KontoAktiv,
		FristSekunder: r.FristSekunder, OppbevarDager: r.OppbevarDager, TarGCM: r.TarGCM}
	err := tolk("mottaker "+string(r.RessursID), jsonfelt{r.Navn, &m.Bydel.Navn}, jsonfelt{r.Kommunenavn, &m.Kommunenavn},
		jsonfelt{r.Adresse, &m.Adresse})
	return m, err
}

type jsonfelt struct {
	json string
	til  any
}

// tolk reads JSON columns back.
func tolk(hva string, felt ...jsonfelt) error {
	for _, f := range felt {
		if err := json.Unmarshal([]byte(f.json), f.til); err != nil {
			return fmt.Errorf("%s: %w", hva, ports.ErrCorrupt)
		}
	}
	return nil
}

// Kommuner: see ports.Directory.
func (s *Store) Kommuner(ctx context.Context) ([]kommune.Kommune, error) {
	var rr []kommuneRad
	if err := s.les.NewSelect().Model(&rr).Where("EXISTS (SELECT 1 FROM mottaker b WHERE b.kommunenummer = k.nummer AND b.aktiv)").
		Order("k.nummer").Scan(ctx); err != nil {
		return nil, s.feil("kommuner", err)
	}
	var ut []kommune.Kommune
	for _, r := range rr {
		k, err := r.kommune()
		if err != nil {
			return nil, err
		}
		ut = append(ut, k)
	}
	return ut, nil
}

// Bydeler: see ports.Directory.
func (s *Store) Bydeler(ctx context.Context, k kommune.Kommunenummer) ([]kommune.Bydel, error) {
	var rr []mottakerRad
	if err := s.les.NewSelect().Model(&rr).Where("mo.kommunenummer = ? AND mo.aktiv", k).Order("mo.bydelsnummer", "mo.ressurs_id").Scan(ctx); err != nil {
		return nil, s.feil("bydeler i "+string(k), err)
	}
	var ut []kommune.Bydel
	for _, r := range rr {
		m, err := r.konto()
		if err != nil {
			return nil, err
		}
		ut = append(ut, m.Bydel)
	}
	return ut, nil
}

// Mottaker: see ports.Directory.
func (s *Store) Mottaker(ctx context.Context, id kommune.RessursID) (kommune.Mottakerkonto, error) {
	var r mottakerRad
	if err := s.les.NewSelect().Model(&r).Where("mo.ressurs_id = ?", id).Scan(ctx); err != nil {
		return kommune.Mottakerkonto{}, s.feil("mottaker "+string(id), err)
	}
	return r.konto()
}

type organisasjonRad struct {
	bun.BaseModel `bun:"table:organisasjon,alias:og"`

	FiksOrgID kommune.FiksOrgID `bun:"fiks_org_id,pk"`
	Orgnr     kommune.Orgnr
	Navn      string
}

type integrasjonRad struct {
	bun.BaseModel `bun:"table:integrasjon,alias:i"`

	ID         kommune.IntegrasjonID `bun:",pk"`
	Orgnr      kommune.Orgnr
	PassordMAC []byte `bun:"passord_mac"`
	Aktiv      bool
}

type tilgangRad struct {
	bun.BaseModel `bun:"table:tilgang,alias:t"`

	Integrasjon kommune.IntegrasjonID `bun:",pk"`
	Org         kommune.FiksOrgID     `bun:",pk"`
	Tilgang     kommune.Tilgang       `bun:",pk"`
}

// Integrasjon: see ports.Access.
func (s *Store) Integrasjon(ctx context.Context, id kommune.IntegrasjonID) (kommune.Integrasjon, error) {
	r := kommune.Integrasjon{ID: id}
	rad, err := s.sporRad(ctx, "SELECT orgnr, passord_mac, aktiv FROM integrasjon WHERE id = ?1", string(id))
	if err == nil {
		err = rad.Scan(&r.Orgnr, &r.PassordMAC, &r.Aktiv)
	}
	if err != nil {
		return kommune.Integrasjon{}, s.feil("integrasjon "+string(id), err)
	}
	return r, nil
}

// Har: see ports.Access.
func (s *Store) Har(ctx context.Context, id kommune.IntegrasjonID, org kommune.FiksOrgID, t kommune.Tilgang) (bool, error) {
	har, err := s.les.NewSelect().Model((*tilgangRad)(nil)).Where("t.integrasjon = ? AND t.org = ? AND t.tilgang = ?", id, org, t).Exists(ctx)
	return har, s.feil("tilgang for "+string(id), err)
}

// Organisasjon: see ports.Access.
func (s *Store) Organisasjon(ctx context.Context, id kommune.FiksOrgID) (kommune.Organisasjon, error) {
	var r organisasjonRad
	if err := s.les.NewSelect().Model(&r).Where("og.fiks_org_id = ?", id).Scan(ctx); err != nil {
		return kommune.Organisasjon{}, s.feil("organisasjon "+string(id), err)
	}
	return kommune.Organisasjon{FiksOrgID: r.FiksOrgID, Orgnr: r.Orgnr, Navn: r.Navn}, nil
}
