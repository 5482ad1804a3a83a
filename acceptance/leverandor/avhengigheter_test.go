package leverandor_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"
)

const portalmodul = "portal.example/bekymringsmelding"

// A vendor who takes the formats must not get a database, a web framework or the portal's own machinery with them.
func TestFormateneDrarLiteMedSeg(t *testing.T) {
	is := is.New(t)
	var tredjepart, portalpakker []string
	for _, linje := range deps(t, portalmodul+"/adapters/cms", portalmodul+"/adapters/asice") {
		modul, pakke, _ := strings.Cut(linje, " ")
		if modul == portalmodul {
			portalpakker = append(portalpakker, strings.TrimPrefix(pakke, modul+"/"))
		} else {
			tredjepart = append(tredjepart, modul)
		}
	}
	slices.Sort(tredjepart)
	slices.Sort(portalpakker)
	is.Equal(slices.Compact(tredjepart), []string{"github.com/smallstep/pkcs7", "golang.org/x/crypto"})
	is.Equal(portalpakker, []string{"adapters/asice", "adapters/cms", "domain/kommune", "domain/melding"})
}

// The example itself adds nothing from outside.
func TestEksemplet(t *testing.T) {
	is := is.New(t)
	for _, linje := range deps(t, ".") {
		modul, pakke, _ := strings.Cut(linje, " ")
		is.True(slices.Contains([]string{"portal.example/leverandor", portalmodul, "github.com/smallstep/pkcs7", "golang.org/x/crypto"}, modul))
		is.True(modul != portalmodul || !strings.HasPrefix(pakke, portalmodul+"/app/"))
	}
}

// deps is "module package" for each package outside the standard library.
func deps(t *testing.T, pakker ...string) []string {
	t.Helper()
	args := append([]string{"list", "-deps", "-f", "{{with .Module}}{{.Path}} {{$.ImportPath}}{{end}}"}, pakker...)
	b, err := exec.Command("go", args...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}
