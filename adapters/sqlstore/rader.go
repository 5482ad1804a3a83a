package sqlstore

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// meldingRad is the facts of a report and its derived row.
type meldingRad struct {
	bun.BaseModel `bun:"table:melding,alias:m"`

	ID            melding.ID `bun:",pk"`
	Slag          melding.Slag
	Versjon       melding.Versjon
	Kilde         melding.Kilde
	FraFiksOrgID  kommune.FiksOrgID     `bun:"fra_fiks_org_id"`
	FraOrgnr      kommune.Orgnr         `bun:"fra_orgnr"`
	IntegrasjonID kommune.IntegrasjonID `bun:"integrasjon_id"`
	TilFiksOrgID  kommune.FiksOrgID     `bun:"til_fiks_org_id"`
	Kommune       kommune.Kommunenummer
	Bydel         kommune.Bydelsnummer
	RessursID     kommune.RessursID `bun:"ressurs_id"`
	FaktaKanal    kommune.Kanal
	KontoID       kommune.KontoID `bun:"konto_id"`
	Innsendt      int64
	Frist         int64
	Oppbevar      time.Duration
	MuligDublett  melding.ID
	UtloptPrint   bool
	Deler         string
	ShaAsice      []byte
	ShaPDF        []byte `bun:"sha_pdf"`
	StrAsice      int64
	StrPDF        int64 `bun:"str_pdf"`
	avledet
}

// avledet follows from the history alone: written in the same transaction as the events, rebuilt and compared by Kontroller.
type avledet struct {
	Tilstand    melding.Tilstand
	Kanal       kommune.Kanal
	Endret      int64
	BrevBestilt bool
	Slettet     bool
}

func avled(m melding.Melding, slettet bool) avledet {
	a := avledet{Tilstand: m.Tilstand(), BrevBestilt: m.Har(melding.VenterPaPrint), Slettet: slettet}
	for _, h := range m.Historikk {
		if h.Art == melding.Overgang && h.Kanal != "" {
			a.Kanal = h.Kanal
		}
		a.Endret = mikro(h.Tidspunkt)
	}
	return a
}

// delfakta is melding.Delfakta as JSON.
type delfakta struct {
	Storrelse   int64              `json:"n"`
	SHA256      string             `json:"sha256"`
	Forsegling  melding.Forsegling `json:"segl"`
	Nokkelserie []string           `json:"serie"`
}

func nyMeldingRad(f melding.Fakta, a avledet) *meldingRad {
	r := &meldingRad{ID: f.ID, Slag: f.Slag, Versjon: f.Versjon, Kilde: f.Kilde, FraFiksOrgID: f.FraFiksOrgID, FraOrgnr: f.FraOrgnr,
		IntegrasjonID: f.IntegrasjonID, TilFiksOrgID: f.TilFiksOrgID, Kommune: f.Kommune, Bydel: f.Bydel, RessursID: f.RessursID,
		FaktaKanal: f.Kanal, KontoID: f.KontoID, Innsendt: mikro(f.Innsendt), Frist: mikro(f.Frist), Oppbevar: f.Oppbevar,
		MuligDublett: f.MuligDublett, UtloptPrint: f.UtloptPrint, avledet: a}
	r.ShaAsice, r.ShaPDF = delsummer(f)
	r.StrAsice, r.StrPDF = f.Deler[melding.DelAsice].Storrelse, f.Deler[melding.DelPDF].Storrelse
	var deler map[melding.Del]delfakta
	if f.Deler != nil {
		deler = map[melding.Del]delfakta{}
	}
	for d, x := range f.Deler {
		deler[d] = delfakta{x.Storrelse, hex.EncodeToString(x.SHA256[:]), x.Forsegling, x.Nokkelserie}
	}
	r.Deler = tekst(deler)
	return r
}

const meldingKolonner = "id, slag, versjon, kilde, fra_fiks_org_id, fra_orgnr, integrasjon_id, til_fiks_org_id, kommune, bydel, ressurs_id, " +
	"fakta_kanal, konto_id, innsendt, frist, oppbevar, mulig_dublett, utlopt_print, deler, sha_asice, sha_pdf, str_asice, str_pdf, " +
	"tilstand, kanal, endret, brev_bestilt, slettet"

