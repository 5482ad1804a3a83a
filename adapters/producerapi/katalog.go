package producerapi

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
)

// KommuneEnkel is one line of the list of kommuner. Note kommunenr, not kommunenummer.
type KommuneEnkel struct {
	Kommunenr string `json:"kommunenr" doc:"Kommunenummer" example:"4601"`
	Navn      string `json:"navn" doc:"Navn på språket det ble bedt om"`
}

// FylkeEnkel is one county with at least one active kommune.
type FylkeEnkel struct {
	Fylkenummer string `json:"fylkenummer" doc:"Fylkesnummer" example:"46"`
	Navn        string `json:"navn" doc:"Navn på bokmål"`
}

// BydelV1 is what KS's Java client knows; stottetVersjon would make it throw (D8).
type BydelV1 struct {
	Bydelsnummer     string `json:"bydelsnummer" pattern:"^\\d{2}$" doc:"Bydelsnummer" example:"01"`
	Bydelsnavn       string `json:"bydelsnavn" doc:"Navn"`
	StandardMottaker bool   `json:"standardMottaker" doc:"Om meldinger uten kjent bydel skal hit. Nøyaktig én i hver kommune"`
}

// BydelV2 also says which version the receiver reads.
type BydelV2 struct {
	BydelV1
	StottetVersjon string `json:"stottetVersjon" enum:"V1,V2" doc:"Nyeste versjon mottakeren leser. Den som leser V2, leser også V1"`
}

type (
	KommuneV1 struct {
		KommuneEnkel
		Bydeler []BydelV1 `json:"bydeler" nullable:"false" doc:"Aktive bydeler"`
	}
	KommuneV2 struct {
		KommuneEnkel
		Bydeler []BydelV2 `json:"bydeler" nullable:"false" doc:"Aktive bydeler"`
	}
)

type innKommune struct {
	ParKommune
	ParSprak
}

type innFylke struct {
	ParFylke
	ParSprak
}

type ut[T any] struct{ Body T }
type utListe[T any] struct {
	Body []T `nullable:"false"`
}

func (a *API) registrerKatalog(v melding.Versjon) {
	registrer(a, katalogoperasjon(v, "list-kommuner", "/kommuner", "List kommuner", "Kommuner som tar imot meldinger.", "Kommunene"),
		func(ctx context.Context, _ *kall, inn *ParSprak) (*utListe[KommuneEnkel], error) {
			return a.kommuner(ctx, inn.SprakKode, func(kommune.Kommune) bool { return true })
		})
	if v == melding.V1 {
		registrerBydeler(a, v, bydelV1, func(k KommuneEnkel, b []BydelV1) KommuneV1 { return KommuneV1{k, b} })
		return
	}
	registrerBydeler(a, v, bydelV2, func(k KommuneEnkel, b []BydelV2) KommuneV2 { return KommuneV2{k, b} })
	registrer(a, katalogoperasjon(v, "list-fylker", "/kommuner/fylker", "List fylker", "Fylker med minst én kommune som tar imot meldinger.", "Fylkene"),
		func(ctx context.Context, _ *kall, _ *struct{}) (*utListe[FylkeEnkel], error) { return a.fylker(ctx) })
	registrer(a, katalogoperasjon(v, "list-kommuner-i-fylke", "/kommuner/fylker/{fylkenummer}/kommuner", "List kommuner i et fylke",
		"Kommuner i fylket som tar imot meldinger. Tom liste når ingen gjør det.", "Kommunene", FeilParameter),
		func(ctx context.Context, _ *kall, inn *innFylke) (*utListe[KommuneEnkel], error) {
			f, err := inn.les()
			if err != nil {
				return nil, err
			}
			return a.kommuner(ctx, inn.SprakKode, func(k kommune.Kommune) bool { return k.Fylke == f })
		})
}

