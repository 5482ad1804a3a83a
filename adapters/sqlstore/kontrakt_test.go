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
		t.Run("Ledger", func(t *testing.T) { contracts.TestLedger(t, open) })
		t.Run("Certificates", func(t *testing.T) { contracts.TestCertificates(t, open) })
		t.Run("Directory", func(t *testing.T) { contracts.TestDirectory(t, open) })
		t.Run("Access", func(t *testing.T) { contracts.TestAccess(t, open) })
		t.Run("Overview", func(t *testing.T) { contracts.TestOverview(t, open) })
		t.Run("Vault", func(t *testing.T) { contracts.TestVault(t, open) })
	})
}