func (r *meldingRad) verdier() []any {
	return []any{string(r.ID), string(r.Slag), int64(r.Versjon), string(r.Kilde), string(r.FraFiksOrgID), string(r.FraOrgnr), string(r.IntegrasjonID),
		string(r.TilFiksOrgID), string(r.Kommune), string(r.Bydel), string(r.RessursID), string(r.FaktaKanal), string(r.KontoID), r.Innsendt, r.Frist,
		int64(r.Oppbevar), string(r.MuligDublett), r.UtloptPrint, r.Deler, r.ShaAsice, r.ShaPDF, r.StrAsice, r.StrPDF,
		string(r.Tilstand), string(r.Kanal), r.Endret, r.BrevBestilt, r.Slettet}
}

func (r *meldingRad) felt() []any {
	return []any{&r.ID, &r.Slag, &r.Versjon, &r.Kilde, &r.FraFiksOrgID, &r.FraOrgnr, &r.IntegrasjonID, &r.TilFiksOrgID, &r.Kommune, &r.Bydel, &r.RessursID,
		&r.FaktaKanal, &r.KontoID, &r.Innsendt, &r.Frist, (*int64)(&r.Oppbevar), &r.MuligDublett, &r.UtloptPrint, &r.Deler, &r.ShaAsice, &r.ShaPDF, &r.StrAsice, &r.StrPDF,
		&r.Tilstand, &r.Kanal, &r.Endret, &r.BrevBestilt, &r.Slettet}
}

// delsummer are what D10 compares. NULL is different from every other NULL, so a report without parts is like no other.
func delsummer(f melding.Fakta) (asice, pdf []byte) {
	a, harA := f.Deler[melding.DelAsice]
	p, harP := f.Deler[melding.DelPDF]
	if !harA && !harP {
		return nil, nil
	}
	asice, pdf = []byte{}, []byte{}
	if harA {
		asice = a.SHA256[:]
	}
	if harP {
		pdf = p.SHA256[:]
	}
	return asice, pdf
}

func (r *meldingRad) fakta() (melding.Fakta, error) {
	f := melding.Fakta{ID: r.ID, Slag: r.Slag, Versjon: r.Versjon, Kilde: r.Kilde, FraFiksOrgID: r.FraFiksOrgID, FraOrgnr: r.FraOrgnr,
		IntegrasjonID: r.IntegrasjonID, TilFiksOrgID: r.TilFiksOrgID, Kommune: r.Kommune, Bydel: r.Bydel, RessursID: r.RessursID,
		Kanal: r.FaktaKanal, KontoID: r.KontoID, Innsendt: tid(r.Innsendt), Frist: tid(r.Frist), Oppbevar: r.Oppbevar,
		MuligDublett: r.MuligDublett, UtloptPrint: r.UtloptPrint}
	deler, err := lesDelfakta(r.Deler)
	if err != nil {
		return f, fmt.Errorf("melding %s, %w: %w", r.ID, err, ports.ErrCorrupt)
	}
	f.Deler = deler
	return f, nil
}

// lesDelfakta reads the text of a report's parts. It never changes, and is read at each step of the report's life.
func lesDelfakta(tekst string) (map[melding.Del]melding.Delfakta, error) {
	ut := lesteDeler.hent(tekst)
	if ut == nil {
		var deler map[melding.Del]delfakta
		if err := json.Unmarshal([]byte(tekst), &deler); err != nil {
			return nil, errors.New("deler")
		}
		if deler == nil {
			return nil, nil
		}
		ut = map[melding.Del]melding.Delfakta{}
		for d, x := range deler {
			df := melding.Delfakta{Storrelse: x.Storrelse, Forsegling: x.Forsegling, Nokkelserie: x.Nokkelserie}
			if n, err := hex.Decode(df.SHA256[:], []byte(x.SHA256)); err != nil || n != len(df.SHA256) {
				return nil, fmt.Errorf("del %s", d)
			}
			ut[d] = df
		}
		lesteDeler.behold(0, tekst, ut)
	}
	egen := maps.Clone(ut)
	for d, x := range egen {
		x.Nokkelserie = slices.Clone(x.Nokkelserie)
		egen[d] = x
	}
	return egen, nil
}

// lesteDeler keeps what was read, for whoever reads the same text again. Nobody changes what lies in it.
var lesteDeler buffer[string, map[melding.Del]melding.Delfakta]

type hendelseRad struct {
	bun.BaseModel `bun:"table:hendelse,alias:h"`

	Melding      melding.ID `bun:",pk"`
	Sekvens      int        `bun:",pk"`
	Tidspunkt    int64
	Art          melding.Art
	Tilstand     melding.Tilstand
	Kode         melding.Kode
	Kanal        kommune.Kanal
	Aktor        string
	Meldingstype string
	Referanse    string
	KontoID      kommune.KontoID `bun:"konto_id"`
	Forsok       melding.ForsokID
	Arsak        melding.Arsak
	Grunn        string
	Del          melding.Del
}

