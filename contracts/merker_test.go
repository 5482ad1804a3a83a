package contracts

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A mark stands in ports as [S1] or [S1 with words]; the package comment's own example is the first of them, so it needs no exception.
var merke = regexp.MustCompile(`\[([A-Z][0-9]+)[\] ]`)

// provd is a subtest's name that begins with a mark.
var provd = regexp.MustCompile(`^([A-Z][0-9]+) \S`)

func lesGo(t *testing.T, monster string, fil func(*ast.File)) {
	t.Helper()
	filer, err := filepath.Glob(monster)
	if err != nil || len(filer) == 0 {
		t.Fatalf("%s: %d filer, %v", monster, len(filer), err)
	}
	for _, navn := range filer {
		if strings.HasSuffix(navn, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), navn, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		fil(f)
	}
}

// TestMerker: no promise without a subtest, no subtest of a promise that nobody made.
func TestMerker(t *testing.T) {
	lovet, bevist := map[string]bool{}, map[string]bool{}
	lesGo(t, "../ports/*.go", func(f *ast.File) {
		for _, g := range f.Comments {
			for _, c := range g.List {
				for _, m := range merke.FindAllStringSubmatch(c.Text+" ", -1) {
					lovet[m[1]] = true
				}
			}
		}
	})
	lesGo(t, "*.go", func(f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			k, ok := n.(*ast.CallExpr)
			if !ok || len(k.Args) != 2 {
				return true
			}
			s, ok := k.Fun.(*ast.SelectorExpr)
			if !ok || s.Sel.Name != "Run" {
				return true
			}
			if l, ok := k.Args[0].(*ast.BasicLit); ok && l.Kind == token.STRING {
				navn, err := strconv.Unquote(l.Value)
				if m := provd.FindStringSubmatch(navn); err == nil && m != nil {
					bevist[m[1]] = true
				}
			}
			return true
		})
	})
	if len(lovet) < 30 {
		t.Fatalf("bare %d merker funnet i ports: leser testen rett?", len(lovet))
	}
	for _, m := range slices.Sorted(maps.Keys(lovet)) {
		if !bevist[m] {
			t.Errorf("løftet [%s] i ports har ingen deltest i contracts", m)
		}
	}
	for _, m := range slices.Sorted(maps.Keys(bevist)) {
		if !lovet[m] {
			t.Errorf("deltesten %s i contracts svarer ikke til noe løfte i ports", m)
		}
	}
}
