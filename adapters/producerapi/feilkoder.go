package producerapi

import (
	"errors"
	"slices"
	"time"

	"portal.example/bekymringsmelding/app/intake"
	"portal.example/bekymringsmelding/ports"
)

// Feilkode is one line of the list clients may rely on: a code never changes meaning or status.
type Feilkode struct {
	Status  int
	Kode    string // errorCode
	Melding string // message, unless the refusal has a more exact one, also fixed
	Rad     string // what the sender should do
}

// The whole list, in the order of the status.
var (
	FeilParameter        = &Feilkode{400, "UGYLDIG_PARAMETER", "En parameter har ikke riktig form.", "Rett parameteren som meldingen nevner."}
	FeilIdempotensnokkel = &Feilkode{400, "UGYLDIG_IDEMPOTENSNOKKEL", "Idempotency-Key må være 1 til 255 skrivbare ASCII-tegn.", "Rett headeren, eller utelat den."}
	FeilMultipart        = &Feilkode{400, "UGYLDIG_MULTIPART", "Innholdet er ikke en hel multipart-melding.", "Send hele innholdet, med avsluttende skillelinje."}
	FeilManglerDel       = &Feilkode{400, "MANGLER_DEL", "En del mangler eller er tom.", "Send begge delene: bekymringsmelding og asice."}
	FeilDobbelDel        = &Feilkode{400, "DOBBEL_DEL", "En del er sendt mer enn én gang.", "Send hver del én gang."}
	FeilForMangeDeler    = &Feilkode{400, "FOR_MANGE_DELER", "Innsendingen har for mange deler.", "Send bare delene bekymringsmelding og asice."}
	FeilVersjon          = &Feilkode{400, "VERSJON_IKKE_STOTTET", "Mottakeren støtter ikke denne versjonen.", "Send versjonen som bydelen oppgir i stottetVersjon."}
	FeilNokkel           = &Feilkode{400, "NOKKEL_FEIL", "En del er ikke kryptert for riktig nøkkel.", "Hent krypteringsnøklene på nytt, krypter og send igjen."}
	FeilCMS              = &Feilkode{400, "CMS_IKKE_STOTTET", "Krypteringen er ikke av en type som støttes.", "Bruk CMS EnvelopedData med AES-256-CBC."}
	FeilUgyldigCMS       = &Feilkode{400, "UGYLDIG_CMS", "En del er ikke en hel CMS-melding.", "Kontroller at begge delene er kryptert og sendt i sin helhet."}
	FeilIkkeAutentisert  = &Feilkode{401, "IKKE_AUTENTISERT", "Innloggingen ble ikke godtatt.", "Kontroller token, IntegrasjonId og IntegrasjonPassord."}
	FeilManglerTilgang   = &Feilkode{403, "MANGLER_TILGANG", "Integrasjonen har ikke tilgang til å sende for organisasjonen.", "Be den som forvalter organisasjonen, om å tildele tilgangen."}
	FeilUkjentRessurs    = &Feilkode{404, "UKJENT_RESSURS", "Ressursen finnes ikke.", "Kontroller adressen."}
	FeilUkjentMottaker   = &Feilkode{404, "UKJENT_MOTTAKER", "Kommunen eller bydelen finnes ikke, eller tar ikke imot meldinger.", "Slå opp kommuner og bydeler."}
	FeilUkjentAvsender   = &Feilkode{404, "UKJENT_AVSENDER", "Organisasjonen finnes ikke for denne integrasjonen.", "Kontroller fraFiksOrgId."}
	FeilUkjentMelding    = &Feilkode{404, "UKJENT_MELDING", "Meldingen finnes ikke for denne organisasjonen.", "Kontroller fraFiksOrgId og bekymringsmeldingId."}
	FeilMetode           = &Feilkode{405, "METODE_IKKE_TILLATT", "Ressursen har ikke denne metoden.", "Se headeren Allow."}
	FeilForSakte         = &Feilkode{408, "FOR_SAKTE", "Innholdet kom for langsomt.", "Send de samme bytene igjen."}
	FeilNokkelBrukt      = &Feilkode{409, "IDEMPOTENSNOKKEL_BRUKT", "Idempotency-Key er brukt for en melding med annet innhold.", "Bruk en ny nøkkel. errorJson.bekymringsmeldingId er den første meldingen."}
	FeilForStor          = &Feilkode{413, "FOR_STOR", "Innsendingen er for stor. Delene kan til sammen være 5 MiB (5 242 880 byte).", "Gjør PDF-filen mindre."}
	FeilIkkeMultipart    = &Feilkode{415, "IKKE_MULTIPART", "Innholdet må være multipart/form-data med boundary.", "Rett Content-Type."}
	FeilForMangeKall     = &Feilkode{429, "FOR_MANGE_KALL", "Integrasjonen gjør for mange kall.", "Vent så lenge som Retry-After sier."}
	FeilIntern           = &Feilkode{500, "INTERN_FEIL", "Noe gikk galt hos oss. Utfallet er ukjent.", "Send de samme bytene igjen senere. Oppgi errorId hvis feilen varer."}
	FeilUtilgjengelig    = &Feilkode{503, "UTILGJENGELIG", "Tjenesten kan ikke svare nå. Utfallet er ukjent.", "Send de samme bytene igjen etter Retry-After."}
	FeilManglerPlass     = &Feilkode{503, "MANGLER_PLASS", "Tjenesten tar ikke imot nye meldinger nå.", "Send igjen etter Retry-After."}
)

