package producerapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// ruter is two ServeMuxes. /kommuner/{k}/bydeler/{b} and /kommuner/fylker/{f}/kommuner could both match one path, and one
// ServeMux refuses such a pair, so everything under a literal /kommuner/fylker has its own.
type ruter struct{ vanlig, fylker *http.ServeMux }

func nyRuter() *ruter { return &ruter{http.NewServeMux(), http.NewServeMux()} }

const fylkesti = "/v2/kommuner/fylker"

func (m *ruter) velg(sti string) *http.ServeMux {
	if strings.Contains(sti, fylkesti) {
		return m.fylker
	}
	return m.vanlig
}

// HandleFunc and ServeHTTP are what humago wants of a mux.
func (m *ruter) HandleFunc(monster string, h func(http.ResponseWriter, *http.Request)) {
	m.velg(monster).HandleFunc(monster, h)
}

func (m *ruter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.velg(r.URL.Path).ServeHTTP(w, r)
}

// finn gives the pattern that will serve r; "" when there is none.
func (m *ruter) finn(r *http.Request) string {
	_, monster := m.velg(r.URL.Path).Handler(r)
	return monster
}

// metoder lists the methods the path has.
func (m *ruter) metoder(r *http.Request) (ut []string) {
	for _, metode := range []string{http.MethodGet, http.MethodPost} {
		r2 := *r
		r2.Method = metode
		if m.finn(&r2) != "" {
			ut = append(ut, metode)
		}
	}
	return ut
}

// nyHuma leaves out everything huma would add to the published answers: $schema members and Link headers (CreateHooks), its
// docs page (it loads scripts from elsewhere) and its own spec paths.
func nyHuma(m humago.Mux) huma.API {
	c := huma.DefaultConfig("Bekymringsmelding – API for fagsystem", "2.0.0")
	c.CreateHooks = nil
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.Formats = map[string]huma.Format{"application/json": huma.DefaultJSONFormat}
	return humago.New(m, c)
}

// operasjon is one operation as the docs tell it.
type operasjon struct {
	id, metode, sti, gruppe, tittel, tekst string
	status                                 int
	svar                                   string // what the answer is, one sentence
	feil                                   []*Feilkode
}

// registrer hands the operation to huma. An error never reaches huma, which would print its text: it is kept in kall, huma is
// told that there is no output, svar drops the empty status, and avvis writes the refusal.
func registrer[I, O any](a *API, o operasjon, h func(context.Context, *kall, *I) (*O, error)) {
	op := huma.Operation{
		OperationID: o.id, Method: o.metode, Path: o.sti, Tags: []string{o.gruppe}, Summary: o.tittel, Description: o.tekst,
		DefaultStatus: o.status, SkipValidateParams: true, // form is judged in parametre.go, where nothing is echoed
		Responses: a.feilsvar(o.feil), Security: sikkerhet,
	}
	op.Responses[statustekst(o.status)] = &huma.Response{Description: o.svar}
	huma.Register(a.huma, op, func(ctx context.Context, inn *I) (*O, error) {
		k := kallFra(ctx)
		ut, err := h(ctx, k, inn)
		if err != nil {
			k.feil = err
			return nil, nil //nolint:nilerr // kept in kall; see above
		}
		return ut, nil
	})
}
