package producerapi_test

import (
	"os"
	"path/filepath"
	"testing"

	"portal.example/bekymringsmelding/adapters/producerapi"
)

// The OpenAPI files are the contract with vendors: OPPDATER=1 rewrites them, and a change shows up in review.
func TestGoldenOpenAPI(t *testing.T) {
	r := oppsett(t)
	for fil, sti := range map[string]string{"openapi-3.1.json": producerapi.OpenAPI31, "openapi-3.0.json": producerapi.OpenAPI30} {
		golden := filepath.Join("../../contracts/openapi", fil)
		b := r.api.OpenAPI(sti)
		if os.Getenv("OPPDATER") == "1" {
			r.NoErr(os.WriteFile(golden, b, 0o644))
		}
		lagret, err := os.ReadFile(golden)
		r.NoErr(err)
		r.True(string(lagret) == string(b)) // run with OPPDATER=1 and look at the diff
		_, servert := r.hent(sti)
		r.Equal(string(servert), string(b))
	}
}
