package melding_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"portal.example/bekymringsmelding/domain/melding"
)

var t0 = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// kode is some kind that fits a state; the fold does not care which.
var kode = map[melding.Tilstand]melding.Kode{
	melding.AKSEPTERT: melding.Akseptert, melding.SENDT_FAGSYSTEM: melding.SendtFagsystem, melding.AVVIST_FAGSYSTEM: melding.AvvistFagsystem,
	melding.SENDT_PRINT: melding.SendtPrint, melding.AVVIST_PRINT: melding.BrevAvvist, melding.LEVERT: melding.BekreftetMottatt,
}

func steg(t melding.Tilstand, nar time.Time) melding.Hendelse {
	return melding.Hendelse{Art: melding.Overgang, Tilstand: t, Kode: kode[t], Tidspunkt: nar}
}

func TestOnlyTheTableMovesAReport(t *testing.T) {
	is := is.New(t)
	lovlig := map[string]bool{
		">AKSEPTERT": true, "AKSEPTERT>SENDT_FAGSYSTEM": true, "AKSEPTERT>SENDT_PRINT": true,
		"SENDT_FAGSYSTEM>LEVERT": true, "SENDT_FAGSYSTEM>AVVIST_FAGSYSTEM": true, "SENDT_FAGSYSTEM>SENDT_PRINT": true,
		"AVVIST_FAGSYSTEM>SENDT_PRINT": true, "AVVIST_FAGSYSTEM>LEVERT": true,
		"SENDT_PRINT>LEVERT": true, "SENDT_PRINT>AVVIST_PRINT": true,
		"AVVIST_PRINT>SENDT_PRINT": true, "AVVIST_PRINT>SENDT_FAGSYSTEM": true, "AVVIST_PRINT>LEVERT": true,
	}
	for _, fra := range append([]melding.Tilstand{""}, melding.Tilstander()...) {
		for _, til := range melding.Tilstander() {
			is.Equal(melding.Lovlig(fra, til), lovlig[string(fra)+">"+string(til)]) // fra > til
		}
	}
	is.Equal(len(melding.Neste(melding.LEVERT)), 0) // LEVERT is the end
}

func TestAnIllegalStepIsNamed(t *testing.T) {
	is := is.New(t)
	m := melding.Melding{Fakta: melding.Fakta{ID: "m"}}.Med(steg(melding.AKSEPTERT, t0), steg(melding.LEVERT, t0))
	var feil *melding.OvergangError
	is.True(errors.As(m.Kontroller(), &feil))
	is.Equal(feil.Fra, melding.AKSEPTERT)
	is.Equal(feil.Til, melding.LEVERT)
}

func TestEveryCellOfTheAnswerTable(t *testing.T) {
	for _, u := range melding.Utfallene() {
		for _, fra := range melding.Tilstander() {
			t.Run(string(u)+" i "+string(fra), func(t *testing.T) {
				is := is.New(t)
				r := melding.Reager(fra, u)
				na := fra
				for _, s := range r.Overganger {
					is.True(melding.Lovlig(na, s.Tilstand)) // each step of the cell is in the transition table
					is.True(s.Kode.Beskrivelse() != "")
					na = s.Tilstand
				}
				if fra == melding.LEVERT {
					is.Equal(len(r.Overganger), 0) // nothing leaves LEVERT
				}
				if u == melding.UtfallMottatt {
					is.Equal(na, melding.LEVERT) // a receipt always ends it
				}
				if u != melding.UtfallFrist {
					is.True(len(r.Overganger) > 0 || r.Merknad != "") // every answer leaves a trace
				}
				if fra == melding.AVVIST_PRINT && u != melding.UtfallMottatt {
					is.Equal(len(r.Overganger), 0) // only a receipt or an operator ends it (D3)
				}
			})
		}
	}
}

func TestEveryKindHasAPlainSentence(t *testing.T) {
	is := is.New(t)
	for _, k := range melding.Koder() {
		s := k.Beskrivelse()
		is.True(strings.HasSuffix(s, ".")) // a whole sentence
		is.True(!strings.Contains(s, "%"))
	}
}

// Whose name an event's Referanse is decides what counts as the same answer again. The answers' own kinds are what the table may write of
// one, and the few that are chosen beside it.
func TestEveryKindSaysWhoseNameItsReferenceIs(t *testing.T) {
	svar := map[melding.Kode]bool{melding.BekreftetAvbestilt: true, melding.BekreftetBrevUnderveis: true, melding.MidlertidigFeil: true,
		melding.SvarFraAnnenKonto: true, melding.UkjentSvar: true}
	brev := map[melding.Kode]bool{}
	for _, x := range []struct {
		koder map[melding.Kode]bool
		av    []melding.Utfall
	}{
		{svar, []melding.Utfall{melding.UtfallMottatt, melding.UtfallFeilet, melding.UtfallServerfeil, melding.UtfallTidsavbrudd}},
		{brev, []melding.Utfall{melding.UtfallOvertatt, melding.UtfallPostlagt, melding.UtfallBrevAvvist, melding.UtfallRetur}},
	} {
		for _, u := range x.av {
			for _, fra := range melding.Tilstander() {
				r := melding.Reager(fra, u)
				for _, s := range r.Overganger {
					x.koder[s.Kode] = true
				}
				if r.Merknad != "" {
					x.koder[r.Merknad] = true
				}
			}
		}
	}
	delete(svar, melding.SendtBevist) // our own conclusion from the answer
	for _, k := range melding.Koder() {
		slag, finnes := melding.Referanseslagene()[k]
		if !finnes {
			t.Errorf("%s står ikke i tabellen", k)
		}
		if (slag == melding.RefSvar) != svar[k] || (slag == melding.RefBrev) != brev[k] {
			t.Errorf("%s har referansen til %q", k, slag)
		}
	}
	if len(melding.Referanseslagene()) != len(melding.Koder()) {
		t.Error("tabellen har arter som ikke finnes")
	}
}