// registrerBydeler registers the three operations whose answers differ between the versions.
func registrerBydeler[B, K any](a *API, v melding.Versjon, bydel func(kommune.Bydel, string) B, hel func(KommuneEnkel, []B) K) {
	registrer(a, katalogoperasjon(v, "hent-kommune", "/kommuner/{kommunenummer}", "Hent en kommune", "Kommunen og dens bydeler.", "Kommunen",
		FeilParameter, FeilUkjentMottaker), func(ctx context.Context, _ *kall, inn *innKommune) (*ut[K], error) {
		nr, err := inn.les()
		if err != nil {
			return nil, err
		}
		funnet, err := a.kommuner(ctx, inn.SprakKode, func(k kommune.Kommune) bool { return k.Nummer == nr })
		if err != nil {
			return nil, err
		}
		if len(funnet.Body) == 0 {
			return nil, &feil{kode: FeilUkjentMottaker}
		}
		b, err := a.cfg.Katalog.Bydeler(ctx, nr)
		if err != nil {
			return nil, err
		}
		return &ut[K]{hel(funnet.Body[0], alle(b, inn.SprakKode, bydel))}, nil
	})
	registrer(a, katalogoperasjon(v, "list-bydeler", "/kommuner/{kommunenummer}/bydeler", "List bydeler",
		"Bydeler som tar imot meldinger. Tom liste betyr at kommunen ikke er aktivert; ellers er nøyaktig én standardMottaker.", "Bydelene", FeilParameter),
		func(ctx context.Context, _ *kall, inn *ParKommune) (*utListe[B], error) {
			nr, err := inn.les()
			if err != nil {
				return nil, err
			}
			b, err := a.cfg.Katalog.Bydeler(ctx, nr)
			if err != nil {
				return nil, err
			}
			return &utListe[B]{alle(b, "nb", bydel)}, nil
		})
	registrer(a, katalogoperasjon(v, "hent-bydel", "/kommuner/{kommunenummer}/bydeler/{bydelsnummer}", "Hent en bydel", "Én bydel som tar imot meldinger.", "Bydelen",
		FeilParameter, FeilUkjentMottaker), func(ctx context.Context, _ *kall, inn *ParBydel) (*ut[B], error) {
		nr, bnr, err := inn.les()
		if err != nil {
			return nil, err
		}
		b, err := a.cfg.Katalog.Bydeler(ctx, nr)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(b, func(b kommune.Bydel) bool { return b.Bydelsnummer == bnr })
		if i < 0 {
			return nil, &feil{kode: FeilUkjentMottaker}
		}
		return &ut[B]{bydel(b[i], "nb")}, nil
	})
}

func katalogoperasjon(v melding.Versjon, id, sti, tittel, tekst, svar string, feil ...*Feilkode) operasjon {
	return operasjon{
		id: id + "-" + v.String(), metode: http.MethodGet, sti: Prefiks + "/" + v.String() + sti, gruppe: gruppe(v, "kommuner"),
		tittel: tittel, tekst: tekst, status: http.StatusOK, svar: svar, feil: feil,
	}
}

func (a *API) kommuner(ctx context.Context, sprak string, med func(kommune.Kommune) bool) (*utListe[KommuneEnkel], error) {
	k, err := a.cfg.Katalog.Kommuner(ctx)
	if err != nil {
		return nil, err
	}
	svar := &utListe[KommuneEnkel]{Body: []KommuneEnkel{}}
	for _, k := range k {
		if med(k) {
			svar.Body = append(svar.Body, KommuneEnkel{string(k.Nummer), k.Navn.Pa(sprak)})
		}
	}
	return svar, nil
}

func (a *API) fylker(ctx context.Context) (*utListe[FylkeEnkel], error) {
	k, err := a.cfg.Katalog.Kommuner(ctx)
	if err != nil {
		return nil, err
	}
	svar := &utListe[FylkeEnkel]{Body: []FylkeEnkel{}}
	for _, k := range k {
		svar.Body = append(svar.Body, FylkeEnkel{string(k.Fylke), k.FylkeNavn.Pa("nb")})
	}
	slices.SortStableFunc(svar.Body, func(a, b FylkeEnkel) int { return cmp.Compare(a.Fylkenummer, b.Fylkenummer) })
	svar.Body = slices.CompactFunc(svar.Body, func(a, b FylkeEnkel) bool { return a.Fylkenummer == b.Fylkenummer })
	return svar, nil
}

// alle never gives nil: an empty list is [] on the wire, and means that the kommune is not activated.
func alle[B any](b []kommune.Bydel, sprak string, som func(kommune.Bydel, string) B) []B {
	ut := make([]B, 0, len(b))
	for _, x := range b {
		ut = append(ut, som(x, sprak))
	}
	return ut
}

func bydelV1(b kommune.Bydel, sprak string) BydelV1 {
	return BydelV1{string(b.Bydelsnummer), b.Navn.Pa(sprak), b.StandardMottaker}
}

func bydelV2(b kommune.Bydel, sprak string) BydelV2 {
	versjon := "V1"
	if b.Versjon >= 2 {
		versjon = "V2"
	}
	return BydelV2{bydelV1(b, sprak), versjon}
}
