package producerapi

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"time"

	"portal.example/bekymringsmelding/app/intake"
	"portal.example/bekymringsmelding/domain/melding"
)

// NokkelV1 is a key as KS's Java client knows it; one more member and it throws (D8).
type NokkelV1 struct {
	Nokkel    string   `json:"nokkel" minLength:"1" doc:"X.509-sertifikat i PEM"`
	ValidFrom Lokaltid `json:"validFrom" doc:"Gyldig fra, norsk tid"`
	ValidTo   Lokaltid `json:"validTo" doc:"Gyldig til, norsk tid"`
	Serial    string   `json:"serial" doc:"Serienummer, desimalt"`
	SubjectDN string   `json:"subjectDN" doc:"Innehaver"`
	IssuerDN  string   `json:"issuerDN" doc:"Utsteder"`
}

// NokkelV2 is a key of the newest published specification.
type NokkelV2 struct {
	NokkelV1
	Gyldig bool `json:"gyldig" doc:"Om sertifikatet er gyldig nå. En melding kryptert med et utløpt sertifikat tas imot, men kan bli sendt som brev"`
}

// Krypteringsnokler is an object, although KS's own text calls it a list (D8).
type (
	KrypteringsnoklerV1 struct {
		Print  NokkelV1 `json:"printOffentligNokkel" doc:"Til delen bekymringsmelding"`
		FiksIO NokkelV1 `json:"fiksIOOffentligNokkel" doc:"Til delen asice"`
	}
	KrypteringsnoklerV2 struct {
		Print  NokkelV2 `json:"printOffentligNokkel" doc:"Til delen bekymringsmelding"`
		FiksIO NokkelV2 `json:"fiksIOOffentligNokkel" doc:"Til delen asice"`
	}
)

type utNoklerV1 struct{ Body KrypteringsnoklerV1 }
type utNoklerV2 struct{ Body KrypteringsnoklerV2 }

func (a *API) registrerNokler() {
	registrer(a, nokkeloperasjon(melding.V1), func(ctx context.Context, _ *kall, inn *ParBydel) (*utNoklerV1, error) {
		n, err := a.nokler(ctx, inn)
		if err != nil {
			return nil, err
		}
		return &utNoklerV1{KrypteringsnoklerV1{Print: nokkelV1(n.Print), FiksIO: nokkelV1(n.Mottaker)}}, nil
	})
	registrer(a, nokkeloperasjon(melding.V2), func(ctx context.Context, _ *kall, inn *ParBydel) (*utNoklerV2, error) {
		n, err := a.nokler(ctx, inn)
		if err != nil {
			return nil, err
		}
		na := a.cfg.Clock.Now()
		return &utNoklerV2{KrypteringsnoklerV2{Print: nokkelV2(n.Print, na), FiksIO: nokkelV2(n.Mottaker, na)}}, nil
	})
}

func nokkeloperasjon(v melding.Versjon) operasjon {
	return operasjon{
		id: "hent-krypteringsnokler-" + v.String(), metode: http.MethodGet, gruppe: gruppe(v, "mottak fagsystem"),
		sti:    Prefiks + "/" + v.String() + "/mottak/fagsystem/{kommunenummer}/{bydelsnummer}/krypteringsnokler",
		tittel: "Hent krypteringsnøkler", tekst: "Sertifikatene som de to delene av en melding til bydelen skal krypteres for.",
		status: http.StatusOK, svar: "De to nøklene", feil: []*Feilkode{FeilParameter, FeilUkjentMottaker},
	}
}

func (a *API) nokler(ctx context.Context, inn *ParBydel) (intake.Nokler, error) {
	k, b, err := inn.les()
	if err != nil {
		return intake.Nokler{}, err
	}
	return a.cfg.Inntak.Nokler(ctx, k, b)
}

func nokkelV1(c *x509.Certificate) NokkelV1 {
	return NokkelV1{
		Nokkel:    string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})),
		ValidFrom: Lokaltid{c.NotBefore}, ValidTo: Lokaltid{c.NotAfter}, Serial: c.SerialNumber.String(),
		SubjectDN: c.Subject.String(), IssuerDN: c.Issuer.String(),
	}
}

func nokkelV2(c *x509.Certificate, na time.Time) NokkelV2 {
	return NokkelV2{NokkelV1: nokkelV1(c), Gyldig: !na.Before(c.NotBefore) && !na.After(c.NotAfter)}
}
