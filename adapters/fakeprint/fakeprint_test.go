package fakeprint_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/fakeprint"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// klokke stands still until the test moves it.
type klokke struct {
	mu sync.Mutex
	na time.Time
}

func nyKlokke() *klokke { return &klokke{na: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)} }

func (k *klokke) Now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.na
}

func (k *klokke) At(time.Time) (<-chan time.Time, func()) { panic("fakeprint shall not wait") }

func (k *klokke) frem(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.na = k.na.Add(d)
}

type bunt struct {
	mappe  string
	klokke *klokke
	p      *fakeprint.Printer
}

func setup(t *testing.T, m func(levering.Brev) fakeprint.Manus) *bunt {
	t.Helper()
	b := &bunt{mappe: filepath.Join(t.TempDir(), "brev"), klokke: nyKlokke()}
	b.apne(t, m)
	return b
}

// apne is a start, or a restart, on the same folder.
func (b *bunt) apne(t *testing.T, m func(levering.Brev) fakeprint.Manus) {
	t.Helper()
	p, err := fakeprint.Open(fakeprint.Config{Mappe: b.mappe, Klokke: b.klokke, Manus: m})
	if err != nil {
		t.Fatal(err)
	}
	b.p = p
}

func alltid(m fakeprint.Manus) func(levering.Brev) fakeprint.Manus {
	return func(levering.Brev) fakeprint.Manus { return m }
}

const rapport = melding.ID("0190c0de-0000-7000-8000-000000000001")

func brev(n int) levering.Brev {
	innhold := bytes.Repeat([]byte{byte(n), 0x30, 0x80}, 1000)
	kontor := kommune.Postadresse{Navn: "Barneverntjenesten & co.", Linje1: "Postboks 1", Postnummer: "5014", Poststed: "Bergen"}
	return levering.Brev{
		ID: melding.NyForsokID(rapport, "brev", n), Melding: rapport, Til: kontor, Retur: kontor,
		Innhold: melding.ForsegletBytes(melding.X509, innhold), SHA256: sha256.Sum256(innhold), Nokkel: []string{"0a"},
	}
}

func statuser(jj []levering.Jobb) string {
	var ut []string
	for _, j := range jj {
		ut = append(ut, string(j.Status))
	}
	return strings.Join(ut, " ")
}

func TestLetterLiesAsSealedBesideItsSheet(t *testing.T) {
	is := is.New(t)
	b, br := setup(t, nil), brev(1)
	is.NoErr(b.p.Submit(t.Context(), br))

	rad, err := os.ReadFile(filepath.Join(b.mappe, string(br.ID)+".cms"))
	is.NoErr(err)
	ventet, _ := br.Innhold.Bytes()
	is.True(bytes.Equal(rad, ventet))
	ark, err := os.ReadFile(filepath.Join(b.mappe, string(br.ID)+".json"))
	is.NoErr(err)
	is.True(strings.Contains(string(ark), `"referanse": "`+string(rapport)+`"`))
	is.True(strings.Contains(string(ark), "Barneverntjenesten & co."))
	for _, f := range []string{".cms", ".json"} {
		info, err := os.Stat(filepath.Join(b.mappe, string(br.ID)+f))
		is.NoErr(err)
		is.Equal(info.Mode().Perm(), os.FileMode(0o600))
	}
}

func TestEveryScript(t *testing.T) {
	for _, tt := range []struct {
		navn    string
		manus   fakeprint.Manus
		etter   string // all events two days later
		avbestt bool   // Cancel two days later
	}{
		{"posted", fakeprint.Poster(2 * time.Second), "mottatt postlagt", false},
		{"never posted", fakeprint.PosterAldri(), "mottatt", true},
		{"refused later", fakeprint.Avviser(time.Hour), "mottatt avvist", true},
		{"returned", fakeprint.Returnerer(time.Hour, 25*time.Hour), "mottatt postlagt retur", false},
	} {
		t.Run(tt.navn, func(t *testing.T) {
			is := is.New(t)
			b, br := setup(t, alltid(tt.manus)), brev(1)
			is.NoErr(b.p.Submit(t.Context(), br))
			j, err := b.p.Status(t.Context(), br.ID)
			is.NoErr(err)
			is.Equal(j.Status, levering.BrevMottatt)
			is.Equal(j.Tid, b.klokke.Now())

			b.klokke.frem(48 * time.Hour)
			b.apne(t, alltid(fakeprint.Nekter())) // the script of a job is on its sheet, not in the process
			jj, _, err := b.p.Events(t.Context(), "")
			is.NoErr(err)
			is.Equal(statuser(jj), tt.etter)
			stanset, err := b.p.Cancel(t.Context(), br.ID)
			is.NoErr(err)
			is.Equal(stanset, tt.avbestt)
		})
	}
}

