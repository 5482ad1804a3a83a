package producerapi

import (
	"context"
	"mime"
	"net/http"
	"strings"
	"time"

	"portal.example/bekymringsmelding/app/intake"
	"portal.example/bekymringsmelding/domain/melding"
)

type innInnsending struct {
	ParFra
	ParBydel
	Idempotensnokkel string `header:"Idempotency-Key" minLength:"1" maxLength:"255" doc:"Valgfri. Samme nøkkel og samme innhold gir samme svar; samme nøkkel og annet innhold gir 409"`
}

// Kvittering is the 201. KS's Java client throws on any other member (D8).
type Kvittering struct {
	UUID string `json:"uuid" format:"uuid" doc:"Meldingens id, til bruk i status"`
}

type utKvittering struct{ Body Kvittering }

func (a *API) registrerInnsending(v melding.Versjon, slag melding.Slag) {
	sti := Prefiks + "/" + v.String() + "/mottak/fagsystem/{fraFiksOrgId}/{kommunenummer}/{bydelsnummer}/" + string(slag)
	registrer(a, operasjon{
		id: "send-" + string(slag) + "-" + v.String(), metode: http.MethodPost, sti: sti, gruppe: gruppe(v, "mottak fagsystem"),
		tittel: "Send en bekymringsmelding fra " + map[melding.Slag]string{melding.Privat: "privatperson", melding.Offentlig: "offentlig melder"}[slag],
		tekst: "Begge delene er påkrevd og kryptert som CMS EnvelopedData (AES-256-CBC): «bekymringsmelding» er PDF-filen, kryptert med " +
			"printOffentligNokkel, og «asice» er ASiC-E-pakken, kryptert med fiksIOOffentligNokkel. Til sammen kan de være 5 MiB (5 242 880 byte). " +
			"Svar 201 betyr at meldingen er lagret og blir levert. Får du ikke svar, eller svar 5xx, kan du sende de samme bytene igjen: da får du id-en til den første.",
		status: http.StatusCreated, svar: "Meldingen er lagret og blir levert",
		feil: []*Feilkode{FeilParameter, FeilIdempotensnokkel, FeilMultipart, FeilManglerDel, FeilDobbelDel, FeilForMangeDeler, FeilVersjon, FeilNokkel,
			FeilCMS, FeilUgyldigCMS, FeilManglerTilgang, FeilUkjentMottaker, FeilUkjentAvsender, FeilForSakte, FeilNokkelBrukt, FeilForStor,
			FeilIkkeMultipart, FeilManglerPlass},
	}, func(ctx context.Context, k *kall, inn *innInnsending) (*utKvittering, error) {
		i := intake.Innsending{Integrasjon: k.integrasjon, Slag: slag, Versjon: v}
		if err := inn.fyll(&i, k.inn.Header); err != nil {
			return nil, err
		}
		id, err := a.motta(ctx, k, i)
		if err != nil {
			return nil, err
		}
		return &utKvittering{Kvittering{string(id)}}, nil
	})
}

func (p *innInnsending) fyll(i *intake.Innsending, h http.Header) (err error) {
	if i.Fra, err = p.ParFra.les(); err != nil {
		return err
	}
	if i.Kommune, i.Bydel, err = p.ParBydel.les(); err != nil {
		return err
	}
	i.Nokkel, err = idempotensnokkel(h)
	return err
}

// motta judges all that can be judged from the headers before the first byte of the body is asked for.
func (a *API) motta(ctx context.Context, k *kall, i intake.Innsending) (melding.ID, error) {
	skille, ok := multipartskille(k.inn.Header.Get("Content-Type"))
	if !ok {
		return "", &feil{kode: FeilIkkeMultipart}
	}
	if err := a.cfg.Inntak.Forhandskontroll(ctx, i); err != nil {
		return "", err
	}
	if k.inn.ContentLength > MaksStorrelse+maksUtenom {
		return "", &feil{kode: FeilForStor}
	}
	ut, err := a.opplast.inn(k.integrasjon.ID)
	if err != nil {
		return "", err
	}
	defer ut()
	kontroll := http.NewResponseController(k.w)
	inn := &innmating{kilde: k.kropp, frist: kontroll.SetReadDeadline, na: time.Now, fart: a.cfg.Fart}
	d, err := lesDeler(inn, skille, a.cfg.Mappe)
	// Without this a deadline that passes while the report is being stored would look like a broken connection and cancel ctx.
	_ = kontroll.SetReadDeadline(time.Time{})
	if err != nil {
		return "", err
	}
	defer d.Close()
	i.PDF, i.Asice, i.SHA = d.innhold[melding.DelPDF], d.innhold[melding.DelAsice], d.sha
	return a.cfg.Inntak.Motta(ctx, i)
}

// multipartskille finds the boundary. Some clients leave one with "=" or "/" unquoted, which ParseMediaType refuses.
func multipartskille(felt string) (string, bool) {
	type_, par, err := mime.ParseMediaType(felt)
	if err == nil {
		s := par["boundary"]
		return s, strings.HasPrefix(type_, "multipart/") && s != "" && len(s) <= 70 // RFC 2046 §5.1.1
	}
	if !strings.HasPrefix(strings.ToLower(strings.TrimSpace(felt)), "multipart/") {
		return "", false
	}
	for _, ledd := range strings.Split(felt, ";")[1:] {
		navn, verdi, _ := strings.Cut(strings.TrimSpace(ledd), "=")
		if strings.EqualFold(navn, "boundary") {
			s := strings.Trim(verdi, `"`)
			return s, s != "" && len(s) <= 70
		}
	}
	return "", false
}
