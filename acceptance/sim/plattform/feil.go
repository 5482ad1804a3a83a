package plattform

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// feilkode is one documented refusal. Kode is stable; docs/fiks-sim.md lists them all.
type feilkode struct {
	status  int
	kode    string
	melding string
}

// The texts of the two 401 are KS's (§2.4). The codes are this simulator's own: KS publishes none for these calls (§11).
var (
	feilToken       = kode(401, "TOKEN_UGYLDIG", "Klarte ikke å validere access_token")
	feilIntegrasjon = kode(401, "INTEGRASJON_UGYLDIG", "Autentisering feilet for integrasjon med id …")
	feilIngenKonto  = kode(403, "KONTO_INGEN_TILGANG", "Integrasjonen har ikke tilgang til kontoen.")
	feilAvsStengt   = kode(403, "AVSENDER_STENGT", "Avsenderkontoen er stengt og kan ikke sende.")
	feilMottUkjent  = kode(400, "MOTTAKER_UKJENT", "Mottakerkontoen finnes ikke.")
	feilMottStengt  = kode(400, "MOTTAKER_STENGT", "Mottakerkontoen er stengt og tar ikke imot.")
	feilInnhold     = kode(415, "IKKE_MULTIPART", "Content-Type må være multipart/form-data med boundary.")
	feilMultipart   = kode(400, "MULTIPART_UGYLDIG", "Kroppen er ikke en hel multipart/form-data.")
	feilDel         = kode(400, "DEL_UKJENT", "Delene skal hete metadata og data, og ha navn i Content-Disposition.")
	feilDobbeltDel  = kode(400, "DEL_DOBBEL", "Samme del er med to ganger.")
	feilUtenMeta    = kode(400, "METADATA_MANGLER", "Delen metadata mangler.")
	feilMetadata    = kode(400, "METADATA_UGYLDIG", "Metadata er ikke et JSON-objekt med riktige medlemmer.")
	feilTTL         = kode(400, "TTL_UGYLDIG", "ttl må være null eller et helt antall millisekunder fra 1000 til 4294967295.")
	feilHeadere     = kode(400, "HEADERE_UGYLDIG", "headere må være tekst, med korte navn, og til sammen høyst 16 KiB.")
	feilKlientHode  = kode(400, "KLIENTHEADERE_UGYLDIG", "klientMeldingId må være en UUID, og begge skrivemåter av klientKorrelasjonsId like.")
	feilTomData     = kode(400, "DATA_TOM", "Delen data er tom. En melding uten innhold har ingen data-del.")
	feilStorData    = kode(413, "DATA_FOR_STOR", "Innholdet er for stort.")
	feilUkryptert   = kode(400, "DATA_IKKE_KRYPTERT", "Innholdet er ikke en hel kryptert CMS-melding.")
	feilKropp       = kode(400, "DATA_FEIL_FOR_TYPEN", "En bekymringsmelding og feilet skal ha en data-del; mottatt skal ikke ha noen.")
	feilUtenSvarPa  = kode(400, "SVAR_PA_MANGLER", "En mottatt eller feilet må ha svarPaMelding: melding-id til meldingen det svares på.")
	feilFremmedSvar = kode(400, "SVAR_PA_FREMMED", "svarPaMelding er ikke sendt til avsenderkontoen av mottakerkontoen, eller er en kvittering.")
	feilKontoID     = kode(404, "KONTO_UKJENT", "Kontoen finnes ikke.")
	feilIngenNokkel = kode(404, "NOKKEL_MANGLER", "Kontoen har ingen offentlig nøkkel.")
	feilIdent       = kode(400, "OPPSLAG_UGYLDIG", "identifikator, meldingProtokoll eller sikkerhetsniva har ikke riktig form.")
	feilPEM         = kode(400, "NOKKEL_UGYLDIG", "pem må være ett gyldig X.509-sertifikat med RSA-nøkkel på minst 2048 bit.")
	feilDokument    = kode(404, "DOKUMENT_UKJENT", "Dokumentet finnes ikke.")
	feilSti         = kode(404, "STI_UKJENT", "Adressen finnes ikke.")
	feilMetode      = kode(405, "METODE_UGYLDIG", "Metoden er ikke tillatt på denne adressen.")
	feilTest        = kode(0, "BESTILT_FEIL", "Testen ba om dette svaret.")
	feilKo          = kode(503, "KO_UTILGJENGELIG", "Meldingen kunne ikke legges på køen. Prøv igjen.")
	feilIntern      = kode(500, "INTERN_FEIL", "Noe gikk galt i simulatoren.")
)

var alleFeilkoder []*feilkode

func kode(status int, navn, melding string) *feilkode {
	k := &feilkode{status, navn, melding}
	alleFeilkoder = append(alleFeilkoder, k)
	return k
}

func (k *feilkode) feil() *feil { return &feil{kode: k, status: k.status, melding: k.melding} }

// feil is one refusal on its way to the caller.
type feil struct {
	kode    *feilkode
	status  int
	melding string
	arsak   error // for the log
}

func (f *feil) Error() string { return "plattform: " + f.kode.kode }
func (f *feil) Unwrap() error { return f.arsak }

// fordi gives a refusal its cause, which stays in the log.
func (k *feilkode) fordi(err error) *feil {
	f := k.feil()
	f.arsak = err
	return f
}

// feilkropp is the error body of every Fiks API (§2.4).
type feilkropp struct {
	Timestamp int64  `json:"timestamp"`
	Status    int    `json:"status"`
	Error     string `json:"error"`
	ErrorID   string `json:"errorId"`
	Path      string `json:"path"`
	Message   string `json:"message"`
	ErrorCode string `json:"errorCode"`
}

const (
	maksTapp = 16 << 20         // how much of a refused body is read on
	tappetid = 10 * time.Second // and for how long
)

// avvis writes a refusal, flushes it, and only then reads on: a connection closed with unread bytes is reset, and the client never sees
// the answer. Reading first would answer Expect: 100-continue with an invitation.
func (p *Plattform) avvis(w http.ResponseWriter, r *http.Request, err error) {
	f := new(feil)
	if !errors.As(err, &f) {
		f = feilIntern.fordi(err)
	}
	kropp := feilkropp{Timestamp: p.na().UnixMilli(), Status: f.status, Error: http.StatusText(f.status), ErrorID: uuid.NewString(), Path: r.URL.Path,
		Message: f.melding, ErrorCode: f.kode.kode}
	arsak := ""
	if f.arsak != nil && f.status >= 500 {
		arsak = f.arsak.Error() // a broker's errors hold ids only; what a parser says could quote the request
	}
	p.c.Logg.InfoContext(r.Context(), "kall avvist", "feil", kropp.ErrorID, "kode", f.kode.kode, "status", f.status, "arsak", arsak)
	b, _ := json.Marshal(kropp) // strings and integers only
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	if f.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	ulest := r.ContentLength != 0
	if ulest {
		h.Set("Connection", "close")
	}
	w.WriteHeader(f.status)
	_, _ = w.Write(b)
	if !ulest {
		return
	}
	c := http.NewResponseController(w)
	_ = c.Flush()
	_ = c.SetReadDeadline(time.Now().Add(tappetid))
	_, _ = io.CopyN(io.Discard, r.Body, maksTapp)
}

func svarJSON(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b)
	return nil
}
