// Package tilstander prints docs/tilstander.md from the tables in domain/melding, so that the page cannot say anything else than the
// code does. A test compares the two.
package tilstander

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"portal.example/bekymringsmelding/domain/melding"
)

// Skriv writes the page. The same tables give the same bytes.
func Skriv(w io.Writer) error {
	b := bufio.NewWriter(w) // remembers the first error; Flush returns it
	ut := func(format string, a ...any) { fmt.Fprintf(b, format, a...) }
	ut(`# Tilstander

<!-- Skrevet av meldingctl tilstander. Ikke endre for hånd: endre domain/melding og kjør just oppdater. -->

En bekymringsmelding er alltid i én av seks tilstander. Tilstanden følger av historikken: den siste overgangen gjelder.
Merknader endrer ikke tilstanden.

`)
	for _, t := range melding.Tilstander() {
		ut("- **%s** – %s\n", t, forklaring[t])
	}
	ut("\n## Overganger\n\nEt x betyr at en melding kan gå fra tilstanden til venstre til tilstanden øverst. Alt annet blir nektet.\n\n")
	overganger(ut)
	ut("\n## Kart\n\nHver pil sier hva som fører til overgangen.\n\n")
	kart(ut)
	ut("\n## Hva et svar gjør\n\n")
	ut("Rader er det som kan skje, kolonner er tilstanden meldingen er i da.\n\n")
	ut("- → er en overgang. To piler er to overganger etter hverandre.\n- *Kursiv* er en merknad: tilstanden er den samme.\n")
	ut("- Etter semikolon står det portalen så skylder å gjøre, og hvem som får varsel.\n- – betyr at svaret ikke setter spor.\n\n")
	reaksjoner(ut)
	ut(`
Kommer et svar om et brev som en operatør har bestilt etter %s, gjelder kolonnen %s: bare svaret
om det nye brevet flytter meldingen.

Sier utskriftsleverandøren at et brev ikke gikk etter at det var meldt postlagt, blir meldingen stående i %s. En operatør får varsel,
kritisk, når det var brevet som gjorde at meldingen regnes som levert.

En operatør kan i tillegg selv avslutte %s: til %s med et nytt brev, til %s med en ny sending, eller til
%s når leveringen er dokumentert.

`, melding.AVVIST_PRINT, melding.AVVIST_FAGSYSTEM, melding.LEVERT, melding.AVVIST_PRINT, melding.SENDT_PRINT, melding.SENDT_FAGSYSTEM, melding.LEVERT)
	ut("## Setninger\n\nDette er alle setningene som finnes i en historikk. Avsenderen ser bare setningene for overganger.\n\n")
	setninger(ut)
	return b.Flush()
}

type skriver func(format string, a ...any)

var forklaring = map[melding.Tilstand]string{
	melding.AKSEPTERT:        "portalen har lagret meldingen og har ansvaret for den.",
	melding.SENDT_FAGSYSTEM:  "meldingen er gjort tilgjengelig i mottakerens digitale kanal, men mottak er ikke bekreftet.",
	melding.AVVIST_FAGSYSTEM: "fagsystemet har svart at det ikke kunne ta imot meldingen. Portalen skylder et brev.",
	melding.SENDT_PRINT:      "utskriftsleverandøren har tatt imot brevet.",
	melding.AVVIST_PRINT:     "brevet kunne ikke skrives ut eller leveres. En operatør må bestemme hva som skal skje.",
	melding.LEVERT:           "mottakeren har bekreftet, brevet er postlagt, eller en operatør har dokumentert leveringen. Slutt.",
}

func overganger(ut skriver) {
	alle := melding.Tilstander()
	rad(ut, append([]string{"fra \\ til"}, navn(alle)...))
	strek(ut, len(alle)+1)
	for _, fra := range append([]melding.Tilstand{""}, alle...) {
		celler := []string{tilstandsnavn(fra)}
		for _, til := range alle {
			celler = append(celler, kryss(melding.Lovlig(fra, til)))
		}
		rad(ut, celler)
	}
}

