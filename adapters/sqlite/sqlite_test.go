package sqlite

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/sqlstore"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// The contract suites run in adapters/sqlstore, over both databases. Here is what is SQLite's own.

func apneEn(t testing.TB, c Config) *sqlstore.Store {
	t.Helper()
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func lager(s *sqlstore.Store) contracts.Lager {
	return contracts.Lager{Store: s, Vault: s, Work: s, Overview: s}
}

func TestBareEnArbeider(t *testing.T) {
	is := is.New(t)
	c := Config{Path: filepath.Join(t.TempDir(), "navn med % ? # og æ.db"), Arbeider: true}
	s := apneEn(t, c)
	_, err := Open(t.Context(), c)
	is.True(errors.Is(err, ErrIBruk))
	is.NoErr(s.Close())
	apneEn(t, c) // free again
}

// saker and avgjor beside a running worker: what is committed is seen at once, in both directions.
func TestAndreVedSidenAvArbeideren(t *testing.T) {
	is := is.New(t)
	c := Config{Path: filepath.Join(t.TempDir(), "portal.db"), Arbeider: true}
	arbeider := apneEn(t, c)
	id := contracts.Lagre(t, lager(arbeider), contracts.NyMelding(t))
	leser := apneEn(t, Config{Path: c.Path, Lesbar: true})
	operator := apneEn(t, Config{Path: c.Path})
	contracts.Endre(t, lager(operator), id, func(u ports.Utgave) (ports.Endring, error) {
		return levering.Avgjor(u, levering.Avgjorelse{Valg: levering.ValgNotat, Hvem: "x", Grunn: "y"}, contracts.Policy, contracts.Start)
	})
	for _, s := range []*sqlstore.Store{arbeider, leser} {
		is.Equal(contracts.Les(t, lager(s), id).Melding.Antall(melding.Notat), 1)
	}
	is.NoErr(leser.Kontroller(t.Context(), func(id melding.ID, p string) { t.Error(id, p) }))
	_, err := leser.Update(t.Context(), id, func(ports.Utgave) (ports.Endring, error) { return ports.Endring{}, nil })
	is.True(errors.Is(err, ports.ErrRefused))
	is.True(errors.Is(leser.SetMark(t.Context(), "a", "b"), ports.ErrRefused))
	is.True(errors.Is(leser.Vedlikehold(t.Context()), ports.ErrRefused))
}

func TestLesbarUtenArbeider(t *testing.T) {
	is := is.New(t)
	sti := filepath.Join(t.TempDir(), "portal.db")
	_, err := Open(t.Context(), Config{Path: sti, Lesbar: true})
	is.True(err != nil) // it makes no file
	_, err = os.Stat(sti)
	is.True(os.IsNotExist(err))
	s := apneEn(t, Config{Path: sti})
	id := contracts.Lagre(t, lager(s), contracts.NyMelding(t))
	is.NoErr(s.Close())
	contracts.Les(t, lager(apneEn(t, Config{Path: sti, Lesbar: true})), id)
}

func TestFilenErForEierenAlene(t *testing.T) {
	is := is.New(t)
	mappe := t.TempDir()
	s := apneEn(t, Config{Path: filepath.Join(mappe, "portal.db"), Arbeider: true})
	contracts.Lagre(t, lager(s), contracts.NyMelding(t))
	filer, err := os.ReadDir(mappe)
	is.NoErr(err)
	is.True(len(filer) >= 4)
	for _, f := range filer {
		i, err := f.Info()
		is.NoErr(err)
		is.Equal(i.Mode().Perm(), os.FileMode(0o600))
	}
}

func TestEnDatabaseSomIkkeErVarigNektes(t *testing.T) {
	is := is.New(t)
	sti := filepath.Join(t.TempDir(), "portal.db")
	for _, synkron := range []string{"NORMAL", "OFF", "tull"} {
		_, err := Open(t.Context(), Config{Path: sti, Synkron: synkron})
		is.True(err != nil) // what SQLite does not understand it takes for NORMAL
		apneEn(t, Config{Path: sti, Synkron: synkron, Dev: true})
	}
}

// After erasure and Vedlikehold no window of 64 sealed bytes is left in any of the database's files (D18).
func TestSlettetInnholdFinnesIkkeIFilene(t *testing.T) {
	is := is.New(t)
	mappe := t.TempDir()
	s := apneEn(t, Config{Path: filepath.Join(mappe, "portal.db"), Arbeider: true})
	l := lager(s)
	var slettes, beholdes [][]byte
	var ider []melding.ID
	for i := range 6 {
		// Sizes that fill a page, spill over, and take many pages.
		a, p := contracts.Tilfeldig([]int{300, 4090, 200_000}[i%3]), contracts.Tilfeldig(5000)
		n := contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.Asice, o.PDF = a, p })
		id := contracts.Lagre(t, l, n)
		kropp := contracts.Tilfeldig(3000)
		svar := levering.SvarOppdrag(melding.Svar{ID: string(id), Meldingstype: "ukjent", Mottatt: contracts.Start, AvsenderKonto: n.Fakta.KontoID,
			Innhold: contracts.Forseglet(kropp)})
		_, err := s.Add(t.Context(), svar)
		is.NoErr(err) // an answer's body lies in the queue until it is judged
		contracts.Endre(t, l, id, func(u ports.Utgave) (ports.Endring, error) {
			return ports.Endring{Ferdig: []levering.OppdragID{svar.ID}, Deler: map[melding.Del]melding.Forseglet{melding.DelSvar(1): contracts.Forseglet(kropp)}}, nil
		})
		if i < 3 {
			ider, slettes = append(ider, id), append(slettes, a, p, kropp)
		} else {
			beholdes = append(beholdes, a, p, kropp)
		}
	}
	is.True(finnes(t, mappe, slettes) > 0) // the scan can see
	for _, id := range ider {
		contracts.Lever(t, l, id, contracts.Start.Add(time.Hour))
		contracts.Slett(t, l, id)
	}
	is.NoErr(s.Vedlikehold(t.Context()))
	is.Equal(finnes(t, mappe, slettes), 0)
	is.True(finnes(t, mappe, beholdes) > 1000)
	i, err := os.Stat(filepath.Join(mappe, "portal.db-wal"))
	is.NoErr(err)
	is.Equal(i.Size(), int64(0))
}