func hendelseRader(id melding.ID, hh []melding.Hendelse) []hendelseRad {
	ut := make([]hendelseRad, len(hh))
	for i, h := range hh {
		ut[i] = hendelseRad{Melding: id, Sekvens: h.Sekvens, Tidspunkt: mikro(h.Tidspunkt), Art: h.Art, Tilstand: h.Tilstand, Kode: h.Kode,
			Kanal: h.Kanal, Aktor: h.Aktor, Meldingstype: h.Meldingstype, Referanse: h.Referanse, KontoID: h.KontoID, Forsok: h.Forsok,
			Arsak: h.Arsak, Grunn: h.Grunn, Del: h.Del}
	}
	return ut
}

const hendelseKolonner = "melding, sekvens, tidspunkt, art, tilstand, kode, kanal, aktor, meldingstype, referanse, konto_id, forsok, arsak, grunn, del"

func (r hendelseRad) verdier() []any {
	return []any{string(r.Melding), int64(r.Sekvens), r.Tidspunkt, string(r.Art), string(r.Tilstand), string(r.Kode), string(r.Kanal), r.Aktor,
		r.Meldingstype, r.Referanse, string(r.KontoID), string(r.Forsok), string(r.Arsak), r.Grunn, string(r.Del)}
}

func (r *hendelseRad) felt() []any {
	return []any{&r.Melding, &r.Sekvens, &r.Tidspunkt, &r.Art, &r.Tilstand, &r.Kode, &r.Kanal, &r.Aktor, &r.Meldingstype, &r.Referanse, &r.KontoID, &r.Forsok,
		&r.Arsak, &r.Grunn, &r.Del}
}

func (r hendelseRad) hendelse() melding.Hendelse {
	return melding.Hendelse{Sekvens: r.Sekvens, Tidspunkt: tid(r.Tidspunkt), Art: r.Art, Tilstand: r.Tilstand, Kode: r.Kode, Kanal: r.Kanal,
		Aktor: r.Aktor, Meldingstype: r.Meldingstype, Referanse: r.Referanse, KontoID: r.KontoID, Forsok: r.Forsok, Arsak: r.Arsak,
		Grunn: r.Grunn, Del: r.Del}
}

type sakRad struct {
	bun.BaseModel `bun:"table:sak,alias:s"`

	Seq      int64 `bun:",pk,autoincrement"`
	ID       levering.SakID
	Melding  *melding.ID
	Art      levering.Saksart
	Kritisk  bool
	Apnet    int64
	Frist    int64
	Lukket   *int64
	LukketAv string
	Grunn    string
}

func nySakRad(s levering.Sak) *sakRad {
	return &sakRad{ID: s.ID, Melding: eller(s.Melding), Art: s.Art, Kritisk: s.Kritisk, Apnet: mikro(s.Apnet), Frist: mikro(s.Frist),
		Lukket: mikroEller(s.Lukket), LukketAv: s.LukketAv, Grunn: s.Grunn}
}

func (r sakRad) sak() levering.Sak {
	return levering.Sak{ID: r.ID, Melding: verdi(r.Melding), Art: r.Art, Kritisk: r.Kritisk, Apnet: tid(r.Apnet), Frist: tid(r.Frist),
		Lukket: tidEller(r.Lukket), LukketAv: r.LukketAv, Grunn: r.Grunn}
}

const sakKolonner = "id, melding, art, kritisk, apnet, frist, lukket, lukket_av, grunn"

func (r *sakRad) verdier() []any {
	return []any{string(r.ID), null(r.Melding), string(r.Art), r.Kritisk, r.Apnet, r.Frist, nullTall(r.Lukket), r.LukketAv, r.Grunn}
}

func (r *sakRad) felt() []any {
	return []any{&r.ID, &r.Melding, &r.Art, &r.Kritisk, &r.Apnet, &r.Frist, &r.Lukket, &r.LukketAv, &r.Grunn}
}

// null and nullTall are what a driver takes for a pointer.
func null[T ~string](v *T) any {
	if v == nil {
		return nil
	}
	return string(*v)
}

func nullTall(v *int64) any {
	if v == nil {
		return nil
	}
	return *v
}

// eller is NULL for "".
func eller[T ~string](v T) *T {
	if v == "" {
		return nil
	}
	return &v
}

func verdi[T ~string](v *T) T {
	if v == nil {
		return ""
	}
	return *v
}
