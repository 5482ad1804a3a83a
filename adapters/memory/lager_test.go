package memory_test

import (
	"errors"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

func lager(l *memory.Lager) contracts.Lager {
	return contracts.Lager{Store: l, Dispatch: l, Vault: l, Work: l, Ledger: l, Certificates: l, Directory: l, Registry: l, Access: l, Overview: l,
		Korruper: func(_ *testing.T, id melding.ID, del melding.Del) { l.Korruper(id, del) },
		Fjern:    func(_ *testing.T, id melding.ID, ko levering.Ko) { l.Fjern(id, ko) }}
}

func nytt(*testing.T) contracts.Lager {
	return lager(memory.NyttLager(memory.NyKlokke(contracts.Start)))
}

func TestKontrakter(t *testing.T) {
	t.Run("Store", func(t *testing.T) { contracts.TestStore(t, nytt) })
	t.Run("Vault", func(t *testing.T) { contracts.TestVault(t, nytt) })
	t.Run("Work", func(t *testing.T) { contracts.TestWork(t, nytt) })
	t.Run("Ledger", func(t *testing.T) { contracts.TestLedger(t, nytt) })
	t.Run("Certificates", func(t *testing.T) { contracts.TestCertificates(t, nytt) })
	t.Run("Directory", func(t *testing.T) { contracts.TestDirectory(t, nytt) })
	t.Run("Access", func(t *testing.T) { contracts.TestAccess(t, nytt) })
	t.Run("Overview", func(t *testing.T) { contracts.TestOverview(t, nytt) })
}

// TestUren: a function that remembers something between two calls is found out, and writes nothing.
func TestUren(t *testing.T) {
	l := nytt(t)
	id := contracts.Lagre(t, l, contracts.NyMelding(t))
	for navn, fn := range map[string]func(n int) (ports.Endring, error){
		"teller": func(n int) (ports.Endring, error) {
			return ports.Endring{Referanser: make([]string, n)}, nil
		},
		"feiler én gang": func(n int) (e ports.Endring, err error) {
			if n == 1 {
				err = errors.New("først")
			}
			return e, err
		},
		"tilfeldige bytes": func(int) (ports.Endring, error) {
			return ports.Endring{Deler: map[melding.Del]melding.Forseglet{melding.DelSvar(1): contracts.Forseglet(contracts.Tilfeldig(8))}}, nil
		},
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			n, forste := 0, contracts.Les(t, l, id)
			_, err := l.Store.Update(t.Context(), id, func(ports.Utgave) (ports.Endring, error) {
				n++
				return fn(n)
			})
			is.True(errors.Is(err, memory.ErrUren))
			contracts.LikUtgave(t, contracts.Les(t, l, id), forste)
		})
	}
}
