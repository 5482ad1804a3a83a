package tilstander_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/cmd/meldingctl/tilstander"
	"portal.example/bekymringsmelding/domain/melding"
)

func siden(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := tilstander.Skriv(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSameTablesSameBytes(t *testing.T) {
	is := is.New(t)
	forste := siden(t)
	for range 20 { // maps are walked in a new order each time
		is.Equal(siden(t), forste)
	}
}

// OPPDATER=1 writes docs/tilstander.md; without it the page has to be the one the tables give.
func TestTilstanderIsThePageInDocs(t *testing.T) {
	is := is.New(t)
	const fil = "../../../docs/tilstander.md"
	if os.Getenv("OPPDATER") == "1" {
		is.NoErr(os.WriteFile(fil, []byte(siden(t)), 0o644))
	}
	docs, err := os.ReadFile(fil)
	is.NoErr(err)
	is.Equal(string(docs), siden(t))
}

func TestPageHoldsEverything(t *testing.T) {
	is := is.New(t)
	s := siden(t)
	for _, k := range melding.Koder() {
		is.True(strings.Contains(s, "| "+string(k)+" | "+k.Beskrivelse()+" |"))
	}
	for _, u := range melding.Utfallene() {
		rad := linje(s, "| "+string(u)+" |")
		is.Equal(strings.Count(rad, "|"), len(melding.Tilstander())+2) // one cell for each state
	}
	for _, fra := range melding.Tilstander() {
		is.True(strings.Contains(s, "- **"+string(fra)+"** – "))
		is.Equal(strings.Count(linje(s, "| "+string(fra)+" |"), " x "), len(melding.Neste(fra)))
	}
}

// TestEveryArrowIsLegalAndLabelled reads the chart as Mermaid does: a label ends at a second colon or a semicolon.
func TestEveryArrowIsLegalAndLabelled(t *testing.T) {
	is := is.New(t)
	_, kart, _ := strings.Cut(siden(t), "```mermaid\n")
	kart, _, _ = strings.Cut(kart, "```")
	tegnet := 0
	for l := range strings.Lines(kart) {
		fra, resten, ok := strings.Cut(strings.TrimSpace(l), " --> ")
		if !ok || fra == "[*]" || resten == "[*]" {
			continue
		}
		til, etikett, ok := strings.Cut(resten, ": ")
		is.True(ok && etikett != "" && !strings.ContainsAny(etikett, ":;"))
		is.True(melding.Lovlig(melding.Tilstand(fra), melding.Tilstand(til)))
		tegnet++
	}
	lovlige := 0
	for _, t := range melding.Tilstander() {
		lovlige += len(melding.Neste(t))
	}
	is.Equal(tegnet, lovlige)
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, fs.ErrInvalid }

func TestWriteErrorIsSaid(t *testing.T) {
	is := is.New(t)
	is.True(errors.Is(tilstander.Skriv(fullDisk{}), fs.ErrInvalid))
}

func linje(s, begynner string) string {
	for l := range strings.Lines(s) {
		if strings.HasPrefix(l, begynner) {
			return l
		}
	}
	return ""
}
