package memory_test

import (
	"testing"

	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
)

func TestCatalogue(t *testing.T) {
	contracts.TestCatalogue(t, func(*testing.T) contracts.Katalogrigg {
		k := &memory.Kontokatalog{}
		return contracts.Katalogrigg{Catalogue: k, Registrer: func(_ *testing.T, id kommune.KontoID, der []byte) { k.Registrer(id, der) },
			Nede: func(_ *testing.T, nede bool) { k.Nede(nede) }}
	})
}