func TestRefusedLetterIsNoJob(t *testing.T) {
	is := is.New(t)
	b, br := setup(t, alltid(fakeprint.Nekter())), brev(1)
	is.True(errors.Is(b.p.Submit(t.Context(), br), ports.ErrRefused))
	_, err := b.p.Status(t.Context(), br.ID)
	is.True(errors.Is(err, ports.ErrNotFound))
	_, err = b.p.Cancel(t.Context(), br.ID)
	is.True(errors.Is(err, ports.ErrNotFound))
}

func TestWrongHashAndWrongIDAreRefusedAndLeaveNothing(t *testing.T) {
	is := is.New(t)
	b := setup(t, nil)
	feil := brev(1)
	feil.SHA256[0] ^= 1
	is.True(errors.Is(b.p.Submit(t.Context(), feil), ports.ErrRefused))
	for _, id := range []melding.ForsokID{"", "../../etc/passwd", melding.ForsokID(strings.ToUpper(string(brev(1).ID)))} {
		br := brev(1)
		br.ID = id
		is.True(errors.Is(b.p.Submit(t.Context(), br), ports.ErrRefused))
	}
	filer, err := os.ReadDir(b.mappe)
	is.NoErr(err)
	is.Equal(len(filer), 0)
}

func TestSameJobTwiceIsOneLetter(t *testing.T) {
	is := is.New(t)
	b, br := setup(t, nil), brev(1)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := b.p.Submit(context.Background(), br); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	jj, _, err := b.p.Events(t.Context(), "")
	is.NoErr(err)
	is.Equal(statuser(jj), "mottatt")

	annet := brev(2)
	annet.ID = br.ID
	is.True(errors.Is(b.p.Submit(t.Context(), annet), ports.ErrConflict))
}

func TestDownForDaysStoresNothing(t *testing.T) {
	is := is.New(t)
	b, br := setup(t, nil), brev(1)
	b.p.Nede(b.klokke.Now().Add(72 * time.Hour))
	is.True(errors.Is(b.p.Submit(t.Context(), br), ports.ErrUnavailable))
	_, err := b.p.Status(t.Context(), br.ID)
	is.True(errors.Is(err, ports.ErrUnavailable)) // not ErrNotFound: a vendor that is down knows nothing
	_, cursor, err := b.p.Events(t.Context(), "7")
	is.True(errors.Is(err, ports.ErrUnavailable))
	is.Equal(cursor, "7")
	b.klokke.frem(72 * time.Hour)
	_, err = b.p.Status(t.Context(), br.ID)
	is.True(errors.Is(err, ports.ErrNotFound))
	b.p.Nede(time.Time{})
	b.klokke.frem(1000 * time.Hour)
	is.True(errors.Is(b.p.Submit(t.Context(), br), ports.ErrUnavailable))
	b.p.Oppe()
	is.NoErr(b.p.Submit(t.Context(), br))
}

func TestLostAnswerIsAnAcceptedJob(t *testing.T) {
	is := is.New(t)
	b, br := setup(t, nil), brev(1)
	b.p.MistSvar(1)
	is.True(errors.Is(b.p.Submit(t.Context(), br), ports.ErrUnavailable))
	j, err := b.p.Status(t.Context(), br.ID)
	is.NoErr(err)
	is.Equal(j.Status, levering.BrevMottatt)
	is.NoErr(b.p.Submit(t.Context(), br))
}

func TestCancelBeforeAndAfterPosting(t *testing.T) {
	is := is.New(t)
	b := setup(t, nil)
	is.NoErr(b.p.Submit(t.Context(), brev(1)))
	is.NoErr(b.p.Submit(t.Context(), brev(2)))
	for range 2 { // a repeated cancel gets the same answer and makes no second event
		stanset, err := b.p.Cancel(t.Context(), brev(1).ID)
		is.NoErr(err)
		is.True(stanset)
	}
	b.klokke.frem(time.Minute)
	stanset, err := b.p.Cancel(t.Context(), brev(2).ID)
	is.NoErr(err)
	is.True(!stanset)
	jj, _, err := b.p.Events(t.Context(), "")
	is.NoErr(err)
	is.Equal(statuser(jj), "mottatt mottatt annullert postlagt") // the cancelled one is never posted
}

