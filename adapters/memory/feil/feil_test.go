package feil_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/memory"
	"portal.example/bekymringsmelding/adapters/memory/feil"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

var errTest = errors.New("med vilje")

// TestGjennomsiktig: without a hook a wrapped store keeps every promise.
func TestGjennomsiktig(t *testing.T) {
	open := func(*testing.T) contracts.Lager {
		l, f := memory.NyttLager(memory.NyKlokke(contracts.Start)), feil.Ny(nil)
		return contracts.Lager{Store: f.Store(l), Work: f.Work(l), Ledger: f.Ledger(l), Certificates: f.Certificates(l), Registry: f.Registry(l),
			Dispatch: l, Vault: l, Directory: l, Access: l, Overview: l,
			Korruper: func(_ *testing.T, id melding.ID, del melding.Del) { l.Korruper(id, del) },
			Fjern:    func(_ *testing.T, id melding.ID, ko levering.Ko) { l.Fjern(id, ko) }}
	}
	contracts.TestStore(t, open)
	contracts.TestWork(t, open)
	contracts.TestLedger(t, open)
	contracts.TestCertificates(t, open)
	contracts.TestDirectory(t, open)
}

// TestHvertKall: every writing call of a clean run, failed each way, has or has not had its effect.
func TestHvertKall(t *testing.T) {
	kjor := func(f *feil.Feil, l *memory.Lager, n ports.Ny) error {
		ctx := context.Background()
		if _, err := f.Store(l).Create(ctx, n); err != nil {
			return err
		}
		if leier, err := f.Work(l).Claim(ctx, levering.KoBrev, 1, contracts.Start, time.Minute); err != nil || len(leier) != 0 {
			return errors.Join(err, errors.New("ingenting var skyldig"))
		}
		leier, err := f.Work(l).Claim(ctx, levering.KoSend, 1, contracts.Start, time.Minute)
		if err != nil {
			return err
		}
		if err := f.Work(l).Release(ctx, leier[0], contracts.Start.Add(time.Hour), "x"); err != nil {
			return err
		}
		return f.Ledger(l).SetMark(ctx, "m", "1")
	}
	// har is what each call leaves behind.
	har := map[string]func(l *memory.Lager, id melding.ID) bool{
		"Create": func(l *memory.Lager, id melding.ID) bool { _, err := l.Get(t.Context(), id); return err == nil },
		"Claim": func(l *memory.Lager, _ melding.ID) bool {
			n, _ := l.Next(t.Context(), levering.KoSend)
			return n.Equal(contracts.Start.Add(time.Minute))
		},
		"Release": func(l *memory.Lager, _ melding.ID) bool {
			n, _ := l.Next(t.Context(), levering.KoSend)
			return n.Equal(contracts.Start.Add(time.Hour))
		},
		"SetMark": func(l *memory.Lager, _ melding.ID) bool { v, _ := l.Mark(t.Context(), "m"); return v == "1" },
	}
	is := is.New(t)
	rent := feil.Ny(nil)
	is.NoErr(kjor(rent, memory.NyttLager(memory.NyKlokke(contracts.Start)), contracts.NyMelding(t)))
	is.Equal(len(rent.Kall()), 4) // the empty Claim wrote nothing
	for _, k := range rent.Kall() {
		for _, utfor := range []bool{false, true} {
			l, n := memory.NyttLager(memory.NyKlokke(contracts.Start)), contracts.NyMelding(t)
			is.Equal(kjor(feil.Ny(feil.Nte(k.Nr, utfor, errTest)), l, n), errTest)
			if har[k.Metode](l, n.Fakta.ID) != utfor {
				t.Errorf("%s %s: utført er ikke %v", k.Port, k.Metode, utfor)
			}
		}
	}
	f := feil.Ny(func(feil.Kall) (bool, error) { return false, nil })
	is.True(errors.Is(f.Ledger(nil).SetMark(t.Context(), "", ""), ports.ErrUnavailable)) // no store lies
}
