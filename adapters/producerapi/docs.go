package producerapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html
var dokumentmal string

//go:embed docs.css
var dokumentstil string

// dokumentasjon is the docs page: one HTML document that loads nothing, readable without scripts and with a screen reader.
type dokumentasjon struct {
	side []byte
	csp  string
}

type dokumentgruppe struct {
	Navn, Anker string
	Operasjoner []dokumentoperasjon
}

type dokumentoperasjon struct {
	*huma.Operation
	Anker   string
	Svar    []dokumentsvar
	Del     []dokumentdel
	Flerdel bool
}

type dokumentsvar struct{ Status, Tekst string }

type dokumentdel struct{ Navn, Tekst string }

func nyDokumentasjon(oa *huma.OpenAPI) (http.Handler, error) {
	mal, err := template.New("docs").Parse(dokumentmal)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = mal.Execute(&b, map[string]any{
		"Stil":   template.CSS(dokumentstil), //nolint:gosec // our own embedded file
		"Tittel": oa.Info.Title, "Ingress": oa.Info.Description, "Grupper": dokumentgrupper(oa),
		"Feilkoder": Feilkoder(), "OpenAPI31": OpenAPI31, "OpenAPI30": OpenAPI30, "Prefiks": Prefiks,
	})
	if err != nil {
		return nil, err
	}
	// The one style element is allowed by its hash; nothing else may load or run.
	sum := sha256.Sum256([]byte(dokumentstil))
	return &dokumentasjon{side: b.Bytes(), csp: fmt.Sprintf(
		"default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", base64.StdEncoding.EncodeToString(sum[:]))}, nil
}

func dokumentgrupper(oa *huma.OpenAPI) []dokumentgruppe {
	var ut []dokumentgruppe
	for sti, p := range oa.Paths {
		for _, op := range []*huma.Operation{p.Get, p.Post} {
			if op == nil {
				continue
			}
			op.Path = sti
			i := slices.IndexFunc(ut, func(g dokumentgruppe) bool { return g.Navn == op.Tags[0] })
			if i < 0 {
				ut = append(ut, dokumentgruppe{Navn: op.Tags[0], Anker: strings.ReplaceAll(op.Tags[0], " ", "-")})
				i = len(ut) - 1
			}
			ut[i].Operasjoner = append(ut[i].Operasjoner, nyDokumentoperasjon(op))
		}
	}
	// Newest version first: that is what a new client should use.
	slices.SortFunc(ut, func(a, b dokumentgruppe) int {
		va, vb := a.Navn[len(a.Navn)-1:], b.Navn[len(b.Navn)-1:]
		if va != vb {
			return strings.Compare(vb, va)
		}
		return strings.Compare(a.Navn, b.Navn)
	})
	for _, g := range ut {
		slices.SortFunc(g.Operasjoner, func(a, b dokumentoperasjon) int {
			return strings.Compare(a.Path+a.Method, b.Path+b.Method)
		})
	}
	return ut
}

func nyDokumentoperasjon(op *huma.Operation) dokumentoperasjon {
	d := dokumentoperasjon{Operation: op, Anker: op.OperationID}
	for status, r := range op.Responses {
		d.Svar = append(d.Svar, dokumentsvar{status, r.Description})
	}
	slices.SortFunc(d.Svar, func(a, b dokumentsvar) int { return strings.Compare(a.Status, b.Status) })
	if op.RequestBody != nil {
		d.Flerdel = true
		for navn, s := range op.RequestBody.Content["multipart/form-data"].Schema.Properties {
			d.Del = append(d.Del, dokumentdel{navn, s.Description})
		}
		slices.SortFunc(d.Del, func(a, b dokumentdel) int { return strings.Compare(b.Navn, a.Navn) })
	}
	return d
}

func (d *dokumentasjon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Siden kan bare leses.", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", d.csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(d.side)
}
