package acceptance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"
)

const modul = "portal.example/bekymringsmelding"

// pakke is what `go list` says of one package: its non-test imports.
type pakke struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

// regel is one row of design §3: which packages it rules, and which imports they may have. An import is written as "std", "third",
// or a path under the module; a trailing /* takes everything below.
type regel struct {
	gjelder []string
	tillat  []string
	forbudt []string // named even though something above would allow it
}

// regler are tried from the top; the first that matches a package rules it.
var regler = []regel{
	{gjelder: []string{"domain/*"}, tillat: []string{"std", "domain/*"}, forbudt: []string{"context", "net", "net/*", "database/*", "log", "log/*", "os", "os/*"}},
	{gjelder: []string{"ports"}, tillat: []string{"std", "domain/*"}},
	{gjelder: []string{"app/*"}, tillat: []string{"std", "domain/*", "ports"}, forbudt: []string{"net", "net/*", "database/*"}},
	{gjelder: []string{"adapters/cms", "adapters/asice", "adapters/openpgp", "adapters/pdf", "adapters/jsonskjema"}, tillat: []string{"std", "third", "domain/*", "ports"}},
	{gjelder: []string{"adapters/producerapi", "adapters/producerapi/*", "adapters/adminapi", "adapters/svarinn", "adapters/web", "adapters/outbox"}, tillat: []string{"std", "third", "domain/*", "ports", "app/*", "contracts/openapi"}},
	{gjelder: []string{"adapters/sqlite", "adapters/postgres"}, tillat: []string{"std", "third", "domain/*", "ports", "adapters/sqlstore", "adapters/sqlstore/*"}},
	{gjelder: []string{"adapters/postgres/pgtest", "adapters/sqlstore/pgtest"}, tillat: []string{"std", "third"}},
	{gjelder: []string{"adapters/memory/*"}, tillat: []string{"std", "domain/*", "ports", "adapters/memory"}},
	{gjelder: []string{"adapters/fagsystem"}, tillat: []string{"std", "third", "domain/*", "adapters/asice", "adapters/cms"}}, // the other side of the wire, for vendors
	{gjelder: []string{"adapters/*"}, tillat: []string{"std", "third", "domain/*", "ports"}},
	{gjelder: []string{"contracts"}, tillat: []string{"std", "domain/*", "ports", "github.com/matryer/is", "pgregory.net/rapid"}},
	{gjelder: []string{"contracts/openapi"}, tillat: []string{"std"}},
	{gjelder: []string{"cmd/compose"}, tillat: []string{"std", "third", "domain/*", "ports", "app/*", "adapters/*"}},
	{gjelder: []string{"cmd/portal", "cmd/portal/*"}, tillat: []string{"std", "third", "domain/*", "ports", "app/*", "adapters/*", "cmd/compose", "cmd/portal/*"}},
	{gjelder: []string{"cmd/meldingctl", "cmd/meldingctl/*"}, tillat: []string{"std", "third", "domain/*", "ports", "adapters/*", "cmd/compose", "cmd/meldingctl/*", "contracts/openapi"}},
	{gjelder: []string{"cmd/fiks-sim"}, tillat: []string{"std", "third", "acceptance/sim", "acceptance/sim/*"}},
	{gjelder: []string{"acceptance/sim", "acceptance/sim/*"}, tillat: []string{"std", "third", "domain/*", "adapters/asice", "adapters/cms", "acceptance/sim", "acceptance/sim/*"}},
	{gjelder: []string{"cmd/demo", "cmd/demo/*", "acceptance", "acceptance/*"}, tillat: []string{"std", "third", "domain/*", "ports", "app/*", "adapters/*", "cmd/compose", "cmd/demo/*", "contracts", "contracts/*", "acceptance/*"}},
}

func treffer(monster, sti string) bool {
	if grunn, ok := strings.CutSuffix(monster, "/*"); ok {
		return strings.HasPrefix(sti, grunn+"/")
	}
	return monster == sti
}

// brudd lists every import that the rules do not allow.
func brudd(pakker []pakke) (ut []string) {
	std := map[string]bool{}
	for _, p := range pakker {
		std[p.ImportPath] = p.Standard
	}
	for _, p := range pakker {
		egen, ok := strings.CutPrefix(p.ImportPath, modul+"/")
		if !ok {
			continue
		}
		i := slices.IndexFunc(regler, func(r regel) bool {
			return slices.ContainsFunc(r.gjelder, func(m string) bool { return treffer(m, egen) })
		})
		if i < 0 {
			ut = append(ut, egen+" har ingen regel")
			continue
		}
		for _, imp := range p.Imports {
			if !lov(regler[i], imp, std[imp]) {
				ut = append(ut, fmt.Sprintf("%s importerer %s", egen, strings.TrimPrefix(imp, modul+"/")))
			}
		}
	}
	return ut
}