// finnes counts 64-byte windows of the contents, taken at every 32nd byte, that stand in a file of the folder.
func finnes(t *testing.T, mappe string, innhold [][]byte) (n int) {
	t.Helper()
	filer, err := filepath.Glob(filepath.Join(mappe, "*"))
	if err != nil {
		t.Fatal(err)
	}
	vinduer := map[[64]byte]bool{}
	for _, sti := range filer {
		b, err := os.ReadFile(sti)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+64 <= len(b); i++ {
			vinduer[[64]byte(b[i:i+64])] = true
		}
	}
	for _, x := range innhold {
		for i := 0; i+64 <= len(x); i += 32 {
			if vinduer[[64]byte(x[i:i+64])] {
				n++
			}
		}
	}
	return n
}

// A reader on an old snapshot keeps the log alive. Vedlikehold waits for it, and says so when it may not wait longer.
func TestVedlikeholdVenterPaLesere(t *testing.T) {
	is := is.New(t)
	sti := filepath.Join(t.TempDir(), "portal.db")
	s := apneEn(t, Config{Path: sti, Arbeider: true})
	contracts.Lagre(t, lager(s), contracts.NyMelding(t))
	leser := handtak(Config{Path: sti, Lesere: 1, Synkron: "FULL"}, true)
	defer func() { _ = leser.Close() }()
	tx, err := leser.BeginTx(t.Context(), nil)
	is.NoErr(err)
	_, err = tx.ExecContext(t.Context(), "SELECT count(*) FROM melding")
	is.NoErr(err)
	var n int
	is.NoErr(tx.QueryRowContext(t.Context(), "SELECT count(*) FROM melding").Scan(&n))
	contracts.Lagre(t, lager(s), contracts.NyMelding(t))

	ferdig := make(chan error, 1)
	go func() { ferdig <- s.Vedlikehold(t.Context()) }()
	contracts.Lagre(t, lager(s), contracts.NyMelding(t)) // accepting goes on
	select {
	case err := <-ferdig:
		t.Fatalf("ventet ikke: %v", err)
	default:
	}
	is.NoErr(tx.Rollback())
	is.NoErr(<-ferdig)
}

func TestEnKlaimSomIkkeFinnerNoeSkriverIngenting(t *testing.T) {
	is := is.New(t)
	sti := filepath.Join(t.TempDir(), "portal.db")
	s := apneEn(t, Config{Path: sti, Arbeider: true})
	contracts.Lagre(t, lager(s), contracts.NyMelding(t))
	for_, err := os.ReadFile(sti + "-wal")
	is.NoErr(err)
	for range 20 {
		leier, err := s.Claim(t.Context(), levering.KoFrist, 5, contracts.Start, time.Minute)
		is.NoErr(err)
		is.Equal(len(leier), 0)
	}
	etter, err := os.ReadFile(sti + "-wal")
	is.NoErr(err)
	is.True(bytes.Equal(for_, etter))
}

func TestLedigPlass(t *testing.T) {
	is := is.New(t)
	n, err := apneEn(t, Config{Path: filepath.Join(t.TempDir(), "portal.db")}).LedigPlass(t.Context())
	is.NoErr(err)
	is.True(n > 0)
}

// With the disk full nothing is half stored and nobody is told that it was; when there is room again the same call succeeds (D20).
func TestFullDisk(t *testing.T) {
	is := is.New(t)
	c := Config{Path: filepath.Join(t.TempDir(), "portal.db"), Lesere: 1, Synkron: "FULL"}
	apneEn(t, c)
	skriv := handtak(c, false)
	s := sqlstore.New(handtak(c, true), skriv, dialekt(c, nil))
	t.Cleanup(func() { _ = s.Close() })
	l := lager(s)
	var sider int
	is.NoErr(skriv.NewRaw("PRAGMA page_count").Scan(t.Context(), &sider))
	grense := func(n int) {
		_, err := skriv.NewRaw("PRAGMA max_page_count = ?", n).Exec(t.Context())
		is.NoErr(err)
	}
	grense(sider + 20)
	n := contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.Asice = contracts.Tilfeldig(200_000) })
	_, err := s.Create(t.Context(), n)
	is.True(errors.Is(err, ports.ErrUnavailable))
	_, err = s.Get(t.Context(), n.Fakta.ID)
	is.True(errors.Is(err, ports.ErrNotFound))
	grense(1 << 30)
	id := contracts.Lagre(t, l, n)
	is.NoErr(s.Kontroller(t.Context(), func(id melding.ID, p string) { t.Error(id, p) }))
	f, err := s.Open(t.Context(), id, melding.DelAsice)
	is.NoErr(err)
	is.Equal(f.Storrelse(), int64(200_000))
}
