package sqlstore_test

import (
	"testing"

	"portal.example/bekymringsmelding/contracts"
)

func TestKontrakter(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		open := func(t *testing.T) contracts.Lager { return ny(t).lager() }
		t.Run("Store", func(t *testing.T) { contracts.TestStore(t, open) })
		t.Run("Work", func(t *testing.T) { contracts.TestWork(t, open) })
		t.Run("Vault", func(t *testing.T) { contracts.TestVault(t, open) })
	})
}
