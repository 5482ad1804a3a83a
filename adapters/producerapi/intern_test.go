package producerapi

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

// The deadline moves on with every window's worth, never for less.
func TestFristenGlir(t *testing.T) {
	is := is.New(t)
	na := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var frister []time.Time
	i := &innmating{
		kilde: iotest.OneByteReader(strings.NewReader(strings.Repeat("x", 25))), fart: Fart{BytesPerSekund: 5, Vindu: 2 * time.Second},
		na: func() time.Time { return na }, frist: func(t time.Time) error { frister = append(frister, t); return nil },
	}
	start := na
	for range 25 {
		_, err := i.Read(make([]byte, 1))
		is.NoErr(err)
		na = na.Add(100 * time.Millisecond)
	}
	is.Equal(len(frister), 3) // at the start, at 10 bytes and at 20
	is.Equal(frister[0], start.Add(2*time.Second))
	is.Equal(frister[1], start.Add(900*time.Millisecond+2*time.Second))
	is.Equal(frister[2], start.Add(1900*time.Millisecond+2*time.Second))
}

func TestForSentBlirStaaende(t *testing.T) {
	is := is.New(t)
	i := &innmating{kilde: iotest.TimeoutReader(strings.NewReader("xx")), fart: Fart{1, time.Second}, na: time.Now, frist: func(time.Time) error { return nil }}
	_, err := io.ReadAll(i)
	is.True(err != nil)
	i.kilde = strings.NewReader("mer")
	_, igjen := io.ReadAll(i)
	is.Equal(igjen, err)
}

func TestBotteneErBegrenset(t *testing.T) {
	is := is.New(t)
	h := nyHastighet(1, 1)
	na := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for n := range maksBotter + 100 {
		is.Equal(h.vent(kommune.IntegrasjonID(fmt.Sprint(n)), na), time.Duration(0))
	}
	is.Equal(len(h.botte), maksBotter)
	na = na.Add(time.Minute) // all full again: a new one clears them out
	h.vent("ny", na)
	is.Equal(len(h.botte), 1)
	is.Equal(nyHastighet(0, 0).vent("x", na), time.Duration(0)) // no limit
}

func TestOpplastingerErBegrenset(t *testing.T) {
	is := is.New(t)
	s := nyeSamtidige(4)
	var ut []func()
	for _, x := range []struct {
		id   kommune.IntegrasjonID
		vent *Feilkode
	}{{"a", nil}, {"a", nil}, {"a", FeilForMangeKall}, {"b", nil}, {"c", nil}, {"b", FeilManglerPlass}} {
		u, err := s.inn(x.id)
		if x.vent != nil {
			is.Equal(tilFeil(err).kode, x.vent)
			continue
		}
		is.NoErr(err)
		ut = append(ut, u)
	}
	for _, u := range ut {
		u()
	}
	is.Equal(s.alle, 0)
	is.Equal(len(s.av), 0)
}

type tellendeTokens struct {
	kall int
	feil error
}

func (t *tellendeTokens) Konsument(context.Context, string) (kommune.Orgnr, error) {
	t.kall++
	return "312345678", t.feil
}

type stoppeklokke struct {
	ports.Clock
	na time.Time
}

func (s *stoppeklokke) Now() time.Time { return s.na }

// A token is verified once a second, and one that was refused every time.
func TestTokenetHuskesEttSekund(t *testing.T) {
	is := is.New(t)
	ekte, klokke := &tellendeTokens{}, &stoppeklokke{na: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	m := &tokenminne{Tokens: ekte, clock: klokke}
	spor := func(token string) error {
		orgnr, err := m.Konsument(t.Context(), token)
		is.True(err != nil || orgnr == "312345678")
		return err
	}
	for _, x := range []struct {
		flytt time.Duration
		kall  int
	}{{0, 1}, {999 * time.Millisecond, 1}, {time.Millisecond, 2}, {-2 * time.Second, 3}} {
		klokke.na = klokke.na.Add(x.flytt)
		is.NoErr(spor("a"))
		is.Equal(ekte.kall, x.kall)
	}
	is.NoErr(spor("b"))
	is.Equal(ekte.kall, 4) // another token
	ekte.feil = ports.ErrRefused
	is.True(spor("c") != nil)
	is.True(spor("c") != nil)
	is.Equal(ekte.kall, 6)
	ekte.feil = nil
	for n := range 2 * maksTokens {
		is.NoErr(spor(fmt.Sprint(n)))
	}
	is.True(len(m.sett) <= maksTokens)
}
