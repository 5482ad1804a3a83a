package producerapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"portal.example/bekymringsmelding/domain/melding"
)

// The OpenAPI files, as served and as kept in contracts/openapi.
const (
	OpenAPI31 = Prefiks + "/openapi-3.1.json"
	OpenAPI30 = Prefiks + "/openapi-3.0.json"
)

// OpenAPI gives the file of that path, indented, with a final newline.
func (a *API) OpenAPI(sti string) []byte { return slices.Clone(a.openapi[sti]) }

// sikkerhet: all three headers, on every call.
var sikkerhet = []map[string][]string{{"maskinporten": {}, "integrasjonId": {}, "integrasjonPassord": {}}}

func statustekst(status int) string { return strconv.Itoa(status) }

func gruppe(v melding.Versjon, navn string) string { return navn + " " + v.String() }

func (a *API) registrerAlle() {
	oa := a.huma.OpenAPI()
	oa.Info.Description = "API-et som fagsystemer sender bekymringsmeldinger gjennom, og slår opp kommuner og bydeler i. " +
		"Hvert kall har tre headere: Authorization med et token fra Maskinporten (scope ks:fiks), IntegrasjonId og IntegrasjonPassord. " +
		"Alle feil har samme form (Feilmelding) med en stabil errorCode. Tidspunkter er norsk lokal tid uten tidssone."
	oa.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"maskinporten":       {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "Token fra Maskinporten med scope ks:fiks"},
		"integrasjonId":      {Type: "apiKey", In: "header", Name: "IntegrasjonId", Description: "UUID-en til integrasjonen"},
		"integrasjonPassord": {Type: "apiKey", In: "header", Name: "IntegrasjonPassord", Description: "Passordet integrasjonen har fått utstedt"},
	}
	for _, v := range []melding.Versjon{melding.V1, melding.V2} {
		a.registrerInnsending(v, melding.Offentlig)
		a.registrerInnsending(v, melding.Privat)
		a.registrerStatus(v)
		a.registrerKatalog(v)
	}
	a.registrerNokler()
}

// feilsvar documents the refusals of one operation, and those every operation has.
func (a *API) feilsvar(egne []*Feilkode) map[string]*huma.Response {
	felles := []*Feilkode{FeilIkkeAutentisert, FeilForMangeKall, FeilIntern, FeilUtilgjengelig}
	skjema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Feilmelding](), true, "Feilmelding")
	ut := map[string]*huma.Response{}
	for _, k := range slices.Concat(egne, felles) {
		s := statustekst(k.Status)
		r := ut[s]
		if r == nil {
			r = &huma.Response{Description: http.StatusText(k.Status) + ":", Content: map[string]*huma.MediaType{"application/json": {Schema: skjema}}}
			if k.Status == http.StatusTooManyRequests || k.Status == http.StatusServiceUnavailable {
				r.Headers = map[string]*huma.Param{"Retry-After": {Description: "Sekunder til neste forsøk", Schema: &huma.Schema{Type: huma.TypeInteger}}}
			}
			ut[s] = r
		}
		r.Description += " " + k.Kode
	}
	return ut
}

// byggOpenAPI adds the upload's body and renders both files. The body is not declared to huma when the operation is registered:
// huma would then read it into memory, with its own limits, and repeat it in errors.
func (a *API) byggOpenAPI() error {
	oa := a.huma.OpenAPI()
	// huma describes its own error model whether or not an operation uses it; no answer of ours has that form.
	delete(oa.Components.Schemas.Map(), "ErrorModel")
	delete(oa.Components.Schemas.Map(), "ErrorDetail")
	fil := func(tekst string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Format: "binary", Description: tekst}
	}
	kropp := &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {
		Schema: &huma.Schema{
			Type: huma.TypeObject, Required: []string{string(melding.DelPDF), string(melding.DelAsice)},
			Properties: map[string]*huma.Schema{
				string(melding.DelPDF):   fil("bekymringsmelding.pdf, kryptert for print"),
				string(melding.DelAsice): fil("ASiC-E med bekymringsmelding.pdf og bekymringsmelding.json, kryptert for mottakeren"),
			},
		},
	}}}
	for sti, p := range oa.Paths {
		if p.Post != nil && strings.Contains(sti, "/mottak/fagsystem/") {
			p.Post.RequestBody = kropp
		}
	}
	ny, err := json.Marshal(oa)
	if err != nil {
		return err
	}
	gammel, err := oa.Downgrade()
	if err != nil {
		return err
	}
	a.openapi = map[string][]byte{}
	for sti, b := range map[string][]byte{OpenAPI31: ny, OpenAPI30: gammel} {
		var pen bytes.Buffer
		if err := json.Indent(&pen, b, "", "  "); err != nil {
			return err
		}
		pen.WriteByte('\n')
		a.openapi[sti] = pen.Bytes()
	}
	return nil
}