var feilkoder = []*Feilkode{
	FeilParameter, FeilIdempotensnokkel, FeilMultipart, FeilManglerDel, FeilDobbelDel, FeilForMangeDeler, FeilVersjon, FeilNokkel,
	FeilCMS, FeilUgyldigCMS, FeilIkkeAutentisert, FeilManglerTilgang, FeilUkjentRessurs, FeilUkjentMottaker, FeilUkjentAvsender,
	FeilUkjentMelding, FeilMetode, FeilForSakte, FeilNokkelBrukt, FeilForStor, FeilIkkeMultipart, FeilForMangeKall, FeilIntern,
	FeilUtilgjengelig, FeilManglerPlass,
}

// Feilkoder gives the list for documentation.
func Feilkoder() []*Feilkode { return slices.Clone(feilkoder) }

// feil is one refusal.
type feil struct {
	kode     *Feilkode
	melding  string            // "" = the code's own; a fixed sentence, never made of input
	detaljer map[string]string // errorJson
	vent     time.Duration     // Retry-After; 0 = none
	arsak    error             // for the log only
}

func (f *feil) Error() string { return f.kode.Kode }
func (f *feil) Unwrap() error { return f.arsak }

// fraInntak pairs app/intake's refusals with codes.
var fraInntak = []struct {
	err  error
	kode *Feilkode
	vent time.Duration
}{
	{intake.ErrUkjentMottaker, FeilUkjentMottaker, 0},
	{intake.ErrIkkeDin, FeilUkjentAvsender, 0},
	{intake.ErrManglerTilgang, FeilManglerTilgang, 0},
	{intake.ErrVersjon, FeilVersjon, 0},
	{intake.ErrNokkel, FeilNokkel, 0},
	{intake.ErrCMS, FeilCMS, 0},
	{intake.ErrUgyldigCMS, FeilUgyldigCMS, 0},
	{intake.ErrFull, FeilManglerPlass, time.Minute},
}

// tilFeil is the one place where errors become refusals. Whatever it does not know is 503 and keeps its text for the log: the
// outcome is unknown, and a 4xx would tell the sender that nothing is stored.
func tilFeil(err error) *feil {
	var f *feil
	if errors.As(err, &f) {
		return f
	}
	var brukt *intake.IdempotensError
	if errors.As(err, &brukt) {
		return &feil{kode: FeilNokkelBrukt, detaljer: map[string]string{"bekymringsmeldingId": string(brukt.Forste)}, arsak: err}
	}
	if !errors.Is(err, ports.ErrUnavailable) { // an error that says both is unknown
		for _, x := range fraInntak {
			if errors.Is(err, x.err) {
				return &feil{kode: x.kode, vent: x.vent, arsak: err}
			}
		}
	}
	vent := 5 * time.Second
	var v interface{ RetryAfter() time.Duration }
	if errors.As(err, &v) {
		vent = v.RetryAfter()
	}
	return &feil{kode: FeilUtilgjengelig, vent: vent, arsak: err}
}