func TestHistoryIsGaplessAndNeverRunsBackwards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m melding.Melding
		n := rapid.IntRange(1, 12).Draw(t, "n")
		for range n {
			neste := melding.Neste(m.Tilstand())
			nar := t0.Add(time.Duration(rapid.Int64Range(-1e15, 1e15).Draw(t, "klokke")))
			if len(neste) == 0 || rapid.Bool().Draw(t, "merknad") && m.Tilstand() != "" {
				m = m.Med(melding.Hendelse{Art: melding.Merknad, Kode: melding.Notat, Tidspunkt: nar})
			} else {
				m = m.Med(steg(rapid.SampledFrom(neste).Draw(t, "neste"), nar))
			}
		}
		if err := m.Kontroller(); err != nil {
			t.Fatal(err)
		}
		if m.Tilstand() != "" && !slices.Contains(melding.Tilstander(), m.Tilstand()) {
			t.Fatal(m.Tilstand())
		}
	})
}

func TestABrokenHistoryIsSeen(t *testing.T) {
	is := is.New(t)
	god := melding.Melding{}.Med(steg(melding.AKSEPTERT, t0), steg(melding.SENDT_FAGSYSTEM, t0.Add(time.Hour)))
	is.NoErr(god.Kontroller())
	for navn, odelegg := range map[string]func([]melding.Hendelse){
		"hull i sekvensen": func(h []melding.Hendelse) { h[1].Sekvens = 3 },
		"tid baklengs":     func(h []melding.Hendelse) { h[1].Tidspunkt = t0.Add(-time.Hour) },
		"ukjent kode":      func(h []melding.Hendelse) { h[1].Kode = "NOE" },
		"merknad med tilstand": func(h []melding.Hendelse) {
			h[1].Art, h[1].Tilstand = melding.Merknad, melding.LEVERT
		},
	} {
		m := god
		m.Historikk = slices.Clone(god.Historikk)
		odelegg(m.Historikk)
		is.True(errors.Is(m.Kontroller(), melding.ErrHistorikk)) // navn
		_ = navn
	}
}

func TestAttemptIDIsTheSameEveryTime(t *testing.T) {
	is := is.New(t)
	a := melding.NyForsokID("018f3c2e-0000-7000-8000-000000000001", "brev", 1)
	is.Equal(a, melding.NyForsokID("018f3c2e-0000-7000-8000-000000000001", "brev", 1))
	is.True(a != melding.NyForsokID("018f3c2e-0000-7000-8000-000000000001", "brev", 2))
	is.True(a != melding.NyForsokID("018f3c2e-0000-7000-8000-000000000001", "sending", 1))
	_, err := melding.ParseID(string(a)) // it is a UUID: Fiks IO clients parse it
	is.NoErr(err)
	is.Equal(string(a)[14], byte('8'))
}

func TestParseID(t *testing.T) {
	is := is.New(t)
	id, err := melding.ParseID("018F3C2E-0000-7000-8000-00000000000A")
	is.NoErr(err)
	is.Equal(id, melding.ID("018f3c2e-0000-7000-8000-00000000000a"))
	for _, s := range []string{"", "x", "018f3c2e-0000-7000-8000-00000000000", "018f3c2e-0000-7000-8000-00000000000g", "018f3c2e_0000-7000-8000-000000000000", "../../../etc/passwd0000-000000000000"} {
		_, err := melding.ParseID(s)
		is.True(err != nil) // refused
	}
}

func TestReportTextIsNeverPrinted(t *testing.T) {
	const hemmelig = "barnet heter Kari"
	k := melding.NyKlartekst([]byte(hemmelig))
	type skjult struct{ k melding.Klartekst }
	type apen struct{ K melding.Klartekst }
	for _, f := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X"} {
		for _, v := range []any{k, &k, skjult{k}, &skjult{k}, apen{k}, []melding.Klartekst{k}, map[string]melding.Klartekst{"a": k}} {
			s := fmt.Sprintf(f, v)
			if strings.Contains(s, "Kari") || strings.Contains(s, fmt.Sprintf("%x", hemmelig)[:12]) || strings.Contains(s, "98 97 114") {
				t.Errorf("%s av %T viser innholdet", f, v)
			}
		}
	}
	var b bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		l := slog.New(h)
		l.Info("x", "k", k, "p", &k, "s", skjult{k}, "a", apen{k})
	}
	j, _ := json.Marshal(map[string]any{"k": k, "s": skjult{k}, "a": apen{k}})
	b.Write(j)
	if strings.Contains(b.String(), "Kari") {
		t.Error("loggen viser innholdet: ", b.String())
	}
	if !strings.Contains(b.String(), "[skjult]") {
		t.Error("loggen skulle vist [skjult]")
	}
	if string(k.Bytes()) != hemmelig {
		t.Error("innholdet selv skal være urørt")
	}
}

func TestSealedBytesPrintTheirSizeOnly(t *testing.T) {
	is := is.New(t)
	f := melding.ForsegletBytes(melding.X509, []byte("abcdef"))
	is.Equal(fmt.Sprintf("%v %x", f, f), "[forseglet x509, 6 byte] [forseglet x509, 6 byte]")
	b, err := f.Bytes()
	is.NoErr(err)
	is.Equal(string(b), "abcdef")
	b2, _ := f.Bytes() // read again from the start
	is.Equal(b2, b)
}