func lov(r regel, imp string, std bool) bool {
	egen, internt := strings.CutPrefix(imp, modul+"/")
	if slices.ContainsFunc(r.forbudt, func(m string) bool { return treffer(m, imp) }) {
		return false
	}
	return slices.ContainsFunc(r.tillat, func(m string) bool {
		switch m {
		case "std":
			return std
		case "third":
			return !std && !internt
		}
		return treffer(m, egen)
	})
}

func goList(t *testing.T, dir string, args ...string) (ut []pakke) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-deps", "-json=ImportPath,Imports,Standard"}, args...)...)
	cmd.Dir = dir
	b, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for d := json.NewDecoder(strings.NewReader(string(b))); ; {
		var p pakke
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return ut
		} else if err != nil {
			t.Fatal(err)
		}
		ut = append(ut, p)
	}
}

func TestEveryPackageImportsOnlyWhatItsLayerMay(t *testing.T) {
	for _, b := range brudd(goList(t, "..", "./...")) {
		t.Error(b)
	}
}

func TestTheCheckerSeesPlantedBreaches(t *testing.T) {
	is := is.New(t)
	std := func(s ...string) (ut []pakke) {
		for _, x := range s {
			ut = append(ut, pakke{ImportPath: x, Standard: true})
		}
		return ut
	}
	for navn, imp := range map[string]string{
		"domain/melding": "context", "domain/levering": "net/http", "ports": "github.com/uptrace/bun", "app/intake": modul + "/adapters/sqlite",
		"app/delivery": modul + "/app/intake", "adapters/fakeprint": modul + "/adapters/sqlstore", "adapters/producerapi": modul + "/adapters/sqlite",
		"acceptance/sim": modul + "/ports", "cmd/portal": modul + "/acceptance/sim", "contracts": modul + "/adapters/memory", "noe/nytt": "fmt",
	} {
		p := append(std("context", "net/http", "fmt"), pakke{ImportPath: modul + "/" + navn, Imports: []string{imp}})
		is.Equal(len(brudd(p)), 1) // each planted breach is seen
	}
	is.Equal(len(brudd(append(std("fmt"), pakke{ImportPath: modul + "/domain/melding", Imports: []string{"fmt"}}))), 0)
}

func TestThePortalLinksNoFakes(t *testing.T) {
	for _, p := range goList(t, "..", "./cmd/portal") {
		if strings.HasPrefix(p.ImportPath, modul+"/acceptance") || strings.HasPrefix(p.ImportPath, modul+"/contracts") || p.ImportPath == "testing" {
			t.Errorf("cmd/portal drar inn %s", p.ImportPath)
		}
	}
}

// forseglere may say that bytes are sealed: they seal, look at the seal, or read sealed bytes back.
var forseglere = []string{"domain/melding", "adapters/cms", "adapters/openpgp", "adapters/producerapi", "adapters/sqlstore", "adapters/memory", "adapters/fiksio", "contracts",
	"acceptance/world",      // bodies of answers, as a case system sends them
	"acceptance/leverandor", // a module of its own: a vendor seals
}

func TestOnlySealersMakeSealedContent(t *testing.T) {
	for _, b := range forseglingsbrudd(t, "..") {
		t.Error(b)
	}
}

// forseglingsbrudd walks the syntax tree of every non-test file for calls that make a Forseglet, and for time.Now in the domain.
func forseglingsbrudd(t *testing.T, rot string) (ut []string) {
	t.Helper()
	err := filepath.WalkDir(rot, func(sti string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == ".git") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(sti, ".go") || strings.HasSuffix(sti, "_test.go") {
			return nil
		}
		rel, _ := filepath.Rel(rot, filepath.Dir(sti))
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, sti, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := s.X.(*ast.Ident)
			if !ok {
				return true
			}
			if x.Name == "melding" && (s.Sel.Name == "NyForseglet" || s.Sel.Name == "ForsegletBytes") && !slices.Contains(forseglere, rel) {
				ut = append(ut, rel+" lager Forseglet")
			}
			if x.Name == "time" && s.Sel.Name == "Now" && (strings.HasPrefix(rel, "domain") || strings.HasPrefix(rel, "app") || rel == "ports") {
				ut = append(ut, rel+" ser på klokka")
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ut
}