// kart draws every legal step once. What an answer can bring about is read from the table; the steps that are our own doing, or an
// operator's, have their words here.
func kart(ut skriver) {
	ut("```mermaid\nstateDiagram-v2\n    [*] --> %s: lagret hos portalen\n", melding.AKSEPTERT)
	for _, fra := range melding.Tilstander() {
		for _, til := range melding.Neste(fra) {
			ut("    %s --> %s: %s\n", fra, til, strings.Join(arsaker(fra, til), " / "))
		}
	}
	ut("    %s --> [*]\n```\n", melding.LEVERT)
}

// egne are the steps no answer brings about.
var egne = map[[2]melding.Tilstand]string{
	{melding.AKSEPTERT, melding.SENDT_FAGSYSTEM}:    "sendt eller klar til henting",
	{melding.AVVIST_PRINT, melding.SENDT_FAGSYSTEM}: "operatør bestiller ny sending",
	{melding.AVVIST_PRINT, melding.SENDT_PRINT}:     "operatør bestiller nytt brev, og det blir overtatt",
	{melding.AVVIST_PRINT, melding.LEVERT}:          "operatør dokumenterer levering",
}

// arsaker lists what can take a report from one state straight to another. Of an answer that takes two steps, each step is looked at
// from the state it starts in, so that an arrow names only what can cross it.
func arsaker(fra, til melding.Tilstand) []string {
	var ut []string
	if e := egne[[2]melding.Tilstand{fra, til}]; e != "" {
		ut = append(ut, e)
	}
	for _, u := range melding.Utfallene() {
		for _, t := range melding.Tilstander() {
			na := t
			for _, s := range melding.Reager(t, u).Overganger {
				if na == fra && s.Tilstand == til && !slices.Contains(ut, string(u)) {
					ut = append(ut, string(u))
				}
				na = s.Tilstand
			}
		}
	}
	return ut
}

func reaksjoner(ut skriver) {
	alle := melding.Tilstander()
	rad(ut, append([]string{"svar \\ tilstand"}, navn(alle)...))
	strek(ut, len(alle)+1)
	for _, u := range melding.Utfallene() {
		celler := []string{string(u)}
		for _, t := range alle {
			celler = append(celler, celle(melding.Reager(t, u)))
		}
		rad(ut, celler)
	}
}

func celle(r melding.Reaksjon) string {
	var hva, sa []string
	for _, s := range r.Overganger {
		hva = append(hva, "→ "+string(s.Tilstand))
	}
	if r.Merknad != "" {
		hva = append(hva, "*"+strings.ReplaceAll(string(r.Merknad), "_", `\_`)+"*")
	}
	if r.Folge != "" {
		sa = append(sa, string(r.Folge))
	}
	if r.Varsles != melding.Ingen {
		sa = append(sa, "varsler "+string(r.Varsles))
	}
	switch {
	case len(hva) == 0 && len(sa) == 0:
		return "–"
	case len(sa) == 0:
		return strings.Join(hva, " ")
	}
	return strings.Join(hva, " ") + "; " + strings.Join(sa, ", ")
}

func setninger(ut skriver) {
	koder := melding.Koder()
	slices.Sort(koder)
	rad(ut, []string{"kode", "setning"})
	strek(ut, 2)
	for _, k := range koder {
		rad(ut, []string{string(k), k.Beskrivelse()})
	}
}

func rad(ut skriver, celler []string) { ut("| %s |\n", strings.Join(celler, " | ")) }

func strek(ut skriver, n int) { ut("|%s\n", strings.Repeat("---|", n)) }

func navn(tt []melding.Tilstand) []string {
	var ut []string
	for _, t := range tt {
		ut = append(ut, string(t))
	}
	return ut
}

func tilstandsnavn(t melding.Tilstand) string {
	if t == "" {
		return "(ny)"
	}
	return string(t)
}

func kryss(ja bool) string {
	if ja {
		return "x"
	}
	return ""
}