func TestCursorMissesNothing(t *testing.T) {
	is := is.New(t)
	b := setup(t, nil)
	is.NoErr(b.p.Submit(t.Context(), brev(1)))
	jj, c1, err := b.p.Events(t.Context(), "")
	is.NoErr(err)
	is.Equal(len(jj), 1)

	// A clock that steps back hides no event behind a cursor already given out.
	b.klokke.frem(-time.Hour)
	is.NoErr(b.p.Submit(t.Context(), brev(2)))
	jj, c2, err := b.p.Events(t.Context(), c1)
	is.NoErr(err)
	is.Equal(statuser(jj), "mottatt")
	is.Equal(jj[0].ID, brev(2).ID)

	b.klokke.frem(2 * time.Hour)
	b.apne(t, nil)
	jj, c3, err := b.p.Events(t.Context(), c2)
	is.NoErr(err)
	is.Equal(statuser(jj), "postlagt postlagt")
	again, _, err := b.p.Events(t.Context(), c2) // the answer was lost: asked again, told again
	is.NoErr(err)
	is.Equal(again, jj)
	jj, c4, err := b.p.Events(t.Context(), c3)
	is.NoErr(err)
	is.Equal(len(jj), 0)
	is.Equal(c4, c3)
	_, _, err = b.p.Events(t.Context(), "tull")
	is.True(errors.Is(err, ports.ErrRefused))
}

func TestCrashLeavesNoHalfJob(t *testing.T) {
	is := is.New(t)
	b := setup(t, nil)
	// What a crash leaves on each line of Submit: a file under its working name, then a letter without a sheet.
	is.NoErr(os.WriteFile(filepath.Join(b.mappe, ".uferdig-1"), []byte("halv"), 0o600))
	is.NoErr(os.WriteFile(filepath.Join(b.mappe, string(brev(1).ID)+".cms"), []byte("foreldrelos"), 0o600))
	b.apne(t, nil)
	_, err := b.p.Status(t.Context(), brev(1).ID)
	is.True(errors.Is(err, ports.ErrNotFound))
	is.NoErr(b.p.Submit(t.Context(), brev(1)))
	rad, err := os.ReadFile(filepath.Join(b.mappe, string(brev(1).ID)+".cms"))
	is.NoErr(err)
	is.Equal(sha256.Sum256(rad), brev(1).SHA256)
	filer, err := os.ReadDir(b.mappe)
	is.NoErr(err)
	is.Equal(len(filer), 2)
}

func TestDamagedSheetIsSaid(t *testing.T) {
	is := is.New(t)
	b := setup(t, nil)
	is.NoErr(os.WriteFile(filepath.Join(b.mappe, string(brev(1).ID)+".json"), []byte("{"), 0o600))
	_, err := fakeprint.Open(fakeprint.Config{Mappe: b.mappe, Klokke: b.klokke})
	is.True(err != nil)
}

func TestFullDiskIsNotAnAcceptedJob(t *testing.T) {
	is := is.New(t)
	b := setup(t, nil)
	is.NoErr(b.p.Submit(t.Context(), brev(1)))
	is.NoErr(os.Rename(b.mappe, b.mappe+".borte")) // stands in for a disk that takes nothing; works for root too
	b.klokke.frem(time.Minute)
	is.True(b.p.Submit(t.Context(), brev(2)) != nil)
	_, err := b.p.Status(t.Context(), brev(1).ID)
	is.True(err != nil) // posted cannot be kept, so it is not said
	is.NoErr(os.Rename(b.mappe+".borte", b.mappe))
	_, err = b.p.Status(t.Context(), brev(2).ID)
	is.True(errors.Is(err, ports.ErrNotFound))
	j, err := b.p.Status(t.Context(), brev(1).ID)
	is.NoErr(err)
	is.Equal(j.Status, levering.BrevPostlagt)
}

func TestMeldIsTheVendorsHand(t *testing.T) {
	is := is.New(t)
	b := setup(t, nil)
	is.NoErr(b.p.Submit(t.Context(), brev(1)))
	is.NoErr(b.p.Meld(brev(1).ID, levering.BrevAvvist, "PAPIRSTOPP"))
	b.klokke.frem(time.Hour)
	j, err := b.p.Status(t.Context(), brev(1).ID)
	is.NoErr(err)
	is.Equal(j.Status, levering.BrevAvvist) // what the script had left is dropped
	is.Equal(j.Arsak, "PAPIRSTOPP")
	is.True(errors.Is(b.p.Meld(brev(2).ID, levering.BrevAvvist, ""), ports.ErrNotFound))

	b.p.SettManus(alltid(fakeprint.PosterAldri()))
	is.NoErr(b.p.Submit(t.Context(), brev(2)))
	b.klokke.frem(time.Hour)
	ark, err := b.p.Brevene()
	is.NoErr(err)
	is.Equal(len(ark), 2)
	is.Equal(ark[1].Jobb, brev(2).ID)
	is.Equal(len(ark[1].Hendelser), 1)
}
